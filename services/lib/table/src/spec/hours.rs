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
        self.has_minute(minute) && self.days.is_none_or(|days| days & bit(local.weekday()) != 0)
    }
}

/// What two hours have to do with one another; told only of those in one time zone.
impl Hours {
    /// Whether every instant inside `other` is inside this.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        let is_covered = |day, minute| !other.has(day, minute) || self.has(day, minute);
        (self.is_always() || self.zone_name() == other.zone_name()) && self.all(other, is_covered)
    }

    /// Whether no instant is inside both.
    pub(crate) fn exclude(&self, other: &Self) -> bool {
        let is_apart = |day, minute| !other.has(day, minute) || !self.has(day, minute);
        self.zone_name() == other.zone_name() && self.all(other, is_apart)
    }

    /// Whether every instant is inside.
    pub(crate) fn is_always(&self) -> bool {
        self.all(self, |day, minute| self.has(day, minute))
    }

    /// Whether some instant of `[from, until)`, in milliseconds since 1970, is inside. Spans of more than a week hold any hour.
    pub(crate) fn meet(&self, from: i64, until: i64) -> bool {
        const DAY_MS: i64 = 86_400_000;
        let is_inside =
            |ms: i64| from <= ms && ms < until && u64::try_from(ms).is_ok_and(|ms| self.contain(UnixMs(ms)));
        if until.saturating_sub(from) > 8 * DAY_MS || is_inside(from) {
            return true;
        }
        // Hours begin at midnight or where `between` does, so one of these is the first instant inside.
        let begins = [0, self.between.map_or(0, |(from, _)| from)];
        let days = (-1..=10).filter_map(|day| Timestamp::from_millisecond(from + day * DAY_MS).ok());
        days.map(|at| self.zone.to_datetime(at).date()).any(|date| {
            begins.iter().any(|minute| {
                let hour = i8::try_from(minute / 60).expect("a day has 24 hours");
                let local = date.at(hour, i8::try_from(minute % 60).expect("below 60"), 0, 0);
                let instant = self.zone.to_ambiguous_timestamp(local).compatible();
                instant.is_ok_and(|instant| is_inside(instant.as_millisecond()))
            })
        })
    }

    fn zone_name(&self) -> Option<&str> {
        self.zone.iana_name()
    }

    /// Whether `holds` of every day and minute, asked where either begins or ends.
    fn all(&self, other: &Self, holds: impl Fn(u8, u16) -> bool) -> bool {
        let ends = [self.between, other.between].into_iter().flatten();
        let minutes = ends.flat_map(|(from, until)| [from, until % DAY]).chain([0]);
        minutes.into_iter().all(|minute| (0..7).all(|day| holds(day, minute)))
    }

    /// Whether `minute` of the weekday `day`, 0 = Monday, is inside.
    fn has(&self, day: u8, minute: u16) -> bool {
        self.days.is_none_or(|days| days & (1 << day) != 0) && self.has_minute(minute)
    }

    fn has_minute(&self, minute: u16) -> bool {
        self.between.is_none_or(|(from, until)| {
            if from < until {
                (from..until).contains(&minute)
            } else {
                minute >= from || minute < until
            }
        })
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
