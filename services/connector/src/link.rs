//! The contract between the pump and a link of any kind: batches of parts go down, answers and receipts come up.
//!
//! A link never fails an order; whatever happens on the wire is an [`Answer`]. Rate, window, holds and deadlines are the
//! pump's. Each part handed down is answered exactly once, within its answer timeout; after [`Verdict::Unanswered`] the
//! carrier's own answer may follow. `CONNECTORS.md` lists what a link must and should do.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use journey::Charge;
use sms::Receipt;
use tokio::sync::mpsc;

use crate::{Rule, inbound::Came, parts::Ready};

/// Longest time that a carrier's wish to be left alone is granted.
pub(crate) const REST_MAX: Duration = Duration::from_secs(60);

/// Names one part of one order on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag {
    /// Number of the flight, never used twice by one pump.
    pub flight: u64,
    /// Index of the part.
    pub part: u8,
}

/// One part to be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Its name in the answer.
    pub tag: Tag,
    /// The order and its parts.
    pub ready: Arc<Ready>,
    /// Time left until the order's deadline: the carrier shall not deliver after it.
    pub valid_for: Duration,
    /// Longest wait for the carrier's answer, from the write.
    pub answer_timeout: Duration,
}

/// What the pump asks of a link.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send these, in order.
    Submit(Vec<Job>),
    /// Answer these receipts and inbound messages.
    Reply(Vec<Reply>),
    /// Ask the carrier for a sign of life.
    Probe(Probe),
    /// Say goodbye and end. Nothing is submitted after it.
    Close,
}

/// Asks for a sign of life. Every connection answers once, or drops it; a kind that cannot ask says so.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Number of the connection, from 0.
    pub bind: u32,
    /// Where the answers go.
    pub answers: mpsc::UnboundedSender<Probed>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// The carrier answered.
    Alive {
        /// Number of the connection.
        bind: u32,
        /// From the question to the answer.
        after: Duration,
    },
    /// It did not, or was not asked.
    Silent {
        /// Number of the connection.
        bind: u32,
        /// Why.
        why: String,
    },
    /// This kind of link cannot ask.
    NoTest,
}

impl Probe {
    /// The carrier answered `after` so long.
    pub(crate) fn is_alive(&self, after: Duration) {
        let bind = self.bind;
        let _ = self.answers.send(Probed::Alive { bind, after });
    }

    /// There was no answer.
    pub(crate) fn is_silent(&self, why: impl Into<String>) {
        let (bind, why) = (self.bind, why.into());
        let _ = self.answers.send(Probed::Silent { bind, why });
    }

    /// This kind of link cannot ask.
    pub(crate) fn has_no_test(&self) {
        let _ = self.answers.send(Probed::NoTest);
    }
}

/// What a link tells the pump.
#[derive(Debug)]
pub(crate) enum Event {
    /// The carrier takes submissions from now on.
    Up,
    /// The carrier takes none; every part handed down was or will be answered.
    Down {
        /// Why, for people.
        reason: String,
    },
    /// Something is wrong with one connection of several, for people.
    Trouble {
        /// What.
        reason: String,
    },
    /// Answers, in the order of arrival.
    Answers(Vec<Answer>),
    /// Receipts that wait for their reply.
    Receipts(Vec<Arrived>),
    /// What a link has room for at the moment: one of several connections, or one whose carrier names a window. Others never say.
    Room {
        /// Connections that are up.
        binds: u32,
        /// Parts that may be unanswered at once on all of them together; beyond the configured window it counts as that.
        slots: u32,
    },
    /// Messages from handsets, or parts of them, that wait for their reply.
    Inbound(Vec<Came>),
    /// How busy the carrier says it is, 0 to 100 (SMPP 5.0 §4.8.4.18).
    Congestion(u8),
}

/// What became of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The part.
    pub tag: Tag,
    /// What became of it.
    pub verdict: Verdict,
}

/// What a carrier, or the link in its place, says of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken; the id in canonical form, empty = the carrier gives none.
    Taken {
        /// The carrier's id.
        remote_id: String,
        /// What it says that it charges, of a message that is one part; absent = nothing.
        charge: Option<Box<Charge>>,
    },
    /// Not taken.
    Refused {
        /// What this makes of the order.
        rule: Rule,
        /// The carrier's own word.
        detail: String,
        /// How long the carrier wants to be left alone with it; absent = it does not say.
        retry_after: Option<Duration>,
    },
    /// Never written.
    Unsent {
        /// Stable word of the cause, such as `link_lost`.
        code: &'static str,
    },
    /// Never written, since one connection of several was lost: it may go again at once.
    Displaced,
    /// Written, and no answer came: in time, or before the link was lost.
    Unanswered,
}

