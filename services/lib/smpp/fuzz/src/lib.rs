//! What the targets share: a session that is watched for its promises.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use smpp::{Body, ClientConfig, Input, Output, ServerConfig, Session, Submit, Ticket};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Requests that a session may have open.
const WINDOW: usize = 4;

/// A session, its time, and what is still owed by it.
pub struct Watched {
    session: Session,
    now: Duration,
    tag_next: u64,
    open: BTreeSet<u64>,
    tickets: Vec<Ticket>,
    is_closed: bool,
    /// What it wrote since last asked.
    pub written: Vec<u8>,
    /// What it said, without times, as words.
    pub said: Vec<String>,
}

impl Watched {
    /// A client, whose bind is on its way.
    pub fn client() -> Self {
        let config = ClientConfig {
            window: WINDOW,
            ..ClientConfig::new("me", "secret")
        };
        Self::opened(Session::client(config).expect("the names fit"))
    }

    /// A server that waits for a bind.
    pub fn server() -> Self {
        Self::opened(Session::server(ServerConfig::new("carrier")).expect("the name fits"))
    }

    /// A server that a transceiver is bound to, or a client that is bound to such.
    pub fn bound(is_client: bool) -> Self {
        let (mut client, mut server) = (Self::client(), Self::server());
        for _ in 0..2 {
            server.hear(&std::mem::take(&mut client.written));
            server.accept_all();
            client.hear(&std::mem::take(&mut server.written));
        }
        let mut bound = if is_client { client } else { server };
        bound.written.clear();
        bound.said.clear();
        bound
    }

    fn opened(session: Session) -> Self {
        let mut watched = Self {
            session,
            now: Duration::ZERO,
            tag_next: 0,
            open: BTreeSet::new(),
            tickets: Vec::new(),
            is_closed: false,
            written: Vec::new(),
            said: Vec::new(),
        };
        watched.give(Input::Opened);
        watched
    }

    /// Octets of the peer.
    pub fn hear(&mut self, octets: &[u8]) {
        self.give(Input::Octets(Bytes::copy_from_slice(octets)));
    }

    /// Time passes.
    pub fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.give(Input::Tick);
    }

    /// Sends a message.
    pub fn submit(&mut self) {
        self.tag_next += 1;
        self.open.insert(self.tag_next);
        let submit = Submit {
            body: Body::ShortMessage(Bytes::from_static(b"hello")),
            ..Submit::default()
        };
        let (tag, timeout) = (self.tag_next, ANSWER);
        self.give(Input::Submit { tag, submit, timeout });
    }

    /// Answers everything the peer asked.
    pub fn accept_all(&mut self) {
        for ticket in std::mem::take(&mut self.tickets) {
            self.give(Input::accept(ticket));
        }
    }

    /// Gives one input, and holds what follows against the promises of a session.
    pub fn give(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.session.handle(self.now, input, &mut outputs);
        for output in outputs {
            let is_late = self.is_closed && matches!(output, Output::Write(_) | Output::Close(_));
            assert!(!is_late, "said after the end: {output:?}");
            match &output {
                Output::Write(octets) => self.written.extend_from_slice(octets),
                Output::Answered { tag, .. } => assert!(self.open.remove(tag), "{tag} is answered twice"),
                Output::BindAsked { ticket, .. }
                | Output::Delivered { ticket, .. }
                | Output::Submitted { ticket, .. } => self.tickets.push(*ticket),
                Output::Close(_) => self.is_closed = true,
                _ => {}
            }
            if !matches!(output, Output::Write(_) | Output::WakeAt(_)) {
                self.said.push(format!("{output:?}"));
            }
        }
        assert!(self.open.len() <= WINDOW, "more is open than the window allows");
        assert!(!self.is_closed || self.open.is_empty(), "closed with requests open");
    }

    /// Ends the connection: every request is answered by then.
    pub fn end(mut self) -> Self {
        self.give(Input::Closed);
        assert!(self.open.is_empty(), "{:?} are never answered", self.open);
        self
    }
}
