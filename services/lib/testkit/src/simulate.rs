//! One run: builds the world, lets customers and faults loose on it, and has what came of it judged.

mod records;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{Bus, MemoryBus, Topic};
use connector::simulator::Hub;
use journey::Event;
use service::{Clock, Dice, Tasks, time};
use signalbox_proto::topics;
use sms::{CarrierName, Lane, Message, UnixMs};
use store::MemoryStore;
use table::LiveTable;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::{
    Evidence, Fault, Finding, Report, Role, Scenario, Step, Upgrade,
    budget::Budget,
    customer::Office,
    drafts::{self, Call},
    faults::{CLOCK_FORWARD_MAX, FAULTS_SPAN, RESTART_MAX},
    fleet::{Command, Diary, Host, Observer, Process, Program, World},
    fuse::Fuse,
    life,
    neighbour::in_common,
    oracle,
    steps::Steps,
    tables::{self, CARRIERS},
    tally::{Counts, Tally},
    troubles::{STORE_LOST, Troubles},
    unsteady::Weather,
};

/// 2026-01-01T00:00:00Z.
const START: UnixMs = UnixMs(1_767_225_600_000);
/// From the end of the faults until a fresh message must flow: the longest answer timeout, and a lease.
const SETTLING: Duration = Duration::from_secs(38);
/// From the last promise until no password waits for anything any more: the longest time to live, its grace, and what it
/// takes to be looked at and to drain.
const EVENING: Duration = Duration::from_secs(60 + 60 + 10 + 40);
/// From the beginning of the run until shortly before the first of the other messages comes to the end of its grace: the
/// shortest time to live, and the grace, but for half a minute.
const NIGHT: Duration = Duration::from_secs(20 + 600 - 30);
/// From the last promise until everything must have ended: the longest time to live, the longest grace, ten seconds,
/// and what a clock may be ahead.
const REST: Duration = Duration::from_secs(60 + 600 + 10 + 30).saturating_add(CLOCK_FORWARD_MAX);

/// How far a replica is behind at the most, in milliseconds.
const BEHIND_MAX_MS: u64 = 1_500;
/// Records that a ghost takes at once.
const GHOST_RECORDS_MAX: usize = 100;
/// How long ingest is away that starts again on a machine whose clock was set back.
const BACK_SOON: Duration = Duration::from_millis(5);

/// One run under way.
struct Stage {
    world: World,
    processes: Vec<Process>,
    tables: Vec<Arc<LiveTable>>,
    /// Links by name, each with the connector that holds it.
    links: Vec<(String, String)>,
    dice: Dice,
    swaps: usize,
}

/// What a run leaves behind.
struct Played {
    evidence: Evidence,
    diary: Vec<String>,
    steps: Vec<Step>,
    counts: Counts,
}

/// Runs the scenario of `seed`.
pub fn simulate(seed: u64) -> Report {
    run(&Scenario::draw(seed))
}

/// Runs `scenario` and judges it.
///
/// # Panics
/// The scenario itself is not sound, which is a mistake in this crate.
pub fn run(scenario: &Scenario) -> Report {
    let Played {
        evidence,
        diary,
        mut steps,
        ..
    } = play_alone(scenario);
    let findings = oracle::judge(&evidence);
    if scenario.tells_steps {
        life::tell_parts(&evidence, START, &mut steps);
    }
    Report {
        seed: scenario.seed,
        hash: evidence.hash,
        simulated: evidence.ended_at.since(START),
        counts: counts(scenario, &evidence),
        lives: life::lives(&evidence, &findings, START),
        findings,
        diary,
        steps,
    }
}

/// What `scenario` leaves behind, before it is judged.
///
/// # Panics
/// As [`run`].
pub fn evidence(scenario: &Scenario) -> Evidence {
    play_alone(scenario).evidence
}

/// What `messages` delivered messages of one segment cost, when nothing goes wrong and each travels alone.
///
/// # Panics
/// One of them was not delivered: then it is no budget of delivered messages.
pub fn budget(messages: u64) -> Budget {
    let scenario = Scenario::one_by_one(messages);
    let played = play_alone(&scenario);
    let delivered = counts(&scenario, &played.evidence)["delivered"];
    let fresh = played.evidence.fresh.len();
    assert_eq!(
        delivered,
        messages as usize + fresh,
        "everything is delivered where nothing goes wrong"
    );
    Budget::new(&played.counts, delivered)
}

