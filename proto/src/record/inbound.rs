//! Inbound messages, and what the store knows of them.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use sms::{
    CarrierName, Carriers, Charset, GatherRules, GatherStage, Gathering, Inbound, InboundPart, MessageId, UnixMs,
};
use uuid::Uuid;

use super::{
    invalid::{Invalid, field, octet},
    message::unknown,
};
use crate::pb::signalbox::bus::v1 as pb;

pub(super) fn to_pb(inbound: &Inbound) -> pb::Inbound {
    pb::Inbound {
        id: inbound.id.0.as_bytes().to_vec(),
        carrier: inbound.carriers.first().as_str().to_owned(),
        from: inbound.from.clone(),
        to: inbound.to.clone(),
        text: inbound.text.clone(),
        octets: inbound.octets.clone(),
        data_coding: inbound.data_coding.into(),
        header: inbound.header.clone(),
        parts: inbound.parts.into(),
        missing: inbound.missing.clone(),
        received_at: inbound.received_at.0,
        others: others(&inbound.carriers),
    }
}

pub(super) fn from_pb(inbound: pb::Inbound) -> Result<Inbound, Invalid> {
    Ok(Inbound {
        id: id(&inbound.id)?,
        carriers: carriers(&inbound.carrier, &inbound.others)?,
        from: inbound.from,
        to: inbound.to,
        text: inbound.text,
        octets: inbound.octets,
        data_coding: octet("data_coding", inbound.data_coding)?,
        header: inbound.header,
        parts: octet("parts", inbound.parts)?,
        missing: inbound.missing,
        received_at: UnixMs(inbound.received_at),
    })
}

pub(super) fn gathering_to_pb(gathering: &Gathering) -> pb::Gathering {
    let first = &gathering.first;
    let part = |(number, digest): (&u8, &u64)| pb::GatheredPart {
        number: (*number).into(),
        digest: *digest,
        octets: gathering.parts.get(number).cloned(),
    };
    pb::Gathering {
        id: gathering.id.0.as_bytes().to_vec(),
        carrier: gathering.carriers.first().as_str().to_owned(),
        from: first.from.clone(),
        to: first.to.clone(),
        charset: charset_to_pb(first.charset).into(),
        data_coding: first.data_coding.into(),
        header: first.header.clone(),
        total: gathering.total.into(),
        began_at: gathering.began_at.0,
        stage: match gathering.stage {
            GatherStage::Open => pb::GatherStage::Open,
            GatherStage::Publishing => pb::GatherStage::Publishing,
            GatherStage::Done => pb::GatherStage::Done,
        }
        .into(),
        since: gathering.since.0,
        repeats_ms: millis(gathering.rules.repeats),
        within_ms: millis(gathering.rules.within),
        parts: gathering.digests.iter().map(part).collect(),
        others: others(&gathering.carriers),
    }
}

pub(super) fn gathering_from_pb(gathering: pb::Gathering) -> Result<Gathering, Invalid> {
    let (mut digests, mut parts) = (BTreeMap::new(), BTreeMap::new());
    for part in gathering.parts {
        let number = octet("parts.number", part.number)?;
        digests.insert(number, part.digest);
        parts.extend(part.octets.map(|octets| (number, octets)));
    }
    let stage = match pb::GatherStage::try_from(gathering.stage) {
        Ok(pb::GatherStage::Open) => GatherStage::Open,
        Ok(pb::GatherStage::Publishing) => GatherStage::Publishing,
        Ok(pb::GatherStage::Done) => GatherStage::Done,
        Ok(pb::GatherStage::Unspecified) | Err(_) => return Err(unknown("stage", gathering.stage)),
    };
    Ok(Gathering {
        id: id(&gathering.id)?,
        carriers: carriers(&gathering.carrier, &gathering.others)?,
        first: InboundPart {
            from: gathering.from,
            to: gathering.to,
            charset: charset_from_pb(gathering.charset)?,
            data_coding: octet("data_coding", gathering.data_coding)?,
            header: gathering.header,
            octets: Bytes::new(),
            place: None,
            name: String::new(),
        },
        total: octet("total", gathering.total)?,
        began_at: UnixMs(gathering.began_at),
        stage,
        since: UnixMs(gathering.since),
        rules: GatherRules {
            repeats: Duration::from_millis(gathering.repeats_ms),
            within: Duration::from_millis(gathering.within_ms),
        },
        digests,
        parts,
    })
}

fn others(carriers: &Carriers) -> Vec<String> {
    carriers
        .others()
        .iter()
        .map(|carrier| carrier.as_str().to_owned())
        .collect()
}

fn carriers(first: &str, others: &[String]) -> Result<Carriers, Invalid> {
    let mut names = vec![field("carrier", CarrierName::new(first))?];
    for other in others {
        names.push(field("others", CarrierName::new(other))?);
    }
    Ok(Carriers::new(names).expect("there is a first one"))
}

fn id(octets: &[u8]) -> Result<MessageId, Invalid> {
    field("id", Uuid::from_slice(octets)).map(MessageId)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

const fn charset_to_pb(charset: Charset) -> pb::Charset {
    match charset {
        Charset::Gsm7 => pb::Charset::Gsm7,
        Charset::Ascii => pb::Charset::Ascii,
        Charset::Latin1 => pb::Charset::Latin1,
        Charset::Ucs2 => pb::Charset::Ucs2,
        Charset::Utf8 => pb::Charset::Utf8,
        Charset::Octets => pb::Charset::Octets,
    }
}

fn charset_from_pb(charset: i32) -> Result<Charset, Invalid> {
    let read = pb::Charset::try_from(charset).ok();
    Charset::ALL
        .into_iter()
        .find(|known| read == Some(charset_to_pb(*known)))
        .ok_or_else(|| unknown("charset", charset))
}

#[cfg(test)]
mod tests;
