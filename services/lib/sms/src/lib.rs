//! The nouns of SMS: addresses, classes, content and its encodings, segments, receipts and the message itself.
//! No async, no I/O, no clock: everything here is a value that every service agrees on.

mod address;
mod class;
mod content;
mod id;
mod message;
mod receipt;
mod time;

pub use address::{AddressError, Msisdn, SENDER_CHARS_MAX, Sender, SenderKind};
pub use class::{Class, Lane};
pub use content::{BINARY_OCTETS_MAX, Content, Encoding, TEXT_OCTETS_MAX};
pub use id::{AccountId, CarrierName, MessageId, NameError, RecordKey};
pub use message::Message;
pub use receipt::{Receipt, ReceiptFault, ReceiptState};
pub use time::UnixMs;
