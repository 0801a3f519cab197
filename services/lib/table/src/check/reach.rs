//! Policies that no message gets to: an earlier one ends the walk of every message that they match.
//!
//! A policy sees the message as earlier ones left it. What a policy between the two may change is no ground to say anything.

use source::Log;

use super::{implied::Logic, plan::Plan};
use crate::{
    code,
    spec::{PolicySpec, Test},
};

/// A set of keys of conditions: those whose value somebody may have changed.
#[derive(Clone, Copy, Default)]
struct Keys(u32);

impl Keys {
    const SENDER: Self = Self(1 << 0 | 1 << 1);
    const RECIPIENT: Self = Self(1 << 2 | 1 << 3 | 1 << 4 | 1 << 5);
    const TEXT: Self = Self(1 << 6 | 1 << 7 | 1 << 8);
    const TAGS: Self = Self(1 << 9);

    /// The key of a condition; those that nobody can change have none.
    const fn of(test: &Test) -> Self {
        Self(match test {
            Test::Sender(_) => 1 << 0,
            Test::SenderKind(_) => 1 << 1,
            Test::Prefix(_) => 1 << 2,
            Test::Country(_) => 1 << 3,
            Test::Network(_) => 1 << 4,
            Test::Ported(_) => 1 << 5,
            Test::Text(_) => 1 << 6,
            Test::Encoding(_) => 1 << 7,
            Test::SegmentsOver(_) => 1 << 8,
            Test::Tag(_) => 1 << 9,
            Test::Class(_) | Test::Account(_) | Test::Hours(_) => 0,
        })
    }

    /// What a policy changes.
    fn changed_by(policy: &PolicySpec) -> Self {
        let of = |is_set: bool, keys: Self| if is_set { keys.0 } else { 0 };
        Self(
            of(policy.rewrite.sender.is_some(), Self::SENDER)
                | of(policy.rewrite.recipient.is_some(), Self::RECIPIENT)
                | of(policy.rewrite.text.is_some(), Self::TEXT)
                | of(policy.tag.is_some(), Self::TAGS),
        )
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn overlap(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Points out each policy behind one that ends every walk that would get to it.
pub(super) fn warn(policies: &[PolicySpec], plan: &Plan<'_>, log: &Log) {
    let logic = Logic::new(plan);
    for (at, policy) in policies.iter().enumerate() {
        let mut changed = Keys::default();
        for earlier in policies[..at].iter().rev() {
            if earlier.end.is_some() && shadows(earlier, policy, changed, &logic) {
                say(earlier, policy, log);
                break;
            }
            changed = changed.with(Keys::changed_by(earlier));
        }
        if !logic.has_steps() {
            return;
        }
    }
}

fn say(earlier: &PolicySpec, policy: &PolicySpec, log: &Log) {
    let what = format!("policy \"{}\" is never reached", policy.name);
    let (name, line) = (&earlier.name, earlier.place.line);
    let why = if earlier.matches.0.is_empty() && earlier.excepts.is_empty() {
        format!("\"{name}\" in line {line} ends every walk")
    } else {
        format!("\"{name}\" in line {line} matches whatever it matches, and ends the walk")
    };
    let help = "move it up, or narrow the other";
    log.warning(policy.place.clone(), code::UNREACHED, what, why, help);
}

/// Whether `earlier` applies to every message that `policy` would apply to. `changed` is what lies between them.
fn shadows(earlier: &PolicySpec, policy: &PolicySpec, changed: Keys, logic: &Logic<'_>) -> bool {
    let is_same = |test: &&Test| !changed.overlap(Keys::of(test));
    let given: Vec<&Test> = policy.matches.0.iter().filter(is_same).collect();
    earlier.span.from <= policy.span.from
        && earlier.span.until >= policy.span.until
        // What holds of every message needs nothing to follow from.
        && earlier.matches.0.iter().all(|test| logic.follows(test, if is_same(&test) { &given } else { &[] }))
        && earlier.excepts.iter().all(|except| {
            let mut kept = except.0.iter().filter(is_same);
            let is_apart = kept.any(|test| given.iter().any(|given| logic.excludes(test, given)));
            is_apart || is_excepted(&except.0, policy, changed, logic)
        })
}

/// Whether every message that `except` holds of is one that `policy` leaves alone too.
fn is_excepted(except: &[Test], policy: &PolicySpec, changed: Keys, logic: &Logic<'_>) -> bool {
    let given: Vec<&Test> = except.iter().filter(|test| !changed.overlap(Keys::of(test))).collect();
    policy.excepts.iter().any(|own| {
        let is_same = |test: &Test| !changed.overlap(Keys::of(test));
        own.0.iter().all(|test| is_same(test) && logic.follows(test, &given))
    })
}
