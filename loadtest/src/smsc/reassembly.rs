//! What handsets make of what a carrier took: parts put together by their headers, their TLVs, or not at all.

use std::collections::BTreeMap;

use bytes::Bytes;
use sms::Charset;

use super::received::Received;

/// A message as its recipient's handset sees it. What a carrier took a second time under the same reference is a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassembled {
    /// Who sent.
    pub source: String,
    /// Who received.
    pub destination: String,
    /// How its characters are coded.
    pub data_coding: u8,
    /// Parts it has by its own word; 1 = it was not cut.
    pub total: u8,
    /// The parts that were taken, by their number from 1: each time the octets without header, and whether they were answered.
    pub parts: BTreeMap<u8, Vec<Taken>>,
}

/// One time that a part was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The octets behind the user data header.
    pub payload: Bytes,
    /// Whether the carrier meant to answer; false = it kept silent.
    pub is_answered: bool,
}

/// Puts together what was taken of `received`, in the order of the first part of each message.
///
/// Parts belong together that agree in both addresses, reference and count; a message that is not cut stands for itself, and one
/// of the same octets is its copy.
pub fn reassemble(received: &[Received]) -> Vec<Reassembled> {
    let mut messages: Vec<Reassembled> = Vec::new();
    let mut places = BTreeMap::new();
    for received in received.iter().filter(|received| received.was_taken()) {
        let payload = received.payload();
        let (total, part) = received.concatenation.map_or((1, 1), |place| (place.total, place.part));
        let tie = match received.concatenation {
            Some(place) => (Some(place.reference), Bytes::new()),
            None => (None, payload.clone()),
        };
        let key = (
            &received.source,
            &received.destination,
            received.data_coding,
            total,
            tie,
        );
        let place = *places.entry(key).or_insert_with(|| {
            messages.push(Reassembled {
                source: received.source.clone(),
                destination: received.destination.clone(),
                data_coding: received.data_coding,
                total,
                parts: BTreeMap::new(),
            });
            messages.len() - 1
        });
        let taken = Taken {
            payload,
            is_answered: received.answer.is_some(),
        };
        messages[place].parts.entry(part).or_default().push(taken);
    }
    messages
}

impl Reassembled {
    /// Whether every part was taken.
    pub fn is_whole(&self) -> bool {
        (1..=self.total).all(|part| self.parts.contains_key(&part))
    }

    /// The text; `None` = a part is missing, copies of one differ, or the octets are no text.
    pub fn text(&self) -> Option<String> {
        let mut octets = Vec::new();
        for part in 1..=self.total {
            let (first, others) = self.parts.get(&part)?.split_first()?;
            if others.iter().any(|other| other.payload != first.payload) {
                return None;
            }
            octets.extend_from_slice(&first.payload);
        }
        read(self.data_coding, &octets)
    }

    /// The text of each part that was taken, by its number; parts that are no text are left out.
    pub fn pieces(&self) -> impl Iterator<Item = (u8, String)> {
        let all = self.parts.iter();
        let all = all.flat_map(|(part, taken)| taken.iter().map(move |taken| (*part, &taken.payload)));
        all.filter_map(|(part, payload)| Some((part, read(self.data_coding, payload)?)))
    }

    /// How often it was taken: as often as the part that was taken most often.
    pub fn copies(&self) -> usize {
        self.parts.values().map(Vec::len).max().unwrap_or(0)
    }
}

/// The text of octets in the codings that a carrier of this kind is sent (3.4 §5.2.19).
fn read(data_coding: u8, octets: &[u8]) -> Option<String> {
    let charset = match data_coding {
        0 => Charset::Gsm7,
        1 => Charset::Ascii,
        3 => Charset::Latin1,
        8 => Charset::Ucs2,
        _ => return None,
    };
    charset.read(octets).filter(|read| read.is_exact).map(|read| read.text)
}

#[cfg(test)]
mod tests;
