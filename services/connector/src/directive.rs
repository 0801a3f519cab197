//! What operators order links to do, and how it reaches them: kept in the store by the name of the link, or of the account for
//! a rate, so that every connector of a link heeds it and takes it up again when it starts.
//!
//! Each connector looks every [`LOOK`]. A store that lost what it held is told again by whoever knows; until one that is away
//! is back, what is known stands.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use service::{Clock, Seldom, Stop, time};
use signalbox_proto::keys;
use store::{Key, Op, Store, StoreError, Versioned};
use tokio::sync::{Semaphore, watch};
use tracing::{info, warn};

use crate::config::{LinkConfig, RATE_MAX};

/// How often it is looked what was ordered elsewhere.
const LOOK: Duration = Duration::from_secs(1);
/// Orders are kept for so long in the store, which is for ever: ten years.
const KEPT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A store that is away is found out at every look.
static TOLD: Seldom = Seldom::new();

/// Whether a link takes messages, as far as operators are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// It does.
    #[default]
    Open,
    /// It stays connected and submits no further message; what waits for it is held.
    Paused,
    /// It finishes what is in flight, hands back what waits, and disconnects.
    Drained,
}

/// All that operators ordered one link to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Whether it takes messages.
    pub conduct: Conduct,
    /// Parts a second of its account; absent = what the configuration says.
    pub rate: Option<u32>,
}

impl Conduct {
    /// The word in the store and in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Drained => "drained",
        }
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let all = [Self::Open, Self::Paused, Self::Drained];
        all.into_iter().find(|conduct| conduct.as_str().as_bytes() == octets)
    }
}

/// The orders for one link.
struct Post {
    link: Key,
    /// The place of its account among those of the connector.
    account: usize,
    name: String,
    told: watch::Sender<Directive>,
}

/// The orders for every link of a connector.
pub(crate) struct Directives {
    store: Arc<dyn Store>,
    clock: Clock,
    posts: Vec<Post>,
    /// Where the rate of each account stands. Links may share one.
    accounts: Vec<Key>,
    /// One looks or writes at a time, so that nobody tells what was read before another wrote.
    turn: Semaphore,
}

impl Directives {
    /// Those for `links`; none is known before the first look.
    pub(crate) fn new(links: &[LinkConfig], store: Arc<dyn Store>, clock: Clock) -> Self {
        let names: BTreeSet<&str> = links.iter().map(LinkConfig::account_in_effect).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let post = |link: &LinkConfig| Post {
            link: keys::link_order(&link.name),
            account: names
                .binary_search(&link.account_in_effect())
                .expect("the accounts of all links are there"),
            name: link.name.clone(),
            told: watch::Sender::new(Directive::default()),
        };
        Self {
            store,
            clock,
            posts: links.iter().map(post).collect(),
            accounts: names.iter().map(|name| keys::rate_order(name)).collect(),
            turn: Semaphore::new(1),
        }
    }

    /// What link number `index` is ordered, now and from time to time.
    pub(crate) fn of(&self, index: usize) -> watch::Receiver<Directive> {
        self.posts[index].told.subscribe()
    }

    /// What link number `index` is ordered, as far as is known.
    pub(crate) fn now(&self, index: usize) -> Directive {
        *self.posts[index].told.borrow()
    }

    /// Looks until it is known what was ordered before; false = asked to stop meanwhile.
    pub(crate) async fn begin(&self, stop: &Stop) -> bool {
        while let Err(error) = self.look().await {
            if TOLD.is_due("begin") {
                warn!(%error, "cannot read what links were ordered to do, trying again");
            }
            tokio::select! {
                biased;
                () = stop.requested() => return false,
                () = time::sleep(LOOK) => {}
            }
        }
        for post in &self.posts {
            let Directive { conduct, rate } = *post.told.borrow();
            if conduct != Conduct::Open || rate.is_some() {
                warn!(
                    link = post.name,
                    conduct = conduct.as_str(),
                    rate,
                    "an operator's order stands for this link"
                );
            }
        }
        true
    }

