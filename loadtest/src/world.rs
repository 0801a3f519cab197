//! The world to route in: a real numbering plan, recipients drawn from it, message texts in 20 languages, and routing
//! tables of invented carriers with invented prices. The same seed gives the same world on every machine.
//!
//! The data is built into the crate; it comes from `deploy/examples/world`, which says what is real and what is not.

pub mod args;
mod carriers;
mod draws;
mod plan;
mod rates;
mod recipients;
mod table;
mod texts;
mod traffic;

pub use carriers::{CARRIERS_MAX, carriers};
pub use draws::Draws;
pub(crate) use draws::{keyed, scaled};
pub(crate) use plan::NUMBERING;
pub use plan::{Plan, PlanRow};
pub use rates::{PRICE_MAX, PRICE_MIN, Sheet};
pub use recipients::{Recipient, Recipients};
pub use table::{Written, write_rates, write_table};
pub use texts::Texts;
pub use traffic::{Letter, Traffic};
