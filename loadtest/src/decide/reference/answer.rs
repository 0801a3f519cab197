//! What the reference answers.

use sms::Encoding;
use table::{Action, Lookup};

use super::quality::Figures;
use crate::decide::answers::Sent;

/// Where a message goes. Hand the same value to every decision: its buffers are reused.
#[derive(Default)]
pub(crate) struct Answer<'a> {
    pub(crate) action: Action,
    /// Place of the policy that ended the walk; `None` = the defaults did.
    pub(crate) policy: Option<usize>,
    /// With [`Action::Reject`].
    pub(crate) reason: Option<&'a str>,
    /// Policies that applied.
    pub(crate) applied: Vec<usize>,
    /// Everybody left, ranked.
    pub(crate) ranked: Vec<Ranked<'a>>,
    /// Everybody else of the route, and why.
    pub(crate) refused: Vec<(usize, &'static str)>,
    /// How many of `ranked` the message may be offered to.
    pub(crate) attempts: usize,
    /// Of the route; nothing of use with [`Action::Reject`].
    pub(crate) lookup: Lookup,
    pub(crate) tags: Vec<&'a str>,
    /// Recipient, sender and text that policies set; `None` = as asked.
    pub(crate) to: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    /// Of what is sent.
    pub(crate) encoding: Encoding,
    pub(crate) segments: u8,
    /// Further recipients.
    pub(crate) copies: Vec<&'a str>,
    pub(super) avoided: Vec<usize>,
}

/// A carrier that is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked<'a> {
    /// Place among the carriers.
    pub(crate) carrier: usize,
    /// Of all segments, in millionths.
    pub(crate) cost: i64,
    /// `None` = as asked.
    pub(crate) from: Option<&'a str>,
    pub(super) weight: u64,
    pub(super) place: usize,
    pub(super) figures: Figures,
}

impl Answer<'_> {
    /// What is sent, and to whom beside.
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            to: self.to,
            from: self.from,
            text: self.text,
            encoding: self.encoding,
            segments: self.segments,
            copies: &self.copies,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.policy, self.reason) = (None, None);
        (self.to, self.from, self.text) = (None, None, None);
        self.lookup = Lookup::Never;
        self.copies.clear();
        self.applied.clear();
        self.ranked.clear();
        self.refused.clear();
        self.tags.clear();
        self.avoided.clear();
        self.attempts = 0;
    }
}