/// Plays `scenario` in a runtime of its own.
fn play_alone(scenario: &Scenario) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime without sockets needs nothing of the system");
    runtime.block_on(Box::pin(play(scenario)))
}

async fn play(scenario: &Scenario) -> Played {
    let dice = Dice::seeded(scenario.seed ^ 0x5157_0A11);
    let (door, asked) = mpsc::unbounded_channel();
    let world = world(scenario, asked).await;
    let mut supervisors = Tasks::new();
    let mut stage = Stage::set(scenario, world.clone(), &mut supervisors, dice.fork());
    let promises = Arc::default();
    let office = Office {
        door,
        promises: Arc::clone(&promises),
        clock: world.clock.clone(),
    };

    let mut customers = Tasks::new();
    for call in scenario.calls.clone() {
        let (office, dice) = (office.clone(), dice.fork());
        customers.spawn(async move {
            time::sleep(call.at).await;
            office.visit(call, dice).await;
        });
    }
    let start = time::now();
    stage.rage(scenario).await;
    stage.calm(scenario.recovers).await;

    let calm_at = world.clock.now();
    world.diary.note("calm");
    let fresh = Call {
        at: Duration::ZERO,
        drafts: drafts::fresh(),
    };
    office.clone().visit(fresh, dice.fork()).await;
    customers.join_all().await;
    stage.rest(time::now(), start).await;

    let mut evidence = Evidence::gather(&world).await;
    if scenario.upgrade != Upgrade::default() {
        // An end that is published again is the same as far as both versions know it.
        for end in &mut evidence.events {
            end.octets = in_common(&end.event);
        }
    }
    evidence.promises = promises.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let fresh = evidence.promises.iter().filter(|promise| promise.reference == "fresh");
    evidence.fresh = fresh.map(|promise| promise.id).collect();
    evidence.links = scenario.links();
    let messages = evidence.accepted.values().flatten();
    let tables: Vec<_> = scenario.tables.iter().map(tables::build).collect();
    let refuses = |message: &&Message| {
        let reply = scenario.numbers.as_ref().map(|numbers| numbers.reply(&message.to));
        tables
            .iter()
            .any(|table| tables::refuses(table, message, reply.as_ref()))
    };
    let refused: BTreeSet<_> = messages.clone().filter(refuses).map(|message| message.id).collect();
    let is_gone = |message: &&Message| {
        let numbers = scenario.numbers.as_ref();
        numbers.is_some_and(|numbers| numbers.is_dead(message))
    };
    let gone = messages.filter(is_gone).map(|message| message.id).collect();
    (evidence.refused, evidence.gone) = (refused, gone);
    evidence.rewrites = vec![(tables::REWRITE.0.to_owned(), tables::REWRITE.1.to_owned())];
    evidence.calm_at = calm_at;
    evidence.recovered = scenario.recovers || scenario.faults.is_empty();
    let Observer { steps, tally } = world.observer.unwrap_or_default();
    Played {
        evidence,
        diary: world.diary.lines(),
        steps: steps.map_or_else(Vec::new, |steps| steps.taken()),
        counts: tally.counted(),
    }
}

async fn world(scenario: &Scenario, asked: mpsc::UnboundedReceiver<crate::customer::Asked>) -> World {
    let clock = Clock::starting_at(START);
    let bus = MemoryBus::new(clock.as_millis_fn());
    let carriers = CARRIERS.map(|name| CarrierName::new(name).expect("the list holds names"));
    let specs = carriers
        .iter()
        .flat_map(|carrier| topics::of_carrier(carrier, scenario.partitions));
    let specs: Vec<_> = specs.chain(topics::fixed(scenario.partitions)).collect();
    bus.ensure(&specs).await.expect("the log in memory is never away");
    let weather = Weather::default();
    weather.is_slow.store(scenario.is_slow, Ordering::Relaxed);
    let store = MemoryStore::new(clock.as_millis_fn());
    // As an empty one is found: there is none until a router has made it.
    store.lose();
    let steps = scenario.tells_steps.then(|| Steps::new(clock.clone()));
    let observer = (scenario.tells_steps || scenario.is_counted).then(|| Observer {
        steps: steps.clone(),
        tally: Tally::default(),
    });
    World {
        bus,
        store,
        hub: Hub::recording_by(clock.clone()),
        troubles: Troubles::new(clock.clone()),
        diary: Diary::new(clock.clone(), steps),
        observer,
        host: Host {
            clock: clock.clone(),
            fuse: Fuse::default(),
            version: scenario.upgrade.from,
        },
        clock,
        weather,
        partitions: scenario.partitions,
        bug: scenario.bug,
        upgraded: scenario.upgrade.to,
        numbers: scenario.numbers.clone(),
        behaves: Arc::default(),
        door: Arc::new(AsyncMutex::new(asked)),
    }
}

