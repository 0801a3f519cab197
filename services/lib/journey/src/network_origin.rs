//! Where the network of an order came from.

use sms::UnixMs;

/// What a look-up said about the recipient before an order was made. The network itself stands in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkOrigin {
    /// Who said so: `memory`, `store`, `ported`, `provider` or `plan`.
    pub source: String,
    /// The provider that said so first; empty = none did.
    pub provider: String,
    /// Whether the number was ported; absent = nobody said.
    pub ported: Option<bool>,
    /// Whether it is more than a guess by the number's prefix.
    pub is_sure: bool,
    /// What asking cost this time, in millionths of the table's currency; 0 = it was known already.
    pub cost_micros: i64,
    /// When it was asked.
    pub asked_at: UnixMs,
}
