//! Stable codes of what `check` finds, beside those that every file shares (see [`source::Code`]).

/// No exchange rate for a carrier's currency.
pub const FX_MISSING: u16 = 21;
/// A rate row that names no key, or more than one.
pub const RATE_KEY: u16 = 22;
/// Two rates with one key and one `from`.
pub const RATE_TWICE: u16 = 23;
/// A span that ends before it begins.
pub const SPAN: u16 = 24;
/// A prefix rate over more than one country.
pub const COUNTRIES: u16 = 25;
/// A carrier without a rate sheet.
pub const UNRATED: u16 = 26;
/// A policy that nothing reaches.
pub const UNREACHED: u16 = 27;
/// Weights that do not match the carriers.
pub const WEIGHTS: u16 = 28;
/// Two ends of one walk, or none and no act.
pub const ENDS: u16 = 29;
/// A list that nothing can be in.
pub const EMPTY: u16 = 30;
/// A price beyond the limit once converted.
pub const COST: u16 = 31;
/// A route that no carrier can take.
pub const NO_CARRIER: u16 = 32;
/// A table without a name.
pub const NAMELESS: u16 = 33;
/// A table without carriers.
pub const CARRIERLESS: u16 = 34;
