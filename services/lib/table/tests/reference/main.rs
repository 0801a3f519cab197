//! Random tables and messages against a reference that does what the format says, one row and one rule at a time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod asks;
mod counts;
mod generate;
mod judge;
mod offer;
mod render;
mod rng;
mod shrink;
mod stake;
mod walk;
mod world;

use std::{env, thread};

use counts::Counts;
use judge::Difference;
use rng::Rng;
use table::Decision;
use world::{Ask, World};

/// Tables without `REFERENCE_TABLES`.
const TABLES: u64 = 500;
/// Messages for each table without `REFERENCE_ASKS`. All of them take a debug build a minute of processor time.
const ASKS: u64 = 1_000;
/// Tables are shared out among so many threads.
const THREADS: u64 = 2;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Names the seed should the table panic.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

/// Everything that is needed to see what differs at `seed`, made small where a first question shows it too.
fn report(seed: u64, world: World, ask: Ask, seen: Difference) -> String {
    let difference = |world: &World, ask: &Ask| {
        let table = judge::build(world).ok()?;
        judge::judge(world, &table, ask, &mut Decision::new(), &mut Counts::default()).err()
    };
    let (world, ask) = shrink::smallest(world, ask, |world, ask| difference(world, ask).is_some());
    let (name, wanted, found) = difference(&world, &ask).unwrap_or(seen);
    let files = judge::files(&world);
    format!("seed {seed}\n{files}\n{ask:#?}\n{name}\n--- the format\n{wanted}\n--- the table\n{found}")
}

/// Asks the table of `seed` as many messages.
fn run(seed: u64, asks: u64, counts: &mut Counts) -> Result<(), String> {
    let _named = Named(seed);
    let world = generate::world(seed);
    let table = judge::build(&world).map_err(|problems| format!("seed {seed}: {problems}"))?;
    let mut rng = Rng::new(!seed);
    let mut decided = Decision::new();
    for _ in 0..asks {
        let ask = asks::ask(&mut rng, &world);
        if let Err(difference) = judge::judge(&world, &table, &ask, &mut decided, counts) {
            return Err(report(seed, world, ask, difference));
        }
    }
    Ok(())
}

/// Compiles 500 random tables and asks each 1,000 random messages: every field of the explanation, the
/// decision and the quote has to be that of the reference. A difference prints seed, files, message and both answers, and
/// every rule must have been reached. `REFERENCE_SEED`, `REFERENCE_TABLES` and `REFERENCE_ASKS` choose others.
#[test]
fn the_table_answers_as_the_format_says() {
    let (first, tables, asks) = (
        setting("REFERENCE_SEED", 0),
        setting("REFERENCE_TABLES", TABLES),
        setting("REFERENCE_ASKS", ASKS),
    );
    let share = |thread: u64| {
        let mut counts = Counts::default();
        let seeds = (first..first + tables).filter(|seed| seed % THREADS == thread);
        for seed in seeds {
            run(seed, asks, &mut counts).unwrap_or_else(|report| panic!("{report}"));
        }
        counts
    };
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || share(thread))).collect();
        let mut all = Counts::default();
        for thread in threads {
            all.merge(&thread.join().expect("no difference"));
        }
        all
    });
    println!("{tables} tables, {} messages{counts}", counts.asks);
    assert!(counts.missed().is_empty(), "never reached: {:?}", counts.missed());
}
