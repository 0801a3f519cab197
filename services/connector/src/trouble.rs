//! What people want to know of a link beside its counts: how long the carrier takes to answer, and what went wrong last.

use std::{collections::VecDeque, time::Duration};

use sms::UnixMs;

/// Answers that are looked back at.
const ANSWERS_MAX: usize = 64;
/// Characters kept of what went wrong: a carrier may say a lot.
const WORDS_CHARS_MAX: usize = 160;
/// Digits in a row that may be a number of somebody, and are not shown.
const DIGITS_MAX: usize = 5;

/// How long the carrier took for the last answers that were timed.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoundTrips(VecDeque<Duration>);

impl RoundTrips {
    /// An answer took so long.
    pub(crate) fn count(&mut self, took: Duration) {
        if self.0.len() >= ANSWERS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// The last one; `None` = none was timed.
    pub(crate) fn last(&self) -> Option<Duration> {
        self.0.back().copied()
    }

    /// The median; `None` = none was timed.
    pub(crate) fn median(&self) -> Option<Duration> {
        let mut all: Vec<Duration> = self.0.iter().copied().collect();
        let middle = all.len() / 2;
        (!all.is_empty()).then(|| *all.select_nth_unstable(middle).1)
    }
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What, for people, without what may be somebody's number.
    pub words: String,
    /// When.
    pub at: UnixMs,
}

impl Trouble {
    /// `words` of the link or of the carrier.
    pub(crate) fn new(words: &str, at: UnixMs) -> Self {
        Self {
            words: masked(words),
            at,
        }
    }
}

/// `words` on one line and no longer than they should be, with each long row of digits but its last two hidden.
fn masked(words: &str) -> String {
    let letters: Vec<char> = words.chars().take(WORDS_CHARS_MAX).collect();
    let mut shown = String::new();
    for row in letters.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        let hidden = match row.first() {
            Some(first) if first.is_ascii_digit() && row.len() > DIGITS_MAX => row.len() - 2,
            _ => 0,
        };
        shown.extend(std::iter::repeat_n('*', hidden));
        let rest = row[hidden..].iter();
        shown.extend(rest.map(|letter| if letter.is_control() { ' ' } else { *letter }));
    }
    shown
}

#[cfg(test)]
mod tests;
