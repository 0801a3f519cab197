//! Several binds to one carrier behind one plug: parts go where most of the window is free, the parts of a message that is
//! on its way to the bind that has it. The link is up while one bind takes submissions.
//!
//! Nothing waits here. A part that a lost bind did not write is displaced: the pump sends it again where there is room, if
//! its lease and its deadline allow.

use std::{
    collections::BTreeMap,
    task::{Context, Poll},
};

use service::{Dice, Tasks};
use smpp::BindKind;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{BINDS_MAX, Dialect, keep};
use crate::{
    link::{self, Answer, Command, Event, Job, Line, Plug, Probe, Reply, Tag, Verdict},
    metrics,
};

/// Room for the number of a bind in the name of a receipt.
const BIND_BITS: u32 = 8;
const _: () = assert!(BINDS_MAX <= 1 << BIND_BITS, "every bind has a number of its own");

/// One bind.
struct Bind {
    kind: BindKind,
    commands: Line,
    /// Absent = it has ended.
    events: Option<mpsc::UnboundedReceiver<Event>>,
    is_up: bool,
    /// Parts it has and has not answered.
    open: u32,
}

/// See the module.
struct Bundle<'a> {
    dialect: &'a Dialect,
    binds: Vec<Bind>,
    /// Parts that have no answer, and the bind that has each.
    open: BTreeMap<Tag, usize>,
    events: mpsc::UnboundedSender<Event>,
}

/// Keeps every bind of `dialect` up until the link is told to close.
pub(super) async fn run(dialect: &Dialect, dice: &Dice, mut plug: Plug) {
    let mut tasks = Tasks::new();
    let binds = dialect.smpp.binds.kinds().map(|kind| {
        let (wire, plug) = link::wire();
        let dialect = Dialect {
            bind: kind,
            ..dialect.clone()
        };
        tasks.spawn(keep(dialect, dice.fork(), plug));
        Bind {
            kind,
            commands: wire.commands,
            events: Some(wire.events),
            is_up: false,
            open: 0,
        }
    });
    let mut bundle = Bundle {
        binds: binds.collect(),
        dialect,
        open: BTreeMap::new(),
        events: plug.events.clone(),
    };
    let mut has_pump = true;
    loop {
        tokio::select! {
            biased;
            event = bundle.next() => match event {
                Some((bind, event)) => bundle.on_event(bind, event),
                None => break,
            },
            command = plug.commands.recv(), if has_pump => {
                has_pump = command.is_some();
                bundle.on_command(command.unwrap_or(Command::Close));
            }
        }
    }
    tasks.join_all().await;
}

impl Bind {
    fn can_submit(&self) -> bool {
        self.is_up && self.kind.can_submit()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(events) = &mut self.events else {
            return Poll::Ready(None);
        };
        let polled = events.poll_recv(context);
        if matches!(polled, Poll::Ready(None)) {
            self.events = None;
        }
        polled
    }
}

