//! The provider of look-ups, which can be slow or away for a while.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use futures::future::{BoxFuture, FutureExt as _};
use lookup::{Failure, HlrServer, HlrServerConfig, Provider, Reply, SimulatorConfig, Terms};
use service::{Dice, Stop, Tasks, time};
use sms::Msisdn;
use table::Micros;

use super::spec::{LookUp, Manner};
use crate::stage::land;

/// What routers are told beside the rest.
pub(super) const SECTION: &str =
    "[lookup]\nproviders = \"providers.toml\"\nsecret = \"00112233445566778899aabbccddeeff\"\n";
/// The file of that name.
const FILE: &str = "providers.toml";
/// What it is called, and what it takes for an answer, as that file has it.
const NAME: &str = "register";
const PRICE: &str = "0.001";
/// Numbers of one call.
const NUMBERS_MAX: usize = 100;

/// A provider that runs for as long as it is kept.
pub(super) struct Running {
    register: Arc<Register>,
    _tasks: Tasks,
}

/// Knows who serves a number.
struct Register {
    terms: Terms,
    truth: SimulatorConfig,
    manner: RwLock<Manner>,
    dice: Dice,
}

impl Running {
    /// Starts a provider that knows so many networks, and tells routers in `folder` of it.
    ///
    /// # Errors
    /// No port is free, or the file cannot be written.
    pub(super) fn start(folder: &Path, lookup: &LookUp, networks: usize, seed: u64) -> anyhow::Result<Self> {
        let register = Arc::new(Register {
            terms: Terms {
                name: NAME.to_owned(),
                price: Micros::parse(PRICE)?,
                is_authoritative: false,
                numbers_max: NUMBERS_MAX,
            },
            truth: SimulatorConfig {
                seed,
                // With one network there is nowhere to go.
                ported: if networks > 1 { lookup.ported } else { 0.0 },
                networks: land::networks(networks)?,
                ..SimulatorConfig::default()
            },
            manner: RwLock::new(lookup.manner),
            dice: Dice::seeded(seed),
        });
        let listen = HlrServerConfig {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            tls: None,
        };
        let server = HlrServer::bind(&listen, Arc::clone(&register) as Arc<dyn Provider>)?;
        let address = server.address();
        let text = format!(
            "[[provider]]\nname = \"{NAME}\"\nkind = \"grpc\"\nprice = \"{PRICE}\"\nurl = \"http://{address}\"\n"
        );
        fs::write(folder.join(FILE), text)?;
        let mut tasks = Tasks::new();
        let (handle, stop) = Stop::new();
        tasks.spawn(async move {
            // It is never asked to stop: it ends with its owner.
            let _handle = handle;
            server.run(stop).await.expect("a server on the loopback serves");
        });
        Ok(Self {
            register,
            _tasks: tasks,
        })
    }

    /// Answers so from now on.
    pub(super) fn set(&self, manner: Manner) {
        *self.register.manner.write().unwrap_or_else(PoisonError::into_inner) = manner;
    }
}

impl Provider for Register {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        let Manner { answer, errors } = *self.manner.read().unwrap_or_else(PoisonError::into_inner);
        let reply = move |number: &Msisdn| match self.dice.fraction() < errors {
            true => Err(Failure::Away("as the scenario says".to_owned())),
            false => Ok(self.truth.reply(number)),
        };
        async move {
            time::sleep(answer).await;
            numbers.iter().map(reply).collect()
        }
        .boxed()
    }
}
