//! One of two routers with carriers of its own, and what was sent to it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use service::{time, time::Instant};
use signalbox_loadtest::{
    smsc::Arrival,
    stage::{Courier, Ends, News},
    world::Letter,
};
use signalbox_proto::pb::signalbox::ingest::v1::{SubmitStreamResponse, answer::Result as Answer};
use tokio::sync::mpsc;

use super::{
    super::{
        drive::Trip,
        stage::{Plot, Stage},
    },
    land,
    turns::Turn,
};
use crate::cli::Demo;

/// Time to live of every message.
const TTL: Duration = Duration::from_secs(20);

/// A message that was sent.
pub(super) struct Sent {
    pub(super) letter: Letter,
    pub(super) turn: Turn,
    /// When it was handed over.
    at: Instant,
    /// When a carrier first had it; `None` = not yet.
    taken_at: Option<Instant>,
    /// `None` = not answered, or refused.
    pub(super) id: Option<String>,
}

impl Sent {
    /// From our hand to a carrier's; `None` = no carrier had it.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(self.taken_at?.duration_since(self.at))
    }
}

/// A router under way.
pub(super) struct Side {
    /// Whether it looks numbers up.
    pub(super) looks_up: bool,
    pub(super) stage: Stage,
    courier: Courier,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    pub(super) sent: Vec<Sent>,
    /// Their places by number; no two go to one.
    by_number: BTreeMap<String, usize>,
    /// Accepted messages.
    ends: Ends,
    unanswered: usize,
    /// Accepted or not yet answered, and with no carrier.
    under_way: usize,
    pub(super) trip: Trip,
}

impl Side {
    /// Starts carriers and a router, which asks `plot`'s provider, if it has one.
    pub(super) async fn start(demo: &Demo, plot: Plot) -> anyhow::Result<Self> {
        let looks_up = plot != Plot::BadProvider { provider: None };
        let word = if looks_up { "with" } else { "without" };
        let keep: Option<PathBuf> = demo.keep.as_ref().map(|folder| folder.join(word));
        let (told, arrivals) = mpsc::unbounded_channel();
        let stage = Stage::set(demo, plot, keep.as_deref(), Some(told)).await?;
        let courier = stage.courier(None).await?;
        Ok(Self {
            looks_up,
            stage,
            courier,
            arrivals,
            sent: Vec::new(),
            by_number: BTreeMap::new(),
            ends: Ends::default(),
            unanswered: 0,
            under_way: 0,
            trip: Trip::default(),
        })
    }

    /// Hands over so many more messages, which one frame holds; false if the router takes no more just now.
    pub(super) fn send(&mut self, count: usize, turn: Turn) -> bool {
        let from = self.sent.len();
        let letters: Vec<_> = (from..from + count).map(land::letter).collect();
        let at = time::now();
        if !self.courier.send(from as u64, &letters, TTL) {
            return false;
        }
        self.unanswered += count;
        self.under_way += count;
        for (place, letter) in (from..).zip(letters) {
            self.by_number.insert(letter.to.digits().to_owned(), place);
            self.sent.push(Sent {
                letter,
                turn,
                at,
                taken_at: None,
                id: None,
            });
        }
        true
    }

    /// Takes the next thing that comes. Cancel-safe.
    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        tokio::select! { biased;
            arrival = self.arrivals.recv() => self.arrived(arrival.context("the carriers are gone")?),
            news = self.courier.next() => match news? {
                News::Answers(response) => self.take_answers(response)?,
                News::Receipts(response) => self.ends.end(response),
            },
        }
        Ok(())
    }

    /// Whether all that was sent is answered and with a carrier.
    pub(super) fn is_settled(&self) -> bool {
        self.unanswered == 0 && self.under_way == 0
    }

    /// What is not settled, in words.
    pub(super) fn left(&self) -> String {
        let word = if self.looks_up { "with" } else { "without" };
        let Self {
            unanswered, under_way, ..
        } = self;
        format!("{word} look-ups {unanswered} not answered, {under_way} with no carrier")
    }

    /// Accepted messages that have not ended.
    pub(super) fn open(&self) -> usize {
        self.ends.open()
    }

    fn arrived(&mut self, arrival: Arrival) {
        let place = self.by_number.get(&arrival.to);
        let Some(sent) = place.and_then(|place| self.sent.get_mut(*place)) else {
            return;
        };
        if sent.taken_at.is_none() {
            self.under_way -= 1;
            sent.taken_at = Some(arrival.at);
        }
    }

    fn take_answers(&mut self, response: SubmitStreamResponse) -> anyhow::Result<()> {
        ensure!(response.error.is_none(), "a frame was refused: {:?}", response.error);
        for answer in response.answers {
            let place = usize::try_from(response.sequence)? + answer.index as usize;
            let sent = self.sent.get_mut(place).context("an answer to nothing")?;
            self.unanswered -= 1;
            match answer.result.context("an answer without a result")? {
                Answer::Accepted(accepted) => {
                    let id = accepted.message_id;
                    self.ends.begin(&id);
                    self.trip.accepted.insert(id.clone(), sent.letter.clone());
                    sent.id = Some(id);
                }
                Answer::Error(problem) => {
                    self.under_way -= 1;
                    self.trip.refused.0 += 1;
                    self.trip.refused.1 = problem.message;
                }
            }
        }
        Ok(())
    }
}
