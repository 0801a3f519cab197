//! The routing table: parse, check, compile, decide, explain. No async, no clock, and no I/O outside [`load`].
//!
//! A table is a directory; [`load`] reads it, reports every problem at once, and compiles it into a [`Table`] that never
//! changes. [`Table::decide`] answers a [`Query`]; [`Table::explain`] runs the very same walk with a recorder.
//! [`LiveTable`] holds the one in force.
//!
//! The way through this crate is the way of a table: `files` → `spec` (as written) → `check` → `compile` → `walk` (the
//! policies, those that `gate` leaves) → `offer` (the candidates, those that `fit`, in the order of `ranking`), with
//! `numbers`, `rates`, `senders`, `sell`, `quality` and `rank` beside them. What only a running router knows comes in as
//! [`Standings`] and [`LiveFigures`].
//!
//! [`Table::stake`] says what a look-up could change of a decision, and what that would save; see [`Stake`] for the measure.

pub mod batch;
pub mod cases;
mod check;
pub mod code;
pub mod command;
mod compile;
mod decision;
pub mod diff;
mod digits;
mod explain;
mod figures;
pub mod files;
mod filter;
mod fit;
mod gate;
mod glob;
mod instant;
mod known;
mod live;
mod lookups;
mod mix;
mod money;
mod names;
mod network;
mod networks;
mod numbers;
mod offer;
mod policy;
mod ported;
mod quality;
mod query;
mod quote;
mod rank;
mod ranking;
mod rates;
mod request;
mod sell;
mod senders;
mod spec;
mod stake;
mod standing;
mod table;
mod trie;
mod walk;

pub use decision::{Action, Candidate, Decision, HeldBack, Refusal, Terms};
pub use digits::{DIGITS_MAX, Digits};
pub use explain::{CandidateReport, Explanation, Rewritten, ServedBy, StakeReport, StakeVerdict, Step};
pub use figures::{Figures, LiveFigures};
pub use instant::{InstantError, instant_text, unix_ms};
pub use live::LiveTable;
pub use money::{COST_UNITS_MAX, FX_MAX, Fx, Micros, MoneyError, PRICE_UNITS_MAX};
pub use network::{Country, Mcc, Network, NetworkError};
pub use query::{Query, Served, Source};
pub use quote::Quote;
pub use request::{Asked, QUERY_FIELD_OCTETS_MAX, Request, RequestError};
pub use source::{Problem, Problems, Severity};
pub use spec::{Charged, Lookup, OnUnknown, RouteType, Strategy};
pub use stake::{Basis, Stake};
pub use standing::{Standing, Standings};
pub use table::{Carrier, Table, build, load};
