//! What a seed draws.

use super::{super::args::Bus, *};

fn drawn(seed: u64, kinds: &[Kind]) -> Vec<(Kind, u64, Duration)> {
    let mut draws = Draws::new(seed, kinds.to_vec());
    (0..200).map(|_| draws.next().unwrap()).collect()
}

#[test]
fn a_seed_fixes_the_faults_and_another_seed_fixes_others() {
    let kinds = Kind::over(Bus::Kafka);
    assert_eq!(drawn(1, &kinds), drawn(1, &kinds));
    assert_ne!(drawn(1, &kinds), drawn(2, &kinds));
}

#[test]
fn every_kind_that_is_asked_for_comes_and_no_other() {
    for bus in [Bus::Embedded, Bus::Kafka] {
        let kinds = Kind::over(bus);
        let drawn = drawn(3, &kinds);
        assert!(kinds.iter().all(|kind| drawn.iter().any(|(found, ..)| found == kind)));
        assert!(drawn.iter().all(|(found, ..)| kinds.contains(found)));
    }
}

#[test]
fn only_a_log_in_the_process_has_a_disk_and_only_one_apart_has_brokers() {
    let preys = |bus| Kind::over(bus).into_iter().map(Kind::prey).collect::<Vec<_>>();
    assert!(!preys(Bus::Kafka).contains(&Prey::Disk));
    assert!(!preys(Bus::Embedded).contains(&Prey::Broker) && !preys(Bus::Embedded).contains(&Prey::Redis));
}

#[test]
fn a_freeze_outlasts_a_lease_of_five_seconds() {
    assert!(drawn(1, &[Kind::Freeze]).iter().all(|(.., span)| span.as_secs() >= 6));
}

#[test]
fn words_are_read_as_they_are_written_and_others_are_told_with_what_there_is() {
    for (kind, word, ..) in KINDS {
        assert_eq!((word.parse(), kind.word()), (Ok(kind), word));
    }
    let refused = "flood".parse::<Kind>().unwrap_err();
    assert!(
        refused.contains("flood is no fault") && refused.contains("kill, lose, freeze"),
        "{refused}"
    );
}
