//! What the connectors of one carrier say, put together.

use std::{collections::BTreeMap, time::Duration};

use journey::{CarrierReport, LinkState};
use sms::{Lane, UnixMs};

use super::{FRESH, Level};

/// A link that has been down for less is not given up: its connector waits such a gap out before it hands orders back.
const GAP: Duration = Duration::from_secs(1);

/// The wait in each lane, in the order of [`Lane::ALL`]; `None` = not known.
pub(super) type Waits = [Option<Duration>; Lane::ALL.len()];

/// One carrier, with the last word of each connector that serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Carrier {
    /// By run of the connector. Connectors that left and words that are no longer fresh are not kept.
    words: BTreeMap<String, Word>,
    /// Until when it is up on the words heard.
    up_until: UnixMs,
    /// Until when a link that was lost may be back.
    lost_until: UnixMs,
    /// Until when any of them is fresh.
    fresh_until: UnixMs,
    waits: Waits,
}

/// What one connector said last.
#[derive(Clone, Debug)]
pub(super) struct Word {
    incarnation: String,
    state: LinkState,
    /// Whether the link was ever up.
    was_up: bool,
    /// Until when the link counts as up.
    up_until: UnixMs,
    /// Until when one that was lost may be back.
    lost_until: UnixMs,
    fresh_until: UnixMs,
    waits: Waits,
}

impl Word {
    /// `report`, heard `at` by our clock.
    pub(super) fn new(report: CarrierReport, at: UnixMs) -> Self {
        let fresh_until = at + FRESH;
        let up_until = match report.state {
            LinkState::Up => fresh_until,
            LinkState::Down => at + GAP.saturating_sub(report.said_at.since(report.since)),
            LinkState::Draining | LinkState::Gone => UnixMs(0),
        };
        Self {
            incarnation: report.incarnation,
            state: report.state,
            was_up: report.state == LinkState::Up,
            up_until,
            lost_until: UnixMs(0),
            fresh_until,
            waits: report.lanes.map(|lane| lane.wait),
        }
    }
}

impl Carrier {
    /// Takes a word at `now`. True = that connector's link was not known to be up.
    pub(super) fn hear(&mut self, mut word: Word, now: UnixMs) -> bool {
        self.words.retain(|_, word| now < word.fresh_until);
        let before = self.words.remove(&word.incarnation);
        if word.state == LinkState::Down && before.as_ref().is_some_and(|before| before.was_up) {
            // Its orders wait for the link; who has a choice goes elsewhere. One that starts is given the moment it needs.
            (word.was_up, word.lost_until) = (true, std::mem::take(&mut word.up_until));
        }
        if word.state != LinkState::Gone {
            self.words.insert(word.incarnation.clone(), word);
        }
        self.sum_up();
        before.is_none_or(|before| before.state != LinkState::Up)
    }

    /// How it stands at `now`. Silence says something only if somebody `is_listening`.
    pub(super) fn level(&self, now: UnixMs, is_listening: bool) -> Level {
        if now < self.up_until {
            Level::Up
        } else if now < self.lost_until {
            Level::Doubtful
        } else if now < self.fresh_until || is_listening {
            Level::Down
        } else {
            Level::Doubtful
        }
    }

    /// How long an order waits: the mean over the connectors that are up, as nobody knows whose it will be.
    pub(super) fn waits(&self) -> Waits {
        self.waits
    }

    fn sum_up(&mut self) {
        let words = || self.words.values();
        self.up_until = words().map(|word| word.up_until).max().unwrap_or_default();
        self.lost_until = words().map(|word| word.lost_until).max().unwrap_or_default();
        self.fresh_until = words().map(|word| word.fresh_until).max().unwrap_or_default();
        self.waits = std::array::from_fn(|lane| {
            let up = words().filter(|word| word.state == LinkState::Up);
            let waits: Vec<_> = up.filter_map(|word| word.waits[lane]).collect();
            let count = u32::try_from(waits.len()).ok().filter(|count| *count > 0)?;
            // Divided first: a wait may be as long as there is.
            Some(waits.iter().map(|wait| *wait / count).sum())
        });
    }
}
