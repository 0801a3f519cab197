//! One part of an order as a `submit_sm`.

use smpp::{Body, Submit, Tlv, relative_validity, tag};

use super::SmppConfig;
use crate::{link::Job, parts::short_id};

/// User data header indicator of `esm_class`.
const UDHI: u8 = 0x40;

/// The `submit_sm` for `job`.
pub(super) fn submit(config: &SmppConfig, job: &Job) -> Submit {
    let order = &job.ready.order;
    let part = &job.ready.parts[usize::from(job.tag.part)];
    let (_, encoding, _) = order.content();
    Submit {
        service_type: config.service_type.clone(),
        source: config.source(order.from()),
        destination: config.destination(order.to()),
        esm_class: if part.header().is_empty() { 0 } else { UDHI },
        validity: if config.validity {
            relative_validity(job.valid_for)
        } else {
            String::new()
        },
        registered_delivery: u8::from(order.receipt),
        data_coding: config.data_coding(encoding),
        body: Body::ShortMessage(part.octets().clone()),
        tlvs: vec![Tlv::number(tag::USER_MESSAGE_REFERENCE, short_id(order))],
        ..Submit::default()
    }
}

#[cfg(test)]
mod tests;
