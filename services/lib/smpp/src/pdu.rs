//! The PDUs a caller meets, as small values of our own: what is sent in a `submit_sm`, what comes in a `deliver_sm`,
//! and what a bind asks for.

use bytes::Bytes;
use sms::SenderKind;

/// Most octets a `short_message` field carries (3.4 §4.4.1); longer content travels as `message_payload`.
pub const SHORT_MESSAGE_OCTETS_MAX: usize = 254;

/// Tags of the TLVs this project reads or writes (3.4 §5.3.2, 5.0 §4.8.4).
pub mod tag {
    /// `receipted_message_id`: the id the receipt speaks of.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    /// `user_message_reference`: the sender's own 16-bit reference.
    pub const USER_MESSAGE_REFERENCE: u16 = 0x0204;
    /// `sar_msg_ref_num`: reference shared by the parts of one message.
    pub const SAR_MSG_REF_NUM: u16 = 0x020C;
    /// `sar_total_segments`: how many parts there are.
    pub const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    /// `sar_segment_seqnum`: which part this is, from 1.
    pub const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    /// `sc_interface_version`: the version the carrier's side speaks.
    pub const SC_INTERFACE_VERSION: u16 = 0x0210;
    /// `network_error_code`: one octet of network type, two of code.
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    /// `message_payload`: content too long for `short_message`.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// `message_state`: the state a receipt reports.
    pub const MESSAGE_STATE: u16 = 0x0427;
    /// `congestion_state`: how busy the peer is, 0 to 100 (5.0).
    pub const CONGESTION_STATE: u16 = 0x0428;
}

/// A number or name with its type of number and numbering plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Type of number (3.4 §5.2.5).
    pub ton: u8,
    /// Numbering plan indicator (3.4 §5.2.6).
    pub npi: u8,
    /// Digits or name, at most 20 octets when sent; octets received outside ASCII are read as Latin-1.
    pub value: String,
}

impl Address {
    /// An E.164 number, digits only: TON 1, NPI 1.
    pub fn international(digits: impl Into<String>) -> Self {
        Self {
            ton: 1,
            npi: 1,
            value: digits.into(),
        }
    }

    /// A sender with the TON and NPI most carriers ask for: 5/0 for names, 3/0 for short codes, 1/1 for numbers
    /// (a leading `+` is dropped).
    pub fn sender(sender: &str) -> Self {
        match SenderKind::of(sender) {
            SenderKind::Alphanumeric => Self {
                ton: 5,
                npi: 0,
                value: sender.to_owned(),
            },
            SenderKind::ShortCode => Self {
                ton: 3,
                npi: 0,
                value: sender.trim_start_matches('+').to_owned(),
            },
            SenderKind::LongCode => Self::international(sender.trim_start_matches('+')),
        }
    }
}

/// One optional parameter; vendor tags 0x1400 to 0x3FFF pass through as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlv {
    /// Which parameter; see [`tag`].
    pub tag: u16,
    /// Its octets, without tag and length.
    pub value: Bytes,
}

impl Tlv {
    /// A TLV holding the given octets.
    pub fn new(tag: u16, value: impl Into<Bytes>) -> Self {
        Self {
            tag,
            value: value.into(),
        }
    }

    /// A TLV holding one octet.
    pub fn octet(tag: u16, value: u8) -> Self {
        Self {
            tag,
            value: Bytes::copy_from_slice(&[value]),
        }
    }

    /// A TLV holding a 16-bit number.
    pub fn number(tag: u16, value: u16) -> Self {
        Self {
            tag,
            value: Bytes::copy_from_slice(&value.to_be_bytes()),
        }
    }

    /// The value as an unsigned number, whatever length the peer gave it; absent where it is empty or over 4 octets.
    pub fn as_number(&self) -> Option<u32> {
        (1..=4)
            .contains(&self.value.len())
            .then(|| self.value.iter().fold(0, |n, octet| n << 8 | u32::from(*octet)))
    }

    pub(crate) fn find(tlvs: &[Self], tag: u16) -> Option<&Self> {
        tlvs.iter().find(|tlv| tlv.tag == tag)
    }
}

/// Where the content of a message travels; never in both places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// In `short_message`, at most [`SHORT_MESSAGE_OCTETS_MAX`] octets.
    ShortMessage(Bytes),
    /// In the TLV `message_payload`, up to 64 KiB, with an empty `short_message`.
    Payload(Bytes),
}

