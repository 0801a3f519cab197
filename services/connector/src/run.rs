//! The service: one lease, and for each link a pump and what is behind it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bus::{PublishError, TopicSpec};
use service::{Seldom, Stop, Tasks, resume_panic, time};
use signalbox_proto::{server::TlsError, topics};
use smpp::BindKind;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{info, warn};

use crate::{
    Config, Incarnation, LinkConfig, LinkKind, Listener, absent,
    control::{Control, Seat},
    directive::{Conduct, Directive, Directives},
    epochs, grpc_link,
    heartbeat::{Heart, Pulse},
    http_link::{self, Calls, Hooks},
    inbound::Inbound,
    lease::{LEASE_RENEWAL, Lease},
    link::{self, Line, Plug},
    links::reload::{self, Running},
    maps::{LiveMaps, Maps},
    metrics,
    pump::{Abandoned, Pump, Settings},
    rate::Share,
    roster::Roster,
    simulator::{Hub, Simulator},
    smpp_link::{self, Dialect},
    vitals::Vitals,
};

/// Wait before the topics are tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What is away is found out at every try.
static TOLD: Seldom = Seldom::new();

/// What a connector is handed besides its configuration. Cheap to clone.
#[derive(Clone)]
pub struct Deps {
    /// Log, store, time and dice.
    pub shell: service::Deps,
    /// The memory of simulated carriers; [`Hub::default`] where there are none.
    pub simulators: Hub,
}

/// Why a connector could not start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topics of its carriers could not be created; nothing was read or sent.
    #[error("cannot create the topics of the carriers: {0}")]
    Topics(#[from] PublishError),
    /// Certificate or key of the server for operators.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Where carriers would call cannot be listened; nothing was read or sent.
    #[error("cannot listen for calls of carriers on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// Where operators would call cannot be listened; nothing was read or sent.
    #[error("cannot listen for operators on {address}: {error}")]
    Operators {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// It failed.
    #[error("the server for operators failed: {0}")]
    Transport(String),
    /// What is in flight was not answered within the drain limit.
    #[error(
        "{orders} orders were in flight at the end of the drain limit; they are reported as unknown after a restart"
    )]
    Abandoned {
        /// How many.
        orders: usize,
    },
}

impl From<service::Deps> for Deps {
    fn from(shell: service::Deps) -> Self {
        Self {
            shell,
            simulators: Hub::default(),
        }
    }
}

/// Serves the links of `config` until `stop`, then drains: nothing new is claimed, what is in flight is answered and
/// reported, and the links are closed.
///
/// # Errors
/// The topics cannot be created, and waiting does not help; operators cannot be answered where it says; or orders were left in
/// flight at the end of the drain limit.
pub async fn run(config: Config, deps: Deps, stop: Stop) -> Result<(), Error> {
    let listener = Listener::bind(&config).await?;
    run_on(listener, config, deps, stop).await
}

