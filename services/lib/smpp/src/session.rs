//! One SMPP session, either side, without sockets or clocks.
//!
//! The caller feeds [`Input`]s together with the time since any fixed start, and carries out the [`Output`]s in order.
//! Octets of one call leave as one [`Output::Write`]. Promises: every request gets exactly one [`Output::Answered`]
//! (a response after a time-out comes as [`Output::Late`] beside it); after [`Output::Close`] nothing more is written
//! and no request is open; nothing a peer sends panics, and how its octets were cut into reads changes nothing.
//! Bounded here: open requests by the window, a PDU by [`PDU_OCTETS_MAX`]. How many requests of the peer are open at once
//! is the caller's to bound: it refuses those it has no room for.

mod config;
mod dispatch;
mod exchange;
mod in_flight;

use std::time::Duration;

use bytes::BytesMut;
use rusmpp::CommandId;

pub use config::{ClientConfig, ServerConfig, Timers, TlvPolicy};
pub(crate) use dispatch::split;
pub use exchange::{Answer, Input, NotSent, Notice, Output, Reply, Ticket, Why};

use crate::encode::{self, Invalid};
use crate::pdu::{BindKind, Body, Deliver, Submit, Tlv, tag};
use crate::status::Status;
use in_flight::InFlight;

/// Largest PDU taken: a 64 KiB `message_payload` and its header fit, anything longer ends the session.
pub const PDU_OCTETS_MAX: usize = 70 * 1024;

/// Signs of life that our caller may wait for at once.
const ASKED_MAX: usize = 64;
/// `enquire_link`s without any sign of life after which the link counts as dead.
const ENQUIRIES_MAX: u32 = 2;

/// First version that knows TLVs.
const VERSION_WITH_TLVS: u8 = 0x34;

/// Highest sequence number (3.4 §5.1.4).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

#[derive(Debug)]
enum Side {
    Client(ClientConfig),
    Server(ServerConfig),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No connection yet.
    Idle,
    /// Connected; the client's bind is awaited or unanswered, until the given time.
    Opening(Duration),
    /// The server's caller decides on this bind.
    Deciding(BindKind),
    Bound,
    /// Our caller asked to unbind; open requests and deliveries are waited for, until the given time.
    Draining(Duration),
    /// Our `unbind` is out, its response is awaited until the given time.
    Unbinding(Duration),
    /// The peer's `unbind` with this sequence number is answered once nothing is open, or at the given time.
    PeerUnbinding(u32, Duration),
    Closed,
}

/// A session of one connection; see the module.
#[derive(Debug)]
pub struct Session {
    side: Side,
    timers: Timers,
    state: State,
    /// The peer's octets that are not yet a whole PDU.
    partial: BytesMut,
    /// Octets to write when the call ends.
    out: BytesMut,
    sequence_next: u32,
    in_flight: InFlight,
    /// Requests handed to the caller that it has not answered.
    unanswered: usize,
    heard_at: Duration,
    enquiries: u32,
    /// Signs of life that our caller asked for: sequence number and the caller's name.
    asked: Vec<(u32, u64)>,
    tlvs_allowed: bool,
    kind: BindKind,
    closing: Option<Why>,
    wake_told: Option<Duration>,
}

impl Session {
    /// A client's session, which binds as soon as it is told [`Input::Opened`].
    ///
    /// # Errors
    /// System id, password or system type do not fit their fields.
    pub fn client(config: ClientConfig) -> Result<Self, Invalid> {
        encode::bind(&mut BytesMut::new(), 1, &config.bind)?;
        let (timers, window, kind) = (config.timers, config.window, config.bind.kind);
        Ok(Self::new(Side::Client(config), timers, window, kind))
    }

    /// A server's session, which waits for a bind and asks its caller about it.
    ///
    /// # Errors
    /// The system id does not fit its field.
    pub fn server(config: ServerConfig) -> Result<Self, Invalid> {
        encode::bind_reply(&mut BytesMut::new(), 1, BindKind::Transceiver, &config.system_id, None)?;
        let (timers, window) = (config.timers, config.window);
        Ok(Self::new(Side::Server(config), timers, window, BindKind::Transceiver))
    }

    fn new(side: Side, timers: Timers, window: usize, kind: BindKind) -> Self {
        Self {
            side,
            timers,
            state: State::Idle,
            partial: BytesMut::new(),
            out: BytesMut::new(),
            sequence_next: 1,
            in_flight: InFlight::new(window),
            unanswered: 0,
            heard_at: Duration::ZERO,
            enquiries: 0,
            asked: Vec::new(),
            tlvs_allowed: true,
            kind,
            closing: None,
            wake_told: None,
        }
    }

    /// Takes one input at `now` and appends what follows from it. `now` never goes back.
    pub fn handle(&mut self, now: Duration, input: Input, outputs: &mut Vec<Output>) {
        self.handle_all(now, [input], outputs);
    }

