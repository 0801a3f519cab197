//! `between`, `days` and `timezone`: hours of the local day.

use std::fmt;

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use sms::UnixMs;
use source::{Code, Entry, Section};

use super::carriers::words;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Days and hours of a time zone in which a condition holds.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    zone: TimeZone,
    /// Minutes after midnight, half-open; the first may be the larger. `None` = all day.
    between: Option<(u16, u16)>,
    /// Bit 0 = Monday. `None` = any.
    days: Option<u8>,
}

/// Words for days.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Reads the three keys. `None` = none of them is written, or they are not sound.
pub(super) fn read(section: &Section<'_>) -> Option<Hours> {
    let between = read_between(&section.key("between"));
    let days = words(&section.key("days"), &DAYS).map(|days| days.iter().fold(0, |set, day| set | bit(*day)));
    let zone = section.key("timezone");
    if !section.has("between") && !section.has("days") {
        if zone.is_present() {
            zone.refuse(
                Code::MISSING,
                "stands alone",
                "it is the time zone of between and days",
                "add one of them",
            );
        }
        return None;
    }
    let zone = zone.required().parse(read_zone)?;
    Some(Hours { zone, between, days })
}

fn read_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("\"{name}\" is no IANA time zone, such as Europe/Paris"))
}

fn read_between(entry: &Entry<'_>) -> Option<(u16, u16)> {
    let ends = entry.items(2)?;
    let [from, until] = &ends[..] else {
        entry.refuse(
            Code::FORMAT,
            "wants two times of day",
            "",
            "write [\"08:00\", \"20:00\"]",
        );
        return None;
    };
    let (from, until) = (from.parse(minutes)?, until.parse(minutes)?);
    if from == until || from == DAY {
        let why = "the span is half-open and may wrap midnight; only its end may be 24:00";
        entry.refuse(
            Code::RANGE,
            "holds no time of day",
            why,
            "for the whole day leave it out",
        );
        return None;
    }
    Some((from, until))
}

fn minutes(text: &str) -> Result<u16, &'static str> {
    let error = "a time of day has two digits for hours and two for minutes, 00:00 to 24:00";
    let digits = |part: &str| {
        let is_pair = part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_digit());
        is_pair.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = text.split_once(':').ok_or(error)?;
    let (hour, minute) = (digits(hour).ok_or(error)?, digits(minute).ok_or(error)?);
    let total = hour * 60 + minute;
    if minute < 60 && total <= DAY {
        Ok(total)
    } else {
        Err(error)
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

impl Hours {
    /// Whether `at` is inside: the day is the local day of the instant itself, also where `between` wraps midnight.
    pub(crate) fn contain(&self, at: UnixMs) -> bool {
        let at = i64::try_from(at.0)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let Some(at) = at else { return false };
        let local = self.zone.to_datetime(at);
        let minute = local.hour().unsigned_abs() as u16 * 60 + local.minute().unsigned_abs() as u16;
        let is_hour = self.between.is_none_or(|(from, until)| {
            if from < until {
                (from..until).contains(&minute)
            } else {
                minute >= from || minute < until
            }
        });
        is_hour && self.days.is_none_or(|days| days & bit(local.weekday()) != 0)
    }
}

/// As `between 08:00 and 20:00 on mon or tue, Europe/Paris`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some((from, until)) = self.between {
            let [from, until] = [from, until].map(|end| format!("{:02}:{:02}", end / 60, end % 60));
            write!(f, "between {from} and {until}")?;
            gap = " ";
        }
        if let Some(days) = self.days {
            let names: Vec<&str> = DAYS
                .iter()
                .filter(|(_, day)| days & bit(*day) != 0)
                .map(|(name, _)| *name)
                .collect();
            write!(f, "{gap}on {}", names.join(" or "))?;
        }
        write!(f, ", {}", self.zone.iana_name().unwrap_or("UTC"))
    }
}
