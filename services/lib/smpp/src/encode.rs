//! Writing PDUs, all of them through the codec crate.

use bytes::{BufMut, Bytes, BytesMut};
use rusmpp::encode::{Length, owned::Encode};
use rusmpp::pdus::{
    BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp, BindTransmitter, BindTransmitterResp,
    DeliverSm, DeliverSmResp, SubmitSm, SubmitSmResp,
};
use rusmpp::tlvs::{MessageDeliveryRequestTlvValue, MessageSubmissionRequestTlvValue, TlvTag};
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{InterfaceVersion, ServiceType};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};

use crate::pdu::{Address, Bind, BindKind, Body, Deliver, SHORT_MESSAGE_OCTETS_MAX, Submit, Tlv, tag};
use crate::status::Status;

/// Why a PDU cannot be put on the wire; nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A string has no place in its field: too long, not ASCII, or with a NUL inside.
    #[error("{field} does not fit: at most {octets_max} ASCII characters without NUL")]
    Text {
        /// Name of the field in the specification.
        field: &'static str,
        /// Most characters it holds.
        octets_max: usize,
    },
    /// The content is longer than its place.
    #[error("{field} has {octets} octets, at most {octets_max} fit")]
    Length {
        /// Name of the field in the specification.
        field: &'static str,
        /// How many octets there are.
        octets: usize,
        /// How many fit.
        octets_max: usize,
    },
}

/// Most octets of one TLV that still fits a PDU every peer takes.
const TLV_OCTETS_MAX: usize = 0xFFFF;

/// Appends one PDU to `out`.
fn put(out: &mut BytesMut, status: Status, sequence: u32, pdu: impl Into<Pdu>) {
    let command = Command::new(CommandStatus::from(status.0), sequence, pdu);
    let octets = 4 + command.length();
    out.reserve(octets);
    out.put_u32(u32::try_from(octets).expect("TLV lengths were checked, so a PDU stays far below 4 GiB"));
    command.encode(out);
}

/// Appends a PDU that is a header alone, such as `enquire_link` or a response that refuses.
pub(crate) fn header(out: &mut BytesMut, command: CommandId, status: Status, sequence: u32) {
    put(
        out,
        status,
        sequence,
        Pdu::Other {
            command_id: command,
            body: AnyOctetString::empty(),
        },
    );
}

/// The strings of one PDU, side by side in one buffer: the codec crate by itself allocates thrice for each.
struct Texts(BytesMut);

/// Room for the strings of a usual message: two addresses and a validity.
const TEXTS_OCTETS: usize = 64;

impl Texts {
    fn new() -> Self {
        Self(BytesMut::with_capacity(TEXTS_OCTETS))
    }

    /// `value` and its NUL.
    fn put(&mut self, value: &str) -> Bytes {
        if value.is_empty() {
            return Bytes::from_static(&[0]);
        }
        self.0.extend_from_slice(value.as_bytes());
        self.0.put_u8(0);
        self.0.split().freeze()
    }

    fn text<const MAX: usize>(&mut self, field: &'static str, value: &str) -> Result<COctetString<1, MAX>, Invalid> {
        COctetString::from_bytes(self.put(value)).map_err(|_| Invalid::Text {
            field,
            octets_max: MAX - 1,
        })
    }

    fn time(&mut self, field: &'static str, value: &str) -> Result<EmptyOrFullCOctetString<17>, Invalid> {
        EmptyOrFullCOctetString::from_bytes(self.put(value)).map_err(|_| Invalid::Text { field, octets_max: 16 })
    }

    fn address(&mut self, field: &'static str, address: &Address) -> Result<COctetString<1, 21>, Invalid> {
        self.text(field, &address.value)
    }
}

fn text<const MAX: usize>(field: &'static str, value: &str) -> Result<COctetString<1, MAX>, Invalid> {
    Texts::new().text(field, value)
}

fn octet_string(body: &Body) -> Result<OctetString<0, 255>, Invalid> {
    let Body::ShortMessage(octets) = body else {
        return Ok(OctetString::empty());
    };
    let too_long = Invalid::Length {
        field: "short_message",
        octets: octets.len(),
        octets_max: SHORT_MESSAGE_OCTETS_MAX,
    };
    if octets.len() > SHORT_MESSAGE_OCTETS_MAX {
        return Err(too_long);
    }
    OctetString::from_bytes(octets.clone()).map_err(|_| too_long)
}

/// The TLVs to write, the payload among them, each made by `make`.
fn tlvs<T>(body: &Body, tlvs: &[Tlv], make: impl Fn(TlvTag, AnyOctetString) -> T) -> Result<Vec<T>, Invalid> {
    let payload = match body {
        Body::Payload(octets) => Some((tag::MESSAGE_PAYLOAD, octets)),
        Body::ShortMessage(_) => None,
    };
    let all = tlvs.iter().map(|tlv| (tlv.tag, &tlv.value)).chain(payload);
    let write = |(tag, value): (u16, &Bytes)| {
        if value.len() > TLV_OCTETS_MAX {
            return Err(Invalid::Length {
                field: "TLV",
                octets: value.len(),
                octets_max: TLV_OCTETS_MAX,
            });
        }
        Ok(make(TlvTag::from(tag), AnyOctetString::from_bytes(value.clone())))
    };
    all.map(write).collect()
}

