//! The books of a run: how every message ended by the router's log, when carriers had it by theirs, and that both agree with what the
//! load generator was told.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::ensure;
use journey::{EndState, Event, TerminalEvent};
use siphasher::sip::SipHasher13;
use sms::{CarrierName, UnixMs};

use crate::{
    hops::Hops,
    smsc::scan_log,
    stage::{Arrivals, Ground, read_events, taken},
    submit::Report,
};

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
    hops: Hops,
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
        hops: Hops::default(),
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
        self.hops.note(end, attempt, arrived);
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

    /// Where messages were for how long.
    pub(super) fn hops(&self) -> &Hops {
        &self.hops
    }
}
