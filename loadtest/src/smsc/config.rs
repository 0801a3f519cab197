//! What a carrier is told: who may bind, how fast it is, how often it errs.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use service::{Clock, time::Instant};
use smpp::Status;
use sms::ReceiptState;
use tokio::sync::mpsc;

use super::manners::{ReceiptChances, Wave};

/// A carrier.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name, told in the bind response; at most 15 characters.
    pub name: String,
    /// Where it listens; port 0 = any free one.
    pub listen: SocketAddr,
    /// Who may bind; absent = anyone.
    pub system_id: Option<String>,
    /// With which password; absent = any.
    pub password: Option<String>,
    /// All chances follow from it.
    pub seed: u64,
    /// Where each message received is written; absent = nowhere. Receipts missing from a log that is there are sent.
    pub log: Option<PathBuf>,
    /// How many messages received are kept in memory for [`super::Handle::received`]; later ones are only counted.
    pub keep_max: usize,
    /// How ids are written.
    pub ids: IdStyles,
    /// Whether receipts carry TLVs beside their text.
    pub receipt_tlvs: bool,
    /// Receipts that may be unanswered on one connection.
    pub receipt_window: usize,
    /// How long a receipt refused by the client waits before it comes again.
    pub receipt_retry: Duration,
    /// What it does to messages; can be changed while it runs.
    pub behaviour: Behaviour,
    /// What its log and its receipts call now.
    pub clock: Clock,
    /// Who is told of each message as it comes, finer than the log's milliseconds; absent = nobody.
    pub told: Option<mpsc::UnboundedSender<Arrival>>,
}

/// A message that came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who shall receive it.
    pub to: String,
    /// When it was read.
    pub at: Instant,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "carrier".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            system_id: None,
            password: None,
            seed: 1,
            log: None,
            keep_max: 1_000_000,
            ids: IdStyles::default(),
            receipt_tlvs: true,
            receipt_window: 1_000,
            receipt_retry: Duration::from_secs(1),
            behaviour: Behaviour::default(),
            clock: Clock::wall(),
            told: None,
        }
    }
}

/// What a carrier does to messages. Rates are shares from 0 to 1.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long an answer takes.
    pub answer: Delay,
    /// Share refused with one of `error_statuses`.
    pub error_rate: f64,
    /// With what, each as likely as the others; empty = `RSYSERR`.
    pub error_statuses: Vec<Status>,
    /// Share refused with `throttle_status`.
    pub throttle_rate: f64,
    /// When it refuses everything with `throttle_status`; absent = never.
    pub throttle_wave: Option<Wave>,
    /// What a carrier says that is asked too fast.
    pub throttle_status: Status,
    /// Share taken but never answered.
    pub drop_rate: f64,
    /// Messages a second taken; those beyond are refused with `throttle_status`. Absent = no limit.
    pub throughput: Option<u32>,
    /// Messages after which a connection is cut, the last ones taken but unanswered; absent = never.
    pub disconnect_after: Option<u64>,
    /// Age at which a connection is cut; absent = never.
    pub disconnect_every: Option<Duration>,
    /// Messages after which a connection is half open: it stands, and nothing is read from it or written to it any more;
    /// absent = never.
    pub half_open_after: Option<u64>,
    /// Messages after which a connection says something that is no SMPP; absent = never.
    pub garbage_after: Option<u64>,
    /// Wait between two reads, each of a few hundred octets; zero = it reads as fast as it can.
    pub read_pause: Duration,
    /// How long a receipt takes, from the answer on.
    pub receipt_delay: Delay,
    /// What receipts say.
    pub receipts: ReceiptMix,
    /// How often they come before the answer, late, or twice.
    pub receipt_chances: ReceiptChances,
}

impl Default for Behaviour {
    /// Takes everything at once and delivers it at once.
    fn default() -> Self {
        Self {
            answer: Delay::NONE,
            error_rate: 0.0,
            error_statuses: Vec::new(),
            throttle_rate: 0.0,
            throttle_wave: None,
            throttle_status: Status::RTHROTTLED,
            drop_rate: 0.0,
            throughput: None,
            disconnect_after: None,
            disconnect_every: None,
            half_open_after: None,
            garbage_after: None,
            read_pause: Duration::ZERO,
            receipt_delay: Delay::NONE,
            receipts: ReceiptMix::default(),
            receipt_chances: ReceiptChances::default(),
        }
    }
}

/// A word of the command line that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no {what}: {help}")]
pub struct ConfigError {
    pub(super) given: String,
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

/// How long something takes, drawn anew each time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Any length from the first to the second, all as likely.
    Uniform(Duration, Duration),
    /// Mostly short and sometimes long, with this mean and at most ten times as much.
    Exponential(Duration),
}

impl Delay {
    /// No delay.
    pub const NONE: Self = Self::Uniform(Duration::ZERO, Duration::ZERO);

    /// Always the same.
    pub const fn fixed(delay: Duration) -> Self {
        Self::Uniform(delay, delay)
    }