impl Bundle<'_> {
    /// The next event of any bind that has not ended; `None` = all have. Cancel-safe.
    async fn next(&mut self) -> Option<(usize, Event)> {
        let binds = &mut self.binds;
        std::future::poll_fn(|context| {
            let mut has_ended = true;
            for (index, bind) in binds.iter_mut().enumerate() {
                match bind.poll(context) {
                    Poll::Ready(Some(event)) => return Poll::Ready(Some((index, event))),
                    Poll::Ready(None) => {}
                    Poll::Pending => has_ended = false,
                }
            }
            if has_ended { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Submit(jobs) => self.submit(jobs),
            Command::Reply(replies) => self.reply(replies),
            Command::Probe(probe) => {
                for (index, bind) in self.binds.iter().enumerate() {
                    let probe = Probe {
                        bind: index as u32,
                        ..probe.clone()
                    };
                    bind.commands.send(Command::Probe(probe));
                }
            }
            Command::Close => {
                for bind in &self.binds {
                    bind.commands.send(Command::Close);
                }
            }
        }
    }

    /// Hands each receipt's reply to the bind that it came by.
    fn reply(&self, replies: Vec<Reply>) {
        let mut batches: BTreeMap<usize, Vec<Reply>> = BTreeMap::new();
        for Reply { token, is_safe } in replies {
            let bind = usize::from(token as u8);
            let token = token >> BIND_BITS;
            batches.entry(bind).or_default().push(Reply { token, is_safe });
        }
        for (bind, replies) in batches {
            self.binds[bind].commands.send(Command::Reply(replies));
        }
    }

    /// Hands each part to a bind with room; a part without one goes back.
    fn submit(&mut self, jobs: Vec<Job>) {
        let (mut batches, mut answers): (BTreeMap<usize, Vec<Job>>, _) = (BTreeMap::new(), Vec::new());
        for job in jobs {
            let Some(bind) = self.bind_for(job.tag) else {
                let verdict = self.unsent();
                answers.push(Answer { tag: job.tag, verdict });
                continue;
            };
            self.binds[bind].open += 1;
            self.open.insert(job.tag, bind);
            batches.entry(bind).or_default().push(job);
        }
        for (bind, jobs) in batches {
            self.binds[bind].commands.send(Command::Submit(jobs));
        }
        if !answers.is_empty() {
            let _ = self.events.send(Event::Answers(answers));
        }
    }

    /// The bind that has other parts of the message, else the one with the most room. `None` = none has any.
    fn bind_for(&self, tag: Tag) -> Option<usize> {
        let has_room = |index: &usize| {
            let bind = &self.binds[*index];
            bind.can_submit() && bind.open < self.dialect.window
        };
        let (first, last) = (Tag { part: 0, ..tag }, Tag { part: u8::MAX, ..tag });
        let siblings = self.open.range(first..=last).next_back();
        siblings.map(|(_, bind)| *bind).filter(has_room).or_else(|| {
            let roomy = (0..self.binds.len()).filter(has_room);
            roomy.min_by_key(|index| self.binds[*index].open)
        })
    }

    fn on_event(&mut self, index: usize, event: Event) {
        match event {
            Event::Up => self.stands(index, None),
            Event::Down { reason } => self.stands(index, Some(reason)),
            Event::Answers(answers) => self.on_answers(index, answers),
            Event::Receipts(mut arrived) => {
                for receipt in &mut arrived {
                    receipt.token = receipt.token << BIND_BITS | index as u64;
                }
                let _ = self.events.send(Event::Receipts(arrived));
            }
            Event::Inbound(mut came) => {
                for came in &mut came {
                    came.token = came.token << BIND_BITS | index as u64;
                }
                let _ = self.events.send(Event::Inbound(came));
            }
            Event::Congestion(_) | Event::Room { .. } | Event::Trouble { .. } => _ = self.events.send(event),
        }
    }

    /// A bind is up, or down for a reason: the pump hears what room is left, and of the link only what changes.
    fn stands(&mut self, index: usize, down: Option<String>) {
        let (was_up, is_bound) = (self.is_up(), self.binds[index].is_up);
        self.binds[index].is_up = down.is_none();
        if let Some(reason) = &down {
            let reason = format!("bind {index}: {reason}");
            let _ = self.events.send(Event::Trouble { reason });
        }
        if is_bound == down.is_none() {
            return;
        }
        let (link, kind) = (&self.dialect.link, self.binds[index].kind);
        match &down {
            None => info!(%link, bind = index, ?kind, "a bind is up"),
            Some(reason) => warn!(%link, bind = index, ?kind, reason, "a bind is down"),
        }
        let up = self.binds.iter().filter(|bind| bind.is_up).count();
        metrics::binds(link, up);
        let submitting = self.binds.iter().filter(|bind| bind.can_submit()).count();
        let slots = self.dialect.window.saturating_mul(submitting as u32);
        let room = Event::Room {
            binds: up as u32,
            slots,
        };
        let _ = self.events.send(room);
        match (was_up, self.is_up(), down) {
            (false, true, _) => _ = self.events.send(Event::Up),
            (true, false, Some(reason)) => _ = self.events.send(Event::Down { reason }),
            _ => {}
        }
    }

    /// Passes answers on; what was not written on one bind may go over another.
    fn on_answers(&mut self, index: usize, mut answers: Vec<Answer>) {
        for Answer { tag, verdict } in &mut answers {
            if self.landed(index, *tag) && matches!(verdict, Verdict::Unsent { .. }) {
                *verdict = self.unsent();
            }
        }
        let _ = self.events.send(Event::Answers(answers));
    }

    /// Whether the part was on its way on this bind, and is no more. A late answer finds nothing.
    fn landed(&mut self, index: usize, tag: Tag) -> bool {
        let was_open = self.open.get(&tag) == Some(&index);
        if was_open {
            self.open.remove(&tag);
            self.binds[index].open -= 1;
        }
        was_open
    }

    /// What is said of a part that was not written.
    fn unsent(&self) -> Verdict {
        match self.is_up() {
            true => Verdict::Displaced,
            false => Verdict::Unsent { code: "no_link" },
        }
    }

    fn is_up(&self) -> bool {
        self.binds.iter().any(Bind::can_submit)
    }
}
