//! One connection: moves octets and time between the socket and the session, and tells the pump what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use service::time::{self, Instant};
use smpp::{
    Answer as SessionAnswer, ClientConfig, Deliver, Input, NotSent, Notice, Output, Session, Status, Ticket, Why,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tracing::warn;

use super::{Dialect, inbound, receipt, submit, tag_from_u64, tag_to_u64};
use crate::{
    Action, Rule, UNMAPPED,
    inbound::Came,
    link::{Answer, Arrived, Command, Event, Plug, Probe, Verdict},
    maps::Maps,
    metrics,
};

/// Octets asked of the socket at once.
const READ_OCTETS: usize = 64 * 1024;
/// Octets that may wait to be written before nothing more is read: a peer that does not read gets no further replies.
const OUT_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// Receipts and inbound messages that may wait for their reply; beyond them the carrier is asked to send again later.
const DELIVERIES_OPEN_MAX: usize = 10_000;
/// Statuses without a rule that one connection logs.
const UNMAPPED_LOGGED_MAX: usize = 32;
/// Questions for a sign of life that may wait for an answer.
const PROBES_MAX: usize = 8;
/// Commands of the pump taken at once.
const COMMANDS_MAX: usize = 64;
/// Answers to a bind that blame what we say of ourselves. Others, such as a system error, a throttle or a bind that the
/// carrier has not noticed to be gone, pass by themselves.
const CREDENTIALS: [Status; 5] = [
    Status::RBINDFAIL,
    Status::RINVPASWD,
    Status::RINVSYSID,
    Status::RINVSERTYP,
    Status::RINVSYSTYP,
];
/// Longest wait for the last octets to leave when the connection ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Why, for people.
    pub reason: String,
    /// Whether we wanted to.
    pub is_closing: bool,
    /// How long it was bound; absent = never.
    pub bound_for: Option<Duration>,
    /// Whether the bind was refused for what is configured, so that trying again soon helps nobody.
    pub is_refused: bool,
}

/// A connection under way.
pub(super) struct Connection<'a> {
    dialect: &'a Dialect,
    /// Those in force when the octets came that are being read.
    maps: Arc<Maps>,
    plug: &'a mut Plug,
    began: Instant,
    bound_at: Option<Instant>,
    /// Receipts and inbound messages that wait for their reply.
    tickets: BTreeMap<u64, Ticket>,
    token_next: &'a mut u64,
    /// Questions for a sign of life that have no answer, each since when.
    probes: BTreeMap<u64, (Probe, Instant)>,
    answers: Vec<Answer>,
    arrived: Vec<Arrived>,
    came: Vec<Came>,
    /// What the carrier said last of how busy it is, until the pump knows.
    congestion: Option<u8>,
    out: BytesMut,
    end: Option<Why>,
    is_closing: bool,
    /// The carrier says that the bind is not what we think: a new one is needed.
    is_unfit: bool,
    /// Odd things that were logged once.
    seen: BTreeSet<&'static str>,
    /// Statuses without a rule that were logged once.
    unmapped: BTreeSet<Status>,
}

impl<'a> Connection<'a> {
    /// Tokens go on from `token_next`, so that those of an earlier connection never name receipts of this one.
    pub(super) fn new(dialect: &'a Dialect, plug: &'a mut Plug, token_next: &'a mut u64) -> Self {
        let began = time::now();
        Self {
            dialect,
            maps: dialect.maps.get(),
            plug,
            began,
            bound_at: None,
            tickets: BTreeMap::new(),
            probes: BTreeMap::new(),
            token_next,
            answers: Vec::new(),
            arrived: Vec::new(),
            came: Vec::new(),
            congestion: None,
            out: BytesMut::new(),
            end: None,
            is_closing: false,
            is_unfit: false,
            seen: BTreeSet::new(),
            unmapped: BTreeSet::new(),
        }
    }

