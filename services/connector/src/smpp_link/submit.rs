//! One part of an order as a `submit_sm`.

use bytes::Bytes;
use smpp::{Body, Submit, Tlv, absolute_validity, relative_validity, tag};
use sms::{Encoding, SEGMENT_OCTETS_MAX};

use super::{SmppConfig, Validity};
use crate::{
    Concatenation,
    link::Job,
    parts::{Ready, short_id},
};

/// User data header indicator of `esm_class`.
const UDHI: u8 = 0x40;

/// Septets of a message of one part.
const SEPTETS_MAX: usize = SEGMENT_OCTETS_MAX * 8 / 7;

/// The `submit_sm` for `job`.
pub(crate) fn submit(config: &SmppConfig, job: &Job) -> Submit {
    let Ready { order, encoding, .. } = &*job.ready;
    let mut tlvs = Vec::with_capacity(4 + config.extra_tlvs.len());
    tlvs.push(Tlv::number(tag::USER_MESSAGE_REFERENCE, short_id(order)));
    let (is_headed, body) = body(&job.ready, job.tag.part, &mut tlvs);
    tlvs.extend(config.extra_tlvs.iter().cloned());
    Submit {
        service_type: config.service_type.clone(),
        source: config.source(order.from()),
        destination: config.destination(order.to()),
        esm_class: if is_headed { UDHI } else { 0 },
        priority: config.priority(order.class().lane()),
        validity: validity(config, job),
        registered_delivery: u8::from(order.receipt),
        data_coding: config.data_coding(*encoding),
        body,
        tlvs,
        ..Submit::default()
    }
}

/// Where the content of a part travels, and whether it begins with a user data header. Header and SAR TLVs exclude each
/// other (3.4 §5.2.12).
fn body(ready: &Ready, number: u8, tlvs: &mut Vec<Tlv>) -> (bool, Body) {
    let part = &ready.parts[usize::from(number)];
    let total = u8::try_from(ready.parts.len()).expect("a message has at most 255 parts");
    let is_sar = ready.cutting.concatenation == Concatenation::Sar && total > 1;
    let is_headed = !part.header().is_empty() && !is_sar;
    if is_sar {
        tlvs.push(Tlv::number(tag::SAR_MSG_REF_NUM, short_id(&ready.order)));
        tlvs.push(Tlv::octet(tag::SAR_TOTAL_SEGMENTS, total));
        tlvs.push(Tlv::octet(tag::SAR_SEGMENT_SEQNUM, number + 1));
    }
    let octets: Bytes = match ready.encoding {
        Encoding::Gsm7 => ready.cutting.alphabet.write(part, is_headed),
        _ if is_sar => part.octets().slice(part.header().len()..),
        _ => part.octets().clone(),
    };
    let alone_max = match ready.encoding {
        Encoding::Gsm7 => SEPTETS_MAX,
        _ => SEGMENT_OCTETS_MAX,
    };
    let is_payload = ready.cutting.concatenation == Concatenation::Payload && part.octets().len() > alone_max;
    let body = match is_payload {
        true => Body::Payload(octets),
        false => Body::ShortMessage(octets),
    };
    (is_headed, body)
}

/// Never beyond the deadline: a carrier that still tries then may deliver what another one was given meanwhile.
fn validity(config: &SmppConfig, job: &Job) -> String {
    let span = job.valid_for.min(config.validity_max);
    match config.validity {
        Validity::Relative => relative_validity(span),
        Validity::Absolute => {
            let deadline = job.ready.order.terms.deadline;
            let beyond = job.valid_for - span;
            absolute_validity(deadline - beyond).unwrap_or_default()
        }
        Validity::Untold => String::new(),
    }
}

#[cfg(test)]
mod tests;