impl Stage {
    fn set(scenario: &Scenario, world: World, supervisors: &mut Tasks, dice: Dice) -> Self {
        let first = || Arc::new(LiveTable::new(tables::build(&scenario.tables[0])));
        let tables: Vec<_> = (0..scenario.routers).map(|_| first()).collect();
        let mut processes = Vec::new();
        for index in 0..scenario.ingests {
            processes.push(world.launch(supervisors, format!("ingest {index}"), Program::Ingest, dice.fork()));
        }
        for (index, table) in tables.iter().enumerate() {
            let program = Program::Router(Arc::clone(table));
            processes.push(world.launch(supervisors, format!("router {index}"), program, dice.fork()));
        }
        let mut wires = Vec::new();
        for (index, links) in scenario.connectors.iter().enumerate() {
            let name = format!("connector {index}");
            wires.extend(links.iter().map(|link| (link.name.clone(), name.clone())));
            let program = Program::Connector(links.clone());
            processes.push(world.launch(supervisors, name, program, dice.fork()));
        }
        wires.sort();
        Self {
            world,
            processes,
            tables,
            links: wires,
            dice,
            swaps: 0,
        }
    }

    /// Brings about every fault at its time.
    async fn rage(&mut self, scenario: &Scenario) {
        let start = time::now();
        let mut ends = Tasks::new();
        for (at, fault) in &scenario.faults {
            time::sleep_until(start + *at).await;
            self.strike(fault, scenario, &mut ends).await;
        }
        time::sleep_until(start + FAULTS_SPAN).await;
        ends.join_all().await;
    }

    async fn strike(&mut self, fault: &Fault, scenario: &Scenario, ends: &mut Tasks) {
        match fault {
            Fault::Kill { role, index, away } => self.tell(*role, *index, Command::Kill(*away)),
            Fault::Drain { role, index, away } => self.tell(*role, *index, Command::Drain(*away)),
            Fault::Upgrade { role, index, away } => self.tell(*role, *index, Command::Upgrade(*away)),
            Fault::Cut { link, is_whole, away } => self.cut(*link, *is_whole, *away, ends),
            Fault::BusAway(away) => self.leave("log", "away", &self.world.weather.bus_away, *away, ends),
            Fault::StoreAway(away) => self.leave("store", "away", &self.world.weather.store_away, *away, ends),
            Fault::LoseStore { dead, index, away } => {
                self.world.diary.note("the store forgets everything");
                self.world.troubles.note(STORE_LOST, None, Duration::ZERO);
                self.world.store.lose();
                for role in dead {
                    self.tell(*role, *index, Command::Kill(*away));
                }
            }
            Fault::SwapTable => {
                self.world.diary.note("another table");
                self.swaps += 1;
                let files = &scenario.tables[self.swaps % scenario.tables.len()];
                for table in &self.tables {
                    table.replace(tables::build(files));
                    time::sleep(Duration::from_millis(self.dice.below(200))).await;
                }
            }
            Fault::Repeat(what, records) => self.repeat(*what, *records).await,
            Fault::Spoil(what, how, records) => self.spoil(*what, *how, *records).await,
            Fault::Fuse {
                role,
                index,
                calls,
                away,
            } => self.tell(*role, *index, Command::Fuse(*calls, *away)),
            Fault::Ghost { group, stays } => self.haunt(*group, *stays, ends).await,
            Fault::StoreLate(lasts) => self.leave("store", "late", &self.world.weather.store_late, *lasts, ends),
            Fault::StoreWrong(lasts) => self.leave("store", "wrong", &self.world.weather.store_wrong, *lasts, ends),
            Fault::Torn(lasts) => {
                self.world.troubles.note("answers were torn", None, *lasts);
                self.leave("log", "torn now and then", &self.world.weather.bus_tears, *lasts, ends);
            }
            Fault::StoreStale(lasts) => self.fall_behind(*lasts, ends),
            Fault::SetClock {
                role,
                index,
                by_ms,
                lasts,
            } => self.set_clock(*role, *index, *by_ms, *lasts, ends),
        }
    }

