//! SMPP 3.4 as a state machine without sockets or clocks: both sides of a session, and the pure helpers around it.
//!
//! [`Session`] turns inputs (octets, time, requests) into outputs (octets to write, answers, deliveries, the time it
//! wants to be woken). It is strict in what it sends, where the codec crate builds every PDU, and lenient in what it
//! accepts: strings without an end, missing bodies, unknown TLVs and unknown commands never cost the session.

pub mod codec;
mod decode;
mod encode;
mod pdu;
mod receipt;
mod remote_id;
mod session;
mod status;
mod validity;

pub use encode::Invalid;
pub use pdu::{Address, Bind, BindKind, Body, Concatenation, Deliver, SHORT_MESSAGE_OCTETS_MAX, Submit, Tlv, tag};
pub use receipt::{
    DeliveryReceipt, NetworkError, ReceiptFormat, ReceiptKey, parse_receipt, parse_receipt_text, receipt_date,
    state_name,
};
pub use remote_id::{ID_OCTETS_MAX, IdFormat, IdFormats, canonical_id};
pub use session::{
    Answer, ClientConfig, Input, NotSent, Notice, Output, PDU_OCTETS_MAX, Reply, ServerConfig, Session, Ticket, Timers,
    TlvPolicy, Why,
};
pub use status::{Status, UnknownStatus};
pub use validity::{absolute_validity, relative_validity, validity_duration};
