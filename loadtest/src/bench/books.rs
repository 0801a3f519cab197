//! The books of a run: how every message ended by the router's log, when carriers had it by theirs, and that both agree with what the
//! load generator was told.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::ensure;
use hdrhistogram::Histogram;
use journey::{EndState, Event, TerminalEvent};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use sms::{CarrierName, UnixMs, UnixUs};

use crate::{
    smsc::scan_log,
    stage::{Arrivals, Ground, read_events, taken},
    submit::{Latency, Report},
};

/// Time that messages spent between two points of their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// From where to where.
    pub what: String,
    /// Over all messages. Points that the log knows to the millisecond make it up to one too long or too short.
    pub latency: Latency,
}

/// From where to where messages go, in order.
const HOPS: [&str; 5] = [
    "accepted → order published",
    "order published → carrier has it",
    "carrier has it → its answer is known",
    "answer → receipt heard (mostly the carrier's own delay)",
    "receipt heard → ended",
];

/// All of a run's books.
pub(super) struct Books {
    arrivals: Arrivals,
    /// Parts that carriers took.
    parts: u64,
    delivered: u64,
    others: u64,
    /// Messages of which there were two different ends.
    contradicted: u64,
    /// Messages that a carrier said it took, and did not write down.
    unseen: u64,
    /// Every end by its message, as a hash: there may be many millions.
    ended: BTreeMap<u128, u64>,
    to_carrier: Histogram<u64>,
    hops: [Histogram<u64>; HOPS.len()],
}

/// Reads what the router on `ground`, or in `database`, and its carriers wrote since `began`.
pub(super) async fn read(
    ground: &Ground,
    database: &Path,
    began: UnixMs,
    logs: &[(CarrierName, PathBuf)],
) -> anyhow::Result<Books> {
    let mut books = Books {
        arrivals: Arrivals::default(),
        parts: 0,
        delivered: 0,
        others: 0,
        contradicted: 0,
        unseen: 0,
        ended: BTreeMap::new(),
        to_carrier: histogram(),
        hops: std::array::from_fn(|_| histogram()),
    };
    for (carrier, log) in logs {
        scan_log(log, |received| {
            books.parts += u64::from(received.was_taken());
            books.arrivals.note(carrier, &received);
        })?;
    }
    read_events(ground, database, |event, octets| {
        if let Event::Ended(end) = event
            && end.message.accepted_at >= began
        {
            let id = end.message.id.0.as_u128();
            let octets = SipHasher13::new().hash(octets);
            match books.ended.insert(id, octets) {
                // The same event again is allowed.
                Some(first) => books.contradicted += u64::from(first != octets),
                None => books.note(&end),
            }
        }
    })
    .await?;
    Ok(books)
}

impl Books {
    fn note(&mut self, end: &TerminalEvent) {
        match end.state {
            EndState::Delivered => self.delivered += 1,
            _ => self.others += 1,
        }
        let Some(attempt) = taken(end) else {
            return;
        };
        let (accepted, to) = (end.message.accepted_at, end.message.to.digits());
        let Some(arrived) = self.arrivals.first(&attempt.carrier, to, accepted) else {
            self.unseen += 1;
            return;
        };
        let precise = end.message.id.precise_instant();
        let heard = attempt.receipts.iter().map(|receipt| receipt.at).max();
        let points = [
            Some(precise),
            Some(micros(attempt.issued_at)),
            Some(arrived),
            Some(micros(attempt.answer.at)),
            heard.map(micros),
            Some(micros(end.ended_at)),
        ];
        record(&mut self.to_carrier, precise, arrived);
        for (hop, pair) in self.hops.iter_mut().zip(points.windows(2)) {
            if let [Some(from), Some(to)] = *pair {
                record(hop, from, to);
            }
        }
    }

    /// Whether every message was accepted, ended once, and is in a carrier's log as often as it should be at the least.
    ///
    /// # Errors
    /// It is not so, and what is wrong.
    pub(super) fn check(&self, report: &Report) -> anyhow::Result<()> {
        let refused: u64 = report.refused.values().map(|refused| refused.messages).sum();
        ensure!(refused == 0, "{refused} messages were refused:\n{report}");
        let (accepted, ended) = (report.accepted, self.ended.len() as u64);
        ensure!(
            accepted == ended,
            "{accepted} messages were accepted, and {ended} ended"
        );
        ensure!(
            self.contradicted == 0,
            "{} messages have two different ends",
            self.contradicted
        );
        ensure!(self.unseen == 0, "{} messages are in no log of a carrier", self.unseen);
        ensure!(
            self.parts + self.others >= report.segments,
            "carriers took {} parts of {} that were accepted",
            self.parts,
            report.segments
        );
        Ok(())
    }

    /// Messages that were delivered.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Messages that ended otherwise.
    pub(super) fn undelivered(&self) -> u64 {
        self.others
    }

    /// Parts that carriers took beyond the `accepted` ones: answers were lost, and passwords went again.
    pub(super) fn doubled(&self, accepted: u64) -> u64 {
        self.parts.saturating_sub(accepted)
    }

    /// From accepted to the carrier.
    pub(super) fn to_carrier(&self) -> Latency {
        Latency::of(&self.to_carrier)
    }

    /// Every hop.
    pub(super) fn hops(&self) -> Vec<Hop> {
        let hop = |(what, times): (&&str, &Histogram<u64>)| Hop {
            what: (*what).to_owned(),
            latency: Latency::of(times),
        };
        HOPS.iter().zip(&self.hops).map(hop).collect()
    }
}

fn micros(at: UnixMs) -> UnixUs {
    UnixUs(at.0 * 1_000)
}

fn record(times: &mut Histogram<u64>, from: UnixUs, to: UnixUs) {
    times.saturating_record(to.0.saturating_sub(from.0));
}

/// Of microseconds: up to an hour, three digits.
fn histogram() -> Histogram<u64> {
    crate::submit::histogram()
}
