//! An order cut into the parts that go over the wire.

use journey::{Cause, Order};
use sms::{Reference, Segment};

use crate::origin::Origin;

/// How the parts of a long message are tied together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concatenation {
    /// User data header with an 8-bit reference: understood everywhere.
    #[default]
    Udh8,
    /// User data header with a 16-bit reference.
    Udh16,
}

/// An order and what a carrier is to be sent for it.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The order.
    pub order: Order,
    /// Its parts; none if it is unfit.
    pub parts: Vec<Segment>,
    /// Why it cannot be sent over such a link; absent = it can.
    pub unfit: Option<Cause>,
    /// Where it stands in the log.
    pub origin: Origin,
}

impl Ready {
    /// Cuts `order`. The reference comes from the message id, so a redelivered order repeats it.
    pub(crate) fn cut(order: Order, concatenation: Concatenation) -> Self {
        let (content, encoding, _) = order.content();
        let number = short_id(&order);
        let reference = match concatenation {
            Concatenation::Udh8 => Reference::Short(number.to_be_bytes()[1]),
            Concatenation::Udh16 => Reference::Long(number),
        };
        match sms::segment(content, encoding, reference) {
            Ok(parts) => Self {
                order,
                parts,
                unfit: None,
                origin: Origin::default(),
            },
            Err(error) => Self {
                order,
                parts: Vec::new(),
                unfit: Some(Cause::new("encoding", error.to_string())),
                origin: Origin::default(),
            },
        }
    }
}

/// The low 16 bits of the message id: random, and enough to tell messages of one recipient apart.
pub(crate) fn short_id(order: &Order) -> u16 {
    let [.., high, low] = *order.message.id.0.as_bytes();
    u16::from_be_bytes([high, low])
}
