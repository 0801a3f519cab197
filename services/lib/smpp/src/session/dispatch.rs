//! From the peer's octets to PDUs, and from each PDU to what follows from it.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rusmpp::CommandId;

use super::exchange::{Answer, Notice, Output, Reply, Ticket, Why};
use super::in_flight::Found;
use super::{PDU_OCTETS_MAX, Session, Side, State, TlvPolicy, VERSION_WITH_TLVS};
use crate::decode::{self, Truncated};
use crate::encode;
use crate::pdu::BindKind;
use crate::status::Status;

/// Octets of a PDU header.
const HEADER_OCTETS: usize = 16;

/// One PDU, its body unread.
pub(crate) struct Pdu {
    pub(crate) id: u32,
    pub(crate) command: CommandId,
    pub(crate) status: Status,
    pub(crate) sequence: u32,
    pub(crate) body: Bytes,
}

/// The first PDU of `octets`, taken off them. `Ok(None)` = it is not whole; the error is its length, which no PDU has.
pub(crate) fn split(octets: &mut BytesMut) -> Result<Option<Pdu>, u32> {
    let Some(length) = octets.first_chunk().copied().map(u32::from_be_bytes) else {
        return Ok(None);
    };
    if (length as usize) < HEADER_OCTETS || length as usize > PDU_OCTETS_MAX {
        return Err(length);
    }
    if octets.len() < length as usize {
        return Ok(None);
    }
    let mut body = octets.split_to(length as usize).freeze();
    body.advance(4);
    let id = body.get_u32();
    let status = Status(body.get_u32());
    let sequence = body.get_u32();
    Ok(Some(Pdu {
        id,
        command: CommandId::from(id),
        status,
        sequence,
        body,
    }))
}

impl Session {
    /// Takes octets and handles every PDU that is whole.
    pub(super) fn read(&mut self, now: Duration, octets: &[u8], outputs: &mut Vec<Output>) {
        if matches!(self.state, State::Idle | State::Closed) {
            return;
        }
        self.heard_at = now;
        self.enquiries = 0;
        self.partial.extend_from_slice(octets);
        while let Some(pdu) = self.next_pdu() {
            self.dispatch(now, &pdu, outputs);
            self.settle(now);
        }
    }

    fn next_pdu(&mut self) -> Option<Pdu> {
        split(&mut self.partial).unwrap_or_else(|length| {
            // Where the next PDU begins is lost with the length, and so is the sequence number.
            encode::header(&mut self.out, CommandId::GenericNack, Status::RINVCMDLEN, 0);
            self.close(Why::BadLength(length));
            None
        })
    }

    fn dispatch(&mut self, now: Duration, pdu: &Pdu, outputs: &mut Vec<Output>) {
        match pdu.command {
            CommandId::EnquireLink => self.respond(pdu, Status::ROK),
            CommandId::EnquireLinkResp => self.on_alive(pdu.sequence, outputs),
            CommandId::SubmitSm => self.on_submit(pdu, outputs),
            CommandId::DeliverSm | CommandId::DataSm => self.on_deliver(pdu, outputs),
            CommandId::SubmitSmResp | CommandId::DeliverSmResp | CommandId::DataSmResp => self.on_reply(pdu, outputs),
            CommandId::GenericNack => self.on_nack(pdu, outputs),
            CommandId::BindTransceiver => self.on_bind(BindKind::Transceiver, pdu, outputs),
            CommandId::BindTransmitter => self.on_bind(BindKind::Transmitter, pdu, outputs),
            CommandId::BindReceiver => self.on_bind(BindKind::Receiver, pdu, outputs),
            CommandId::BindTransceiverResp | CommandId::BindTransmitterResp | CommandId::BindReceiverResp => {
                self.on_bind_reply(now, pdu, outputs);
            }
            CommandId::Unbind => self.on_unbind(now, pdu, outputs),
            CommandId::UnbindResp => {
                if let State::Unbinding(_) = self.state {
                    self.close(Why::Unbound);
                }
            }
            CommandId::AlertNotification | CommandId::Outbind => outputs.push(Output::Noticed(Notice::Ignored(pdu.id))),
            other if other.is_response() => outputs.push(Output::Noticed(Notice::StrayResponse(pdu.id))),
            _ => self.unknown(pdu, outputs),
        }
    }

    /// A sign of life; those that our caller asked for are told.
    fn on_alive(&mut self, sequence: u32, outputs: &mut Vec<Output>) {
        if let Some(at) = self.asked.iter().position(|(asked, _)| *asked == sequence) {
            let (_, tag) = self.asked.swap_remove(at);
            outputs.push(Output::Alive { tag });
        }
    }

    /// Writes the response to a request as a header alone.
    fn respond(&mut self, pdu: &Pdu, status: Status) {
        encode::header(&mut self.out, pdu.command.matching_response(), status, pdu.sequence);
    }

    fn unknown(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        encode::header(&mut self.out, CommandId::GenericNack, Status::RINVCMDID, pdu.sequence);
        outputs.push(Output::Noticed(Notice::UnknownCommand(pdu.id)));
    }

