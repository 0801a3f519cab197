//! One connection of a client: moves octets and time between the socket and the session.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use service::{Stop, time};
use smpp::{Answer, BindKind, Input, Output, ServerConfig, Session, Status, Submit, Ticket};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::carrier::Carrier;
use super::inbound::Unanswered;
use super::receipts::Receipt;

/// Octets waiting to be written beyond which nothing more is read.
const OUT_OCTETS_MAX: usize = 1 << 20;

/// Octets read at once.
const READ_OCTETS: usize = 64 * 1024;
/// The same where reads are to be slow.
const READ_OCTETS_SLOW: usize = 256;
/// What nobody could take for SMPP: a command of four gigabytes.
const GARBAGE: &[u8] = &[0xFF; 64];

/// How long a client may take to answer a receipt.
const RECEIPT_ANSWER: Duration = Duration::from_secs(10);

/// A connection.
pub(super) struct Link {
    carrier: Arc<Carrier>,
    session: Session,
    start: time::Instant,
    kind: BindKind,
    /// Answers by the time they are due.
    answers: BTreeMap<(Duration, u64), (Ticket, Status, String)>,
    answers_added: u64,
    /// Receipts sent and not answered, by their tag.
    unanswered: BTreeMap<u64, Receipt>,
    inbound: Unanswered,
    out: BytesMut,
    received: u64,
    is_closing: bool,
}

/// Why a connection's loop ended.
#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Cut,
}

impl Link {
    /// `start` is the time the carrier counts from; it is the same for all connections.
    pub(super) fn new(carrier: Arc<Carrier>, start: time::Instant) -> Self {
        let config = ServerConfig {
            window: carrier.config.receipt_window,
            ..ServerConfig::new(carrier.config.name.clone())
        };
        Self {
            session: Session::server(config).expect("start() checked that the name fits"),
            carrier,
            start,
            kind: BindKind::Transceiver,
            answers: BTreeMap::new(),
            answers_added: 0,
            unanswered: BTreeMap::new(),
            inbound: Unanswered::default(),
            out: BytesMut::new(),
            received: 0,
            is_closing: false,
        }
    }

    /// Serves the connection until it ends; `cut` changes when it is to be cut.
    pub(super) async fn run(mut self, mut stream: TcpStream, stop: Stop, mut cut: watch::Receiver<u64>) {
        self.carrier.link_opened();
        let _ = stream.set_nodelay(true);
        let end = self.exchange(&mut stream, &stop, &mut cut).await;
        self.handle([Input::Closed]);
        self.carrier.link_closed(end == End::Cut, self.answers.len());
    }

    async fn exchange(&mut self, stream: &mut TcpStream, stop: &Stop, cut: &mut watch::Receiver<u64>) -> End {
        let (mut reader, mut writer) = stream.split();
        let mut requested = pin!(stop.requested());
        let mut is_stopping = false;
        let mut read = BytesMut::new();
        let carrier = Arc::clone(&self.carrier);
        let mut life = carrier.life();
        let cut_at = life.cut_at_age.map(|age| self.now() + age);
        let (mut read_at, read_max) = match life.read_pause {
            Duration::ZERO => (None, READ_OCTETS),
            _ => (Some(self.now()), READ_OCTETS_SLOW),
        };
        self.handle([Input::Opened]);
        loop {
            let is_over = |after: Option<u64>| after.is_some_and(|after| self.received >= after);
            if is_over(life.cut_after) || cut_at.is_some_and(|at| self.now() >= at) {
                return End::Cut;
            }
            if is_over(life.half_open_after) {
                tokio::select! {
                    biased;
                    _ = cut.changed() => return End::Cut,
                    () = &mut requested => return End::Closed,
                }
            }
            if is_over(life.garbage_after) {
                life.garbage_after = None;
                self.out.extend_from_slice(GARBAGE);
            }
            // Registered before the receipts are looked at, so that none added meanwhile is slept through.
            let mut added = pin!(carrier.receipts_added.notified());
            added.as_mut().enable();
            self.work();
            if self.is_closing && self.out.is_empty() {
                return End::Closed;
            }
            let may_read = read_at.is_none_or(|at| at <= self.now());
            let read_wake = read_at.filter(|_| !may_read);
            let wake = [self.wake_at(), cut_at, read_wake].into_iter().flatten().min();
            read.reserve(READ_OCTETS);
            tokio::select! {
                biased;
                _ = cut.changed() => return End::Cut,
                () = &mut requested, if !is_stopping => {
                    is_stopping = true;
                    self.handle([Input::Unbind]);
                }
                written = writer.write(&self.out), if !self.out.is_empty() => match written {
                    Ok(octets) => self.out.advance(octets),
                    Err(_) => return End::Closed,
                },
                octets = read_some(&mut reader, &mut read, read_max), if may_read && self.out.len() < OUT_OCTETS_MAX && !self.is_closing => {
                    if !matches!(octets, Ok(1..)) {
                        return End::Closed;
                    }
                    read_at = read_at.map(|_| self.now() + life.read_pause);
                    self.handle([Input::Octets(read.split().freeze())]);
                }
                () = &mut added => {}
                () = sleep_until(wake.map(|wake| self.start + wake)) => self.handle([Input::Tick]),
            }
        }
    }

    fn now(&self) -> Duration {
        time::now() - self.start
    }

