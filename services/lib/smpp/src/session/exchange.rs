//! What goes into a session and what comes out of it.

use std::time::Duration;

use bytes::Bytes;
use rusmpp::CommandId;

use crate::decode;
use crate::encode::Invalid;
use crate::pdu::{Bind, Deliver, Submit, Tlv, tag};
use crate::status::Status;

/// What happened outside, or what the caller wants.
#[derive(Clone, Debug)]
pub enum Input {
    /// The connection stands.
    Opened,
    /// The peer's octets, cut anywhere.
    Octets(Bytes),
    /// Time passed; due when [`Output::WakeAt`] said so, harmless at any other time.
    Tick,
    /// Client: send a message.
    Submit {
        /// The caller's own name for it; comes back in the answer.
        tag: u64,
        /// The message.
        submit: Submit,
        /// How long to wait for the response.
        timeout: Duration,
    },
    /// Server: send a receipt or an inbound message.
    Deliver {
        /// The caller's own name for it; comes back in the answer.
        tag: u64,
        /// The message.
        deliver: Deliver,
        /// How long to wait for the response.
        timeout: Duration,
    },
    /// Answer a request of the peer.
    Answer {
        /// Which one.
        ticket: Ticket,
        /// What to say of it.
        status: Status,
        /// Id given to a submission that succeeds; ignored for other requests.
        message_id: String,
    },
    /// Ask the peer for a sign of life now; nothing while not bound, or while too many questions wait for an answer.
    Enquire {
        /// The caller's own name for it; comes back once the peer answers.
        tag: u64,
    },
    /// Stop: wait for what is open, unbind, close.
    Unbind,
    /// The connection is gone.
    Closed,
}

impl Input {
    /// Answers that the request succeeded.
    pub fn accept(ticket: Ticket) -> Self {
        Self::Answer {
            ticket,
            status: Status::ROK,
            message_id: String::new(),
        }
    }

    /// Answers a request with an error.
    pub fn refuse(ticket: Ticket, status: Status) -> Self {
        Self::Answer {
            ticket,
            status,
            message_id: String::new(),
        }
    }
}

/// Names a request of the peer until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(super) command: CommandId,
    pub(super) sequence: u32,
}

impl Ticket {
    pub(super) fn new(command: CommandId, sequence: u32) -> Self {
        Self { command, sequence }
    }

    /// The peer's sequence number of the request.
    pub fn sequence(self) -> u32 {
        self.sequence
    }

    pub(super) fn is_bind(self) -> bool {
        matches!(
            self.command,
            CommandId::BindTransceiver | CommandId::BindTransmitter | CommandId::BindReceiver
        )
    }
}

/// What the caller is to do or to know, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write these octets.
    Write(Bytes),
    /// The session is bound.
    Bound {
        /// The peer's name; empty where it gave none.
        system_id: String,
        /// The version it told; absent where it told none.
        version: Option<u8>,
    },
    /// Server: a client wants to bind; answer the ticket.
    BindAsked {
        /// To answer with.
        ticket: Ticket,
        /// What it asked for.
        bind: Bind,
    },
    /// The one end of a request we sent.
    Answered {
        /// The caller's name for it.
        tag: u64,
        /// What became of it.
        answer: Answer,
    },
    /// The response to a request that was answered [`Answer::TimedOut`] before.
    Late {
        /// The caller's name for it.
        tag: u64,
        /// What the peer says.
        answer: Answer,
    },
    /// Client: a receipt or an inbound message; answer the ticket once it is safe.
    Delivered {
        /// To answer with.
        ticket: Ticket,
        /// The message.
        deliver: Deliver,
    },
    /// Server: a message was submitted; answer the ticket.
    Submitted {
        /// To answer with.
        ticket: Ticket,
        /// The message.
        submit: Submit,
    },
    /// The peer answered a question for a sign of life.
    Alive {
        /// The caller's name for it.
        tag: u64,
    },
    /// The peer unbinds: send nothing more, answer what is open.
    Unbinding,
    /// Something odd that costs nothing; to be counted.
    Noticed(Notice),
    /// Write what is to be written, then close the connection.
    Close(Why),
    /// Give [`Input::Tick`] at this time, unless told another one before.
    WakeAt(Duration),
}

/// What a response brought beside its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The peer's id of the message as it wrote it; empty = none.
    pub message_id: String,
    /// Its TLVs.
    pub tlvs: Vec<Tlv>,
}

impl Reply {
    pub(crate) fn read(body: &[u8]) -> Self {
        let (message_id, tlvs) = decode::reply(body);
        Self { message_id, tlvs }
    }

    /// How busy the peer says it is, 0 to 100 (5.0 §4.8.4.18); absent = not told.
    pub fn congestion(&self) -> Option<u8> {
        let state = Tlv::find(&self.tlvs, tag::CONGESTION_STATE)?.as_number()?;
        u8::try_from(state).ok()
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The peer took it.
    Accepted(Reply),
    /// The peer refused it, also with `generic_nack`.
    Refused(Status, Reply),
    /// No response in time; it may have been taken.
    TimedOut,
    /// The session ended first; it may have been taken.
    Lost,
    /// Nothing of it was written.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Not bound, not yet or no longer.
    #[error("the session is not bound")]
    NotBound,
    /// The bind does not open this direction.
    #[error("the bind does not allow this request")]
    WrongBind,
    /// As many requests as the window allows are unanswered.
    #[error("the window is full")]
    WindowFull,
    /// The peer takes no TLVs, and the message means nothing without them.
    #[error("the peer speaks a version without TLVs, which this message needs")]
    NeedsTlvs,
    /// It does not fit the wire format.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Odd things a peer does that do not harm the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A command we do not know or serve, answered with `generic_nack`.
    UnknownCommand(u32),
    /// A body that could not be read, answered with `generic_nack`.
    UnreadableBody(u32),
    /// A response that no open request waits for, such as a second one.
    StrayResponse(u32),
    /// A request that needs no answer and is not used, such as `alert_notification`.
    Ignored(u32),
    /// A `generic_nack` that names no open request.
    StrayNack(Status),
    /// Our caller's answer did not fit its field; `RSYSERR` was answered instead.
    AnswerInvalid(Invalid),
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// We unbound and the peer agreed.
    #[error("unbound")]
    Unbound,
    /// The peer unbound.
    #[error("the peer unbound")]
    PeerUnbound,
    /// The connection was lost.
    #[error("the connection was lost")]
    PeerClosed,
    /// The bind was refused.
    #[error("the bind was refused: {0}")]
    BindRefused(Status),
    /// No bind, or no answer to it, in time.
    #[error("no answer to the bind in time")]
    BindTimedOut,
    /// No `unbind_resp` in time.
    #[error("no answer to the unbind in time")]
    UnbindTimedOut,
    /// Two `enquire_link`s brought no sign of life.
    #[error("the peer is silent")]
    Silent,
    /// The peer's octets are no PDUs: this length is below 16 or above [`super::PDU_OCTETS_MAX`].
    #[error("the peer sent a PDU of {0} octets")]
    BadLength(u32),
}
