//! The processes of a run: each under a supervisor that starts it again when it died.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use connector::{
    LinkConfig, LinkKind,
    caretaker::{self, Named},
    simulator::{Hub, SimulatorConfig},
};
use ingest::{Account, Intake, KeySecret};
use service::{Clock, Deps, Dice, Stop, Tasks, Tracer, time, trace::Call};
use signalbox_proto::record::Neighbour;
use sms::AccountId;
use table::LiveTable;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::{
    Bug,
    customer::Asked,
    faults::Role,
    fuse::Fuse,
    neighbour::neighbour,
    numbers::Numbers,
    planted,
    steps::Steps,
    tally::Tally,
    troubles::Troubles,
    unsteady::{Fate, UnsteadyBus, UnsteadyStore, Weather},
    watch::{Watch, WatchedBus, WatchedStore},
};

/// A process that ends without being asked to is started again after this.
const RESTART: Duration = Duration::from_millis(500);
/// Calls that ingest works on at once.
const CALLS_MAX: usize = 32;

/// What outlives every process.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) bus: bus::MemoryBus,
    pub(crate) store: store::MemoryStore,
    pub(crate) hub: Hub,
    /// The true time.
    pub(crate) clock: Clock,
    /// What the process at hand runs on.
    pub(crate) host: Host,
    pub(crate) weather: Weather,
    pub(crate) partitions: u32,
    pub(crate) bug: Option<Bug>,
    /// What processes are that were upgraded; absent = this version.
    pub(crate) upgraded: Option<Neighbour>,
    /// Who may be asked about numbers.
    pub(crate) numbers: Option<Numbers>,
    /// Whether carriers behave; looked at when a connector starts.
    pub(crate) behaves: Arc<std::sync::atomic::AtomicBool>,
    pub(crate) door: Arc<AsyncMutex<mpsc::UnboundedReceiver<Asked>>>,
    pub(crate) diary: Diary,
    pub(crate) troubles: Troubles,
    /// Takes down what processes ask of log and store; absent = nobody does.
    pub(crate) observer: Option<Observer>,
}

/// Who watches every process of a run.
#[derive(Clone, Default)]
pub(crate) struct Observer {
    /// Absent = calls are counted and not told.
    pub(crate) steps: Option<Steps>,
    pub(crate) tally: Tally,
}

/// The machine of one process, which outlives it, and where its present run ends.
#[derive(Clone)]
pub(crate) struct Host {
    /// What its machine says, which may have been set.
    pub(crate) clock: Clock,
    pub(crate) fuse: Fuse,
    /// The version installed there; absent = this one.
    pub(crate) version: Option<Neighbour>,
}

/// What happened, in order. Clones are one diary.
#[derive(Clone)]
pub(crate) struct Diary {
    clock: Clock,
    start: sms::UnixMs,
    lines: Arc<Mutex<Vec<String>>>,
    steps: Option<Steps>,
    panics: Arc<Mutex<Vec<String>>>,
}

/// What one process is.
#[derive(Clone)]
pub(crate) enum Program {
    Ingest,
    Router(Arc<LiveTable>),
    Connector(Vec<LinkConfig>),
}

/// What a supervisor is told.
pub(crate) enum Command {
    Kill(Duration),
    Drain(Duration),
    /// The same, and to come back as the version that the fleet is upgraded to.
    Upgrade(Duration),
    /// To die at the call to log or store that is so many from now, and be back after that time.
    Fuse(u64, Duration),
}

/// A process and the way to its supervisor.
pub(crate) struct Process {
    pub(crate) role: Role,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    /// The clock of its machine.
    pub(crate) clock: Clock,
}

