//! What operators order, as a pump heeds it: see [`crate::directive`].
//!
//! A paused link submits no further message and holds what waits for it. A drained one hands that back as one that is down
//! does, and is disconnected once nothing of it is in flight, or the drain limit is over. Either way an order that was claimed
//! and of which no part was sent is answered `LinkDown`, and one of which a part was sent is finished: half a message helps
//! nobody. A link that is resumed after it was disconnected is begun anew.

use service::time::{self, Instant};
use tracing::{info, warn};

use super::{LinkState, Pump, tokens};
use crate::{
    directive::{Conduct, Directive},
    link::{Command, Event},
    rate::Bucket,
    window::Window,
};

/// Cause of an order that was claimed and not sent before an operator stopped the link.
pub(super) const CODE_STOPPED: &str = "link_stopped";

/// How far the link behind a pump is plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugged {
    /// There is one.
    In,
    /// It was told to close.
    Closing,
    /// There is none.
    Out,
}

/// What an operator ordered last, and how far it is done.
#[derive(Debug)]
pub(super) struct Ordered {
    /// Whether the link takes messages.
    pub(super) conduct: Conduct,
    pub(super) plugged: Plugged,
    /// When a drain is cut short; absent = there is none.
    pub(super) cut_at: Option<Instant>,
    /// The window while the rate is as configured.
    window: u32,
}

impl Ordered {
    /// Nothing, of a link with such a window, plugged in or to be begun later.
    pub(super) const fn nothing(window: u32, plugged: Plugged) -> Self {
        Self {
            conduct: Conduct::Open,
            plugged,
            cut_at: None,
            window,
        }
    }
}

impl Pump {
    /// Whether messages are taken, as far as operators are asked.
    pub(super) fn is_open(&self) -> bool {
        self.ordered.conduct == Conduct::Open
    }

    /// Whether what waits for the link is held until an operator resumes it.
    pub(super) fn is_held(&self) -> bool {
        self.ordered.conduct == Conduct::Paused
    }

    /// Does what an operator orders.
    pub(super) fn obey(&mut self, directive: Directive) {
        let conduct = directive.conduct;
        if self.is_draining {
            return;
        }
        self.obey_rate(directive.rate);
        if conduct == self.ordered.conduct {
            return;
        }
        self.ordered.conduct = conduct;
        info!(link = %self.settings.link, conduct = conduct.as_str(), "the link does as an operator ordered");
        self.ordered.cut_at = (conduct == Conduct::Drained).then(|| time::now() + self.settings.drain_limit);
        if conduct != Conduct::Open {
            self.end_holds();
        }
        if conduct != Conduct::Drained && self.ordered.plugged == Plugged::Out {
            self.plug_in();
        }
        self.heed();
    }

    /// Says how far it has come.
    pub(super) fn heed(&self) {
        let (conduct, is_out) = (self.ordered.conduct, self.ordered.plugged == Plugged::Out);
        let is_unplugged = is_out && conduct == Conduct::Drained;
        self.settings.vitals.heeds(conduct, is_unplugged, self.clock.now());
        crate::metrics::link_stopped(&self.settings.link, conduct);
    }

    /// Has what is held in place go once more: a carrier that still wants to wait is the router's to wait for.
    pub(super) fn end_holds(&mut self) {
        let held = std::mem::take(&mut self.held);
        held.into_keys().for_each(|(_, id)| self.queue(id));
    }

    /// Closes a drained link once nothing of it is in flight, or the drain takes too long.
    pub(super) fn unplug(&mut self, now: Instant) {
        let is_over = self.airborne.is_empty() || self.ordered.cut_at.is_some_and(|at| now >= at);
        let is_due = self.ordered.conduct == Conduct::Drained && self.ordered.plugged == Plugged::In;
        if !is_due || !is_over || self.plugs.is_none() {
            return;
        }
        if !self.airborne.is_empty() {
            let orders = self.airborne.len();
            warn!(link = %self.settings.link, orders, "a drain is cut short: what is not answered is unknown");
        }
        self.ordered.plugged = Plugged::Closing;
        self.commands.send(Command::Close);
    }

    /// The link has ended. False = nobody told it to.
    pub(super) fn on_unplugged(&mut self) -> bool {
        if self.ordered.plugged != Plugged::Closing {
            return false;
        }
        self.ordered.plugged = Plugged::Out;
        if self.state == LinkState::Up {
            self.on_event(Event::Down {
                reason: "closed".to_owned(),
            });
        }
        if self.is_draining {
            return true;
        }
        match self.ordered.conduct {
            Conduct::Drained => {
                info!(link = %self.settings.link, "the link is drained and disconnected");
                self.heed();
            }
            Conduct::Open | Conduct::Paused => self.plug_in(),
        }
        true
    }

    /// Begins the link anew.
    fn plug_in(&mut self) {
        let Some(plugs) = &self.plugs else { return };
        let (events, plug) = self.commands.renew();
        // Whoever begins links ends after all pumps.
        let _ = plugs.send(plug);
        self.events = events;
        self.state = LinkState::Down { since: time::now() };
        self.ordered.plugged = Plugged::In;
    }

    /// Shares the account anew if an operator changed its rate.
    fn obey_rate(&mut self, ordered: Option<u32>) {
        let rate = ordered.or(self.settings.configured);
        if rate == self.settings.rate {
            return;
        }
        let (before, now) = (self.settings.rate, time::now());
        self.settings.rate = rate;
        info!(link = %self.settings.link, before, rate, "the account has another rate");
        match (rate, &mut self.account) {
            (Some(rate), Some(account)) => account.set_ceiling(rate),
            (Some(_), None) => {
                self.bucket = Bucket::leased(now);
                self.account = tokens::account(&self.settings, &self.lease, &self.store, &self.clock);
            }
            (None, _) => {
                self.bucket = Bucket::new(None, now);
                self.account = None;
            }
        }
        self.settings.vitals.set_rate(rate);
        self.settings.window = Window::allowed(self.ordered.window, rate);
        self.window.set_slots_max(self.settings.window.min(self.room));
    }
}
