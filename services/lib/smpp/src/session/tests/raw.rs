//! PDUs by hand, and outputs in short words.

use crate::{Answer, Output, Status};

/// A PDU of these parts.
pub(super) fn pdu(command: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut octets = Vec::new();
    for field in [length, command, status, sequence] {
        octets.extend_from_slice(&field.to_be_bytes());
    }
    octets.extend_from_slice(body);
    octets
}

fn name(command: u32) -> String {
    let name = match command & 0x7FFF_FFFF {
        0x00 => return "nack".into(),
        0x01 => "bind_receiver",
        0x02 => "bind_transmitter",
        0x04 => "submit",
        0x05 => "deliver",
        0x06 => "unbind",
        0x09 => "bind",
        0x15 => "enquire",
        0x103 => "data",
        other => return format!("{other:#x}"),
    };
    format!("{name}{}", if command & 0x8000_0000 == 0 { "" } else { "_resp" })
}

fn written(mut octets: &[u8]) -> Vec<String> {
    let mut pdus = Vec::new();
    while !octets.is_empty() {
        let field = |at: usize| u32::from_be_bytes(octets[at..at + 4].try_into().unwrap());
        pdus.push(format!("> {} {} {}", name(field(4)), Status(field(8)), field(12)));
        octets = &octets[field(0) as usize..];
    }
    pdus
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Accepted(reply) => format!("accepted {}", reply.message_id),
        Answer::Refused(status, _) => format!("refused {status}"),
        other => format!("{other:?}"),
    }
}

/// The output in words; the wake-up time is left out, as it says nothing of the dialogue.
pub(super) fn show(output: &Output) -> Vec<String> {
    let word = match output {
        Output::Write(octets) => return written(octets),
        Output::WakeAt(_) => return Vec::new(),
        Output::Bound { system_id, .. } => format!("bound {system_id}").trim_end().to_owned(),
        Output::BindAsked { bind, .. } => format!("bind asked by {}", bind.system_id),
        Output::Answered { tag, answer: a } => format!("{tag} {}", answer(a)),
        Output::Late { tag, answer: a } => format!("{tag} late {}", answer(a)),
        Output::Delivered { ticket, .. } => format!("delivered {}", ticket.sequence()),
        Output::Submitted { ticket, .. } => format!("submitted {}", ticket.sequence()),
        Output::Alive { tag } => format!("{tag} alive"),
        Output::Unbinding => "unbinding".to_owned(),
        Output::Noticed(notice) => format!("{notice:?}"),
        Output::Close(why) => format!("close: {why}"),
    };
    vec![word]
}
