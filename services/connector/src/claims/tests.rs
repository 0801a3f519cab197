//! What each result of a claim means.

use super::*;

fn held_by(owner: &str) -> Ruling {
    let owner = Bytes::copy_from_slice(owner.as_bytes());
    ruling(&Applied::Held { owner }, &CarrierName::new("atlas").unwrap(), false)
}

#[test]
fn a_claim_is_ruled_on_by_who_holds_it() {
    let carrier = CarrierName::new("atlas").unwrap();
    assert_eq!(ruling(&Applied::Claimed, &carrier, false), Ruling::Go);
    assert_eq!(ruling(&Applied::Reclaimed, &carrier, false), Ruling::Repeat);
    assert_eq!(
        held_by("atlas/0f"),
        Ruling::Elsewhere {
            incarnation: "0f".into()
        }
    );
    assert_eq!(held_by("cirrus/0f"), Ruling::Twin);
    assert_eq!(held_by("router"), Ruling::TakenBack);
    assert_eq!(held_by("\u{0}"), Ruling::Twin);
}

/// The store may have applied a claim and failed to say so; the retry then finds it ours, though nothing was sent.
#[test]
fn a_claim_found_ours_on_a_retry_was_never_sent() {
    assert_eq!(
        ruling(&Applied::Reclaimed, &CarrierName::new("atlas").unwrap(), true),
        Ruling::Go
    );
}
