//! What goes wrong in a run, and when: drawn from the seed before it begins.

use std::time::Duration;

use service::Dice;

/// Faults come within this span of the run, which is when messages come too.
pub(crate) const FAULTS_SPAN: Duration = Duration::from_secs(32);
/// Longest time a process stays away after it died.
pub(crate) const RESTART_MAX: Duration = Duration::from_secs(4);

/// How far a clock is set back.
const CLOCK_BACK: Duration = Duration::from_secs(3_600);
/// How far a clock is set forward at the most: less than the shortest time to live, as a process does not go back with its
/// machine and takes for over what others have just accepted.
pub(crate) const CLOCK_FORWARD_MAX: Duration = Duration::from_secs(15);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Takes messages.
    Ingest,
    /// Decides.
    Router,
    /// Holds links.
    Connector,
}

/// A topic whose records come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Accepted messages.
    Accepted,
    /// Orders.
    Dispatch,
    /// Answers of connectors.
    Outcomes,
    /// Receipts of carriers.
    Receipts,
    /// What waits between two orders.
    Retry,
}

/// What keeps a record from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiled {
    /// Octets at its end are missing.
    Truncated,
    /// A bit of it is another.
    Changed,
    /// A later version wrote it.
    Newer,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process dies at once, wherever it was, and comes back under a new name.
    Kill {
        /// What it does.
        role: Role,
        /// Which of that role, modulo their number.
        index: usize,
        /// Time until it is back.
        away: Duration,
    },
    /// A process is asked to stop, finishes, and is started again.
    Drain {
        /// What it does.
        role: Role,
        /// Which of that role, modulo their number.
        index: usize,
        /// Time from its end until it is back.
        away: Duration,
    },
    /// A process is asked to stop, finishes, and is started again as the version that the fleet is upgraded to.
    Upgrade {
        /// What it does.
        role: Role,
        /// Which of that role, modulo their number.
        index: usize,
        /// Time from its end until it is back.
        away: Duration,
    },
    /// A link is cut, and mended later.
    Cut {
        /// Which, modulo their number.
        link: usize,
        /// Whether it is cut from every connector that holds it; otherwise the others serve its carriers.
        is_whole: bool,
        /// Time until it is mended.
        away: Duration,
    },
    /// The log answers nobody, though it may do what it was asked.
    BusAway(Duration),
    /// The store answers nobody, though it may do what it was asked.
    StoreAway(Duration),
    /// The store forgets everything, and at the same moment processes die.
    LoseStore {
        /// What those do that die.
        dead: Vec<Role>,
        /// Which of their role, modulo their number.
        index: usize,
        /// Time until they are back.
        away: Duration,
    },
    /// Another table comes into force, in one router after the other.
    SwapTable,
    /// Up to so many records of a topic are published again.
    Repeat(Repeated, u64),
    /// Up to so many records of a topic are published again so that they cannot be read.
    Spoil(Repeated, Spoiled, u64),
    /// A process dies at one of its calls to log or store, before or after that was done.
    Fuse {
        /// What it does.
        role: Role,
        /// Which of that role, modulo their number.
        index: usize,
        /// The call it dies at, the next one being 1.
        calls: u64,
        /// Time until it is back.
        away: Duration,
    },
    /// Somebody joins a group, takes partitions from its members, handles nothing and leaves.
    Ghost {
        /// Which group: those of carriers, then those of routers, modulo their number.
        group: usize,
        /// Time until it leaves.
        stays: Duration,
    },
    /// The store answers after seconds.
    StoreLate(Duration),
    /// Reads are answered by a replica of the store that is left behind.
    StoreStale(Duration),
    /// Some values are read from the store other than they are.
    StoreWrong(Duration),
    /// Some orders, answers and waits reach the log so that nobody can read them: the first copy and the only one.
    Torn(Duration),
    /// The clock of a machine is set, and set right later.
    SetClock {
        /// What the process on it does.
        role: Role,
        /// Which of that role, modulo their number.
        index: usize,
        /// By so many milliseconds; negative = back.
        by_ms: i64,
        /// Time until it is right again.
        lasts: Duration,
    },
}

impl Fault {
    /// A word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Drain { .. } => "drain",
            Self::Upgrade { .. } => "upgrade",
            Self::Cut { .. } => "cut",
            Self::BusAway(_) => "bus_away",
            Self::StoreAway(_) => "store_away",
            Self::LoseStore { .. } => "lose_store",
            Self::SwapTable => "swap_table",
            Self::Repeat(..) => "repeat",
            Self::Spoil(_, Spoiled::Truncated, _) => "truncated",
            Self::Spoil(_, Spoiled::Changed, _) => "changed",
            Self::Spoil(_, Spoiled::Newer, _) => "newer",
            Self::Fuse { .. } => "fuse",
            Self::Ghost { .. } => "ghost",
            Self::StoreLate(_) => "store_late",
            Self::StoreStale(_) => "store_stale",
            Self::StoreWrong(_) => "store_wrong",
            Self::Torn(_) => "torn",
            Self::SetClock { .. } => "set_clock",
        }
    }
}