    /// The delay at this die, in [0, 1).
    pub(crate) fn at(self, die: f64) -> Duration {
        match self {
            Self::Uniform(low, high) => low + high.saturating_sub(low).mul_f64(die),
            Self::Exponential(mean) => mean.mul_f64((-(1.0 - die).ln()).min(10.0)),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform(low, high) if low == high => write!(f, "{low:?}"),
            Self::Uniform(low, high) => write!(f, "{low:?}..{high:?}"),
            Self::Exponential(mean) => write!(f, "exp:{mean:?}"),
        }
    }
}

impl FromStr for Delay {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let error = || ConfigError {
            given: text.to_owned(),
            what: "delay",
            help: "write 20ms, 5ms..50ms, or exp:200ms for a mean",
        };
        if let Some(mean) = text.strip_prefix("exp:") {
            return Ok(Self::Exponential(duration(mean).ok_or_else(error)?));
        }
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (low, high) = (duration(low).ok_or_else(error)?, duration(high).ok_or_else(error)?);
        if low > high {
            Err(error())
        } else {
            Ok(Self::Uniform(low, high))
        }
    }
}

/// `0`, `20ms`, `1.5s`, `2m`; absent where it is none of these.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let number: f64 = number.parse().ok().filter(|number| (0.0..1e9).contains(number))?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        "m" => number * 60.0,
        "" if number == 0.0 => 0.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(seconds))
}

/// Which final state a message reaches, how often, and with which error.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptMix(pub Vec<(Option<ReceiptState>, f64, String)>);

impl Default for ReceiptMix {
    /// Everything is delivered.
    fn default() -> Self {
        Self(vec![(Some(ReceiptState::Delivered), 1.0, "000".to_owned())])
    }
}

impl ReceiptMix {
    /// No receipts at all.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// State and error at this die, in [0, 1); absent = no receipt.
    pub(crate) fn at(&self, die: f64) -> Option<(ReceiptState, &str)> {
        let total: f64 = self.0.iter().map(|(_, weight, _)| weight).sum();
        let mut left = die * total;
        for (state, weight, error) in &self.0 {
            if left < *weight {
                return state.map(|state| (state, error.as_str()));
            }
            left -= weight;
        }
        None
    }
}

impl FromStr for ReceiptMix {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let error = || ConfigError {
            given: text.to_owned(),
            what: "mix of receipts",
            help: "write DELIVRD=95,UNDELIV/011=3,NONE=2: state, error, weight",
        };
        let entry = |entry: &str| {
            let (state, weight) = entry.split_once('=')?;
            let (word, code) = state.split_once('/').unwrap_or((state, "000"));
            let weight = weight
                .trim()
                .parse()
                .ok()
                .filter(|weight| (0.0..1e9).contains(weight))?;
            let word = word.trim();
            if word.eq_ignore_ascii_case("none") {
                return Some((None, weight, String::new()));
            }
            let state = smpp::parse_receipt_text(format!("stat:{word}").as_bytes()).state?;
            Some((Some(state), weight, code.to_owned()))
        };
        text.split(',')
            .map(|part| entry(part).ok_or_else(error))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// How an id is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdStyle {
    /// Hexadecimal, lower case.
    #[default]
    Hex,
    /// Hexadecimal, upper case, with zeros before it.
    PaddedHex,
    /// Decimal.
    Dec,
    /// A UUID.
    Uuid,
}

impl IdStyle {
    pub(crate) fn write(self, id: u64) -> String {
        match self {
            Self::Hex => format!("{id:x}"),
            Self::PaddedHex => format!("{id:016X}"),
            Self::Dec => format!("{id}"),
            Self::Uuid => format!(
                "{:08x}-{:04x}-7000-8000-{:012x}",
                id >> 32,
                id >> 16 & 0xFFFF,
                id & 0xFFFF_FFFF_FFFF
            ),
        }
    }

    /// The number of an id that was written so; absent = none.
    pub(crate) fn read(self, text: &str) -> Option<u64> {
        match self {
            Self::Hex | Self::PaddedHex => u64::from_str_radix(text, 16).ok(),
            Self::Dec => text.parse().ok(),
            Self::Uuid => {
                let (high, rest) = text.split_once('-')?;
                let (_, low) = rest.rsplit_once('-')?;
                let (high, low) = (u64::from_str_radix(high, 16).ok()?, u64::from_str_radix(low, 16).ok()?);
                Some(high << 32 | low & 0xFFFF_FFFF)
            }
        }
    }
}

/// How ids are written in both places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdStyles {
    /// In responses.
    pub response: IdStyle,
    /// In receipts.
    pub receipt: IdStyle,
}

impl FromStr for IdStyles {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let style = |word: &str| match word {
            "hex" => Ok(IdStyle::Hex),
            "padded" => Ok(IdStyle::PaddedHex),
            "dec" => Ok(IdStyle::Dec),
            "uuid" => Ok(IdStyle::Uuid),
            _ => Err(ConfigError {
                given: text.to_owned(),
                what: "style of ids",
                help: "write hex, padded, dec or uuid, or two of them as in hex-dec: responses, receipts",
            }),
        };
        let (response, receipt) = text.split_once('-').unwrap_or((text, text));
        Ok(Self {
            response: style(response)?,
            receipt: style(receipt)?,
        })
    }
}