/// The same, with operators answered on `listener`; `None` = nowhere.
///
/// # Errors
/// As [`run`].
pub async fn run_on(listener: Option<Listener>, config: Config, deps: Deps, stop: Stop) -> Result<(), Error> {
    metrics::describe();
    metrics::begin_all(&config.links);
    let shell = &deps.shell;
    if make_topics(&config, &deps, &stop).await?.is_none() {
        return Ok(());
    }

    let mut hooks = Hooks::listen(&config.links)
        .await
        .map_err(|(address, error)| Error::Listen { address, error })?;
    let lease = Lease::new(Incarnation::new(shell.dice.next_u64()));
    let (roster, mut keeper) = (Roster::default(), Tasks::new());
    keeper.spawn(roster.clone().follow(Arc::clone(&shell.bus)));
    if acquire(&lease, &deps, &stop).await.is_none() {
        return Ok(());
    }
    let (store, clock) = (Arc::clone(&shell.store), shell.clock.clone());
    let directives = Arc::new(Directives::new(&config.links, store, clock));
    if !directives.begin(&stop).await {
        lease.give_up(&*shell.store).await;
        return Ok(());
    }
    info!(
        links = config.links.len(),
        incarnation = lease.incarnation().as_str(),
        "connector started"
    );

    let inbound = Inbound::new(shell.clone());
    keeper.spawn(inbound.clone().keep(stop.clone()));
    let mut helpers = Tasks::new();
    let news = Arc::new(Notify::new());
    let shared = (&lease, &roster, &inbound, &*directives);
    let Begun {
        pumps,
        pulses,
        followed,
        seats,
    } = begin(&config, &deps, shared, &mut hooks, &news, &stop, &mut helpers);
    keeper.spawn(Arc::clone(&directives).follow(stop.clone()));
    if let Some(listener) = listener {
        let control = Control {
            seats,
            directives,
            incarnation: lease.incarnation().clone(),
            instance: config.instance.clone(),
        };
        keeper.spawn(listener.serve(Arc::new(control), stop.clone()));
    }
    hooks.serve(&mut keeper);
    if let Some(file) = config.links_file {
        keeper.spawn(reload::follow(file, followed, stop.clone()));
    }
    // With all pumps there to be told, should the store be lost already.
    keeper.spawn(lease.clone().keep(Arc::clone(&shell.store), shell.clock.clone()));
    let heart = Heart::new(
        shell,
        lease.incarnation().clone(),
        config.instance.clone(),
        news,
        pulses,
    );
    helpers.spawn(heart.run());
    let abandoned = abandoned(pumps).await;
    // With the pumps gone, intakes, receipts tasks and the heartbeat end once they did what was asked of them.
    if time::timeout(config.drain_limit, helpers.join_all()).await.is_none() {
        warn!("acks or receipts were not finished in time; what they concern comes again");
    }
    lease.give_up(&*shell.store).await;
    match abandoned {
        0 => Ok(()),
        orders => Err(Error::Abandoned { orders }),
    }
}