    /// Takes several inputs at once, so that all their octets leave in one write.
    pub fn handle_all(&mut self, now: Duration, inputs: impl IntoIterator<Item = Input>, outputs: &mut Vec<Output>) {
        for input in inputs {
            self.take(now, input, outputs);
            self.settle(now);
        }
        if self.state == State::Closed {
            self.in_flight.lose(outputs);
        }
        if !self.out.is_empty() {
            outputs.push(Output::Write(self.out.split().freeze()));
        }
        if let Some(why) = self.closing.take() {
            outputs.push(Output::Close(why));
        }
        let wake = self.wake_at();
        if wake.is_some() && wake != self.wake_told {
            outputs.extend(wake.map(Output::WakeAt));
        }
        self.wake_told = wake;
    }

    /// Requests that may be sent now without being refused [`NotSent::WindowFull`]; 0 unless bound.
    pub fn slots_free(&self) -> usize {
        if self.state == State::Bound {
            self.in_flight.slots_free()
        } else {
            0
        }
    }

    /// Requests sent and neither answered nor timed out.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Sets how many requests may be unanswered from now on; those beyond a smaller window are left to be answered.
    pub fn set_window(&mut self, window: usize) {
        self.in_flight.set_window(window);
    }

    /// Whether requests can be sent.
    pub fn is_bound(&self) -> bool {
        self.state == State::Bound
    }

