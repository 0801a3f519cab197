//! How one SMPP link connects, binds and writes.

use std::{ops::RangeInclusive, time::Duration};

use smpp::{Address, BindKind, IdFormats, ReceiptFormat, Tlv, TlvPolicy};
use sms::{Encoding, Lane, Msisdn, Sender, SenderKind};
use source::Secret;

use super::tls::TlsConfig;
use crate::{
    Alphabet,
    inbound::{InboundRules, RULES_DEFAULT},
};

/// Everything an SMPP link has beside what every link has.
#[derive(Clone, Debug, PartialEq)]
pub struct SmppConfig {
    /// Host and port.
    pub address: String,
    /// How its connections do TLS; absent = they do not.
    pub tls: Option<TlsConfig>,
    /// Name of the account.
    pub system_id: String,
    /// Its password.
    pub password: Secret,
    /// The connections that are kept to the carrier.
    pub binds: Binds,
    /// Type of the system; often empty.
    pub system_type: String,
    /// Service of the carrier; empty = its default.
    pub service_type: String,
    /// Silence after which the peer is asked for a sign of life.
    pub enquire_link: Duration,
    /// Shortest and longest ceiling of the wait before connecting again.
    pub reconnect: RangeInclusive<Duration>,
    /// Wait after a bind that was refused for its credentials or types.
    pub credentials_pause: Duration,
    /// When TLVs are sent.
    pub tlvs: TlvPolicy,
    /// Type of number and numbering plan of addresses.
    pub numbering: Numbering,
    /// What stands before the digits of a recipient, such as `+` or `00`; empty = nothing.
    pub destination_prefix: String,
    /// Characters of the carrier's default alphabet.
    pub alphabet: Alphabet,
    /// `data_coding` of GSM 7-bit, UCS-2 and binary content.
    pub data_coding: [u8; 3],
    /// `priority_flag` of urgent, normal and bulk messages.
    pub priority: [u8; 3],
    /// How the time left until the deadline is told as validity.
    pub validity: Validity,
    /// Longest validity the carrier takes; the deadline comes first where it is sooner.
    pub validity_max: Duration,
    /// TLVs that every message carries, such as the carrier's own.
    pub extra_tlvs: Vec<Tlv>,
    /// How the carrier writes its ids.
    pub ids: IdFormats,
    /// How it writes receipts.
    pub receipts: ReceiptFormat,
    /// Whether receipts come without being marked as such in `esm_class`.
    pub unmarked_receipts: bool,
    /// How messages from handsets are gathered.
    pub inbound: InboundRules,
}

/// Binds of one link: more than any carrier grants.
pub const BINDS_MAX: u32 = 32;

/// How many connections of each kind a link keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binds {
    /// Those that submit and take receipts.
    pub transceivers: u32,
    /// Those that submit only.
    pub transmitters: u32,
    /// Those that take receipts only.
    pub receivers: u32,
}

impl Default for Binds {
    /// One transceiver.
    fn default() -> Self {
        Self {
            transceivers: 1,
            transmitters: 0,
            receivers: 0,
        }
    }
}

impl Binds {
    /// All of them.
    pub fn all(&self) -> u32 {
        self.submitting() + self.receivers
    }

    /// Those that submit.
    pub fn submitting(&self) -> u32 {
        self.transceivers + self.transmitters
    }

    /// The kind of each. Receivers come last: where several have something to say, answers are heard before receipts.
    pub(super) fn kinds(&self) -> impl Iterator<Item = BindKind> {
        let of = |kind, count: u32| std::iter::repeat_n(kind, count as usize);
        of(BindKind::Transmitter, self.transmitters)
            .chain(of(BindKind::Transceiver, self.transceivers))
            .chain(of(BindKind::Receiver, self.receivers))
    }
}

/// How a carrier is told until when to try (3.4 §7.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// As a span from now: no clock and no zone to disagree about.
    #[default]
    Relative,
    /// As a time in UTC.
    Absolute,
    /// Not at all.
    Untold,
}

/// Type of number and numbering plan of each kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Senders that are names.
    pub alphanumeric: (u8, u8),
    /// Senders of up to 8 digits.
    pub short_code: (u8, u8),
    /// Other senders of digits.
    pub long_code: (u8, u8),
    /// Recipients.
    pub destination: (u8, u8),
}

impl Default for Numbering {
    fn default() -> Self {
        Self {
            alphanumeric: (5, 0),
            short_code: (3, 0),
            long_code: (1, 1),
            destination: (1, 1),
        }
    }
}

impl SmppConfig {
    /// A link with the defaults of everything but address and credentials.
    pub fn new(address: impl Into<String>, system_id: impl Into<String>, password: Secret) -> Self {
        Self {
            address: address.into(),
            tls: None,
            system_id: system_id.into(),
            password,
            binds: Binds::default(),
            system_type: String::new(),
            service_type: String::new(),
            enquire_link: Duration::from_secs(30),
            reconnect: Duration::from_secs(1)..=Duration::from_secs(60),
            credentials_pause: Duration::from_secs(300),
            tlvs: TlvPolicy::Auto,
            numbering: Numbering::default(),
            destination_prefix: String::new(),
            alphabet: Alphabet::default(),
            data_coding: [0, 8, 4],
            priority: [0; 3],
            validity: Validity::default(),
            validity_max: Duration::MAX,
            extra_tlvs: Vec::new(),
            ids: IdFormats::default(),
            receipts: ReceiptFormat::default(),
            unmarked_receipts: false,
            inbound: RULES_DEFAULT,
        }
    }

    pub(super) fn source(&self, sender: &Sender) -> Address {
        let (ton, npi) = match sender.kind() {
            SenderKind::Alphanumeric => self.numbering.alphanumeric,
            SenderKind::ShortCode => self.numbering.short_code,
            SenderKind::LongCode => self.numbering.long_code,
        };
        let value = match sender.kind() {
            SenderKind::Alphanumeric => sender.as_str(),
            SenderKind::ShortCode | SenderKind::LongCode => sender.as_str().trim_start_matches('+'),
        };
        Address {
            ton,
            npi,
            value: value.to_owned(),
        }
    }

    pub(super) fn destination(&self, recipient: &Msisdn) -> Address {
        let (ton, npi) = self.numbering.destination;
        Address {
            ton,
            npi,
            value: format!("{}{}", self.destination_prefix, recipient.digits()),
        }
    }

    pub(super) fn priority(&self, lane: Lane) -> u8 {
        let [urgent, normal, bulk] = self.priority;
        match lane {
            Lane::Urgent => urgent,
            Lane::Normal => normal,
            Lane::Bulk => bulk,
        }
    }

    pub(super) fn data_coding(&self, encoding: Encoding) -> u8 {
        let [gsm7, ucs2, binary] = self.data_coding;
        match encoding {
            Encoding::Gsm7 => gsm7,
            Encoding::Ucs2 => ucs2,
            Encoding::Binary => binary,
        }
    }
}
