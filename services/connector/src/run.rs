//! The service: one lease, and for each link a pump and what is behind it.

use std::{sync::Arc, time::Duration};

use bus::{PublishError, TopicSpec};
use service::{Seldom, Stop, Tasks, resume_panic, time};
use signalbox_proto::topics;
use smpp::BindKind;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::{
    Config, Incarnation, LinkConfig, LinkKind, absent, epochs, grpc_link,
    heartbeat::{Heart, Pulse},
    http_link::{self, Calls, Hooks},
    inbound::Inbound,
    lease::{LEASE_RENEWAL, Lease},
    link,
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
    /// Where carriers would call cannot be listened; nothing was read or sent.
    #[error("cannot listen for calls of carriers on {address}: {error}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
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
/// The topics cannot be created, and waiting does not help; or orders were left in flight at the end of the drain limit.
pub async fn run(config: Config, deps: Deps, stop: Stop) -> Result<(), Error> {
    metrics::describe();
    let shell = &deps.shell;
    let carriers = config.carriers();
    let specs = carriers
        .iter()
        .flat_map(|carrier| topics::of_carrier(carrier, config.partitions));
    let specs: Vec<_> = specs.chain(topics::fixed(config.partitions)).collect();
    if make_topics(&specs, &deps, &stop).await?.is_none() {
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
    info!(
        links = config.links.len(),
        incarnation = lease.incarnation().as_str(),
        "connector started"
    );

    let inbound = Inbound::new(shell.clone());
    keeper.spawn(inbound.clone().keep(stop.clone()));
    let mut pumps = Tasks::new();
    let mut helpers = Tasks::new();
    let news = Arc::new(Notify::new());
    let mut pulses = Vec::new();
    let mut followed = Vec::new();
    for link in &config.links {
        let maps = LiveMaps::new(Maps::of(link));
        followed.push(Running {
            link: link.clone(),
            maps: maps.clone(),
        });
        let vitals = Vitals::new(link.carriers.clone(), shell.clock.now(), Arc::clone(&news));
        pulses.push(Pulse::new(link, Arc::clone(&vitals)));
        let calls = hooks.enter(link, &maps);
        let pump = start(
            link,
            maps,
            &config,
            &deps,
            (&lease, &roster, &inbound, calls),
            vitals,
            &mut helpers,
        );
        pumps.spawn(pump.run(stop.clone()));
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
    let mut abandoned = Abandoned::default();
    while let Some(ended) = pumps.join_next().await {
        match ended {
            Ok(left) => abandoned.orders += left.orders,
            Err(error) => resume_panic(error),
        }
    }
    // With the pumps gone, intakes, receipts tasks and the heartbeat end once they did what was asked of them.
    if time::timeout(config.drain_limit, helpers.join_all()).await.is_none() {
        warn!("acks or receipts were not finished in time; what they concern comes again");
    }
    lease.give_up(&*shell.store).await;
    match abandoned.orders {
        0 => Ok(()),
        orders => Err(Error::Abandoned { orders }),
    }
}

/// Makes the topics that are missing; waits while the log is away. `None` = asked to stop before.
async fn make_topics(specs: &[TopicSpec], deps: &Deps, stop: &Stop) -> Result<Option<()>, PublishError> {
    let making = async {
        loop {
            match deps.shell.bus.ensure(specs).await {
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

fn start(
    link: &LinkConfig,
    maps: LiveMaps,
    config: &Config,
    deps: &Deps,
    (lease, roster, inbound, calls): (&Lease, &Roster, &Inbound, Option<Calls>),
    vitals: Arc<Vitals>,
    helpers: &mut Tasks,
) -> Pump {
    let (wire, plug) = link::wire();
    let window = link.window_in_effect();
    let settings = Settings {
        link: link.name.as_str().into(),
        carriers: link.carriers.clone(),
        window,
        rate: link.rate,
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
    match &link.kind {
        LinkKind::Smpp(smpp) => {
            let dialect = Dialect {
                link: Arc::clone(&settings.link),
                bind: BindKind::Transceiver,
                window: link.window_of_bind(),
                smpp: (**smpp).clone(),
                maps,
            };
            helpers.spawn(smpp_link::run(dialect, deps.shell.dice.fork(), plug));
        }
        LinkKind::Grpc(grpc) => {
            let dialect = grpc_link::Dialect {
                link: Arc::clone(&settings.link),
                window,
                grpc: (**grpc).clone(),
                maps,
            };
            helpers.spawn(grpc_link::run(dialect, deps.shell.dice.fork(), plug));
        }
        LinkKind::Http(http) => {
            let dialect = http_link::Dialect {
                link: Arc::clone(&settings.link),
                http: (**http).clone(),
                window,
                maps,
            };
            helpers.spawn(http_link::run(dialect, deps.shell.dice.fork(), calls, plug));
        }
        LinkKind::Absent => {
            helpers.spawn(absent::run(plug));
        }
        LinkKind::Simulator(simulator) => {
            let hub = deps.simulators.clone();
            helpers.spawn(Simulator::new(link, simulator.clone(), &deps.shell, hub, plug).run());
        }
    }
    Pump::new(settings, &deps.shell, lease.clone(), wire, helpers)
}