    /// When [`Input::Tick`] is due at the latest; absent = nothing is waited for.
    pub fn wake_at(&self) -> Option<Duration> {
        let state = match self.state {
            State::Idle | State::Closed => return None,
            State::Opening(until)
            | State::Draining(until)
            | State::Unbinding(until)
            | State::PeerUnbinding(_, until) => Some(until),
            State::Deciding(_) | State::Bound => None,
        };
        [state, self.in_flight.next_deadline(), self.enquiry_due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn take(&mut self, now: Duration, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Opened => self.open(now),
            Input::Octets(octets) => self.read(now, &octets, outputs),
            Input::Tick => self.tick(now, outputs),
            Input::Submit { tag, submit, timeout } => self.submit(now, tag, submit, timeout, outputs),
            Input::Deliver { tag, deliver, timeout } => self.deliver(now, tag, &deliver, timeout, outputs),
            Input::Answer {
                ticket,
                status,
                message_id,
            } => self.answer(now, ticket, status, &message_id, outputs),
            Input::Enquire { tag } => self.enquire(tag),
            Input::Unbind => self.unbind(now),
            Input::Closed => self.close(Why::PeerClosed),
        }
    }

    fn open(&mut self, now: Duration) {
        if self.state != State::Idle {
            return;
        }
        self.heard_at = now;
        self.state = State::Opening(now + self.timers.bind);
        if let Side::Client(config) = &self.side {
            let sequence = self.sequence_next;
            encode::bind(&mut self.out, sequence, &config.bind).expect("client() checked that the bind fits");
            self.sequence_next += 1;
        }
    }

    fn tick(&mut self, now: Duration, outputs: &mut Vec<Output>) {
        self.in_flight.expire(now, outputs);
        match self.state {
            State::Opening(until) if now >= until => self.close(Why::BindTimedOut),
            State::Unbinding(until) if now >= until => self.close(Why::UnbindTimedOut),
            _ => {}
        }
        while self.enquiry_due().is_some_and(|due| now >= due) {
            if self.enquiries >= ENQUIRIES_MAX {
                return self.close(Why::Silent);
            }
            self.enquiries += 1;
            let sequence = self.next_sequence();
            encode::header(&mut self.out, CommandId::EnquireLink, Status::ROK, sequence);
        }
    }

    fn enquire(&mut self, tag: u64) {
        if self.is_bound() && self.asked.len() < ASKED_MAX {
            let sequence = self.next_sequence();
            encode::header(&mut self.out, CommandId::EnquireLink, Status::ROK, sequence);
            self.asked.push((sequence, tag));
        }
    }

    /// When the peer has been silent for long enough to be asked, or given up.
    fn enquiry_due(&self) -> Option<Duration> {
        let asks = matches!(self.state, State::Bound | State::Draining(_));
        let every = self.timers.enquire_link.filter(|_| asks)?;
        Some(self.heard_at + every * (self.enquiries + 1))
    }

    fn submit(&mut self, now: Duration, tag: u64, mut submit: Submit, timeout: Duration, outputs: &mut Vec<Output>) {
        let refused = self.cannot_send(self.kind.can_submit(), matches!(self.side, Side::Client(_)));
        let refused = refused.or_else(|| self.fit_version(&mut submit));
        let refused = refused.or_else(|| {
            let sequence = self.next_sequence();
            let written = encode::submit(&mut self.out, sequence, &submit);
            self.sent(sequence, tag, now + timeout, written)
        });
        outputs.extend(refused.map(|not_sent| Output::Answered {
            tag,
            answer: Answer::NotSent(not_sent),
        }));
    }

    fn deliver(&mut self, now: Duration, tag: u64, deliver: &Deliver, timeout: Duration, outputs: &mut Vec<Output>) {
        let refused = self.cannot_send(self.kind.can_deliver(), matches!(self.side, Side::Server(_)));
        let refused = refused.or_else(|| {
            let sequence = self.next_sequence();
            let written = encode::deliver(&mut self.out, sequence, deliver);
            self.sent(sequence, tag, now + timeout, written)
        });
        outputs.extend(refused.map(|not_sent| Output::Answered {
            tag,
            answer: Answer::NotSent(not_sent),
        }));
    }

    fn cannot_send(&self, bind_allows: bool, side_allows: bool) -> Option<NotSent> {
        match self.state {
            State::Bound if !bind_allows || !side_allows => Some(NotSent::WrongBind),
            State::Bound if self.in_flight.slots_free() == 0 => Some(NotSent::WindowFull),
            State::Bound => None,
            _ => Some(NotSent::NotBound),
        }
    }

    fn sent(&mut self, sequence: u32, tag: u64, deadline: Duration, written: Result<(), Invalid>) -> Option<NotSent> {
        match written {
            Ok(()) => {
                self.in_flight.insert(sequence, tag, deadline);
                None
            }
            Err(invalid) => Some(NotSent::Invalid(invalid)),
        }
    }

    /// Drops the TLVs a peer before 3.4 would choke on; says so where the message means nothing without them.
    fn fit_version(&self, submit: &mut Submit) -> Option<NotSent> {
        if self.tlvs_allowed {
            return None;
        }
        let sar = |tlv: &Tlv| tlv.tag == tag::SAR_MSG_REF_NUM;
        if matches!(submit.body, Body::Payload(_)) || submit.tlvs.iter().any(sar) {
            return Some(NotSent::NeedsTlvs);
        }
        submit.tlvs.clear();
        None
    }

    /// The next number that no open or late request bears, so that a response can mean only one of them.
    fn next_sequence(&mut self) -> u32 {
        loop {
            let sequence = self.sequence_next;
            self.sequence_next = if sequence >= SEQUENCE_MAX { 1 } else { sequence + 1 };
            if !self.in_flight.knows(sequence) {
                return sequence;
            }
        }
    }

    fn answer(&mut self, now: Duration, ticket: Ticket, status: Status, id: &str, outputs: &mut Vec<Output>) {
        if ticket.is_bind() {
            return self.answer_bind(now, ticket, status, outputs);
        }
        if matches!(self.state, State::Idle | State::Closed) {
            return;
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        let Ticket { command, sequence } = ticket;
        if command == CommandId::SubmitSm {
            if let Err(invalid) = encode::submit_reply(&mut self.out, sequence, status, id) {
                encode::header(&mut self.out, CommandId::SubmitSmResp, Status::RSYSERR, sequence);
                outputs.push(Output::Noticed(Notice::AnswerInvalid(invalid)));
            }
        } else {
            encode::deliver_reply(&mut self.out, command.matching_response(), sequence, status);
        }
    }

    fn answer_bind(&mut self, now: Duration, ticket: Ticket, status: Status, outputs: &mut Vec<Output>) {
        let (State::Deciding(kind), Side::Server(config)) = (self.state, &self.side) else {
            return;
        };
        if !status.is_ok() {
            encode::header(
                &mut self.out,
                ticket.command.matching_response(),
                status,
                ticket.sequence,
            );
            return self.close(Why::BindRefused(status));
        }
        encode::bind_reply(&mut self.out, ticket.sequence, kind, &config.system_id, config.version)
            .expect("server() checked that the system id fits");
        self.kind = kind;
        self.heard_at = now;
        self.state = State::Bound;
        outputs.push(Output::Bound {
            system_id: String::new(),
            version: None,
        });
    }

    fn unbind(&mut self, now: Duration) {
        match self.state {
            State::Bound => self.state = State::Draining(now + self.timers.drain),
            State::Draining(_) | State::Unbinding(_) | State::PeerUnbinding(..) | State::Closed => {}
            State::Idle | State::Opening(_) | State::Deciding(_) => self.close(Why::Unbound),
        }
    }

    /// Takes the steps that wait for nothing being open.
    fn settle(&mut self, now: Duration) {
        let is_quiet = self.in_flight.len() == 0 && self.unanswered == 0;
        match self.state {
            State::Draining(until) if is_quiet || now >= until => {
                let sequence = self.next_sequence();
                encode::header(&mut self.out, CommandId::Unbind, Status::ROK, sequence);
                self.state = State::Unbinding(now + self.timers.unbind);
            }
            State::PeerUnbinding(sequence, until) if is_quiet || now >= until => {
                encode::header(&mut self.out, CommandId::UnbindResp, Status::ROK, sequence);
                self.close(Why::PeerUnbound);
            }
            _ => {}
        }
    }

    fn close(&mut self, why: Why) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.closing = Some(why);
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests;
