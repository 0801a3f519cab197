//! Which server has which bucket: one has all of them, or a cluster says so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use ::redis::{Client, Cmd, ConnectionAddr, IntoConnectionInfo as _, Value};
use futures::future::join_all;

use super::{
    bucket::{BUCKETS, Bucket},
    link::Link,
    placement::Placement,
};
use crate::StoreError;

/// The servers of a store.
pub(super) struct Servers {
    url: String,
    /// The server that the settings name, and how to reach others like it.
    named: Arc<Link>,
    client: Client,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// `None` = to be asked for.
    map: Option<Arc<Map>>,
    /// Every server of the cluster that was ever named, by its id.
    known: BTreeMap<String, Arc<Link>>,
}

/// Where the buckets are.
struct Map {
    is_cluster: bool,
    links: Vec<Arc<Link>>,
    /// For each bucket its place in `links`.
    of: [usize; BUCKETS],
}

impl Servers {
    /// Those that the server at `url` knows of; nothing is sent yet.
    pub(super) fn new(url: String, client: Client) -> Self {
        Self {
            named: Arc::new(Link::new(url.clone(), client.clone())),
            url,
            client,
            places: Mutex::default(),
        }
    }

    /// Sends each command to the server of its bucket, all at once, and gives the answers in order.
    ///
    /// # Errors
    /// A server is away or refuses a command; others may have been carried out. `Full` is said only if nothing was.
    pub(super) async fn call(&self, commands: Vec<(Bucket, Cmd)>) -> Result<Vec<Value>, StoreError> {
        let map = self.map().await?;
        let result = map.call(commands).await;
        if result.is_err() && map.is_cluster {
            self.forget(&map);
        }
        result
    }

    /// The servers that have buckets now.
    pub(super) async fn links(&self) -> Result<Vec<Arc<Link>>, StoreError> {
        Ok(self.map().await?.links.clone())
    }

    /// The run of the server that each bucket is on, as the scripts name it.
    pub(super) async fn runs(&self) -> Result<Vec<(Bucket, String)>, StoreError> {
        let map = self.map().await?;
        let mut runs = Vec::with_capacity(BUCKETS);
        for bucket in Bucket::all() {
            let live = map.links[map.of[bucket.index()]].live().await?;
            runs.push((bucket, live.server.run()));
        }
        Ok(runs)
    }

    async fn map(&self) -> Result<Arc<Map>, StoreError> {
        let there = self.places.lock().expect("no holder panics").map.clone();
        match there {
            Some(map) => Ok(map),
            None => self.find().await,
        }
    }

    fn forget(&self, map: &Arc<Map>) {
        let mut places = self.places.lock().expect("no holder panics");
        if places.map.as_ref().is_some_and(|there| Arc::ptr_eq(there, map)) {
            places.map = None;
        }
    }

    /// Asks the named server where the buckets are, and where it is away, the others of its cluster.
    async fn find(&self) -> Result<Arc<Map>, StoreError> {
        let mut first_error = None;
        let known: Vec<_> = self
            .places
            .lock()
            .expect("no holder panics")
            .known
            .values()
            .cloned()
            .collect();
        for link in std::iter::once(&self.named).chain(&known) {
            match link.placement().await {
                Ok(placement) => return self.keep(link, placement),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.expect("the named server was asked"))
    }

    fn keep(&self, asked: &Arc<Link>, placement: Option<Placement>) -> Result<Arc<Map>, StoreError> {
        let mut places = self.places.lock().expect("no holder panics");
        let Places { map, known } = &mut *places;
        let Some(placement) = placement else {
            let alone = Map {
                is_cluster: false,
                links: vec![asked.clone()],
                of: [0; BUCKETS],
            };
            return Ok(map.insert(Arc::new(alone)).clone());
        };
        known.insert(placement.asked.clone(), asked.clone());
        let mut links: Vec<Arc<Link>> = Vec::new();
        let mut of = [0; BUCKETS];
        for (bucket, node) in placement.nodes {
            let link = match known.get(&node.id) {
                Some(link) if link.is_at(&node.host, node.port) || node.id == placement.asked => link.clone(),
                _ => Arc::new(self.link_to(&node.host, node.port)?),
            };
            known.insert(node.id, link.clone());
            let there = links.iter().position(|other| Arc::ptr_eq(other, &link));
            of[bucket.index()] = there.unwrap_or(links.len());
            if there.is_none() {
                links.push(link);
            }
        }
        Ok(map
            .insert(Arc::new(Map {
                is_cluster: true,
                links,
                of,
            }))
            .clone())
    }

    /// The way to another server of the cluster; one that does not say its host has that of the named one.
    fn link_to(&self, host: &str, port: u16) -> Result<Link, StoreError> {
        let info = self.client.get_connection_info();
        let addr = match info.addr().clone() {
            ConnectionAddr::Tcp(named, _) => ConnectionAddr::Tcp(or(host, named), port),
            ConnectionAddr::TcpTls {
                host: named,
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host: or(host, named),
                port,
                insecure,
                tls_params,
            },
            other => other,
        };
        let scheme = self.url.split("//").next().unwrap_or_default();
        let url = format!("{scheme}//{addr}");
        let client = info
            .clone()
            .set_addr(addr)
            .into_connection_info()
            .and_then(Client::open);
        let client = client.map_err(|error| StoreError::Away(format!("redis at {url}: {error}")))?;
        Ok(Link::new(url, client))
    }
}

fn or(host: &str, named: String) -> String {
    if host.is_empty() { named } else { host.to_owned() }
}

impl Map {
    async fn call(&self, commands: Vec<(Bucket, Cmd)>) -> Result<Vec<Value>, StoreError> {
        if let [link] = &self.links[..] {
            return link
                .call(commands.into_iter().map(|(_, command)| command).collect())
                .await;
        }
        let count = commands.len();
        let mut parts: Vec<(Vec<usize>, Vec<Cmd>)> = vec![Default::default(); self.links.len()];
        for (place, (bucket, command)) in commands.into_iter().enumerate() {
            let (places, commands) = &mut parts[self.of[bucket.index()]];
            places.push(place);
            commands.push(command);
        }
        let asked: Vec<_> = self
            .links
            .iter()
            .zip(parts)
            .filter(|(_, (places, _))| !places.is_empty())
            .collect();
        let calls = asked
            .into_iter()
            .map(|(link, (places, commands))| async move { (places, link.call(commands).await) });
        let results = join_all(calls).await;
        let is_carried_out = results.iter().any(|(_, result)| result.is_ok());
        let mut answers = vec![Value::Nil; count];
        for (places, result) in results {
            let part = result.map_err(|error| match error {
                StoreError::Full(why) if is_carried_out => StoreError::Away(why),
                error => error,
            })?;
            for (place, answer) in places.into_iter().zip(part) {
                answers[place] = answer;
            }
        }
        Ok(answers)
    }
}