    /// Looks until `stop`.
    pub(crate) async fn follow(self: Arc<Self>, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = time::sleep(LOOK) => {}
            }
            if let Err(error) = self.look().await
                && TOLD.is_due("look")
            {
                warn!(%error, "cannot read what links are ordered to do, what is known stands");
            }
        }
    }

    /// Orders link number `index`.
    ///
    /// # Errors
    /// The store is away: what was ordered may stand all the same once it is back.
    pub(crate) async fn conduct(&self, index: usize, conduct: Conduct) -> Result<(), StoreError> {
        let _turn = self.turn.acquire().await;
        let post = &self.posts[index];
        self.write(vec![self.put(&post.link, conduct.as_str().to_owned())])
            .await?;
        info!(link = post.name, conduct = conduct.as_str(), "an operator orders");
        post.tell(|directive| directive.conduct = conduct);
        Ok(())
    }

    /// Orders the rate of the account of link number `index`; `None` = what the configuration says.
    ///
    /// # Errors
    /// As [`Self::conduct`].
    pub(crate) async fn rate(&self, index: usize, rate: Option<u32>) -> Result<(), StoreError> {
        let _turn = self.turn.acquire().await;
        let ordered = &self.posts[index];
        let key = &self.accounts[ordered.account];
        self.write(vec![self.put(key, rate_text(rate))]).await?;
        info!(link = ordered.name, rate, "an operator orders a rate");
        for post in self.posts.iter().filter(|post| post.account == ordered.account) {
            post.tell(|directive| directive.rate = rate);
        }
        Ok(())
    }

    /// Looks once, tells the links what is new, and the store what it lost.
    async fn look(&self) -> Result<(), StoreError> {
        let _turn = self.turn.acquire().await;
        let values = self.store.get(self.keys()).await?;
        let (conducts, rates) = values.split_at(self.posts.len());
        let mut lost = Vec::new();
        for (post, value) in self.posts.iter().zip(conducts) {
            let known = post.told.borrow().conduct;
            let conduct = octets(value).map(|octets| Conduct::from_octets(octets).unwrap_or(known));
            if conduct.is_none() && known != Conduct::Open {
                lost.push(self.again(&post.link, known.as_str().to_owned()));
            }
            post.tell(|directive| directive.conduct = conduct.unwrap_or(known));
        }
        for (account, (key, value)) in self.accounts.iter().zip(rates).enumerate() {
            lost.extend(self.look_at_rate(account, key, value));
        }
        match lost.is_empty() {
            true => Ok(()),
            false => self.write(lost).await,
        }
    }

    /// Everything that is looked at: the order of each link, and the rate of each account once.
    fn keys(&self) -> Vec<Key> {
        let links = self.posts.iter().map(|post| &post.link);
        links.chain(&self.accounts).cloned().collect()
    }

    /// Tells the links of an account its rate. What the store is to be told again, as it lost it.
    fn look_at_rate(&self, account: usize, key: &Key, value: &Option<Versioned>) -> Option<Op> {
        let of_account = || self.posts.iter().filter(|post| post.account == account);
        // All of them are told the same.
        let known = of_account().find_map(|post| post.told.borrow().rate);
        let rate = octets(value).map(|octets| rate_of(octets).unwrap_or(known));
        of_account().for_each(|post| post.tell(|directive| directive.rate = rate.unwrap_or(known)));
        let is_lost = rate.is_none() && known.is_some();
        is_lost.then(|| self.again(key, rate_text(known)))
    }

    fn put(&self, key: &Key, text: String) -> Op {
        Op::Put {
            key: key.clone(),
            value: text.into(),
            expires_at_ms: (self.clock.now() + KEPT).0,
        }
    }

    /// Puts it where there is nothing: somebody may have ordered something else since we looked.
    fn again(&self, key: &Key, text: String) -> Op {
        Op::Swap {
            key: key.clone(),
            expected: None,
            value: Some(text.into()),
            expires_at_ms: (self.clock.now() + KEPT).0,
            due: None,
        }
    }

    async fn write(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        let (_, commit) = self.store.apply(ops).await?;
        commit.await
    }
}

impl Post {
    fn tell(&self, change: impl FnOnce(&mut Directive)) {
        self.told.send_if_modified(|directive| {
            let before = *directive;
            change(directive);
            *directive != before
        });
    }
}

/// The next thing that is ordered. Never where nobody can order anything any more. Cancel-safe.
pub(crate) async fn changed(directive: &mut watch::Receiver<Directive>) -> Directive {
    match directive.changed().await {
        Ok(()) => *directive.borrow_and_update(),
        Err(_) => std::future::pending().await,
    }
}

/// For links that nobody orders anything.
pub(crate) fn none() -> watch::Receiver<Directive> {
    watch::Sender::new(Directive::default()).subscribe()
}

fn octets(value: &Option<Versioned>) -> Option<&Bytes> {
    value.as_ref().map(|versioned| &versioned.value)
}

fn rate_text(rate: Option<u32>) -> String {
    rate.map_or_else(|| "configured".to_owned(), |rate| rate.to_string())
}

/// `None` = nothing that can be read.
fn rate_of(octets: &[u8]) -> Option<Option<u32>> {
    match std::str::from_utf8(octets).ok()? {
        "configured" => Some(None),
        digits => digits
            .parse()
            .ok()
            .filter(|rate| (1..=RATE_MAX).contains(rate))
            .map(Some),
    }
}

#[cfg(test)]
mod tests;
