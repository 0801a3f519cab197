//! The campaign: many messages that nobody waits for, handed over as fast as they are taken.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use anyhow::Context as _;
use service::{time, time::Instant};
use signalbox_loadtest::{
    stage::{Courier, FRAME_MESSAGES_MAX},
    world::{Letter, Recipients},
};
use signalbox_proto::{
    ingest::come_back,
    pb::signalbox::ingest::v1::{SubmitStreamResponse, answer::Result as Answer},
};
use sms::{Class, Msisdn, Sender};

/// Who sends it; nobody else does, so that carriers' logs tell its messages from passwords.
pub(super) const SENDER: &str = "LARKSPUR";
/// What it says, in one part.
const TEXT: &str = "Larkspur: everything for the garden 20% off until Sunday. Reply STOP to hear no more from us.";
/// Time to live: it may wait for hours.
const TTL: Duration = Duration::from_secs(6 * 3_600);
/// Messages handed over and not answered.
const UNANSWERED_MAX: usize = 20_000;
/// So long after all were offered those are left out that were told to come back later: the queue is as long as it gets.
const PATIENCE: Duration = Duration::from_secs(120);

/// A campaign on its way to the router. Of a message it keeps nothing but the number.
pub(super) struct Bulk {
    pub(super) courier: Courier,
    numbers: Vec<u64>,
    /// Those that were never sent begin here.
    fresh: usize,
    /// When the last of them was sent; `None` = some are left.
    offered_at: Option<Instant>,
    /// Places that come back, by when.
    later: BTreeMap<Instant, Vec<usize>>,
    /// Places that go again before fresh ones.
    again: VecDeque<usize>,
    /// Frames that were not answered in full: their places, and how many answers are open.
    open: BTreeMap<u64, (Vec<usize>, usize)>,
    frames: u64,
    unanswered: usize,
    pub(super) count: Count,
}

/// What became of the campaign's messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    pub(super) accepted: u64,
    /// How often one was told to come back, and came.
    pub(super) held_back: u64,
    /// Left out, as they were told to come back too late.
    pub(super) left_out: u64,
    /// Refused for good, with the reason of the last.
    pub(super) refused: (u64, String),
}

/// Whom the campaign is for.
pub(in super::super) fn letters(seed: u64) -> impl Iterator<Item = Letter> {
    // Another seed than that of the passwords, whose recipients are others then.
    Recipients::new(!seed).map(|to| letter(to.msisdn))
}

fn letter(to: Msisdn) -> Letter {
    Letter {
        to,
        country: "",
        from: Sender::new(SENDER).expect("it is a name of up to 11 letters"),
        class: Class::Promotional,
        text: TEXT.to_owned(),
    }
}

impl Bulk {
    /// A campaign of so many `messages`, to be handed to `courier`.
    pub(super) fn new(courier: Courier, messages: u32, seed: u64) -> Self {
        let number = |letter: Letter| letter.to.digits().parse().expect("a number has up to 15 digits");
        Self {
            courier,
            numbers: letters(seed).take(messages as usize).map(number).collect(),
            fresh: 0,
            offered_at: None,
            later: BTreeMap::new(),
            again: VecDeque::new(),
            open: BTreeMap::new(),
            frames: 0,
            unanswered: 0,
            count: Count::default(),
        }
    }

    /// Whether every message has its last answer, or is left out.
    pub(super) fn is_handed_over(&mut self) -> bool {
        let is_all_offered = self.fresh == self.numbers.len() && self.open.is_empty();
        if is_all_offered && (self.is_impatient() || (self.later.is_empty() && self.again.is_empty())) {
            let answered = self.count.accepted + self.count.refused.0;
            self.count.left_out = self.numbers.len() as u64 - answered;
            return true;
        }
        false
    }

    fn is_impatient(&self) -> bool {
        self.offered_at.is_some_and(|at| at.elapsed() >= PATIENCE)
    }

    /// Hands over as much as is taken just now.
    pub(super) fn send(&mut self) {
        if self.is_impatient() {
            return;
        }
        let now = time::now();
        while let Some(entry) = self.later.first_entry()
            && *entry.key() <= now
        {
            self.again.extend(entry.remove());
        }
        while self.unanswered + FRAME_MESSAGES_MAX <= UNANSWERED_MAX {
            let back = self.again.len().min(FRAME_MESSAGES_MAX);
            let until = (self.fresh + FRAME_MESSAGES_MAX - back).min(self.numbers.len());
            let places: Vec<_> = self.again.range(..back).copied().chain(self.fresh..until).collect();
            if places.is_empty() {
                return;
            }
            let letters: Vec<_> = places.iter().map(|place| self.letter(*place)).collect();
            if !self.courier.send(self.frames, &letters, TTL) {
                return;
            }
            self.again.drain(..back);
            self.fresh = until;
            if until == self.numbers.len() {
                self.offered_at.get_or_insert(now);
            }
            self.unanswered += places.len();
            let answers = places.len();
            self.open.insert(self.frames, (places, answers));
            self.frames += 1;
        }
    }

    fn letter(&self, place: usize) -> Letter {
        let number = self.numbers[place].to_string();
        letter(Msisdn::new(&number).expect("it was read from a number"))
    }

    /// Takes the answers of a frame or of a part of it.
    pub(super) fn take(&mut self, response: SubmitStreamResponse) -> anyhow::Result<()> {
        if let Some(problem) = response.error {
            anyhow::bail!("a frame was refused: {}", problem.message);
        }
        let frame = self.open.get_mut(&response.sequence);
        let (places, left) = frame.context("an answer to a frame that was not sent")?;
        for answer in response.answers {
            let place = places
                .get(answer.index as usize)
                .context("an answer beyond its frame")?;
            *left -= 1;
            self.unanswered -= 1;
            match answer.result.context("an answer without a result")? {
                Answer::Accepted(_) => self.count.accepted += 1,
                Answer::Error(problem) => match come_back(&problem) {
                    Some(stay_away) => {
                        self.count.held_back += 1;
                        self.later.entry(time::now() + stay_away).or_default().push(*place);
                    }
                    None => {
                        self.count.refused.0 += 1;
                        self.count.refused.1 = problem.message;
                    }
                },
            }
        }
        if *left == 0 {
            self.open.remove(&response.sequence);
        }
        Ok(())
    }
}
