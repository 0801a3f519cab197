//! What each result of a claim means.

use super::*;

fn ruled(applied: &Applied) -> Ruling {
    let carrier = CarrierName::new("atlas").unwrap();
    ruling(applied, &carrier, &Incarnation::new(0x0E))
}

fn held_by(owner: &str) -> Ruling {
    ruled(&Applied::Held {
        owner: Bytes::copy_from_slice(owner.as_bytes()),
    })
}

#[test]
fn a_claim_is_ruled_on_by_who_holds_it() {
    let elsewhere = Ruling::Elsewhere {
        incarnation: "0f".into(),
    };
    assert_eq!(ruled(&Applied::Claimed), Ruling::Go);
    assert_eq!(held_by("atlas/0f/3"), elsewhere);
    assert_eq!(held_by("atlas/0f"), elsewhere, "as written before calls had numbers");
    assert_eq!(held_by("cirrus/0f/3"), Ruling::Twin);
    assert_eq!(held_by("router"), Ruling::TakenBack);
    assert_eq!(held_by("\u{0}"), Ruling::Twin);
}

/// The store may have applied a claim and failed to say so; the retry then finds it ours, though nothing was sent. The
/// claim of another call is no such thing.
#[test]
fn a_claim_of_this_call_was_never_sent_and_one_of_an_earlier_call_was_answered() {
    assert_eq!(ruled(&Applied::Reclaimed), Ruling::Go);
    assert_eq!(held_by("atlas/000000000000000e/3"), Ruling::Repeat);
}
