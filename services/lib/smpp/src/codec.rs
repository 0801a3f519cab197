//! PDUs outside of a session, written and read by the same code: for measurements, and for peers that need no session.

use bytes::BytesMut;
use rusmpp::CommandId;

use crate::decode;
use crate::encode::{self, Invalid};
use crate::pdu::Submit;
use crate::session::{Reply, split};
use crate::status::Status;

/// What a PDU says, of those that carry messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A `submit_sm`.
    Submit(Submit),
    /// A `submit_sm_resp`.
    SubmitReply(Status, Reply),
    /// Any other, or one that cannot be read.
    Other,
}

/// Appends a `submit_sm`.
///
/// # Errors
/// Something does not fit its field; nothing is appended.
pub fn write_submit(out: &mut BytesMut, sequence: u32, submit: &Submit) -> Result<(), Invalid> {
    encode::submit(out, sequence, submit)
}

/// Appends a `submit_sm_resp` with `id`, or one that refuses.
///
/// # Errors
/// The id does not fit its field; nothing is appended.
pub fn write_submit_reply(out: &mut BytesMut, sequence: u32, status: Status, id: &str) -> Result<(), Invalid> {
    encode::submit_reply(out, sequence, status, id)
}

/// Takes the first PDU off `octets`: its sequence number, and what it says. `None` = it is not whole, or no PDU.
pub fn read(octets: &mut BytesMut) -> Option<(u32, Said)> {
    let pdu = split(octets).ok()??;
    let said = match pdu.command {
        CommandId::SubmitSm => decode::submit(&pdu.body).map_or(Said::Other, Said::Submit),
        CommandId::SubmitSmResp => Said::SubmitReply(pdu.status, Reply::read(&pdu.body)),
        _ => Said::Other,
    };
    Some((pdu.sequence, said))
}
