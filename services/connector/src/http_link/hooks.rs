//! Where carriers call: one listener for each address, and what each path of it is for.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use futures::FutureExt as _;
use service::{Seldom, Tasks, time};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tracing::{info, warn};
use web::{
    Call, Method, StatusCode,
    server::{Answerer, Said, serve},
};

use super::{
    desk::Delivered,
    fields,
    hook::{Format, HookConfig, Only},
    inbound, proof, receipt,
};
use crate::{LinkConfig, LinkKind, inbound::RULES_DEFAULT, maps::LiveMaps, metrics};

/// Calls that may wait for their link; beyond them they are asked to come again.
const CALLS_MAX: usize = 256;
/// When a call that was not taken should come again, in seconds.
const AGAIN_AFTER: u16 = 5;

/// Who calls a wrong path once calls it again.
static TOLD: Seldom = Seldom::new();

/// The listeners of a connector, and where what is heard there goes.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    listeners: BTreeMap<SocketAddr, TcpListener>,
    routes: BTreeMap<SocketAddr, Vec<Route>>,
}

/// One link's path.
#[derive(Clone, Debug)]
struct Route {
    link: Arc<str>,
    hook: HookConfig,
    maps: LiveMaps,
    calls: mpsc::Sender<Delivered>,
    /// What is wrong with calls is met by every one of them.
    told: Arc<Seldom>,
}

/// What a link hears of its webhook.
pub(crate) type Calls = mpsc::Receiver<Delivered>;

impl Hooks {
    /// Listens where `links` want to be called.
    ///
    /// # Errors
    /// The address that could not be had.
    pub(crate) async fn listen(links: &[LinkConfig]) -> Result<Self, (SocketAddr, io::Error)> {
        let mut hooks = Self::default();
        for link in links {
            let LinkKind::Http(http) = &link.kind else { continue };
            let Some(address) = http.hook.as_ref().map(|hook| hook.listen) else {
                continue;
            };
            if let std::collections::btree_map::Entry::Vacant(vacant) = hooks.listeners.entry(address) {
                vacant.insert(TcpListener::bind(address).await.map_err(|error| (address, error))?);
                info!(%address, "waiting for calls of carriers");
            }
        }
        Ok(hooks)
    }

    /// What comes for `link` from now on; absent = it has no webhook.
    pub(crate) fn enter(&mut self, link: &LinkConfig, maps: &LiveMaps) -> Option<Calls> {
        let LinkKind::Http(http) = &link.kind else { return None };
        let hook = http.hook.clone()?;
        let (calls, heard) = mpsc::channel(CALLS_MAX);
        let route = Route {
            link: link.name.as_str().into(),
            maps: maps.clone(),
            calls,
            hook,
            told: Arc::default(),
        };
        self.routes.entry(route.hook.listen).or_default().push(route);
        Some(heard)
    }

    /// Answers what comes, as long as `tasks` are there.
    pub(crate) fn serve(self, tasks: &mut Tasks) {
        let mut routes = self.routes;
        for (address, listener) in self.listeners {
            let routes: Arc<[Route]> = routes.remove(&address).unwrap_or_default().into();
            let answerer: Answerer = Arc::new(move |call| answer(Arc::clone(&routes), call).boxed());
            tasks.spawn(serve(listener, answerer));
        }
    }
}

async fn answer(routes: Arc<[Route]>, call: Call) -> Said {
    // A path may hold a secret, of which the time that this takes gives away nothing but its length.
    let is_meant = |route: &&Route| proof::is_same(route.hook.path().as_bytes(), call.path.as_bytes());
    let Some(route) = routes.iter().find(is_meant) else {
        if TOLD.is_due("path") {
            warn!("somebody called a path that belongs to no link");
        }
        return StatusCode::NOT_FOUND.into();
    };
    route.answer(&call).await
}

impl Route {
    async fn answer(&self, call: &Call) -> Said {
        if ![Method::POST, Method::GET, Method::PUT].contains(&call.method) {
            return StatusCode::METHOD_NOT_ALLOWED.into();
        }
        if !self
            .hook
            .proofs
            .iter()
            .all(|proof| proof.holds(call, self.hook.url.reveal()))
        {
            metrics::oddity(&self.link, "webhook_unproved");
            if self.told.is_due("proof") {
                warn!(link = %self.link, "a call does not prove that it comes from the carrier");
            }
            return StatusCode::FORBIDDEN.into();
        }
        let (reply, heard) = oneshot::channel();
        let Some(delivered) = self.read(call, reply) else {
            metrics::oddity(&self.link, "webhook_garbled");
            if self.told.is_due("read") {
                warn!(link = %self.link, "a call of the carrier is not written as the link says");
            }
            return StatusCode::BAD_REQUEST.into();
        };
        if delivered.receipts.is_empty() && delivered.inbound.is_empty() {
            return StatusCode::OK.into();
        }
        let receipts = delivered.receipts.len();
        if self.calls.try_send(delivered).is_err() {
            metrics::receipts(&self.link, "overload", receipts);
            return again();
        }
        match time::timeout(self.hook.answer_within, heard).await {
            Some(Ok(true)) => StatusCode::OK.into(),
            _ => again(),
        }
    }

    /// What `call` says; `None` = it is not written as the link says. Entries that name no message are counted and left out.
    fn read(&self, call: &Call, reply: oneshot::Sender<bool>) -> Option<Delivered> {
        let maps = self.maps.get();
        let (mut receipts, mut messages) = (Vec::new(), Vec::new());
        let mut lacking = 0;
        if let Some(shape) = &self.hook.receipts {
            self.entries(
                call,
                (shape.format, shape.each.as_deref(), &shape.only),
                |entry| match receipt::read(shape, &self.link, &maps, entry) {
                    Some(read) => receipts.push(read),
                    None => lacking += 1,
                },
            )?;
        }
        if let Some(shape) = &self.hook.inbound {
            self.entries(
                call,
                (shape.format, shape.each.as_deref(), &shape.only),
                |entry| match inbound::read(shape, entry) {
                    Some(part) => messages.push(part),
                    None => lacking += 1,
                },
            )?;
        }
        for _ in 0..lacking {
            metrics::oddity(&self.link, "webhook_incomplete");
        }
        let rules = self.hook.inbound.as_ref().map_or(RULES_DEFAULT, |shape| shape.rules);
        Some(Delivered {
            receipts,
            inbound: messages,
            rules,
            reply,
        })
    }

    fn entries(
        &self,
        call: &Call,
        (format, each, only): (Format, Option<&str>, &Only),
        mut take: impl FnMut(fields::Entry<'_>),
    ) -> Option<()> {
        let said = fields::Said::read(call, format)?;
        said.entries(each, only)?.into_iter().for_each(&mut take);
        Some(())
    }
}

fn again() -> Said {
    Said {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: Some(AGAIN_AFTER),
    }
}

#[cfg(test)]
impl Hooks {
    /// Where the only listener listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.listeners.values().next().unwrap().local_addr().unwrap()
    }
}
