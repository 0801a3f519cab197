//! The router takes the generated table as it is, and routes what the world sends.

use std::collections::BTreeMap;

use signalbox_loadtest::world::{self, Traffic};
use sms::{CarrierName, Content, UnixMs};
use table::{Action, Decision, Query};

const NOW: UnixMs = UnixMs(1_800_000_000_000);

/// Writes the demo's table, three carriers, and decides 20,000 messages: each has all three carriers to go to, and each
/// carrier is the cheapest for a real share.
#[test]
fn every_message_finds_every_carrier() {
    let dir = tempfile::tempdir().unwrap();
    let carriers = world::carriers(3).unwrap();
    world::write_table(dir.path(), &carriers, 0.85, 1).unwrap();
    let (table, warnings) = table::load(dir.path()).unwrap_or_else(|problems| panic!("{problems}"));
    // The plan is of the real world, where somebody in the Caribbean really has an MNC of another length.
    let warned: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let is_known = |text: &&String| text.contains("T037") && text.contains("MCC 310");
    assert_eq!(warned.iter().filter(is_known).count(), warned.len(), "{warnings}");

    let mut decision = Decision::new();
    let mut shares: BTreeMap<CarrierName, u32> = BTreeMap::new();
    let mut policies: BTreeMap<String, u32> = BTreeMap::new();
    for letter in Traffic::new(1).unwrap().take(20_000) {
        let size = sms::count(&Content::Text(letter.text.clone()));
        let query = Query {
            from: letter.from.as_str(),
            account: "demo",
            class: letter.class,
            encoding: size.encoding,
            segments: size.segments,
            text: Some(&letter.text),
            ..Query::new(letter.to.digits(), NOW)
        };
        table.decide(&query, &mut decision);
        assert_eq!(
            (decision.action, decision.candidates.len()),
            (Action::Route, 3),
            "{}",
            letter.to.digits()
        );
        *shares.entry(decision.candidates[0].carrier.clone()).or_default() += 1;
        *policies
            .entry(decision.policy.unwrap_or("defaults").to_owned())
            .or_default() += 1;
    }
    println!("{shares:?} {policies:?}");
    assert!(carriers.iter().all(|carrier| shares[carrier] > 2_000), "{shares:?}");
    assert!(
        policies["passwords-britain"] > 0 && policies["swiftmail-germany"] > 0,
        "{policies:?}"
    );
}
