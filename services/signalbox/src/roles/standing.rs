//! Whether log and store are to be had: waited for at the start, asked every second after it, and told to probes and people.

use std::time::Duration;

use bus::{PublishError, TopicSpec};
use bytes::Bytes;
use service::{Deps, Readiness, Stop, time, time::Instant};
use store::{Key, Op, StoreError};
use tracing::{info, warn};

use crate::config::Engine;

/// How often both are asked.
const ASK_PERIOD: Duration = Duration::from_secs(1);
/// Longest wait for an answer. Less than it takes a broker to elect another leader would call that an outage.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for making the topics, of which there are dozens.
const ENSURE_TIMEOUT: Duration = Duration::from_secs(15);
/// How often people are told that something is still away.
const TELL_PERIOD: Duration = Duration::from_secs(5);
/// How long what is written to see whether the store takes writes stays there.
const TRIAL_TTL: Duration = Duration::from_secs(10);

/// Log and store as one process sees them.
pub(super) struct Standing {
    deps: Deps,
    readiness: Readiness,
    bus: Seen,
    store: Seen,
    /// Where the store takes a write only to see that it does; absent = it is on this machine, and fails with the log.
    trial: Option<Key>,
}

/// One of the two.
struct Seen {
    name: &'static str,
    /// Whether the process can do nothing of use without it.
    is_needed: bool,
    missing: Option<Missing>,
}

/// Since when it is away, and when that was said last.
struct Missing {
    since: Instant,
    told: Instant,
}

impl Standing {
    /// Nothing is known yet, so that the process is not ready. `deps` are for this alone: the store is asked under
    /// whatever epoch it is in.
    pub(super) fn new(deps: Deps, readiness: Readiness, engine: &Engine) -> Self {
        let seen = |name| Seen {
            name,
            is_needed: true,
            missing: None,
        };
        let is_apart = matches!(engine, Engine::Apart { .. });
        let trial = is_apart.then(|| Key::new("trial", format!("{:016x}", deps.dice.next_u64())));
        let standing = Self {
            deps,
            readiness,
            bus: seen("bus"),
            store: seen("store"),
            trial,
        };
        for name in [standing.bus.name, standing.store.name] {
            standing.readiness.miss(name, "not asked yet");
        }
        standing
    }

    /// Waits until the log has `topics` and the store answers, be it that it is lost: whoever rebuilds it must be started.
    /// False = asked to stop before.
    ///
    /// # Errors
    /// Waiting does not help: a topic has another partition count, or the settings are refused.
    pub(super) async fn wait(&mut self, topics: &[TopicSpec], stop: &Stop) -> anyhow::Result<bool> {
        let mut has_topics = false;
        loop {
            if !has_topics {
                let ensured = within(ENSURE_TIMEOUT, self.deps.bus.ensure(topics), PublishError::Away).await;
                has_topics = ensured.is_ok();
                match ensured {
                    Ok(()) | Err(PublishError::Away(_)) => self.bus.note(ensured, &self.readiness),
                    Err(error) => return Err(error.into()),
                }
            }
            match self.ask_store().await {
                Ok(()) | Err(StoreError::Lost) if has_topics => return Ok(true),
                Err(error) if !error.is_passing() => return Err(error.into()),
                _ => {}
            }
            tokio::select! { biased;
                () = stop.requested() => return Ok(false),
                () = time::sleep(ASK_PERIOD) => {}
            }
        }
    }

    /// The same for a process that has started and goes on where the store is away, if `is_spared`: one that is not ready is asked
    /// nothing.
    pub(super) fn sparing_the_store(mut self, is_spared: bool) -> Self {
        self.store.is_needed = !is_spared;
        self
    }

    /// Asks both every second until `stop`.
    pub(super) async fn follow(mut self, stop: Stop) {
        let mut ticks = time::every(ASK_PERIOD);
        loop {
            tokio::select! { biased;
                () = stop.requested() => return,
                _ = ticks.tick() => {}
            }
            let answer = within(ANSWER_TIMEOUT, self.deps.bus.check(), PublishError::Away).await;
            self.bus.note(answer, &self.readiness);
            // Whoever needs it waits for it by itself.
            let _ = self.ask_store().await;
        }
    }

    async fn ask_store(&mut self) -> Result<(), StoreError> {
        let answer = within(ANSWER_TIMEOUT, self.try_store(), StoreError::Away).await;
        let told = answer.as_ref().copied().map_err(|error| match error {
            StoreError::Lost => format!("{error}; a router does that: is one running?"),
            error => error.to_string(),
        });
        self.store.note(told, &self.readiness);
        answer
    }

    /// A store that is full answers questions all the same, so that it is given something to keep.
    async fn try_store(&self) -> Result<(), StoreError> {
        let epoch = self.deps.store.epoch().await?;
        let Some(key) = &self.trial else { return Ok(()) };
        self.deps.store.adopt(&epoch);
        let put = Op::Put {
            key: key.clone(),
            value: Bytes::from_static(b"trial"),
            expires_at_ms: (self.deps.clock.now() + TRIAL_TTL).0,
        };
        let (_, commit) = self.deps.store.apply(vec![put]).await?;
        commit.await
    }
}

/// The answer, or that none came in time.
async fn within<T, E>(
    limit: Duration,
    asked: impl Future<Output = Result<T, E>>,
    away: impl FnOnce(String) -> E,
) -> Result<T, E> {
    let silent = || Err(away(format!("no answer within {limit:?}")));
    time::timeout(limit, asked).await.unwrap_or_else(silent)
}

impl Seen {
    fn note(&mut self, answer: Result<(), impl std::fmt::Display>, readiness: &Readiness) {
        let Err(error) = answer else {
            if let Some(missing) = self.missing.take() {
                let away_ms = missing.since.elapsed().as_millis() as u64;
                info!(away_ms, "{} is there again", self.name);
            }
            readiness.have(self.name);
            return;
        };
        let how = if self.is_needed {
            readiness.miss(self.name, error.to_string());
            "not ready, and trying again"
        } else {
            readiness.spare(self.name, error.to_string());
            "going on without, and trying again"
        };
        let now = time::now();
        let missing = self.missing.as_ref();
        if missing.is_none_or(|missing| now - missing.told >= TELL_PERIOD) {
            warn!("{how}: {error}");
            let since = missing.map_or(now, |missing| missing.since);
            self.missing = Some(Missing { since, told: now });
        }
    }
}
