//! Conditions of a policy, each as it is written.

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use regex::Regex;
use sms::UnixMs;

use super::policies::Message;
use crate::decide::scene::{Conditions, Net};

/// Conditions, with networks, texts and hours read.
pub(super) struct Tests<'a> {
    conditions: &'a Conditions,
    networks: Vec<Net>,
    texts: Vec<Regex>,
    hours: Option<Hours>,
}

/// Days and hours of a time zone.
struct Hours {
    zone: TimeZone,
    /// Minutes after midnight; the first may be the larger.
    between: Option<(u16, u16)>,
    days: Vec<Weekday>,
}

impl<'a> Tests<'a> {
    pub(super) fn new(conditions: &'a Conditions) -> Self {
        let network = |digits: &String| Net::new(&digits[..3], &digits[3..]);
        let regex = |pattern: &&str| Regex::new(pattern).expect("the policies' regular expressions are sound");
        Self {
            conditions,
            networks: conditions.network.iter().map(network).collect(),
            texts: conditions.text.iter().map(regex).collect(),
            hours: conditions.timezone.map(|zone| Hours::new(zone, conditions)),
        }
    }

    /// Whether all hold. One on something unknown does not.
    pub(super) fn hold(&self, message: &Message<'_>, tags: &[&str]) -> bool {
        let (is, query, place) = (self.conditions, &message.query, &message.place);
        let any = |list: &[&'static str], value: &str| list.is_empty() || list.contains(&value);
        let glob = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| fits(one, value));
        any(&is.class, query.class.as_str())
            && any(&is.encoding, message.encoding.as_str())
            && is.segments_over.is_none_or(|bound| message.segments > bound)
            && is.ported.is_none_or(|wanted| message.place.ported == wanted)
            && any(&is.sender_kind, message.sender_kind.as_str())
            && (is.country.is_empty()
                || place
                    .country
                    .is_some_and(|country| is.country.iter().any(|one| one == country)))
            && (is.network.is_empty() || place.net.is_some_and(|net| self.networks.contains(&net)))
            && (is.prefix.is_empty() || is.prefix.iter().any(|prefix| message.to.starts_with(prefix)))
            && glob(&is.account, query.account)
            && glob(&is.sender, message.from)
            && (is.tag.is_empty() || is.tag.iter().any(|tag| tags.contains(&tag.as_str())))
            && self.hours.as_ref().is_none_or(|hours| hours.contain(query.at))
            && (self.texts.is_empty()
                || message
                    .text
                    .is_some_and(|text| self.texts.iter().any(|regex| regex.is_match(text))))
    }
}

impl Hours {
    fn new(zone: &str, conditions: &Conditions) -> Self {
        let minutes = |text: &str| text[..2].parse::<u16>().unwrap_or(0) * 60 + text[3..].parse::<u16>().unwrap_or(0);
        let day = |word: &&str| match *word {
            "mon" => Weekday::Monday,
            "tue" => Weekday::Tuesday,
            "wed" => Weekday::Wednesday,
            "thu" => Weekday::Thursday,
            "fri" => Weekday::Friday,
            "sat" => Weekday::Saturday,
            _ => Weekday::Sunday,
        };
        Self {
            zone: TimeZone::get(zone).expect("the policies name known zones"),
            between: conditions.between.map(|[from, until]| (minutes(from), minutes(until))),
            days: conditions.days.iter().map(day).collect(),
        }
    }

    fn contain(&self, at: UnixMs) -> bool {
        let at = Timestamp::from_millisecond(at.0 as i64).expect("the week lies in this century");
        let local = self.zone.to_datetime(at);
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let is_hour = self.between.is_none_or(|(from, until)| match from < until {
            true => (from..until).contains(&minute),
            false => minute >= from || minute < until,
        });
        is_hour && (self.days.is_empty() || self.days.contains(&local.weekday()))
    }
}

/// Whether `value` fits `pattern`, where `*` stands for anything and case of ASCII letters does not count.
pub(super) fn fits(pattern: &str, value: &str) -> bool {
    let (pattern, value) = (pattern.as_bytes(), value.as_bytes());
    let (mut p, mut v) = (0, 0);
    // Where the last star stands, and how much of the value it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, v));
            p += 1;
        } else if pattern
            .get(p)
            .is_some_and(|octet| octet.eq_ignore_ascii_case(&value[v]))
        {
            (p, v) = (p + 1, v + 1);
        } else if let Some((at, eaten)) = star {
            star = Some((at, eaten + 1));
            (p, v) = (at + 1, eaten + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests;
