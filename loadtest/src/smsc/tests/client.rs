//! A client of one connection, driven by the tests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use service::time;
use smpp::{
    Address, BindKind, Body, ClientConfig, Deliver, Input, Output, Session, Status, Submit, Ticket, Tlv, Why, tag,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{Counts, Handle};

/// Stands for a connection that was lost before the bind was answered.
pub(super) const LOST: Status = Status(u32::MAX);

/// Submissions in flight; also the most a test submits at once.
const WINDOW: usize = 1_000;

pub(super) struct Client {
    stream: TcpStream,
    session: Session,
    start: time::Instant,
    buffer: BytesMut,
    outputs: Vec<Output>,
    waiting: VecDeque<(Ticket, Deliver)>,
    taken: Vec<Deliver>,
    is_closed: bool,
    why: Option<Why>,
}

pub(super) fn message(octets: &'static [u8]) -> Submit {
    Submit {
        source: Address::sender("ACME"),
        destination: Address::international("447700900001"),
        registered_delivery: 1,
        body: Body::ShortMessage(Bytes::from_static(octets)),
        tlvs: vec![Tlv::number(tag::USER_MESSAGE_REFERENCE, 7)],
        ..Submit::default()
    }
}

pub(super) fn part(reference: u16, total: u8, part: u8) -> Submit {
    let [high, low] = reference.to_be_bytes();
    let octets = vec![6, 8, 4, high, low, total, part, b'x'];
    Submit {
        esm_class: 0x40,
        body: Body::ShortMessage(octets.into()),
        ..message(b"")
    }
}

impl Client {
    pub(super) async fn bind(addr: SocketAddr) -> Self {
        Self::bind_as(addr, BindKind::Transceiver).await
    }

    pub(super) async fn bind_as(addr: SocketAddr, kind: BindKind) -> Self {
        Self::connect(addr, kind, "me", "secret")
            .await
            .expect("the carrier takes the bind")
    }

    pub(super) async fn try_bind(addr: SocketAddr, system_id: &str, password: &str) -> Result<Self, Status> {
        Self::connect(addr, BindKind::Transceiver, system_id, password).await
    }

    async fn connect(addr: SocketAddr, kind: BindKind, system_id: &str, password: &str) -> Result<Self, Status> {
        let mut config = ClientConfig {
            window: WINDOW,
            ..ClientConfig::new(system_id, password)
        };
        config.bind.kind = kind;
        let mut client = Self {
            stream: TcpStream::connect(addr).await.unwrap(),
            session: Session::client(config).unwrap(),
            start: time::now(),
            buffer: BytesMut::new(),
            outputs: Vec::new(),
            waiting: VecDeque::new(),
            taken: Vec::new(),
            is_closed: false,
            why: None,
        };
        client.give(Input::Opened).await;
        while !client.session.is_bound() && !client.is_closed {
            client.read().await;
        }
        match client.why.take() {
            None => Ok(client),
            Some(Why::BindRefused(status)) => Err(status),
            Some(_) => Err(LOST),
        }
    }

    pub(super) async fn give(&mut self, input: Input) {
        self.give_all([input]).await;
    }

    async fn give_all(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let mut outputs = Vec::new();
        self.session.handle_all(self.start.elapsed(), inputs, &mut outputs);
        for output in outputs {
            match output {
                // A write that fails shows as the end of the stream when it is read.
                Output::Write(octets) => _ = self.stream.write_all(&octets).await,
                Output::Delivered { ticket, deliver } => {
                    self.waiting.push_back((ticket, deliver.clone()));
                    self.outputs.push(Output::Delivered { ticket, deliver });
                }
                Output::Close(why) => {
                    self.is_closed = true;
                    self.why = Some(why);
                }
                Output::WakeAt(_) => {}
                other => self.outputs.push(other),
            }
        }
    }

    async fn read(&mut self) {
        self.buffer.reserve(64 * 1024);
        let octets = match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Input::Closed,
            Ok(_) => Input::Octets(self.buffer.split().freeze()),
        };
        self.give(octets).await;
    }

    pub(super) async fn submit(&mut self, tag: u64, submit: Submit) {
        self.give(Input::Submit {
            tag,
            submit,
            timeout: Duration::from_secs(60),
        })
        .await;
    }

    fn answered(&self) -> usize {
        self.outputs
            .iter()
            .filter(|output| matches!(output, Output::Answered { .. }))
            .count()
    }

    /// Everything told so far, once so many submissions were answered.
    pub(super) async fn until_answered(&mut self, count: usize) -> Vec<Output> {
        while self.answered() < count {
            self.read().await;
            assert!(!self.is_closed, "closed: {:?}", self.why);
        }
        std::mem::take(&mut self.outputs)
    }

    pub(super) async fn until_closed(&mut self) -> Vec<Output> {
        while !self.is_closed {
            self.read().await;
        }
        std::mem::take(&mut self.outputs)
    }

    /// The next thing told, receipts among the rest in the order in which they came; those stay unanswered.
    pub(super) async fn next(&mut self) -> Output {
        while self.outputs.is_empty() {
            self.read().await;
            assert!(!self.is_closed, "closed: {:?}", self.why);
        }
        self.outputs.remove(0)
    }

    /// The next receipt, unanswered.
    pub(super) async fn next_delivered(&mut self) -> (Ticket, Deliver) {
        loop {
            if let Some(delivered) = self.waiting.pop_front() {
                return delivered;
            }
            self.read().await;
            assert!(!self.is_closed, "closed: {:?}", self.why);
        }
    }

    /// So many receipts, answered.
    pub(super) async fn until_delivered(&mut self, count: usize) -> Vec<Deliver> {
        while self.taken.len() < count {
            let (ticket, deliver) = self.next_delivered().await;
            self.give(Input::accept(ticket)).await;
            self.taken.push(deliver);
        }
        self.take_delivered()
    }

    pub(super) fn take_delivered(&mut self) -> Vec<Deliver> {
        std::mem::take(&mut self.taken)
    }

    async fn take_waiting(&mut self) {
        let tickets: Vec<Input> = self.waiting.iter().map(|(ticket, _)| Input::accept(*ticket)).collect();
        self.taken.extend(self.waiting.drain(..).map(|(_, deliver)| deliver));
        self.give_all(tickets).await;
    }

    /// Takes receipts until the carrier's counts satisfy `done`.
    pub(super) async fn settled(&mut self, carrier: &Handle, done: impl Fn(&Counts) -> bool) {
        loop {
            self.take_waiting().await;
            let counts = carrier.counts();
            if done(&counts) && counts.receipts_taken as usize >= self.taken.len() {
                return;
            }
            // Only the wait is given up: a read that has begun goes on to the end.
            let is_readable = tokio::select! {
                biased;
                ready = self.stream.readable() => ready.is_ok(),
                () = tokio::task::yield_now() => false,
            };
            if is_readable {
                self.read().await;
            }
            assert!(!self.is_closed, "closed: {:?}", self.why);
        }
    }
}
