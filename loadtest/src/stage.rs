//! What the demonstration of the router and [`chaos`](crate::chaos) play on: configurations and the processes that read them, a
//! customer's connection, an invented country, and the log read back when all has ended.

mod arrivals;
mod backing;
mod books;
mod cast;
mod courier;
mod ends;
mod files;
pub mod land;
mod links;
mod receipts;

pub use self::backing::start_backing;
pub use arrivals::Arrivals;
pub use books::{Books, read_answers, read_events, taken};
pub use cast::{Cast, Part, READY, program};
pub use courier::{Courier, FRAME_MESSAGES_MAX, News};
pub use ends::Ends;
pub use files::{API_KEY, Ground, Link, Roles, database, router, write};
pub use links::wait as wait_for_links;
pub(crate) use receipts::handed_over;