/// The faults of one run by time, in order. One run in three is a storm.
pub(crate) fn draw(dice: &Dice) -> Vec<(Duration, Fault)> {
    let spells = if dice.below(3) == 0 { 3 } else { 1 };
    let mut plan: Vec<_> = (0..spells).flat_map(|_| spell(dice)).collect();
    // Drawn last, so that a seed is as before but for this.
    for _ in 0..[0, 0, 1, 2][dice.below(4) as usize] {
        let at = Duration::from_millis(500 + dice.below(FAULTS_SPAN.as_millis() as u64 - 500));
        plan.push((at, lose(dice)));
    }
    let more = later(dice);
    plan.extend(more);
    for _ in 0..[0, 0, 1][dice.below(3) as usize] {
        let at = Duration::from_millis(500 + dice.below(FAULTS_SPAN.as_millis() as u64 - 500));
        plan.push((at, Fault::Torn(millis(dice, 500, 15_000))));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

/// Upgrades of `processes`, the number of each role, one after the other in an order of chance.
pub(crate) fn upgrades(dice: &Dice, processes: [(Role, usize); 3]) -> Vec<(Duration, Fault)> {
    let each = |(role, count): (Role, usize)| (0..count).map(move |index| (role, index));
    let mut left: Vec<_> = processes.into_iter().flat_map(each).collect();
    let step = FAULTS_SPAN / (left.len() as u32 + 1);
    let mut plan = Vec::new();
    while !left.is_empty() {
        let (role, index) = left.swap_remove(dice.below(left.len() as u64) as usize);
        let away = millis(dice, 5, RESTART_MAX.as_millis() as u64);
        plan.push((step * (plan.len() as u32 + 1), Fault::Upgrade { role, index, away }));
    }
    plan
}

/// Faults of kinds that came later: each in one run of three.
fn later(dice: &Dice) -> Vec<(Duration, Fault)> {
    let kinds: [fn(&Dice) -> Fault; 7] = [
        fuse,
        |dice| Fault::Ghost {
            group: dice.below(64) as usize,
            stays: millis(dice, 50, 6_000),
        },
        |dice| Fault::StoreLate(millis(dice, 100, 5_000)),
        |dice| Fault::StoreStale(millis(dice, 100, 6_000)),
        set_clock,
        |dice| Fault::StoreWrong(millis(dice, 100, 6_000)),
        spoil,
    ];
    let mut plan = Vec::new();
    for kind in kinds {
        for _ in 0..[0, 0, 1 + dice.below(2)][dice.below(3) as usize] {
            let at = Duration::from_millis(500 + dice.below(FAULTS_SPAN.as_millis() as u64 - 500));
            plan.push((at, kind(dice)));
        }
    }
    plan
}

fn fuse(dice: &Dice) -> Fault {
    Fault::Fuse {
        role: role(dice),
        index: dice.below(64) as usize,
        calls: 1 + dice.below(60),
        away: millis(dice, 5, RESTART_MAX.as_millis() as u64),
    }
}

fn set_clock(dice: &Dice) -> Fault {
    let role = role(dice);
    let by_ms = match dice.below(2) {
        0 => -(CLOCK_BACK.as_millis() as i64),
        _ => millis(dice, 1_000, CLOCK_FORWARD_MAX.as_millis() as u64).as_millis() as i64,
    };
    Fault::SetClock {
        role,
        index: dice.below(64) as usize,
        by_ms,
        lasts: millis(dice, 500, 10_000),
    }
}

fn spoil(dice: &Dice) -> Fault {
    let what = [repeated(dice), Repeated::Retry][usize::from(dice.below(5) == 0)];
    let how = [Spoiled::Truncated, Spoiled::Changed, Spoiled::Newer][dice.below(3) as usize];
    Fault::Spoil(what, how, 1 + dice.below(6))
}

fn lose(dice: &Dice) -> Fault {
    let roles = [Role::Ingest, Role::Router, Role::Connector];
    Fault::LoseStore {
        dead: roles.into_iter().filter(|_| dice.below(3) == 0).collect(),
        index: dice.below(64) as usize,
        away: millis(dice, 5, RESTART_MAX.as_millis() as u64),
    }
}

fn spell(dice: &Dice) -> Vec<(Duration, Fault)> {
    let mut plan = Vec::new();
    let mut add = |least: u64, most: u64, fault: fn(&Dice) -> Fault| {
        for _ in 0..least + dice.below(most - least + 1) {
            let at = Duration::from_millis(500 + dice.below(FAULTS_SPAN.as_millis() as u64 - 500));
            plan.push((at, fault(dice)));
        }
    };
    add(1, 6, kill);
    add(0, 3, drain);
    add(0, 3, |dice| {
        let link = dice.below(64) as usize;
        Fault::Cut {
            link,
            is_whole: link >= 32,
            away: millis(dice, 50, 6_000),
        }
    });
    add(0, 2, |dice| Fault::BusAway(millis(dice, 100, 3_000)));
    // Longer than a lease, at times.
    add(0, 2, |dice| Fault::StoreAway(millis(dice, 100, 7_000)));
    add(0, 2, |_| Fault::SwapTable);
    add(0, 4, |dice| Fault::Repeat(repeated(dice), 1 + dice.below(4)));
    plan
}

fn kill(dice: &Dice) -> Fault {
    Fault::Kill {
        role: role(dice),
        index: dice.below(64) as usize,
        away: millis(dice, 5, RESTART_MAX.as_millis() as u64),
    }
}

fn drain(dice: &Dice) -> Fault {
    Fault::Drain {
        role: role(dice),
        index: dice.below(64) as usize,
        away: millis(dice, 5, RESTART_MAX.as_millis() as u64),
    }
}

/// Connectors twice as often as the others: a death there is what leaves the most in doubt.
fn role(dice: &Dice) -> Role {
    [Role::Ingest, Role::Router, Role::Connector, Role::Connector][dice.below(4) as usize]
}

fn repeated(dice: &Dice) -> Repeated {
    let all = [
        Repeated::Accepted,
        Repeated::Dispatch,
        Repeated::Outcomes,
        Repeated::Receipts,
    ];
    all[dice.below(4) as usize]
}

/// A span from `least` to `most` milliseconds, short ones more likely.
pub(crate) fn millis(dice: &Dice, least: u64, most: u64) -> Duration {
    let share = dice.fraction();
    Duration::from_millis(least + ((most - least) as f64 * share * share) as u64)
}
