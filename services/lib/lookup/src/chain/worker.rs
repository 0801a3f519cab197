//! Asks on behalf of all who share a chain, so that an answer comes to those who wait for it, whoever of them gives up.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use service::{Tasks, time};
use sms::Msisdn;
use tokio::sync::mpsc;
use tracing::error;

use super::{
    Inner,
    quest::{Quest, Seeker},
};

/// How long a stale number may wait for a provider's turn.
const REFRESH_BUDGET: Duration = Duration::from_secs(10);
/// Stale numbers that are asked about together.
const REFRESH_MAX: usize = 500;

/// Runs quests until the chain ends.
pub(super) async fn run(inner: Arc<Inner>, mut wanted: mpsc::UnboundedReceiver<Quest>) {
    let mut under_way: Tasks = Tasks::new();
    loop {
        tokio::select! {
            biased;
            ended = under_way.join_next(), if !under_way.is_empty() => {
                if let Some(Err(ended)) = ended
                    && ended.is_panic()
                {
                    // Whoever waited was told; the next look-up finds providers as they are.
                    error!("asking about numbers panicked");
                }
            }
            quest = wanted.recv() => {
                let Some(quest) = quest else { return };
                start(&inner, quest, &mut wanted, &mut under_way);
            }
        }
    }
}

/// Starts `quest`; several that nobody waits for become one.
fn start(inner: &Arc<Inner>, quest: Quest, wanted: &mut mpsc::UnboundedReceiver<Quest>, under_way: &mut Tasks) {
    let mut open: Option<Quest> = None;
    let mut next = Some(quest);
    while let Some(quest) = next {
        let seekers = open.as_ref().map_or(0, |open| open.seekers.len());
        match &mut open {
            _ if !quest.is_refresh => spawn(inner, quest, under_way),
            Some(open) if seekers < REFRESH_MAX => open.seekers.extend(quest.seekers),
            _ => {
                if let Some(full) = open.replace(quest) {
                    spawn(inner, full, under_way);
                }
            }
        }
        next = wanted.try_recv().ok();
    }
    if let Some(open) = open {
        spawn(inner, open, under_way);
    }
}

fn spawn(inner: &Arc<Inner>, quest: Quest, under_way: &mut Tasks) {
    let inner = Arc::clone(inner);
    under_way.spawn(async move { quest.run(&inner).await });
}

impl Inner {
    /// Has `number` asked about anew, unless it is already or too many are.
    pub(super) fn refresh(&self, number: &Msisdn) {
        if self.askers.is_empty() {
            return;
        }
        if self.refreshing.fetch_add(1, Relaxed) >= self.config.refreshes_max {
            self.refreshing.fetch_sub(1, Relaxed);
            return;
        }
        let Some(ticket) = self.flights.begin(self.mark(number)) else {
            self.refreshing.fetch_sub(1, Relaxed);
            return;
        };
        self.counted.refreshed();
        self.send(Quest {
            seekers: vec![Seeker::new(number.clone(), ticket)],
            until: time::now() + REFRESH_BUDGET,
            is_refresh: true,
            recorder: None,
        });
    }

    /// Hands `quest` to the worker, which lives as long as the chain.
    pub(super) fn send(&self, quest: Quest) {
        _ = self.quests.send(quest);
    }
}