/// A receipt that came over the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Names it in the reply.
    pub token: u64,
    /// The carrier's id of the part it speaks of, in canonical form.
    pub remote_id: String,
    /// What it says.
    pub receipt: Receipt,
    /// Hash of carrier, sender and recipient as they stood on the link; absent = not named.
    pub party: Option<u64>,
}

/// The reply to one receipt or inbound message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Which.
    pub token: u64,
    /// False asks the carrier to send it again later.
    pub is_safe: bool,
}

/// The pump's end of a link.
#[derive(Debug)]
pub(crate) struct Wire {
    /// To the link; bounded by the window and by the receipts a link lets wait.
    pub commands: Line,
    /// From the link.
    pub events: mpsc::UnboundedReceiver<Event>,
    /// Where the plug of a link goes that is to be begun anew; absent = one that ended stays so.
    pub plugs: Option<mpsc::UnboundedSender<Plug>>,
}

/// The way down to a link, which may be begun anew: clones lead to the one of today.
#[derive(Clone, Debug)]
pub(crate) struct Line(Arc<ArcSwap<Way>>);

#[derive(Debug)]
struct Way {
    /// How many links there were before. It is part of the tokens that go up, so that a reply finds the link that asked.
    number: u64,
    commands: mpsc::UnboundedSender<Command>,
}

/// Where the number of a link stands in a token, as the pump has it.
const NUMBER_SHIFT: u32 = 48;

/// The link's end.
#[derive(Debug)]
pub(crate) struct Plug {
    /// From the pump; closed = the pump is gone.
    pub commands: mpsc::UnboundedReceiver<Command>,
    /// To the pump.
    pub events: mpsc::UnboundedSender<Event>,
}

impl Plug {
    /// The output of `work`, while there is no connection: every part is answered as unsent. `None` = the link is to close.
    pub(crate) async fn until_closed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Submit(jobs)) => {
                        let unsent = |tag| Answer { tag, verdict: Verdict::Unsent { code: "no_link" } };
                        let answers = jobs.iter().map(|job| unsent(job.tag)).collect();
                        let _ = self.events.send(Event::Answers(answers));
                    }
                    // The connection these came over is gone, and the carrier sends them again.
                    Some(Command::Reply(_)) => {}
                    Some(Command::Probe(probe)) => probe.is_silent("no connection"),
                    Some(Command::Close) | None => return None,
                },
                output = &mut work => return Some(output),
            }
        }
    }
}

impl Line {
    fn new(commands: mpsc::UnboundedSender<Command>) -> Self {
        let way = Way { number: 0, commands };
        Self(Arc::new(ArcSwap::from_pointee(way)))
    }

    /// Hands `command` down. A link that is gone takes nothing, and replies for one before this one go nowhere: the carrier
    /// sends what they are for again.
    pub(crate) fn send(&self, command: Command) {
        let way = self.0.load();
        let command = match command {
            Command::Reply(mut replies) => {
                replies.retain(|reply| reply.token >> NUMBER_SHIFT == way.tag());
                replies
                    .iter_mut()
                    .for_each(|reply| reply.token ^= way.tag() << NUMBER_SHIFT);
                Command::Reply(replies)
            }
            command => command,
        };
        let _ = way.commands.send(command);
    }

    /// `token` of the link of today, as it goes up.
    pub(crate) fn mark(&self, token: u64) -> u64 {
        token | self.0.load().tag() << NUMBER_SHIFT
    }

    /// Leads to another link from now on; its ends.
    pub(crate) fn renew(&self) -> (mpsc::UnboundedReceiver<Event>, Plug) {
        let (to_link, commands) = mpsc::unbounded_channel();
        let (to_pump, events) = mpsc::unbounded_channel();
        let number = self.0.load().number + 1;
        self.0.store(Arc::new(Way {
            number,
            commands: to_link,
        }));
        let plug = Plug {
            commands,
            events: to_pump,
        };
        (events, plug)
    }
}

impl Way {
    const fn tag(&self) -> u64 {
        self.number & (u64::MAX >> NUMBER_SHIFT)
    }
}

/// Both ends of a link.
pub(crate) fn wire() -> (Wire, Plug) {
    let (to_link, commands) = mpsc::unbounded_channel();
    let (to_pump, events) = mpsc::unbounded_channel();
    (
        Wire {
            commands: Line::new(to_link),
            events,
            plugs: None,
        },
        Plug {
            commands,
            events: to_pump,
        },
    )
}