/// Appends a `submit_sm`; on an error nothing is appended.
pub(crate) fn submit(out: &mut BytesMut, sequence: u32, submit: &Submit) -> Result<(), Invalid> {
    let tlvs = tlvs(&submit.body, &submit.tlvs, |tag, value| {
        MessageSubmissionRequestTlvValue::Other { tag, value }
    })?;
    let mut texts = Texts::new();
    let pdu = SubmitSm::new(
        ServiceType::new(texts.text("service_type", &submit.service_type)?),
        submit.source.ton.into(),
        submit.source.npi.into(),
        texts.address("source_addr", &submit.source)?,
        submit.destination.ton.into(),
        submit.destination.npi.into(),
        texts.address("destination_addr", &submit.destination)?,
        submit.esm_class.into(),
        submit.protocol_id,
        submit.priority.into(),
        texts.time("schedule_delivery_time", &submit.schedule)?,
        texts.time("validity_period", &submit.validity)?,
        submit.registered_delivery.into(),
        0.into(),
        submit.data_coding.into(),
        0,
        octet_string(&submit.body)?,
        tlvs,
    );
    put(out, Status::ROK, sequence, pdu);
    Ok(())
}

/// Appends a `deliver_sm`; on an error nothing is appended.
pub(crate) fn deliver(out: &mut BytesMut, sequence: u32, deliver: &Deliver) -> Result<(), Invalid> {
    let tlvs = tlvs(&deliver.body, &deliver.tlvs, |tag, value| {
        MessageDeliveryRequestTlvValue::Other { tag, value }
    })?;
    let mut texts = Texts::new();
    let pdu = DeliverSm::new(
        ServiceType::default(),
        deliver.source.ton.into(),
        deliver.source.npi.into(),
        texts.address("source_addr", &deliver.source)?,
        deliver.destination.ton.into(),
        deliver.destination.npi.into(),
        texts.address("destination_addr", &deliver.destination)?,
        deliver.esm_class.into(),
        0,
        0.into(),
        EmptyOrFullCOctetString::empty(),
        EmptyOrFullCOctetString::empty(),
        0.into(),
        0.into(),
        deliver.data_coding.into(),
        0,
        octet_string(&deliver.body)?,
        tlvs,
    );
    put(out, Status::ROK, sequence, pdu);
    Ok(())
}

/// Appends a `submit_sm_resp`; one that refuses is a header alone (3.4 §4.4.2).
pub(crate) fn submit_reply(out: &mut BytesMut, sequence: u32, status: Status, id: &str) -> Result<(), Invalid> {
    if !status.is_ok() {
        header(out, CommandId::SubmitSmResp, status, sequence);
        return Ok(());
    }
    put(
        out,
        status,
        sequence,
        SubmitSmResp::new(text("message_id", id)?, Vec::new()),
    );
    Ok(())
}

/// Appends the response to a `deliver_sm` or `data_sm`: an empty id, or a header alone when it refuses.
pub(crate) fn deliver_reply(out: &mut BytesMut, command: CommandId, sequence: u32, status: Status) {
    if !status.is_ok() {
        header(out, command, status, sequence);
    } else if command == CommandId::DataSmResp {
        put(
            out,
            status,
            sequence,
            rusmpp::Pdu::Other {
                command_id: command,
                body: AnyOctetString::from_static_slice(&[0]),
            },
        );
    } else {
        put(out, status, sequence, DeliverSmResp::default());
    }
}

/// A bind request, checked and ready to be written.
pub(crate) fn bind(out: &mut BytesMut, sequence: u32, bind: &Bind) -> Result<(), Invalid> {
    let system_id = text("system_id", &bind.system_id)?;
    let password = text("password", &bind.password)?;
    let system_type = text("system_type", &bind.system_type)?;
    let version = InterfaceVersion::from(bind.interface_version);
    let range = COctetString::empty;
    let pdu: Pdu = match bind.kind {
        BindKind::Transceiver => {
            BindTransceiver::new(system_id, password, system_type, version, 0.into(), 0.into(), range()).into()
        }
        BindKind::Transmitter => {
            BindTransmitter::new(system_id, password, system_type, version, 0.into(), 0.into(), range()).into()
        }
        BindKind::Receiver => {
            BindReceiver::new(system_id, password, system_type, version, 0.into(), 0.into(), range()).into()
        }
    };
    put(out, Status::ROK, sequence, pdu);
    Ok(())
}

/// Appends the response to a bind that succeeds.
pub(crate) fn bind_reply(
    out: &mut BytesMut,
    sequence: u32,
    kind: BindKind,
    system_id: &str,
    version: Option<u8>,
) -> Result<(), Invalid> {
    let system_id = text("system_id", system_id)?;
    let version = version.map(InterfaceVersion::from);
    let pdu: Pdu = match kind {
        BindKind::Transceiver => BindTransceiverResp::new(system_id, version).into(),
        BindKind::Transmitter => BindTransmitterResp::new(system_id, version).into(),
        BindKind::Receiver => BindReceiverResp::new(system_id, version).into(),
    };
    put(out, Status::ROK, sequence, pdu);
    Ok(())
}