    fn unreadable(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        encode::header(&mut self.out, CommandId::GenericNack, Status::RINVCMDLEN, pdu.sequence);
        outputs.push(Output::Noticed(Notice::UnreadableBody(pdu.id)));
    }

    /// Whether requests of the peer are taken: also while either side unbinds, as the peer cannot know yet.
    fn takes_requests(&self) -> bool {
        matches!(self.state, State::Bound | State::Draining(_) | State::Unbinding(_))
    }

    fn on_submit(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        if let Side::Client(_) = self.side {
            return self.unknown(pdu, outputs);
        }
        if !self.takes_requests() || !self.kind.can_submit() {
            return self.respond(pdu, Status::RINVBNDSTS);
        }
        match decode::submit(&pdu.body) {
            Ok(submit) => {
                self.unanswered += 1;
                outputs.push(Output::Submitted {
                    ticket: Ticket::new(pdu.command, pdu.sequence),
                    submit,
                });
            }
            Err(Truncated) => self.unreadable(pdu, outputs),
        }
    }

    fn on_deliver(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        if let Side::Server(_) = self.side {
            return self.unknown(pdu, outputs);
        }
        if !self.takes_requests() {
            return self.respond(pdu, Status::RINVBNDSTS);
        }
        let read = if pdu.command == CommandId::DataSm {
            decode::data
        } else {
            decode::deliver
        };
        match read(&pdu.body) {
            Ok(deliver) => {
                self.unanswered += 1;
                outputs.push(Output::Delivered {
                    ticket: Ticket::new(pdu.command, pdu.sequence),
                    deliver,
                });
            }
            Err(Truncated) => self.unreadable(pdu, outputs),
        }
    }

    fn on_reply(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        let reply = Reply::read(&pdu.body);
        let answer = if pdu.status.is_ok() {
            Answer::Accepted(reply)
        } else {
            Answer::Refused(pdu.status, reply)
        };
        outputs.push(match self.in_flight.take(pdu.sequence) {
            Found::Open(tag) => Output::Answered { tag, answer },
            Found::Late(tag) => Output::Late { tag, answer },
            Found::Stray => Output::Noticed(Notice::StrayResponse(pdu.id)),
        });
    }

    fn on_nack(&mut self, pdu: &Pdu, outputs: &mut Vec<Output>) {
        // A nack of success would leave the request open for ever if it were taken at its word.
        let status = if pdu.status.is_ok() {
            Status::RUNKNOWNERR
        } else {
            pdu.status
        };
        if let (State::Opening(_), Side::Client(_)) = (self.state, &self.side) {
            return self.close(Why::BindRefused(status));
        }
        let answer = Answer::Refused(status, Reply::default());
        outputs.push(match self.in_flight.take(pdu.sequence) {
            Found::Open(tag) => Output::Answered { tag, answer },
            Found::Late(tag) => Output::Late { tag, answer },
            Found::Stray => Output::Noticed(Notice::StrayNack(status)),
        });
    }

    fn on_bind(&mut self, kind: BindKind, pdu: &Pdu, outputs: &mut Vec<Output>) {
        if let Side::Client(_) = self.side {
            return self.unknown(pdu, outputs);
        }
        if !matches!(self.state, State::Opening(_)) {
            return self.respond(pdu, Status::RALYBND);
        }
        match decode::bind(kind, &pdu.body) {
            Ok(bind) => {
                self.state = State::Deciding(kind);
                outputs.push(Output::BindAsked {
                    ticket: Ticket::new(pdu.command, pdu.sequence),
                    bind,
                });
            }
            Err(Truncated) => self.unreadable(pdu, outputs),
        }
    }

    fn on_bind_reply(&mut self, now: Duration, pdu: &Pdu, outputs: &mut Vec<Output>) {
        let (State::Opening(_), Side::Client(config)) = (self.state, &self.side) else {
            return outputs.push(Output::Noticed(Notice::StrayResponse(pdu.id)));
        };
        if !pdu.status.is_ok() {
            return self.close(Why::BindRefused(pdu.status));
        }
        let (system_id, version) = decode::bind_reply(&pdu.body);
        self.tlvs_allowed = match config.tlvs {
            TlvPolicy::Always => true,
            TlvPolicy::Never => false,
            TlvPolicy::Auto => version.is_some_and(|version| version >= VERSION_WITH_TLVS),
        };
        self.heard_at = now;
        self.state = State::Bound;
        outputs.push(Output::Bound { system_id, version });
    }

    fn on_unbind(&mut self, now: Duration, pdu: &Pdu, outputs: &mut Vec<Output>) {
        match self.state {
            State::Bound | State::Draining(_) => {
                self.state = State::PeerUnbinding(pdu.sequence, now + self.timers.unbind);
                outputs.push(Output::Unbinding);
            }
            // Both sides unbind at once: nothing is open any more.
            State::Unbinding(_) | State::Opening(_) | State::Deciding(_) => {
                self.respond(pdu, Status::ROK);
                self.close(Why::PeerUnbound);
            }
            State::PeerUnbinding(..) => {}
            State::Idle | State::Closed => {}
        }
    }
}