    /// Cuts a link of one connector, or of all that hold it.
    fn cut(&self, index: usize, is_whole: bool, away: Duration, ends: &mut Tasks) {
        let (link, of) = &self.links[index % self.links.len()];
        self.world.troubles.note("it was cut", Some(link), away);
        let is_meant = |(name, holder): &&(String, String)| name == link && (is_whole || holder == of);
        for (link, holder) in self.links.iter().filter(is_meant) {
            self.world
                .diary
                .note(format_args!("{link} of {holder} is cut for {away:?}"));
            let (hub, link) = (self.world.hub.at(holder), link.clone());
            hub.cut(&link);
            ends.spawn(async move {
                time::sleep(away).await;
                hub.mend(&link);
            });
        }
    }

    fn tell(&self, role: Role, index: usize, command: Command) {
        // A supervisor lives as long as the run.
        let _ = self.process(role, index).commands.send(command);
    }

    fn process(&self, role: Role, index: usize) -> &Process {
        let of_role: Vec<_> = self.processes.iter().filter(|process| process.role == role).collect();
        of_role[index % of_role.len()]
    }

    fn leave(&self, what: &str, how: &str, flag: &Arc<AtomicBool>, lasts: Duration, ends: &mut Tasks) {
        self.world.diary.note(format_args!("the {what} is {how} for {lasts:?}"));
        // One that answers wrongly is asked again: that excuses nothing.
        if what == "store" && how != "wrong" {
            self.world.troubles.note("the store is away or late", None, lasts);
        }
        let flag = Arc::clone(flag);
        flag.store(true, Ordering::Relaxed);
        ends.spawn(async move {
            time::sleep(lasts).await;
            flag.store(false, Ordering::Relaxed);
        });
    }

    /// Has reads answered by a replica that gets what is new now and then.
    fn fall_behind(&self, lasts: Duration, ends: &mut Tasks) {
        self.world.diary.note(format_args!("reads are stale for {lasts:?}"));
        let (store, weather, dice) = (self.world.store.clone(), self.world.weather.clone(), self.dice.fork());
        ends.spawn(async move {
            let end = time::now() + lasts;
            while time::now() < end {
                weather.set_replica(Some(store.replica()));
                let behind = Duration::from_millis(50 + dice.below(BEHIND_MAX_MS));
                time::sleep_until(end.min(time::now() + behind)).await;
            }
            weather.set_replica(None);
        });
    }

    fn set_clock(&self, role: Role, index: usize, by_ms: i64, lasts: Duration, ends: &mut Tasks) {
        let what = format!("the clock of {role:?} {index} is off by {by_ms} ms for {lasts:?}");
        self.world.diary.note(what.to_lowercase());
        self.world.troubles.note("a clock was off", None, lasts);
        let clock = self.process(role, index).clock.clone();
        clock.set_machine(by_ms);
        if by_ms < 0 && role == Role::Ingest {
            // A process never goes back: one that starts on such a machine does not know better.
            self.tell(role, index, Command::Kill(BACK_SOON));
        }
        ends.spawn(async move {
            time::sleep(lasts).await;
            clock.set_machine(-by_ms);
        });
    }

    /// Takes partitions from the members of a group, reads them, handles nothing, and leaves.
    async fn haunt(&self, group: usize, stays: Duration, ends: &mut Tasks) {
        let (group, topics) = group_of(group);
        self.world
            .diary
            .note(format_args!("a ghost joins {group} for {stays:?}"));
        let members = self.world.bus.subscribe_each(&group, &topics).await;
        let members = members.expect("the log in memory is never away");
        ends.spawn(async move {
            let mut readers = Tasks::new();
            for mut member in members {
                readers.spawn(async move { while member.next_batch(GHOST_RECORDS_MAX).await.is_ok() {} });
            }
            time::sleep(stays).await;
        });
    }