    fn wake_at(&self) -> Option<Duration> {
        let answer = self.answers.first_key_value().map(|((due, _), _)| *due);
        let receipt = self.carrier.next_receipt_due().filter(|_| self.delivers());
        [self.session.wake_at(), answer, receipt].into_iter().flatten().min()
    }

    fn delivers(&self) -> bool {
        self.kind.can_deliver() && self.session.slots_free() > 0
    }

    /// Sends the answers and receipts that are due.
    fn work(&mut self) {
        let now = self.now();
        let mut inputs = Vec::new();
        while let Some(first) = self.answers.first_entry().filter(|first| first.key().0 <= now) {
            let (ticket, status, message_id) = first.remove();
            inputs.push(Input::Answer {
                ticket,
                status,
                message_id,
            });
        }
        if self.delivers() && self.out.len() < OUT_OCTETS_MAX {
            for (tag, receipt) in self.carrier.take_receipts(now, self.session.slots_free()) {
                let deliver = self.deliver(tag, receipt);
                inputs.push(deliver);
            }
            let free = self.session.slots_free().saturating_sub(inputs.len());
            for (tag, deliver) in self.inbound.take(&self.carrier, now, free) {
                inputs.push(Input::Deliver {
                    tag,
                    deliver,
                    timeout: RECEIPT_ANSWER,
                });
            }
        }
        if !inputs.is_empty() {
            self.handle(inputs);
        }
    }

    /// Gives inputs to the session and carries out what follows, including answers that are due at once.
    fn handle(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let now = self.now();
        let mut outputs = Vec::new();
        self.session.handle_all(now, inputs, &mut outputs);
        let (mut tickets, mut submits, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        for output in outputs {
            match output {
                Output::Write(octets) => self.out.extend_from_slice(&octets),
                Output::Submitted { ticket, submit } => {
                    tickets.push(ticket);
                    submits.push(submit);
                }
                Output::BindAsked { ticket, bind } => {
                    self.kind = bind.kind;
                    let status = self.carrier.bind(&bind);
                    self.handle([Input::Answer {
                        ticket,
                        status,
                        message_id: String::new(),
                    }]);
                }
                Output::Answered { tag, answer } if self.inbound.answered(&self.carrier, now, tag, &answer) => {}
                Output::Answered {
                    tag,
                    answer: Answer::Accepted(_),
                } => {
                    taken.extend(self.unanswered.remove(&tag));
                }
                Output::Answered { tag, answer } => self.deliver_again(now, tag, &answer),
                Output::Close(_) => self.is_closing = true,
                Output::Bound { .. }
                | Output::Unbinding
                | Output::Late { .. }
                | Output::Delivered { .. }
                | Output::Noticed(_)
                | Output::Alive { .. }
                | Output::WakeAt(_) => {}
            }
        }
        if !taken.is_empty() {
            self.carrier.receipts_taken(now, taken);
        }
        if !submits.is_empty() {
            self.receive(now, tickets, &submits);
        }
    }

    fn receive(&mut self, now: Duration, tickets: Vec<Ticket>, submits: &[Submit]) {
        let fates = self.carrier.receive(now, submits);
        self.received += submits.len() as u64;
        let mut early = Vec::new();
        for (ticket, fate) in tickets.into_iter().zip(fates) {
            early.extend(fate.early);
            let Some((due, status, id)) = fate.answer else { continue };
            self.answers_added += 1;
            self.answers.insert((due, self.answers_added), (ticket, status, id));
        }
        self.deliver_early(now, early);
        if !self.kind.can_deliver() {
            self.carrier.receipts_added.notify_waiters();
        }
    }

    /// Writes receipts whose answers are not written yet. Those without room wait like others.
    fn deliver_early(&mut self, now: Duration, early: Vec<(u64, Receipt)>) {
        let room = if self.delivers() { self.session.slots_free() } else { 0 };
        let mut inputs = Vec::new();
        for (tag, receipt) in early {
            if inputs.len() == room {
                self.carrier.receipt_waits(now, receipt);
                continue;
            }
            inputs.push(self.deliver(tag, receipt));
        }
        if !inputs.is_empty() {
            self.carrier.receipts_early(inputs.len() as u64);
            self.handle(inputs);
        }
    }

    /// The request that tells `receipt`, which is remembered until it is answered.
    fn deliver(&mut self, tag: u64, receipt: Receipt) -> Input {
        let config = &self.carrier.config;
        let deliver = receipt.deliver(config.ids.receipt, config.receipt_tlvs);
        self.unanswered.insert(tag, receipt);
        Input::Deliver {
            tag,
            deliver,
            timeout: RECEIPT_ANSWER,
        }
    }

    /// A receipt that was not taken comes again: at once where the connection failed, later where the client refused.
    fn deliver_again(&mut self, now: Duration, tag: u64, answer: &Answer) {
        let Some(receipt) = self.unanswered.remove(&tag) else {
            return;
        };
        let wait = match answer {
            Answer::Refused(..) => self.carrier.config.receipt_retry,
            _ => Duration::ZERO,
        };
        self.carrier.receipt_again(now + wait, receipt);
    }
}

/// Reads up to `octets` into `read`. Cancel-safe.
async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    read: &mut BytesMut,
    octets: usize,
) -> std::io::Result<usize> {
    reader.take(octets as u64).read_buf(read).await
}

/// Waits until `at`; for ever if there is nothing to wait for.
async fn sleep_until(at: Option<time::Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => pending().await,
    }
}