/// Makes the topics that are missing; waits while the log is away. `None` = asked to stop before.
async fn make_topics(config: &Config, deps: &Deps, stop: &Stop) -> Result<Option<()>, PublishError> {
    let carriers = config.carriers();
    let of_carriers = carriers
        .iter()
        .flat_map(|carrier| topics::of_carrier(carrier, config.partitions));
    let specs: Vec<TopicSpec> = of_carriers.chain(topics::fixed(config.partitions)).collect();
    let making = async {
        loop {
            match deps.shell.bus.ensure(&specs).await {
                Err(error @ PublishError::Away(_)) => {
                    if TOLD.is_due("topics") {
                        warn!(%error, "cannot make the topics of the carriers, trying again");
                    }
                    time::sleep(RETRY).await;
                }
                made => return made,
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.requested() => Ok(None),
        made = making => made.map(Some),
    }
}

/// Waits until the lease is held; `None` = asked to stop before.
async fn acquire(lease: &Lease, deps: &Deps, stop: &Stop) -> Option<()> {
    while let Err(error) = epochs::begin(lease, &deps.shell.store, &deps.shell.clock).await {
        if TOLD.is_due("lease") {
            warn!(%error, "cannot take the lease, trying again");
        }
        tokio::select! {
            biased;
            () = stop.requested() => return None,
            () = time::sleep(LEASE_RENEWAL) => {}
        }
    }
    Some(())
}

/// Waits for all pumps to end: the orders they left in flight.
async fn abandoned(mut pumps: Tasks<Abandoned>) -> usize {
    let mut orders = 0;
    while let Some(ended) = pumps.join_next().await {
        match ended {
            Ok(left) => orders += left.orders,
            Err(error) => resume_panic(error),
        }
    }
    orders
}

/// What runs of a connector's links.
struct Begun {
    pumps: Tasks<Abandoned>,
    pulses: Vec<Pulse>,
    followed: Vec<Running>,
    seats: Vec<Seat>,
}

/// Begins every link.
fn begin(
    config: &Config,
    deps: &Deps,
    (lease, roster, inbound, directives): (&Lease, &Roster, &Inbound, &Directives),
    hooks: &mut Hooks,
    news: &Arc<Notify>,
    stop: &Stop,
    helpers: &mut Tasks,
) -> Begun {
    let mut begun = Begun {
        pumps: Tasks::new(),
        pulses: Vec::new(),
        followed: Vec::new(),
        seats: Vec::new(),
    };
    for (index, link) in config.links.iter().enumerate() {
        let (link, maps) = (link.clone(), LiveMaps::new(Maps::of(link)));
        let vitals = Vitals::new(link.carriers.clone(), deps.shell.clock.now(), Arc::clone(news));
        begun.pulses.push(Pulse::new(&link, Arc::clone(&vitals)));
        begun.followed.push(Running {
            link: link.clone(),
            maps: maps.clone(),
        });
        let calls = hooks.enter(&link, &maps);
        let shared = (lease, roster, inbound, directives.of(index), calls);
        let (pump, line) = start(&link, maps, config, deps, shared, Arc::clone(&vitals), helpers);
        begun.pumps.spawn(pump.run(stop.clone()));
        begun.seats.push(Seat { link, vitals, line });
    }
    begun
}

/// A pump and what is behind it.
fn start(
    link: &LinkConfig,
    maps: LiveMaps,
    config: &Config,
    deps: &Deps,
    (lease, roster, inbound, directive, calls): (&Lease, &Roster, &Inbound, watch::Receiver<Directive>, Option<Calls>),
    vitals: Arc<Vitals>,
    helpers: &mut Tasks,
) -> (Pump, Line) {
    let (mut wire, plug) = link::wire();
    let (plugs, plugged) = mpsc::unbounded_channel();
    // A link that is drained is begun once it is resumed.
    if directive.borrow().conduct != Conduct::Drained {
        let _ = plugs.send(plug);
    }
    wire.plugs = Some(plugs);
    let settings = Settings {
        link: link.name.as_str().into(),
        carriers: link.carriers.clone(),
        window: link.window_in_effect(),
        window_max: link.window_max(),
        rate: link.rate,
        configured: link.rate,
        directive,
        account: link.account_in_effect().into(),
        cutting: link.cutting(),
        drain_limit: config.drain_limit,
        vitals,
        roster: Some(roster.clone()),
        log_time: roster.log_time(),
        returning: Share::default(),
        inbound: inbound.clone(),
        is_absent: matches!(link.kind, LinkKind::Absent),
    };
    helpers.spawn(behind(link.clone(), maps, calls, deps.clone(), plugged));
    let line = wire.commands.clone();
    (Pump::new(settings, &deps.shell, lease.clone(), wire, helpers), line)
}

/// Is what the configuration says behind each of `plugs`, one after the other.
async fn behind(
    link: LinkConfig,
    maps: LiveMaps,
    mut calls: Option<Calls>,
    deps: Deps,
    mut plugs: mpsc::UnboundedReceiver<Plug>,
) {
    while let Some(plug) = plugs.recv().await {
        match &link.kind {
            LinkKind::Smpp(smpp) => {
                let dialect = Dialect {
                    link: link.name.as_str().into(),
                    bind: BindKind::Transceiver,
                    window: link.window,
                    smpp: (**smpp).clone(),
                    maps: maps.clone(),
                };
                smpp_link::run(dialect, deps.shell.dice.fork(), plug).await;
            }
            LinkKind::Grpc(grpc) => {
                let dialect = grpc_link::Dialect {
                    link: link.name.as_str().into(),
                    window: link.window_max(),
                    grpc: (**grpc).clone(),
                    maps: maps.clone(),
                };
                grpc_link::run(dialect, deps.shell.dice.fork(), plug).await;
            }
            LinkKind::Http(http) => {
                let dialect = http_link::Dialect {
                    link: link.name.as_str().into(),
                    http: (**http).clone(),
                    window: link.window_max(),
                    maps: maps.clone(),
                };
                http_link::run(dialect, deps.shell.dice.fork(), &mut calls, plug).await;
            }
            LinkKind::Absent => absent::run(plug).await,
            LinkKind::Simulator(simulator) => {
                let hub = deps.simulators.clone();
                Simulator::new(&link, simulator.clone(), &deps.shell, hub, plug)
                    .run()
                    .await;
            }
        }
    }
}
