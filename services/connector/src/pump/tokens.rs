//! Where the pump's tokens come from: leases on the carrier's account, which what the carrier says makes larger and smaller.

use std::{sync::Arc, time::Duration};

use service::{
    Clock,
    time::{self, Instant},
};
use sms::Lane;
use store::Store;

use super::{LinkState, Pump, Settings};
use crate::{
    account::{Account, Leased},
    lease::Lease,
    quota::Feeling,
    window::{CONGESTED, OPTIMAL},
};

/// The causes of a hold that speak of the account's rate. Others are the carrier's own trouble, whatever it is sent.
const THROTTLES: [&str; 2] = ["throttled", "queue_full"];

/// The account behind a link with a rate.
pub(super) fn account(settings: &Settings, lease: &Lease, store: &Arc<dyn Store>, clock: &Clock) -> Option<Account> {
    let member = (lease.incarnation(), &*settings.link);
    let (store, clock) = (Arc::clone(store), clock.clone());
    settings
        .rate
        .map(|rate| Account::new(&settings.account, rate, member, store, clock))
}

/// The account's next answer. Cancel-safe.
pub(super) async fn answered(account: &mut Option<Account>) -> Option<Leased> {
    match account {
        Some(account) => account.answered().await,
        None => std::future::pending().await,
    }
}

impl Pump {
    /// Asks for more tokens where some are needed.
    pub(super) fn lease_tokens(&mut self, now: Instant) {
        let waits = self.waits_for_tokens();
        if let Some(account) = &mut self.account {
            account.advance(&mut self.bucket, waits, now);
        }
    }

    /// When tokens are to be asked for again.
    pub(super) fn leases_at(&self) -> Option<Instant> {
        let account = self.account.as_ref()?;
        account.wake_at(&self.bucket, self.waits_for_tokens())
    }

    pub(super) fn on_leased(&mut self, leased: Option<Leased>) {
        let Some(account) = &mut self.account else { return };
        let roster = self.settings.roster.as_ref();
        let own = self.lease.incarnation();
        if let Some(sharers) = roster.and_then(|roster| roster.sharers(own, &self.settings.carriers, time::now())) {
            account.set_sharers(sharers);
        }
        account.on_answered(leased, &mut self.bucket);
        self.settings.vitals.set_rate_limit(account.share());
    }

    /// A part was held for this cause.
    pub(super) fn throttled(&mut self, code: &str) {
        if let Some(account) = self.account.as_mut().filter(|_| THROTTLES.contains(&code)) {
            account.feel(Feeling::Throttled);
        }
    }

    /// The carrier says how busy it is.
    pub(super) fn on_congestion(&mut self, state: u8) {
        self.window.heed(state, time::now());
        if let Some(account) = &mut self.account {
            account.feel(match state {
                ..OPTIMAL => Feeling::Well,
                OPTIMAL..=CONGESTED => Feeling::Busy,
                _ => Feeling::Throttled,
            });
        }
    }

    /// How long until the account has a token for a part of `lane`, at its equal share; zero without a rate.
    pub(super) fn tokens_in(&self, lane: Lane) -> Duration {
        let Some(account) = &self.account else {
            return Duration::ZERO;
        };
        let seconds = self.bucket.lacks(lane) / account.share();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn waits_for_tokens(&self) -> bool {
        let has_work =
            (self.is_open() && !self.waiting.is_empty()) || self.sendable.iter().any(|line| !line.is_empty());
        self.state == LinkState::Up && has_work
    }
}
