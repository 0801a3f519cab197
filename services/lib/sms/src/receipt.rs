//! Delivery receipts: what a carrier says later about a segment it took.

use crate::UnixMs;

/// State named by a receipt (SMPP 3.4 §5.2.28 and appendix B, with SCHEDULED and SKIPPED of 5.0 §4.7.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptState {
    /// On its way; not final.
    Enroute,
    /// Taken by the carrier; not final on most carriers.
    Accepted,
    /// On the handset.
    Delivered,
    /// Its validity ran out.
    Expired,
    /// Removed at the carrier.
    Deleted,
    /// Could not be delivered.
    Undeliverable,
    /// Refused.
    Rejected,
    /// The carrier does not know.
    Unknown,
}

/// Who or what a negative receipt speaks of; it decides whether another carrier could do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptFault {
    /// The handset is off, full or away: any carrier reaches the same one, so nothing fails over.
    Handset,
    /// The carrier's route failed: another one may do.
    Route,
    /// The number does not exist on that network: look it up again first.
    Number,
    /// Nobody can deliver it (barred, not provisioned).
    Recipient,
}

/// One receipt of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What it says.
    pub state: ReceiptState,
    /// What it blames; meaningful for negative states only.
    pub fault: ReceiptFault,
    /// The carrier's own words: `stat` or the state's name, and the error code; for invoices and people.
    pub raw: String,
    /// The carrier's error code as written; empty = none.
    pub error: String,
    /// When the carrier says it was done; absent = not said.
    pub done_at: Option<UnixMs>,
    /// What the carrier says beside all that in fields of its own, by their tags; for invoices and people.
    pub vendor: Vec<VendorField>,
}

/// A field of a carrier's own, as octets: an optional parameter of SMPP whose tag is left to vendors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VendorField {
    /// Its tag.
    pub tag: u16,
    /// What it holds.
    pub value: Vec<u8>,
}

impl ReceiptState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Enroute,
        Self::Accepted,
        Self::Delivered,
        Self::Expired,
        Self::Deleted,
        Self::Undeliverable,
        Self::Rejected,
        Self::Unknown,
    ];

    /// Its word in files and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enroute => "enroute",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::Undeliverable => "undeliverable",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }

    /// Whether no other receipt follows this one.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Enroute | Self::Accepted)
    }
}
