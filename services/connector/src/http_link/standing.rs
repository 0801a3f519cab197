//! How the link stands, told to the pump and to people.

use std::time::Duration;

use futures::FutureExt as _;
use service::{time, time::Instant};
use tracing::info;
use web::discreet;

use super::{Link, health::Due};
use crate::link::Event;

impl Link {
    /// The carrier cannot be reached, for `wait` at least.
    pub(super) fn away(&mut self, why: &str, wait: Duration) {
        let why = discreet(why, &self.dialect.http.secrets);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        info!(link = %self.dialect.link, why, wait_ms, "the carrier cannot be reached, trying again");
        self.news = Some(why);
    }

    /// Knocks, or says that the link is up, where that is due.
    pub(super) fn see_to_health(&mut self, now: Instant) {
        if self.knocking.is_some() {
            return;
        }
        match self.health.due(now) {
            None => {}
            Some(Due::Rise) => self.rise(),
            Some(Due::Knock) => {
                let (client, host) = (self.client.clone(), self.dialect.http.host());
                self.knocking = Some(async move { client.knock(&host).await }.boxed());
            }
        }
    }

    /// The carrier opened, or it did not.
    pub(super) fn on_knocked(&mut self, knocked: Result<(), String>) {
        self.knocking = None;
        match knocked {
            Ok(()) => self.rise(),
            Err(why) => {
                let wait = self.health.away(time::now());
                let why = discreet(&why, &self.dialect.http.secrets);
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                info!(link = %self.dialect.link, why, wait_ms, "the carrier cannot be reached yet");
            }
        }
    }

    fn rise(&mut self) {
        self.health.rise();
        info!(link = %self.dialect.link, "the link is up again");
        self.say(Event::Up);
    }
}
