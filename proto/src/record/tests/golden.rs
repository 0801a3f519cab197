//! Octets that versions of this project have written, each with the value that it means for ever.
//!
//! `golden/*.txt` holds a name and octets a line. A line is never changed or removed: such octets lie on logs and in stores. A new
//! field, record or value gets lines of its own; the value of an old line then says what it means that the new field is not there.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

mod samples;

/// What was written, by format.
const WRITTEN: [(&str, &str); 1] = [("format-1", include_str!("golden/format-1.txt"))];

/// Names and octets of `text`.
fn lines(text: &str) -> BTreeMap<&str, Bytes> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (name, digits) = line.split_once(' ').expect("a line is a name and octets");
        (name, from_hex(digits))
    });
    let (count, lines) = (parsed.clone().count(), parsed.collect::<BTreeMap<_, _>>());
    assert_eq!(count, lines.len(), "a name stands there twice");
    lines
}

fn from_hex(digits: &str) -> Bytes {
    let octet = |place| u8::from_str_radix(&digits[place..place + 2], 16).expect("octets are hexadecimal");
    (0..digits.len()).step_by(2).map(octet).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn what_was_ever_written_means_what_it_meant() {
    let samples = samples::all();
    for (format, text) in WRITTEN {
        let lines = lines(text);
        for (name, octets) in &lines {
            let sample = samples.iter().find(|sample| sample.name == *name);
            let sample = sample.unwrap_or_else(|| panic!("{format}: nobody says what {name} means"));
            (sample.means)(octets);
        }
        let missing = samples.iter().filter(|sample| !lines.contains_key(sample.name));
        let missing: Vec<_> = missing
            .map(|sample| format!("{} {}", sample.name, hex(&sample.octets)))
            .collect();
        assert!(missing.is_empty(), "golden/{format}.txt lacks\n{}", missing.join("\n"));
    }
}

/// Octets of before the seal lie on no log any more that was upgraded in time, and are read all the same.
#[test]
fn what_was_written_without_a_seal_means_the_same() {
    for sample in samples::all() {
        if let Some((_, body)) = seal::sealed(&sample.octets)
            && !body.is_empty()
        {
            (sample.means)(&body);
        }
    }
}

#[test]
fn fields_of_the_next_version_change_no_meaning() {
    for sample in samples::all() {
        let newer = Neighbour::Newer.version_of(&sample.octets);
        assert_eq!(
            newer.len() > sample.octets.len(),
            seal::sealed(&sample.octets).is_some(),
            "{}",
            sample.name
        );
        (sample.means)(&newer);
    }
}

/// Without the fields that came last a record is the same but for those: read, written and read again it stays so.
#[test]
fn what_the_version_before_writes_can_be_read() {
    let mut lacking = BTreeSet::new();
    for sample in samples::all() {
        let older = Neighbour::Older.version_of(&sample.octets);
        if older != sample.octets {
            lacking.insert(sample.name);
        }
        (sample.reads)(&older);
    }
    assert!(
        lacking.len() > 8,
        "too few records have fields that came last: {lacking:?}"
    );
}

#[test]
fn every_kind_of_record_has_a_sample() {
    let kinds = samples::all();
    let kinds = kinds.iter().filter_map(|sample| seal::sealed(&sample.octets));
    let kinds: BTreeSet<_> = kinds.map(|(kind, _)| kind as u32).collect();
    assert_eq!(kinds, Kind::ALL.map(|kind| kind as u32).into());
}
