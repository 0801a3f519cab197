//! What the books find wrong, message by message.

use std::{sync::Arc, time::Duration};

use service::time;
use sms::{Class, MessageId, UnixMs};

use super::*;
use crate::{customer::Timetable, stage::land::Letters};

const START: UnixUs = UnixUs(1_000_000_000_000);
const NETWORKS: usize = 3;

/// Every message is due at once.
#[derive(Debug)]
struct AtOnce;

impl Timetable for AtOnce {
    fn due(&self, _place: usize) -> Duration {
        Duration::ZERO
    }

    fn due_within(&self, _elapsed: Duration) -> usize {
        usize::MAX
    }

    fn ttl(&self, _place: usize) -> Duration {
        land::TTL
    }
}

/// One message of `class` in one part, and everything that is known of it.
struct Scene {
    ledger: Ledger,
    evidence: Evidence,
    place: usize,
    letter: Letter,
}

fn scene(class: Class) -> Scene {
    let letters = Letters::new(1, NETWORKS).unwrap().map(Result::unwrap);
    let fits = |(_, letter): &(usize, Letter)| letter.class == class && land::parts(&letter.text) == 1;
    let (place, letter) = letters.enumerate().find(fits).unwrap();
    let mut ledger = Ledger::new(time::now(), START, Arc::new(AtOnce));
    ledger.entries = vec![Entry::default(); place + 1];
    Scene {
        ledger,
        evidence: Evidence::default(),
        place,
        letter,
    }
}

fn id(number: u8) -> MessageId {
    MessageId::of(UnixMs(1_000), [number; 10])
}

impl Scene {
    fn accepted(mut self) -> Self {
        self.ledger.accept(self.place, id(1));
        self
    }

    /// `unknown` orders were not answered.
    fn ended(mut self, state: EndState, unknown: usize) -> Self {
        let state_told = signalbox_proto::pb::signalbox::ingest::v1::MessageState::Delivered;
        self.ledger.end(self.place, state_told);
        self.evidence.ends.insert(self.place, End::new(id(1), state, unknown));
        self
    }

    fn taken(mut self, carrier: u8) -> Self {
        let content = Content::Text(self.letter.text.clone());
        let segments = sms::segment(&content, sms::encoding_of(&self.letter.text), Reference::Short(0)).unwrap();
        let take = Take {
            at: START,
            carrier,
            part: 1,
            parts: 1,
            hash: hash(segments.first().unwrap().payload()),
        };
        self.evidence.takes.entry(self.place).or_default().push(take);
        self
    }

    fn changed(mut self) -> Self {
        self.evidence.takes.get_mut(&self.place).unwrap()[0].hash ^= 1;
        self
    }

    /// The findings about this message; those before it were never sent.
    fn findings(&self) -> Vec<String> {
        self.verdict()
            .findings
            .into_iter()
            .filter(|found| !found.starts_with("never answered"))
            .collect()
    }

    fn verdict(&self) -> Verdict {
        Verdict::of(&self.ledger, &self.evidence, Letters::new(1, NETWORKS).unwrap(), |_| {
            None
        })
        .unwrap()
    }
}

fn assert_finds(scene: &Scene, words: &str) {
    let findings = scene.findings();
    assert!(
        findings.iter().any(|finding| finding.starts_with(words)),
        "{findings:?}"
    );
}

#[test]
fn a_message_that_was_taken_once_and_delivered_is_in_order() {
    let scene = scene(Class::Promotional)
        .accepted()
        .taken(0)
        .ended(EndState::Delivered, 0);
    assert_eq!(scene.findings(), [""; 0]);
}

#[test]
fn a_message_without_an_end_is_lost() {
    assert_finds(&scene(Class::Otp).accepted().taken(0), "accepted, and without an end");
}

#[test]
fn a_message_that_is_never_answered_is_told() {
    let verdict = scene(Class::Otp).verdict();
    assert!(
        verdict.findings[0].starts_with("never answered"),
        "{:?}",
        verdict.findings
    );
}

#[test]
fn a_password_may_come_twice_where_an_answer_was_lost() {
    let scene = scene(Class::Otp)
        .accepted()
        .taken(0)
        .taken(1)
        .ended(EndState::Delivered, 1);
    assert_eq!(scene.findings(), [""; 0]);
    assert_eq!(scene.verdict().doubled[0].further, 1);
}

#[test]
fn a_password_that_comes_twice_without_a_lost_answer_is_told() {
    let scene = scene(Class::Otp)
        .accepted()
        .taken(0)
        .taken(0)
        .ended(EndState::Delivered, 0);
    assert_finds(&scene, "at a carrier more often than answers were lost");
}

#[test]
fn what_is_no_password_never_comes_twice() {
    for class in [Class::Promotional, Class::Transactional] {
        let scene = scene(class).accepted().taken(0).taken(1).ended(EndState::Delivered, 1);
        assert_finds(&scene, "at a carrier twice against the policy");
    }
}

#[test]
fn a_message_that_no_carrier_has_was_not_delivered() {
    let scene = scene(Class::Otp).accepted().ended(EndState::Delivered, 0);
    assert_finds(&scene, "delivered, and no carrier has all of it");
}

#[test]
fn a_message_at_a_carrier_did_not_expire() {
    let scene = scene(Class::Otp).accepted().taken(0).ended(EndState::Expired, 0);
    assert_finds(&scene, "at a carrier, and neither delivered nor unknown");
}

#[test]
fn other_octets_than_were_sent_are_told() {
    let scene = scene(Class::Otp)
        .accepted()
        .taken(0)
        .ended(EndState::Delivered, 0)
        .changed();
    assert_finds(&scene, "at a carrier otherwise than sent");
}