    /// Binds and serves until the connection is over.
    pub(super) async fn serve(
        mut self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> End {
        let mut session = match Session::client(self.client_config()) {
            Ok(session) => session,
            Err(invalid) => return self.ended(format!("cannot bind: {invalid}"), true),
        };
        let mut read = BytesMut::new();
        // What TLS holds back leaves with a flush.
        let mut is_flushed = true;
        let mut commands = Vec::new();
        let mut inputs = vec![Input::Opened];
        let mut has_pump = true;
        loop {
            self.drive(&mut session, &mut inputs);
            if self.end.is_some() {
                break;
            }
            let wake = session
                .wake_at()
                .map_or_else(|| time::now() + Duration::from_secs(3_600), |at| self.began + at);
            read.reserve(READ_OCTETS);
            // Each arm is cancel-safe: what it did not report it did not do.
            tokio::select! {
                biased;
                written = write(&mut writer, &mut self.out), if !self.out.is_empty() || !is_flushed => match written {
                    Ok(was_flushed) => is_flushed = was_flushed,
                    Err(_) => inputs.push(Input::Closed),
                },
                count = self.plug.commands.recv_many(&mut commands, COMMANDS_MAX), if has_pump => {
                    if count == 0 {
                        has_pump = false;
                        commands.push(Command::Close);
                    }
                    commands.drain(..).for_each(|command| self.on_command(command, &mut inputs));
                }
                count = reader.read_buf(&mut read), if self.out.len() < OUT_OCTETS_MAX => inputs.push(match count {
                    Ok(0) | Err(_) => Input::Closed,
                    Ok(_) => Input::Octets(read.split().freeze()),
                }),
                () = time::sleep_until(wake) => inputs.push(Input::Tick),
            }
        }
        // The last octets, such as unbind_resp, are a courtesy: a peer that does not read them loses nothing.
        let farewell = async {
            writer.write_all_buf(&mut self.out).await?;
            writer.shutdown().await
        };
        let _ = time::timeout(FLUSH_LIMIT, farewell).await;
        let why = self.end.take().expect("the loop ends with a reason");
        let is_refused = matches!(why, Why::BindRefused(status) if CREDENTIALS.contains(&status));
        self.ended(why.to_string(), is_refused)
    }

    fn ended(&self, reason: String, is_refused: bool) -> End {
        for (probe, _) in self.probes.values() {
            probe.is_silent(reason.as_str());
        }
        let bound_for = self.bound_at.map(|at| time::now().duration_since(at));
        End {
            reason,
            is_closing: self.is_closing,
            bound_for,
            is_refused,
        }
    }

    fn client_config(&self) -> ClientConfig {
        let smpp = &self.dialect.smpp;
        let mut config = ClientConfig::new(smpp.system_id.clone(), smpp.password.reveal());
        config.bind.kind = self.dialect.bind;
        config.bind.system_type.clone_from(&smpp.system_type);
        config.window = self.dialect.window as usize;
        config.tlvs = smpp.tlvs;
        config.timers.enquire_link = Some(smpp.enquire_link);
        config
    }

    fn on_command(&mut self, command: Command, inputs: &mut Vec<Input>) {
        match command {
            Command::Submit(jobs) => inputs.extend(jobs.iter().map(|job| Input::Submit {
                tag: tag_to_u64(job.tag),
                submit: submit::submit(&self.dialect.smpp, job),
                timeout: job.answer_timeout,
            })),
            Command::Reply(replies) => inputs.extend(replies.into_iter().filter_map(|reply| {
                let ticket = self.tickets.remove(&reply.token)?;
                Some(if reply.is_safe {
                    Input::accept(ticket)
                } else {
                    Input::refuse(ticket, Status::RSYSERR)
                })
            })),
            Command::Probe(probe) => self.probe(probe, inputs),
            Command::Close => {
                self.is_closing = true;
                inputs.push(Input::Unbind);
            }
        }
    }

    /// Asks the carrier for a sign of life.
    fn probe(&mut self, probe: Probe, inputs: &mut Vec<Input>) {
        if self.bound_at.is_none() || self.is_closing {
            return probe.is_silent("not bound");
        }
        if self.probes.len() >= PROBES_MAX {
            return probe.is_silent("too many tests wait for an answer");
        }
        let tag = *self.token_next;
        *self.token_next += 1;
        self.probes.insert(tag, (probe, time::now()));
        inputs.push(Input::Enquire { tag });
    }

    fn on_alive(&mut self, tag: u64) {
        if let Some((probe, since)) = self.probes.remove(&tag) {
            probe.is_alive(time::now().duration_since(since));
        }
    }

    /// Feeds the session and carries out what it says, until it says nothing more.
    fn drive(&mut self, session: &mut Session, inputs: &mut Vec<Input>) {
        let mut outputs = Vec::new();
        self.maps = self.dialect.maps.get();
        while !inputs.is_empty() {
            let now = time::now().duration_since(self.began);
            session.handle_all(now, inputs.drain(..), &mut outputs);
            for output in outputs.drain(..) {
                self.on_output(output, inputs);
            }
            if self.is_unfit && session.is_bound() {
                inputs.push(Input::Unbind);
            }
        }
        if !self.answers.is_empty() {
            let _ = self.plug.events.send(Event::Answers(std::mem::take(&mut self.answers)));
        }
        if let Some(state) = self.congestion.take() {
            let _ = self.plug.events.send(Event::Congestion(state));
        }
        if !self.arrived.is_empty() {
            let _ = self
                .plug
                .events
                .send(Event::Receipts(std::mem::take(&mut self.arrived)));
        }
        if !self.came.is_empty() {
            let _ = self.plug.events.send(Event::Inbound(std::mem::take(&mut self.came)));
        }
    }

    fn on_output(&mut self, output: Output, inputs: &mut Vec<Input>) {
        match output {
            Output::Write(octets) => self.write(octets),
            Output::Bound { .. } => {
                self.bound_at = Some(time::now());
                let _ = self.plug.events.send(Event::Up);
            }
            Output::Answered { tag, answer } | Output::Late { tag, answer } => self.on_answer(tag, answer),
            Output::Delivered { ticket, deliver } => self.on_deliver(ticket, &deliver, inputs),
            Output::Alive { tag } => self.on_alive(tag),
            Output::Unbinding => self.down("the carrier unbinds"),
            Output::Noticed(notice) => self.on_notice(&notice),
            Output::Close(why) => self.end = Some(why),
            Output::WakeAt(_) | Output::BindAsked { .. } | Output::Submitted { .. } => {}
        }
    }

    fn write(&mut self, octets: Bytes) {
        if self.out.is_empty() {
            self.out = BytesMut::from(octets);
        } else {
            self.out.extend_from_slice(&octets);
        }
    }

    /// Answers so far go before the news, so that the pump sees them in order.
    fn down(&mut self, reason: &str) {
        if !self.answers.is_empty() {
            let _ = self.plug.events.send(Event::Answers(std::mem::take(&mut self.answers)));
        }
        let _ = self.plug.events.send(Event::Down {
            reason: reason.to_owned(),
        });
    }

    fn on_answer(&mut self, tag: u64, answer: SessionAnswer) {
        let verdict = self.verdict(answer);
        if let Verdict::Refused {
            rule: Rule {
                action: Action::LinkDown,
                ..
            },
            detail,
            ..
        } = &verdict
            && !std::mem::replace(&mut self.is_unfit, true)
        {
            let reason = format!("the carrier answers {detail}");
            self.down(&reason);
        }
        self.answers.push(Answer {
            tag: tag_from_u64(tag),
            verdict,
        });
    }

    fn verdict(&mut self, answer: SessionAnswer) -> Verdict {
        match answer {
            SessionAnswer::Accepted(reply) => {
                self.congestion = reply.congestion().or(self.congestion);
                Verdict::Taken {
                    remote_id: self.dialect.smpp.ids.of_response(&reply.message_id),
                    charge: None,
                }
            }
            SessionAnswer::Refused(status, reply) => {
                self.congestion = reply.congestion().or(self.congestion);
                self.refused(status)
            }
            SessionAnswer::TimedOut | SessionAnswer::Lost => Verdict::Unanswered,
            SessionAnswer::NotSent(NotSent::NotBound | NotSent::WrongBind | NotSent::WindowFull) => {
                Verdict::Unsent { code: "no_link" }
            }
            SessionAnswer::NotSent(invalid) => Verdict::Refused {
                rule: Rule {
                    action: Action::Next { then_fail: false },
                    code: "profile",
                },
                detail: invalid.to_string(),
                retry_after: None,
            },
        }
    }

    fn refused(&mut self, status: Status) -> Verdict {
        let rule = self.maps.outcomes.smpp.rule(status);
        let detail = self.maps.outcomes.smpp.name(status);
        if rule == UNMAPPED {
            metrics::unmapped(&self.dialect.link, "status");
            if self.unmapped.len() < UNMAPPED_LOGGED_MAX && self.unmapped.insert(status) {
                warn!(link = %self.dialect.link, status = detail, "a status without a rule goes to the next carrier, add it to outcomes");
            }
        }
        Verdict::Refused {
            rule,
            detail,
            retry_after: None,
        }
    }

    fn on_deliver(&mut self, ticket: Ticket, deliver: &Deliver, inputs: &mut Vec<Input>) {
        let Some((remote_id, receipt)) = receipt::read(self.dialect, &self.maps, deliver) else {
            return self.on_inbound(ticket, deliver, inputs);
        };
        let Some(token) = self.open(ticket, inputs) else {
            metrics::receipts(&self.dialect.link, "overload", 1);
            return;
        };
        self.arrived.push(Arrived {
            token,
            remote_id,
            receipt,
            party: None,
        });
    }

    fn on_inbound(&mut self, ticket: Ticket, deliver: &Deliver, inputs: &mut Vec<Input>) {
        let (part, odd) = inbound::read(&self.dialect.smpp, deliver);
        for kind in odd {
            metrics::oddity(&self.dialect.link, kind);
            self.say_once(kind);
        }
        let Some(token) = self.open(ticket, inputs) else {
            metrics::oddity(&self.dialect.link, "inbound_overload");
            return;
        };
        let rules = self.dialect.smpp.inbound;
        self.came.push(Came { token, part, rules });
    }

    /// The token of a delivery that waits for its reply; `None` = too many do, and the carrier was asked to send it again.
    fn open(&mut self, ticket: Ticket, inputs: &mut Vec<Input>) -> Option<u64> {
        if self.tickets.len() >= DELIVERIES_OPEN_MAX {
            inputs.push(Input::refuse(ticket, Status::RMSGQFUL));
            return None;
        }
        let token = *self.token_next;
        *self.token_next += 1;
        self.tickets.insert(token, ticket);
        Some(token)
    }

    fn on_notice(&mut self, notice: &Notice) {
        let kind = match notice {
            Notice::UnknownCommand(_) => "unknown_command",
            Notice::UnreadableBody(_) => "unreadable_body",
            Notice::StrayResponse(_) => "stray_response",
            Notice::Ignored(_) => "ignored",
            Notice::StrayNack(_) => "stray_nack",
            Notice::AnswerInvalid(_) => "answer_invalid",
        };
        metrics::oddity(&self.dialect.link, kind);
        self.say_once(kind);
    }

    fn say_once(&mut self, kind: &'static str) {
        if self.seen.insert(kind) {
            warn!(link = %self.dialect.link, kind, "the peer sent something odd, counted from now on");
        }
    }
}

/// Writes some of `out`, or flushes where there is nothing: whether it did the latter. Cancel-safe.
async fn write(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        writer.flush().await?;
        return Ok(true);
    }
    writer.write_buf(out).await?;
    Ok(false)
}
