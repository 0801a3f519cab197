//! A ledger as the store keeps it: a line of the account and one of each lease, as text. It is worth nothing after a minute, and
//! whoever cannot read it begins a new one.

use bytes::Bytes;
use sms::UnixMs;

use super::{Ledger, MEMBERS_MAX, Member};

/// First word: the form that is read here.
const FORM: &str = "pace1";

impl Ledger {
    /// Its octets.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let (at, cut_at, steady_until) = (self.at.0, self.cut_at.0, self.steady_until.0);
        let mut text = format!("{FORM} {at} {} {cut_at} {steady_until}", self.pace);
        for Member {
            name,
            wants,
            rate,
            until,
        } in &self.members
        {
            text += &format!("\n{name} {wants} {rate} {}", until.0);
        }
        text.into()
    }

    /// What `octets` say; absent = nothing that can be read.
    pub(crate) fn from_bytes(octets: &Bytes) -> Option<Self> {
        let mut lines = std::str::from_utf8(octets).ok()?.lines();
        let head: Vec<&str> = lines.next()?.split(' ').collect();
        let [FORM, at, pace, cut_at, steady_until] = head[..] else {
            return None;
        };
        let members: Vec<Member> = lines.map(member).collect::<Option<_>>()?;
        (members.len() <= MEMBERS_MAX).then_some(())?;
        Some(Self {
            at: instant(at)?,
            pace: amount(pace)?,
            cut_at: instant(cut_at)?,
            steady_until: instant(steady_until)?,
            members,
        })
    }
}

fn member(line: &str) -> Option<Member> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, wants, rate, until] = words[..] else {
        return None;
    };
    Some(Member {
        name: name.to_owned(),
        wants: amount(wants)?,
        rate: amount(rate)?,
        until: instant(until)?,
    })
}

fn instant(word: &str) -> Option<UnixMs> {
    word.parse().ok().map(UnixMs)
}

fn amount(word: &str) -> Option<f64> {
    word.parse().ok().filter(|amount: &f64| *amount >= 0.0)
}
