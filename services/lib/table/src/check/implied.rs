//! What conditions have to do with one another: which follow from which, and which exclude one another.
//!
//! Every answer errs to one side: where it cannot be told, nothing follows and nothing is excluded.

use std::cell::Cell;

use sms::{Class, Encoding, SenderKind};

use super::plan::Plan;
use crate::{digits::Digits, spec::Test};

/// Compares conditions, as long as its budget lasts: a thousand policies with lists of a thousand are a million lists.
pub(super) struct Logic<'a> {
    plan: &'a Plan<'a>,
    steps_left: Cell<u64>,
}

/// Comparisons of list entries that one check may spend.
const STEPS_MAX: u64 = 50_000_000;

impl<'a> Logic<'a> {
    pub(super) fn new(plan: &'a Plan<'a>) -> Self {
        Self {
            plan,
            steps_left: Cell::new(STEPS_MAX),
        }
    }

    /// Whether there is time for more.
    pub(super) fn has_steps(&self) -> bool {
        self.steps_left.get() > 0
    }

    pub(super) fn spend(&self, steps: usize) {
        self.steps_left
            .set(self.steps_left.get().saturating_sub(steps as u64 + 1));
    }

    /// Whether every message that fits all of `given` fits `wanted`.
    pub(super) fn follows(&self, wanted: &Test, given: &[&Test]) -> bool {
        if !self.has_steps() {
            return false;
        }
        self.spend(size(wanted) + given.len());
        is_always(wanted) || given.iter().any(|given| self.covers(wanted, given))
    }

    /// Whether every message that fits `given` fits `wanted`.
    fn covers(&self, wanted: &Test, given: &Test) -> bool {
        if std::mem::discriminant(wanted) == std::mem::discriminant(given) {
            self.spend(size(given));
        }
        match (wanted, given) {
            (Test::Class(wide), Test::Class(narrow)) => narrow.iter().all(|one| wide.contains(one)),
            (Test::Encoding(wide), Test::Encoding(narrow)) => narrow.iter().all(|one| wide.contains(one)),
            (Test::SenderKind(wide), Test::SenderKind(narrow)) => narrow.iter().all(|one| wide.contains(one)),
            (Test::SegmentsOver(wide), Test::SegmentsOver(narrow)) => wide <= narrow,
            (Test::Ported(wide), Test::Ported(narrow)) => wide == narrow,
            (Test::Country(wide), Test::Country(narrow)) => narrow.iter().all(|one| wide.binary_search(one).is_ok()),
            (Test::Network(wide), Test::Network(narrow)) => narrow.iter().all(|one| wide.binary_search(one).is_ok()),
            (Test::Country(wide), Test::Network(narrow)) => {
                self.spend(narrow.len());
                narrow.iter().all(|network| {
                    self.plan.countries_of(*network).is_some_and(|countries| {
                        countries
                            .iter()
                            .all(|country| country.is_some_and(|country| wide.binary_search(&country).is_ok()))
                    })
                })
            }
            (Test::Prefix(wide), Test::Prefix(narrow)) => narrow.iter().all(|prefix| has_prefix_of(wide, *prefix)),
            (Test::Account(wide), Test::Account(narrow)) | (Test::Sender(wide), Test::Sender(narrow)) => {
                self.spend(wide.len() * narrow.len() / 8);
                wide.cover(narrow)
            }
            // A message may have several tags: any of the wanted is enough, so each of the given must be one.
            (Test::Tag(wide), Test::Tag(narrow)) => narrow.iter().all(|one| wide.binary_search(one).is_ok()),
            (Test::Hours(wide), Test::Hours(narrow)) => wide.cover(narrow),
            (Test::Text(wide), Test::Text(narrow)) => {
                let is_wanted = |written: &str| wide.iter().any(|one| one.as_str() == written);
                narrow.iter().all(|one| is_wanted(one.as_str()))
            }
            _ => false,
        }
    }

