//! Reading PDU bodies leniently: what a peer got slightly wrong still yields what it meant.
//!
//! The codec crate refuses a whole PDU over one long string, and reads a known TLV of a wrong length into its
//! neighbour, so bodies are read here; the tests hold both readings together wherever a body is well formed.

use bytes::Bytes;

use crate::pdu::{Address, Bind, BindKind, Body, Deliver, Submit, Tlv, tag};

/// A body that ends before its mandatory fields do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truncated;

/// The fields of one body, read from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, octets: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.0.split_at_checked(octets).ok_or(Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, Truncated> {
        Ok(self.take(1)?[0])
    }

    /// A string up to its NUL, or up to the end of the body where the NUL is missing; any length is taken.
    fn string(&mut self) -> String {
        let end = self.0.iter().position(|octet| *octet == 0);
        let text = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = &self.0[end.map_or(self.0.len(), |end| end + 1)..];
        match std::str::from_utf8(text) {
            Ok(text) if text.is_ascii() => text.to_owned(),
            _ => text.iter().map(|octet| char::from(*octet)).collect(),
        }
    }

    fn address(&mut self) -> Result<Address, Truncated> {
        Ok(Address {
            ton: self.octet()?,
            npi: self.octet()?,
            value: self.string(),
        })
    }

    /// The TLVs that are whole; what cannot be one ends the list.
    fn tlvs(mut self) -> Vec<Tlv> {
        let mut tlvs = Vec::new();
        while let Ok(&[tag_high, tag_low, length_high, length_low]) = self.take(4) {
            let length = u16::from_be_bytes([length_high, length_low]);
            let Ok(value) = self.take(length.into()) else { break };
            let tag = u16::from_be_bytes([tag_high, tag_low]);
            tlvs.push(Tlv {
                tag,
                value: Bytes::copy_from_slice(value),
            });
        }
        tlvs
    }
}

/// The content from its two places: `message_payload` wins where both are filled, as it supersedes `short_message`.
fn body(short_message: &[u8], tlvs: &mut Vec<Tlv>) -> Body {
    match tlvs.iter().position(|tlv| tlv.tag == tag::MESSAGE_PAYLOAD) {
        Some(at) => Body::Payload(tlvs.swap_remove(at).value),
        None => Body::ShortMessage(Bytes::copy_from_slice(short_message)),
    }
}

/// Reads a `submit_sm`, or a `deliver_sm`, which has the same fields.
pub(crate) fn submit(octets: &[u8]) -> Result<Submit, Truncated> {
    let mut fields = Fields(octets);
    let mut submit = Submit {
        service_type: fields.string(),
        source: fields.address()?,
        destination: fields.address()?,
        esm_class: fields.octet()?,
        protocol_id: fields.octet()?,
        priority: fields.octet()?,
        schedule: fields.string(),
        validity: fields.string(),
        registered_delivery: fields.octet()?,
        ..Submit::default()
    };
    let _replace_if_present = fields.octet()?;
    submit.data_coding = fields.octet()?;
    let _canned_message = fields.octet()?;
    let length = fields.octet()?;
    let short_message = fields.take(length.into())?;
    submit.tlvs = fields.tlvs();
    submit.body = body(short_message, &mut submit.tlvs);
    Ok(submit)
}

/// Reads a `deliver_sm`.
pub(crate) fn deliver(octets: &[u8]) -> Result<Deliver, Truncated> {
    let Submit {
        source,
        destination,
        esm_class,
        data_coding,
        body,
        tlvs,
        ..
    } = submit(octets)?;
    Ok(Deliver {
        source,
        destination,
        esm_class,
        data_coding,
        body,
        tlvs,
    })
}

/// Reads a `data_sm`, whose content always is a TLV.
pub(crate) fn data(octets: &[u8]) -> Result<Deliver, Truncated> {
    let mut fields = Fields(octets);
    let _service_type = fields.string();
    let mut deliver = Deliver {
        source: fields.address()?,
        destination: fields.address()?,
        esm_class: fields.octet()?,
        ..Deliver::default()
    };
    let _registered_delivery = fields.octet()?;
    deliver.data_coding = fields.octet()?;
    deliver.tlvs = fields.tlvs();
    deliver.body = body(&[], &mut deliver.tlvs);
    Ok(deliver)
}

/// Reads the body of a response to a submission or delivery: none, a lone NUL, an id of any length, TLVs or not.
pub(crate) fn reply(octets: &[u8]) -> (String, Vec<Tlv>) {
    let mut fields = Fields(octets);
    let mut message_id = fields.string();
    // An id without its NUL runs into the TLVs, whose first octet is no printable character.
    if let Some(end) = message_id.find(|c: char| c.is_control()) {
        message_id.truncate(end);
    }
    (message_id, fields.tlvs())
}

/// Reads a bind request.
pub(crate) fn bind(kind: BindKind, octets: &[u8]) -> Result<Bind, Truncated> {
    let mut fields = Fields(octets);
    Ok(Bind {
        kind,
        system_id: fields.string(),
        password: fields.string(),
        system_type: fields.string(),
        interface_version: fields.octet()?,
    })
}

/// Reads the body of a bind response: the peer's name, and its version if it told it.
pub(crate) fn bind_reply(octets: &[u8]) -> (String, Option<u8>) {
    let mut fields = Fields(octets);
    let system_id = fields.string();
    let tlvs = fields.tlvs();
    let version = Tlv::find(&tlvs, tag::SC_INTERFACE_VERSION).and_then(Tlv::as_number);
    (system_id, version.and_then(|version| u8::try_from(version).ok()))
}

#[cfg(test)]
mod tests;