impl Diary {
    /// Everything noted is also told among `steps`, if there are any.
    pub(crate) fn new(clock: Clock, steps: Option<Steps>) -> Self {
        let start = clock.now();
        Self {
            clock,
            start,
            lines: Arc::default(),
            steps,
            panics: Arc::default(),
        }
    }

    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        let at = self.clock.now().since(self.start);
        let line = format!("{:>9.3} s  {what}", at.as_secs_f64());
        if let Some(steps) = &self.steps {
            steps.note("", what.to_string(), Vec::new());
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn note_panic(&self, what: String) {
        if !self.panics().contains(&what) {
            self.note(&what);
        }
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Processes that panicked; none should.
    pub(crate) fn panics(&self) -> Vec<String> {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl World {
    /// What a process that starts now is handed.
    fn deps(&self, name: &str, dice: &Dice) -> Deps {
        let fate = Fate {
            weather: self.weather.clone(),
            fuse: self.host.fuse.clone(),
            dice: dice.fork(),
        };
        let bus = UnsteadyBus {
            inner: self.bus.clone(),
            fate: fate.fork(),
        };
        let store = UnsteadyStore {
            inner: Arc::new(self.store.handle()),
            fate,
        };
        let deps = Deps {
            bus: Arc::new(bus),
            store: Arc::new(store),
            clock: self.host.clock.of_next_process(),
            dice: dice.fork(),
            tracer: Tracer::default(),
        };
        let deps = match self.bug {
            Some(bug) => planted::plant(bug, deps, dice),
            None => deps,
        };
        let deps = match self.host.version {
            Some(version) => neighbour(version, deps),
            None => deps,
        };
        self.watched(name, deps)
    }

    /// `deps` as the process called `name` sees them, with every call taken down if anybody watches.
    fn watched(&self, name: &str, deps: Deps) -> Deps {
        let Some(Observer { steps, tally }) = self.observer.clone() else {
            return deps;
        };
        let watch = Watch {
            who: name.into(),
            steps,
            tally,
        };
        Deps {
            bus: Arc::new(WatchedBus {
                inner: deps.bus,
                watch: watch.clone(),
            }),
            store: Arc::new(WatchedStore {
                inner: deps.store,
                watch,
            }),
            ..deps
        }
    }

    /// Starts `program` under a supervisor among `supervisors`.
    pub(crate) fn launch(&self, supervisors: &mut Tasks, name: String, program: Program, dice: Dice) -> Process {
        let (commands, told) = mpsc::unbounded_channel();
        let role = program.role();
        let mut world = self.clone();
        let clock = self.clock.of_next_machine();
        world.host.clock = clock.clone();
        world.hub = self.hub.at(&name);
        supervisors.spawn(async move { world.supervise(name, program, told, dice).await });
        Process { role, commands, clock }
    }

    async fn supervise(
        mut self,
        name: String,
        program: Program,
        mut told: mpsc::UnboundedReceiver<Command>,
        dice: Dice,
    ) {
        loop {
            let (handle, stop) = Stop::new();
            self.host.fuse = Fuse::default();
            let mut process = Tasks::new();
            process.spawn(program.clone().run(self.clone(), self.deps(&name, &dice), stop));
            let mut away_after_fuse = RESTART;
            let away = loop {
                tokio::select! {
                    biased;
                    command = told.recv() => match command {
                        Some(Command::Kill(away)) => {
                            self.note_death(&program);
                            self.diary.note(format_args!("{name} dies, back in {away:?}"));
                            break away;
                        }
                        Some(command @ (Command::Drain(away) | Command::Upgrade(away))) => {
                            handle.request();
                            let ended = tokio::select! {
                                biased;
                                () = self.host.fuse.burnt() => {
                                    self.note_death(&program);
                                    None
                                }
                                ended = process.join_next() => ended,
                            };
                            self.note_end(&name, "drained", ended);
                            if matches!(command, Command::Upgrade(_)) {
                                self.host.version = self.upgraded;
                                self.diary.note(format_args!("{name} is upgraded"));
                            }
                            break away;
                        }
                        Some(Command::Fuse(calls, away)) => {
                            self.host.fuse.light(calls);
                            away_after_fuse = away;
                        }
                        None => return,
                    },
                    () = self.host.fuse.burnt() => {
                        self.note_death(&program);
                        self.diary.note(format_args!("{name} dies at a call, back in {away_after_fuse:?}"));
                        break away_after_fuse;
                    }
                    ended = process.join_next() => {
                        self.note_death(&program);
                        self.note_end(&name, "ended unasked", ended);
                        break RESTART;
                    }
                }
            };
            drop(process);
            time::sleep(away).await;
        }
    }

    /// What it had claimed is in nobody's hands.
    fn note_death(&self, program: &Program) {
        match program {
            Program::Ingest => {}
            Program::Router(_) => self.troubles.note("a router died", None, Duration::ZERO),
            Program::Connector(links) => {
                for link in links {
                    self.troubles
                        .note("its connector died", Some(&link.name), Duration::ZERO);
                }
            }
        }
    }

    fn note_end(&self, name: &str, how: &str, ended: Option<Result<Result<(), String>, tokio::task::JoinError>>) {
        let Some(ended) = ended else {
            return self.diary.note(format_args!("{name} dies at a call while it drains"));
        };
        match ended {
            Ok(Ok(())) => self.diary.note(format_args!("{name} {how}")),
            Ok(Err(error)) => self.diary.note(format_args!("{name} {how}: {error}")),
            Err(error) => {
                let payload = error.into_panic();
                let words = payload.downcast_ref::<String>().cloned();
                let words = words.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                self.diary
                    .note_panic(format!("{name} panicked: {}", words.unwrap_or_default()));
            }
        }
    }
}

impl Program {
    fn role(&self) -> Role {
        match self {
            Self::Ingest => Role::Ingest,
            Self::Router(_) => Role::Router,
            Self::Connector(_) => Role::Connector,
        }
    }

    async fn run(self, world: World, deps: Deps, stop: Stop) -> Result<(), String> {
        match self {
            Self::Ingest => {
                take_calls(&world, &deps, &stop).await;
                Ok(())
            }
            Self::Router(table) => {
                let config = router::Config {
                    partitions: world.partitions,
                    lookups: world.numbers.as_ref().map(|numbers| numbers.look_ups(&deps, &table)),
                    ..router::Config::default()
                };
                // In the same process, as it is assembled in earnest.
                let mut caretaker = Tasks::new();
                let beside = world.deps("caretaker", &deps.dice);
                caretaker.spawn(caretaker::run(
                    named(&table),
                    beside,
                    connector::DRAIN_LIMIT_DEFAULT,
                    stop.clone(),
                ));
                let ran = Box::pin(router::run(config, deps, table, stop)).await;
                ran.map_err(|error| error.to_string())?;
                caretaker.join_all().await;
                Ok(())
            }
            Self::Connector(links) => {
                let config = connector::Config {
                    partitions: world.partitions,
                    ..connector::Config::new(world.behaving(links))
                };
                let deps = connector::Deps {
                    shell: deps,
                    simulators: world.hub.clone(),
                };
                Box::pin(connector::run(config, deps, stop))
                    .await
                    .map_err(|error| error.to_string())
            }
        }
    }
}

impl World {
    /// `links` as they are, or with carriers that behave.
    fn behaving(&self, mut links: Vec<LinkConfig>) -> Vec<LinkConfig> {
        if self.behaves.load(std::sync::atomic::Ordering::Relaxed) {
            for link in &mut links {
                link.kind = LinkKind::Simulator(SimulatorConfig::default());
            }
        }
        links
    }
}

/// The carriers of the table in force.
fn named(table: &Arc<LiveTable>) -> Named {
    let table = Arc::clone(table);
    Arc::new(move || {
        let snapshot = table.snapshot();
        let carriers = snapshot.carriers().iter();
        carriers.map(|carrier| carrier.name().clone()).collect()
    })
}

/// Ingest without its sockets: takes calls in order, and finishes several at once.
async fn take_calls(world: &World, deps: &Deps, stop: &Stop) {
    let account = Account::new(AccountId::new("acme").expect("it is a name"));
    let intake = Intake::new(deps, KeySecret::new([7; 16]));
    let mut calls = Tasks::new();
    let mut keeper = Tasks::new();
    ingest::hear_first(&intake.pressure(), deps).await;
    keeper.spawn(ingest::keep_pressure(intake.pressure(), deps.clone(), stop.clone()));
    keeper.spawn(ingest::keep_epoch(Arc::clone(&deps.store), stop.clone()));
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(_) = calls.join_next(), if !calls.is_empty() => {}
            // Held while nothing is asked: whoever waits for it is asked next.
            asked = async { world.door.lock().await.recv().await }, if calls.len() < CALLS_MAX => {
                let Some(Asked { drafts, answer }) = asked else { break };
                let drafts = drafts.into_iter().map(Ok).collect();
                let submitted = intake.submit(&account, drafts, Call::default()).await;
                // A customer that does not wait any more is none of ours.
                calls.spawn(async move { drop(answer.send(submitted.finish().await)) });
            }
        }
    }
    calls.join_all().await;
}