    /// Whether no message fits both.
    pub(super) fn excludes(&self, a: &Test, b: &Test) -> bool {
        if !self.has_steps() {
            return false;
        }
        if std::mem::discriminant(a) == std::mem::discriminant(b) {
            self.spend(size(a) + size(b));
        }
        match (a, b) {
            (Test::Class(a), Test::Class(b)) => !a.iter().any(|one| b.contains(one)),
            (Test::Encoding(a), Test::Encoding(b)) => !a.iter().any(|one| b.contains(one)),
            (Test::SenderKind(a), Test::SenderKind(b)) => !a.iter().any(|one| b.contains(one)),
            (Test::Ported(a), Test::Ported(b)) => a != b,
            (Test::Country(a), Test::Country(b)) => !a.iter().any(|one| b.binary_search(one).is_ok()),
            (Test::Network(a), Test::Network(b)) => !a.iter().any(|one| b.binary_search(one).is_ok()),
            (Test::Country(countries), Test::Network(networks))
            | (Test::Network(networks), Test::Country(countries)) => {
                self.spend(networks.len());
                !networks.iter().any(|network| {
                    self.plan.countries_of(*network).is_some_and(|found| {
                        found
                            .iter()
                            .flatten()
                            .any(|country| countries.binary_search(country).is_ok())
                    })
                })
            }
            (Test::Prefix(a), Test::Prefix(b)) => {
                !a.iter().any(|one| has_prefix_of(b, *one)) && !b.iter().any(|one| has_prefix_of(a, *one))
            }
            (Test::Account(a), Test::Account(b)) | (Test::Sender(a), Test::Sender(b)) => {
                self.spend(a.len() * b.len() / 8);
                a.exclude(b)
            }
            (Test::Sender(globs), Test::SenderKind(kinds)) | (Test::SenderKind(kinds), Test::Sender(globs)) => {
                self.spend(globs.len());
                !globs
                    .written()
                    .iter()
                    .any(|glob| kinds.iter().any(|kind| may_be(glob, *kind)))
            }
            (Test::Hours(a), Test::Hours(b)) => a.exclude(b),
            _ => false,
        }
    }
}

/// How many entries a condition has.
fn size(test: &Test) -> usize {
    match test {
        Test::Country(list) => list.len(),
        Test::Network(list) => list.len(),
        Test::Prefix(list) => list.len(),
        Test::Account(globs) | Test::Sender(globs) => globs.len(),
        Test::Tag(list) => list.len(),
        Test::Hours(_) => 30,
        _ => 3,
    }
}

/// Whether the condition holds of every message.
fn is_always(test: &Test) -> bool {
    match test {
        Test::Class(list) => Class::ALL.iter().all(|one| list.contains(one)),
        Test::Encoding(list) => [Encoding::Gsm7, Encoding::Ucs2, Encoding::Binary]
            .iter()
            .all(|one| list.contains(one)),
        Test::SenderKind(list) => {
            let all = [SenderKind::Alphanumeric, SenderKind::LongCode, SenderKind::ShortCode];
            all.iter().all(|one| list.contains(one))
        }
        Test::SegmentsOver(bound) => *bound == 0,
        // A star of the pattern asked for can only be taken by a star.
        Test::Account(globs) | Test::Sender(globs) => globs.fit("*"),
        Test::Hours(hours) => hours.is_always(),
        _ => false,
    }
}

/// Whether one of `wide`, which is sorted, begins every number that `prefix` begins.
fn has_prefix_of(wide: &[Digits], prefix: Digits) -> bool {
    (1..=prefix.len()).any(|len| wide.binary_search(&prefix.first(len)).is_ok())
}

/// Whether a sender that fits `glob` may be of `kind`.
fn may_be(glob: &str, kind: SenderKind) -> bool {
    if !glob.contains('*') {
        return SenderKind::of(glob) == kind;
    }
    // Anything but digits behind a plus makes it alphanumeric, and a star may always bring such.
    let is_digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit() || octet == b'*');
    // A star may be empty, so that a plus behind it begins the sender.
    let behind = glob.trim_start_matches('*');
    let behind = behind.strip_prefix('+').unwrap_or(behind);
    let digits = glob.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        SenderKind::Alphanumeric => true,
        SenderKind::LongCode => is_digits(behind),
        SenderKind::ShortCode => is_digits(behind) && digits <= 8,
    }
}
