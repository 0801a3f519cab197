//! A language for sessions: `Peer` writes raw PDUs and tells what it heard, so each test is a short dialogue.

mod client;
mod pair;
mod raw;
mod server;

use bytes::Bytes;

use super::*;
use crate::pdu::Address;
use raw::{pdu, show};

/// A session with the time it believes in and everything it put out since last asked.
struct Subject {
    session: Session,
    now: Duration,
    outputs: Vec<Output>,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Subject {
    fn client(config: ClientConfig) -> Self {
        let mut subject = Self::new(Session::client(config).unwrap());
        subject.give(Input::Opened);
        subject
    }

    /// A client that is bound to a peer of version 3.4; its next sequence number is 2.
    fn bound_client(window: usize) -> Self {
        let mut subject = Self::client(ClientConfig {
            window,
            ..ClientConfig::new("me", "secret")
        });
        subject.hear(&pdu(0x8000_0009, 0, 1, b"carrier\0\x02\x10\0\x01\x34"));
        subject.forget();
        subject
    }

    /// A server that a transceiver is bound to.
    fn bound_server() -> Self {
        let mut subject = Self::new(Session::server(ServerConfig::new("carrier")).unwrap());
        subject.give(Input::Opened);
        subject.hear(&pdu(9, 0, 1, b"me\0secret\0\0\x34\0\0\0"));
        let ticket = subject.tickets()[0];
        subject.give(Input::accept(ticket));
        subject.forget();
        subject
    }

    fn new(session: Session) -> Self {
        Self {
            session,
            now: Duration::ZERO,
            outputs: Vec::new(),
        }
    }

    fn give(&mut self, input: Input) {
        self.session.handle(self.now, input, &mut self.outputs);
    }

    fn hear(&mut self, octets: &[u8]) {
        self.give(Input::Octets(Bytes::copy_from_slice(octets)));
    }

    fn tick_at(&mut self, now: Duration) {
        self.now = now;
        self.give(Input::Tick);
    }

    fn submit(&mut self, tag: u64) {
        self.give(Input::Submit {
            tag,
            submit: hello(),
            timeout: seconds(30),
        });
    }

    fn forget(&mut self) {
        self.outputs.clear();
    }

    /// What came out, in short words; written PDUs as `> name status sequence`.
    fn told(&mut self) -> Vec<String> {
        self.outputs.drain(..).flat_map(|output| show(&output)).collect()
    }

    fn tickets(&self) -> Vec<Ticket> {
        let ticket = |output: &Output| match output {
            Output::BindAsked { ticket, .. } | Output::Delivered { ticket, .. } | Output::Submitted { ticket, .. } => {
                Some(*ticket)
            }
            _ => None,
        };
        self.outputs.iter().filter_map(ticket).collect()
    }
}

fn hello() -> Submit {
    Submit {
        source: Address::sender("ACME"),
        destination: Address::international("447700900001"),
        registered_delivery: 1,
        body: Body::ShortMessage(Bytes::from_static(b"hello")),
        ..Submit::default()
    }
}
