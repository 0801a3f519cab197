//! What a carrier counts.

use std::ops::AddAssign;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Binds that succeeded.
    pub binds: u64,
    /// Binds that were refused.
    pub binds_refused: u64,
    /// Connections that stand now.
    pub links: u64,
    /// Connections cut on purpose.
    pub cuts: u64,
    /// Messages received.
    pub received: u64,
    /// Messages taken and answered so.
    pub accepted: u64,
    /// Messages refused with an error.
    pub refused: u64,
    /// Messages refused as too fast.
    pub throttled: u64,
    /// Messages taken and not answered.
    pub dropped: u64,
    /// Answers that were not written when their connection ended; others were, and were lost on their way.
    pub answers_lost: u64,
    /// Receipts decided on, whatever became of them.
    pub receipts: u64,
    /// Receipts that wait, for their time or for a client.
    pub receipts_waiting: u64,
    /// Receipts a client took.
    pub receipts_taken: u64,
    /// Receipts that were sent and not taken, and wait again.
    pub receipts_again: u64,
    /// Receipts that were written before the answer they belong to.
    pub receipts_early: u64,
    /// Receipts put off for [`ReceiptChances::late_by`](super::ReceiptChances::late_by).
    pub receipts_late: u64,
    /// Receipts taken that were sent a second time.
    pub receipts_twice: u64,
    /// Messages from handsets, or parts of them, that wait for a client.
    pub inbound_waiting: u64,
    /// Those a client took.
    pub inbound_taken: u64,
    /// Those that were sent and not taken, and wait again.
    pub inbound_again: u64,
}

impl AddAssign for Counts {
    /// What two carriers counted together.
    fn add_assign(&mut self, other: Self) {
        let Self {
            binds,
            binds_refused,
            links,
            cuts,
            received,
            accepted,
            refused,
            throttled,
            dropped,
            answers_lost,
            receipts,
            receipts_waiting,
            receipts_taken,
            receipts_again,
            receipts_early,
            receipts_late,
            receipts_twice,
            inbound_waiting,
            inbound_taken,
            inbound_again,
        } = other;
        self.binds += binds;
        self.binds_refused += binds_refused;
        self.links += links;
        self.cuts += cuts;
        self.received += received;
        self.accepted += accepted;
        self.refused += refused;
        self.throttled += throttled;
        self.dropped += dropped;
        self.answers_lost += answers_lost;
        self.receipts += receipts;
        self.receipts_waiting += receipts_waiting;
        self.receipts_taken += receipts_taken;
        self.receipts_again += receipts_again;
        self.receipts_early += receipts_early;
        self.receipts_late += receipts_late;
        self.receipts_twice += receipts_twice;
        self.inbound_waiting += inbound_waiting;
        self.inbound_taken += inbound_taken;
        self.inbound_again += inbound_again;
    }
}
