//! Random messages, most of them where two rules meet.

use crate::{
    generate::{ACCOUNTS, CLASSES, DAYS, ENCODINGS, NETS, SENDERS, SPANS, TEXTS, digits},
    rng::Rng,
    world::{Ask, Live, LiveRow, Net, World},
};

/// Half an hour in milliseconds: every edge of a local day lies on one.
const STEP: i64 = 1_800_000;

fn instant(rng: &mut Rng) -> i64 {
    let day = rng.pick(&DAYS);
    let steps = if rng.chance(40) { 0 } else { rng.below(240) as i64 - 120 };
    day + steps * STEP + rng.pick(&[-1, 0, 0, 1])
}

fn number(rng: &mut Rng, world: &World) -> String {
    let number = match rng.below(10) {
        _ if rng.chance(3) => digits(rng, 14, 15),
        0..2 if !world.ported.is_empty() => rng.pick(&world.ported).0,
        2..7 if !world.plan.is_empty() => format!("{}{}", rng.pick(&world.plan).prefix, digits(rng, 2, 3)),
        _ => digits(rng, 3, 7),
    };
    if rng.chance(10) { format!("+{number}") } else { number }
}

/// Figures of some carriers on some networks, most of them where a message may go.
fn figures(rng: &mut Rng, names: &[String]) -> Vec<LiveRow> {
    let mut rows: Vec<LiveRow> = Vec::new();
    for _ in 0..rng.below(12) {
        let (carrier, net) = (rng.pick(names), rng.pick(&NETS));
        let attempts = rng.pick(&[0, 1, 29, 30, 31, 500]);
        let delivered = rng.pick(&[0, attempts / 3, attempts, attempts * 4 / 5]);
        let p95 = rng.maybe(80, &[0, 500, 3_000, 12_250]);
        if !rows.iter().any(|row| row.carrier == carrier && row.net == net) {
            rows.push(LiveRow {
                carrier,
                net,
                attempts,
                delivered,
                p95,
            });
        }
    }
    rows
}

fn live(rng: &mut Rng, world: &World, at: i64) -> Live {
    let names: Vec<String> = world.carriers.iter().map(|carrier| carrier.name.clone()).collect();
    let some = |rng: &mut Rng, percent| {
        if rng.chance(percent) {
            rng.some(&names, names.len())
        } else {
            Vec::new()
        }
    };
    let waits = some(rng, 60);
    let wait = |rng: &mut Rng| rng.pick(&SPANS) + rng.pick(&[0, 0, 1]) - 1;
    Live {
        tried: some(rng, 40),
        down: some(rng, 30),
        waits: waits.into_iter().map(|name| (name, wait(rng))).collect(),
        accepted_at: rng.chance(50).then(|| at - rng.pick(&[0, 1, 60_000, 119_999])),
        ttl: rng.maybe(30, &SPANS),
        figures: figures(rng, &names),
    }
}

/// A message for `world`.
pub(crate) fn ask(rng: &mut Rng, world: &World) -> Ask {
    let at = instant(rng);
    let unknown: [Net; 3] = [("999", "01"), ("999", ""), ("234", "")];
    let network = rng.chance(25).then(|| {
        if rng.chance(25) {
            rng.pick(&unknown)
        } else {
            rng.pick(&NETS)
        }
    });
    Ask {
        to: number(rng, world),
        from: rng.pick(&SENDERS),
        account: rng.pick(&ACCOUNTS),
        class: rng.pick(&CLASSES),
        text: rng.maybe(40, &TEXTS).map(str::to_owned),
        encoding: rng.pick(&ENCODINGS),
        segments: rng.pick(&[1, 1, 1, 2, 3, 255]),
        at,
        network,
        is_hlr: network.is_some() && rng.chance(40),
        ported: rng.maybe(15, &[true, false]),
        roll: if rng.chance(50) {
            rng.roll()
        } else {
            rng.below(12) as u64
        },
        live: rng.chance(25).then(|| live(rng, world, at)),
    }
}
