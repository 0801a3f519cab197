//! An order cut into the parts that go over the wire.

use journey::{Cause, Order};
use sms::{Content, Encoding, Reference, Segment};

use crate::{Alphabet, origin::Origin, spans::OrderSpans};

/// How the parts of a long message are tied together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concatenation {
    /// User data header with an 8-bit reference: understood everywhere.
    #[default]
    Udh8,
    /// User data header with a 16-bit reference.
    Udh16,
    /// TLVs with a 16-bit reference; the carrier makes the header.
    Sar,
    /// One piece in the TLV `message_payload`, which the carrier cuts: one id, one receipt.
    Payload,
}

/// How messages are cut for one link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cutting {
    /// How parts are tied together.
    pub concatenation: Concatenation,
    /// What characters there are.
    pub alphabet: Alphabet,
}

/// An order and what a carrier is to be sent for it.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The order.
    pub order: Order,
    /// Its parts; none if it is unfit.
    pub parts: Vec<Segment>,
    /// How the parts are coded.
    pub encoding: Encoding,
    /// How they were cut.
    pub cutting: Cutting,
    /// Why it cannot be sent over such a link; absent = it can.
    pub unfit: Option<Cause>,
    /// Where it stands in the log.
    pub origin: Origin,
    /// What traces are told of it.
    pub spans: OrderSpans,
}

impl Ready {
    /// Cuts `order`. The reference comes from the message id, so a redelivered order repeats it.
    pub(crate) fn cut(order: Order, cutting: impl Into<Cutting>) -> Self {
        let cutting = cutting.into();
        let (content, encoding, _) = order.content();
        let encoding = match content {
            // Better twice the parts than a question mark.
            Content::Text(text) if encoding == Encoding::Gsm7 && !cutting.alphabet.holds(text) => Encoding::Ucs2,
            _ => encoding,
        };
        let number = short_id(&order);
        let cut = match cutting.concatenation {
            // The carrier's header takes as much as ours would.
            Concatenation::Udh8 | Concatenation::Sar => {
                sms::segment(content, encoding, Reference::Short(number.to_be_bytes()[1]))
            }
            Concatenation::Udh16 => sms::segment(content, encoding, Reference::Long(number)),
            Concatenation::Payload => sms::whole(content, encoding).map(|whole| vec![whole]),
        };
        let (parts, unfit) = match cut {
            Ok(parts) => (parts, None),
            Err(error) => (Vec::new(), Some(Cause::new("encoding", error.to_string()))),
        };
        Self {
            order,
            parts,
            encoding,
            cutting,
            unfit,
            origin: Origin::default(),
            spans: OrderSpans::default(),
        }
    }
}

impl From<Concatenation> for Cutting {
    fn from(concatenation: Concatenation) -> Self {
        Self {
            concatenation,
            ..Self::default()
        }
    }
}

/// The low 16 bits of the message id: random, and enough to tell messages of one recipient apart.
pub(crate) fn short_id(order: &Order) -> u16 {
    let [.., high, low] = *order.message.id.0.as_bytes();
    u16::from_be_bytes([high, low])
}
