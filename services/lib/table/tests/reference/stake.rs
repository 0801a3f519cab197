//! What a look-up could change, against the reference's answer for every network of the country.

use sms::{CarrierName, Class, UnixMs};
use table::{Basis, Decision, Query, Stake, Table};

use crate::{
    answer::{Answer, answer},
    asks,
    counts::Counts,
    generate::{self, NETS},
    judge,
    rng::Rng,
    walk::resolve,
    world::{Ask, Net, World},
};

/// Tables, and messages of each.
const TABLES: u64 = 300;
const ASKS: u64 = 60;

/// How often the comparison told something.
#[derive(Debug, Default)]
struct Seen {
    changes: u32,
    stays: u32,
    savings: u32,
    in_vain: u32,
    by_country: u32,
}

/// The other networks of the country of `assumed`: those that some file may name, and two that none does.
fn others(world: &World, assumed: Net) -> Vec<Net> {
    let country_of = |mcc: &str| {
        let rows = world.plan.iter().filter(|row| row.net.0 == mcc);
        rows.min_by_key(|row| &row.prefix).map(|row| row.country)
    };
    let country = country_of(assumed.0);
    let mut nets: Vec<Net> = Vec::new();
    for (mcc, mnc) in NETS {
        if mcc == assumed.0 || (country.is_some() && country_of(mcc) == country) {
            nets.extend([(mcc, mnc), (mcc, "999"), (mcc, "07")]);
        }
    }
    nets.sort_unstable();
    nets.dedup();
    nets.retain(|net| *net != assumed && !net.1.is_empty());
    nets
}

type First<'a> = (&'a str, Option<(&'a str, i128, i128)>);

fn first(answer: &Answer) -> First<'_> {
    let first = answer.left().next().map(|offer| {
        let money = offer.price.zip(offer.cost).expect("who is asked has a price");
        (offer.carrier.as_str(), money.0, money.1)
    });
    (answer.action, first)
}

/// What is saved by `right`; `None` = the reference cannot tell, as the route is another.
fn saving(world: &World, wrong: &Answer, right: &Answer, seen: &mut Seen) -> Option<i128> {
    let Some((carrier, _, cost)) = first(wrong).1 else {
        return Some(0);
    };
    if wrong.rewritten.to.is_some() || right.action == "wait" || first(wrong) == first(right) {
        return Some(0);
    }
    let billed = right.offers.iter().find(|offer| offer.carrier == carrier)?;
    let by_value = wrong.terms.strategy == "best_value";
    if by_value || right.segments != wrong.segments || right.rewritten.to.is_some() {
        return None;
    }
    match billed.cost.filter(|_| billed.refused != Some("ported")) {
        Some(wrong) => {
            let right = first(right).1.map_or(0, |(_, _, cost)| cost);
            Some((wrong - right).max(0))
        }
        None => {
            seen.in_vain += 1;
            let known = world.carriers.iter().find(|known| known.name == carrier).unwrap();
            Some(if known.charged == Some("delivered") { 0 } else { cost })
        }
    }
}

fn compare(world: &World, table: &Table, ask: &Ask, stake: Stake, seen: &mut Seen) {
    let counts = &mut Counts::default();
    let to = ask.to.trim_start_matches('+');
    let resolved = resolve(world, to, None, ask.ported, counts);
    let basis = match resolved.net {
        None => Basis::Nothing,
        Some((_, source)) if source != "numbering" => Basis::Told,
        Some(((_, ""), _)) => Basis::Country,
        Some(_) => Basis::Plan,
    };
    assert_eq!(stake.basis, basis, "{ask:#?}");
    let Some((assumed, "numbering")) = resolved.net else {
        return;
    };
    seen.by_country += u32::from(basis == Basis::Country);
    let wrong = answer(world, ask, table.version(), counts);
    let (mut changes, mut most) = (false, Some(0));
    for net in others(world, assumed) {
        let told = Ask {
            network: Some(net),
            is_hlr: true,
            ..ask.clone()
        };
        let right = answer(world, &told, table.version(), counts);
        let differs = first(&wrong) != first(&right);
        assert!(
            stake.can_change || !differs,
            "{net:?} changes {:?} to {:?}",
            first(&wrong),
            first(&right)
        );
        changes |= differs;
        let saved = saving(world, &wrong, &right, seen);
        most = most.zip(saved).map(|(most, saved)| most.max(saved));
    }
    assert_eq!(stake.can_change, changes, "no network changes anything");
    if let Some(most) = most {
        assert_eq!(i128::from(stake.saving_max.0), most, "the most that is saved");
        seen.savings += u32::from(most > 0);
    }
    assert!(stake.saving_mean >= table::Micros(0) && stake.saving_mean <= stake.saving_max);
    (seen.changes, seen.stays) = (seen.changes + u32::from(changes), seen.stays + u32::from(!changes));
}

/// Compiles 300 random tables and asks each 60 random messages: whether a look-up could change the first carrier or its charge,
/// and how much it could save at most, has to be what the reference finds by deciding for every network of the country. A
/// difference prints seed and message. `REFERENCE_SEED` and `REFERENCE_TABLES` choose others.
#[test]
fn what_is_at_stake_is_what_every_other_network_would_change() {
    let (from, tables) = (
        super::setting("REFERENCE_SEED", 0),
        super::setting("REFERENCE_TABLES", TABLES),
    );
    let mut seen = Seen::default();
    for seed in from..from + tables {
        let mut world = generate::world(seed);
        world.defaults.lookup = Some("when_it_matters");
        let table = judge::build(&world).unwrap();
        let mut rng = Rng::new(!seed);
        let (mut decision, mut scratch) = (Decision::new(), Decision::new());
        for _ in 0..ASKS {
            let mut ask = asks::ask(&mut rng, &world);
            (ask.network, ask.is_hlr) = (None, false);
            // What is counted of a network, networks that the table treats alike do not share.
            ask.live = ask.live.map(|live| crate::world::Live {
                figures: Vec::new(),
                ..live
            });
            let asked = judge::asked(&ask);
            let live = ask.live.clone().unwrap_or_default();
            let tried: Vec<CarrierName> = live.tried.iter().map(|name| CarrierName::new(name).unwrap()).collect();
            let standings = |carrier: &CarrierName, _: Class| judge::standing(&live, carrier.as_str());
            let query = Query {
                tried: &tried,
                standings: ask.live.is_some().then_some(&standings as &dyn table::Standings),
                accepted_at: live.accepted_at.map(|at| UnixMs(at as u64)),
                ttl: live.ttl.map(std::time::Duration::from_millis),
                ..asked.query()
            };
            table.decide(&query, &mut decision);
            let stake = table.stake(&query, &decision, &mut scratch);
            let compared = std::panic::AssertUnwindSafe(|| compare(&world, &table, &ask, stake, &mut seen));
            if let Err(panic) = std::panic::catch_unwind(compared) {
                eprintln!("seed {seed}\n{}\n{ask:#?}\n{stake:#?}", judge::files(&world));
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{seen:?}");
    let Seen {
        changes,
        stays,
        savings,
        in_vain,
        by_country,
    } = seen;
    for count in [changes, stays, savings, in_vain, by_country] {
        assert!(count > 20, "too few of some kind: {seen:?}");
    }
}