impl Body {
    /// The content, wherever it travels.
    pub fn octets(&self) -> &Bytes {
        match self {
            Self::ShortMessage(octets) | Self::Payload(octets) => octets,
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::ShortMessage(Bytes::new())
    }
}

/// One `submit_sm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submit {
    /// Service of the carrier, at most 5 octets; empty = its default.
    pub service_type: String,
    /// Who sends.
    pub source: Address,
    /// Who shall receive.
    pub destination: Address,
    /// Message mode, type and features (3.4 §5.2.12); 0x40 says that the content starts with a user data header.
    pub esm_class: u8,
    /// Protocol identifier of the network.
    pub protocol_id: u8,
    /// Priority, 0 to 3.
    pub priority: u8,
    /// When to start, in the format of 3.4 §7.1.1; empty = now.
    pub schedule: String,
    /// Until when to try, in the same format (see [`crate::relative_validity`]); empty = the carrier's default.
    pub validity: String,
    /// Which receipts are wanted (3.4 §5.2.17): 0 none, 1 every final one.
    pub registered_delivery: u8,
    /// How the content is coded (3.4 §5.2.19).
    pub data_coding: u8,
    /// The content.
    pub body: Body,
    /// Optional parameters other than `message_payload`.
    pub tlvs: Vec<Tlv>,
}

/// One `deliver_sm` or `data_sm` of the carrier: a receipt or an inbound message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliver {
    /// Who sent it; of a receipt, the recipient of the message it speaks of.
    pub source: Address,
    /// Whom it is for; of a receipt, the sender of the message it speaks of.
    pub destination: Address,
    /// Message mode, type and features (3.4 §5.2.12).
    pub esm_class: u8,
    /// How the content is coded.
    pub data_coding: u8,
    /// The content.
    pub body: Body,
    /// Optional parameters other than `message_payload`.
    pub tlvs: Vec<Tlv>,
}

impl Deliver {
    /// Whether `esm_class` names a delivery receipt.
    pub fn is_receipt(&self) -> bool {
        self.esm_class & 0x3C == 0x04
    }

    /// Whether `esm_class` names an intermediate notification: told like a receipt, never final.
    pub fn is_intermediate(&self) -> bool {
        self.esm_class & 0x3C == 0x20
    }
}

/// Which part of a long message a `submit_sm` carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// Shared by all parts of one message.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is, from 1.
    pub part: u8,
}

impl Submit {
    /// Which part of a long message this is: from the SAR TLVs if all three are there, else from the user data header.
    /// Absent for a message of one part.
    pub fn concatenation(&self) -> Option<Concatenation> {
        let number = |tag| Tlv::find(&self.tlvs, tag).and_then(Tlv::as_number);
        let sar = || {
            Some(Concatenation {
                reference: u16::try_from(number(tag::SAR_MSG_REF_NUM)?).ok()?,
                total: u8::try_from(number(tag::SAR_TOTAL_SEGMENTS)?).ok()?,
                part: u8::try_from(number(tag::SAR_SEGMENT_SEQNUM)?).ok()?,
            })
        };
        sar().or_else(|| self.header_concatenation())
    }

    /// Our reference in the TLV `user_message_reference`; absent = not given.
    pub fn user_reference(&self) -> Option<u16> {
        let number = Tlv::find(&self.tlvs, tag::USER_MESSAGE_REFERENCE)?.as_number()?;
        u16::try_from(number).ok()
    }

    fn header_concatenation(&self) -> Option<Concatenation> {
        if self.esm_class & 0x40 == 0 {
            return None;
        }
        let (&header_octets, rest) = self.body.octets().split_first()?;
        let mut elements = rest.get(..usize::from(header_octets))?;
        while let [kind, octets, rest @ ..] = elements {
            let value = rest.get(..usize::from(*octets))?;
            match (kind, value) {
                (0x00, &[reference, total, part]) => {
                    return Some(Concatenation {
                        reference: reference.into(),
                        total,
                        part,
                    });
                }
                (0x08, &[high, low, total, part]) => {
                    return Some(Concatenation {
                        reference: u16::from_be_bytes([high, low]),
                        total,
                        part,
                    });
                }
                _ => elements = &rest[value.len()..],
            }
        }
        None
    }
}

/// Which directions a bind opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BindKind {
    /// Submit and receive.
    #[default]
    Transceiver,
    /// Submit only.
    Transmitter,
    /// Receive only.
    Receiver,
}

impl BindKind {
    /// Whether messages may be submitted over it.
    pub fn can_submit(self) -> bool {
        self != Self::Receiver
    }

    /// Whether receipts and inbound messages come over it.
    pub fn can_deliver(self) -> bool {
        self != Self::Transmitter
    }
}

/// What a client asks for when it binds.
#[derive(Clone, PartialEq, Eq)]
pub struct Bind {
    /// Directions.
    pub kind: BindKind,
    /// Name of the account.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// Type of the system; often empty.
    pub system_type: String,
    /// Version the client speaks, 0x34 for 3.4.
    pub interface_version: u8,
}

impl std::fmt::Debug for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bind")
            .field("kind", &self.kind)
            .field("system_id", &self.system_id)
            .finish_non_exhaustive()
    }
}
