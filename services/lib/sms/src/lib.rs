//! The nouns of SMS: addresses, classes, content and its encodings, segments, receipts and the message itself.
//! No async, no I/O, no clock: everything here is a value that every service agrees on.

mod address;
mod carriers;
mod charset;
mod class;
mod concat;
mod content;
mod gathering;
pub mod gsm7;
mod id;
mod inbound;
mod message;
mod receipt;
mod segment;
mod time;
mod trace;

pub use address::{AddressError, Msisdn, SENDER_CHARS_MAX, Sender, SenderKind};
pub use carriers::Carriers;
pub use charset::{Charset, ReadText};
pub use class::{Class, Lane};
pub use concat::{Concatenation, Reference};
pub use content::{BINARY_OCTETS_MAX, Content, Encoding, TEXT_OCTETS_MAX};
pub use gathering::{GATHER_OCTETS_MAX, GATHER_SETTLES, GatherRules, GatherStage, GatherStep, Gathering, Told};
pub use id::{AccountId, CarrierName, MessageId, NameError, RecordKey};
pub use inbound::{INBOUND_ADDRESS_CHARS_MAX, Inbound, InboundPart, inbound_address};
pub use message::Message;
pub use receipt::{Receipt, ReceiptFault, ReceiptState, VendorField};
pub use segment::{
    SEGMENT_OCTETS_MAX, SEGMENTS_MAX, Segment, SegmentError, Size, count, decode, encoding_of, segment, whole,
};
pub use time::{UnixMs, UnixUs};
pub use trace::TraceContext;