    /// The faults are over: waits until everything is up and what hangs was given up on.
    async fn calm(&self, recovers: bool) {
        time::sleep(RESTART_MAX).await;
        self.world.diary.note("the faults are over");
        if recovers {
            self.world.behaves.store(true, Ordering::Relaxed);
            for process in self.processes.iter().filter(|process| process.role == Role::Connector) {
                let _ = process.commands.send(Command::Drain(Duration::from_millis(100)));
            }
        }
        time::sleep(SETTLING).await;
    }
}

impl Stage {
    /// Waits until everything must have ended that was promised by `promised`. All that is left to do for the most part of
    /// it is to wait, so that every process is stopped meanwhile: they come back in time for what is still to end.
    async fn rest(&self, promised: time::Instant, start: time::Instant) {
        time::sleep_until(promised + EVENING).await;
        let night = (start + NIGHT).saturating_duration_since(time::now());
        if !night.is_zero() {
            self.world.diary.note("everybody is stopped");
            for process in &self.processes {
                let _ = process.commands.send(Command::Drain(night));
            }
        }
        time::sleep_until(promised + REST).await;
    }
}

/// A group of the pipeline and its topics: those of carriers twice, as most is under way there.
fn group_of(index: usize) -> (String, Vec<Topic>) {
    let carrier = CARRIERS[index % CARRIERS.len()];
    let router = |topic: Topic| {
        (
            format!("router.{}", topic.as_str().trim_start_matches("signalbox.")),
            vec![topic],
        )
    };
    match index / CARRIERS.len() % 4 {
        0 | 1 => {
            let name = CarrierName::new(carrier).expect("the list holds names");
            let topics = Lane::ALL.map(|lane| topics::dispatch(&name, lane));
            (format!("connector.{carrier}"), topics.to_vec())
        }
        2 => router(topics::accepted(Lane::ALL[index % Lane::ALL.len()])),
        _ if index.is_multiple_of(3) => {
            let waits = topics::DELAYS.iter().map(|(word, _)| topics::retry(word));
            (
                "router.waiting".to_owned(),
                std::iter::once(topics::unmatched()).chain(waits).collect(),
            )
        }
        _ if index % CARRIERS.len() == 1 => ("router.lookup".to_owned(), Lane::ALL.map(topics::lookup).to_vec()),
        _ if index.is_multiple_of(2) => router(topics::outcomes()),
        _ => router(topics::receipts()),
    }
}

fn counts(scenario: &Scenario, evidence: &Evidence) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut add = |name: &str, count: usize| *counts.entry(name.to_owned()).or_insert(0) += count;
    add("promised", evidence.promises.len());
    add("accepted", evidence.accepted.len());
    add("orders", evidence.orders.len());
    add("parts", evidence.submitted.len());
    let taken = oracle::taken(evidence);
    add("taken", taken.messages);
    add("taken_twice", taken.twice);
    add("duplicates", taken.duplicates);
    add("unreadable", evidence.unreadable.len());
    for answer in &evidence.answers {
        add(&format!("answer_{}", answer.outcome.as_str()), 1);
    }
    for (_, fault) in &scenario.faults {
        add(&format!("fault_{}", fault.kind()), 1);
    }
    let sure = |order: &&journey::Order| order.looked_up.as_ref().is_some_and(|looked_up| looked_up.is_sure);
    add("orders_looked_up", evidence.orders.iter().filter(sure).count());
    add("dead_number", 0);
    let mut ended = BTreeSet::new();
    for end in &evidence.events {
        match &end.event {
            Event::Ended(event) if ended.insert(event.message.id) => {
                add("dead_number", usize::from(event.cause.code == "dead_number"));
                add(&format!("{:?}", event.state).to_lowercase(), 1)
            }
            Event::Ended(_) => add("repeated_ends", 1),
            Event::Late(_) => add("late_receipts", 1),
        }
    }
    counts
}

/// A process that panics is a finding, once for all that panicked alike.
pub(crate) fn panics(evidence: &Evidence) -> Vec<Finding> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for what in &evidence.panics {
        *times.entry(what).or_insert(0) += 1;
    }
    let tell = |(what, times): (&str, usize)| Finding::new("panic", format!("{what} ({times} times)"));
    times.into_iter().map(tell).collect()
}
