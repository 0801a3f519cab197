//! Passwords in open loop, before, while and after a campaign is handed over.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, ensure};
use service::{time, time::Instant};
use signalbox_loadtest::{
    smsc::Received,
    stage::{Courier, FRAME_MESSAGES_MAX},
    world::{Letter, Traffic},
};
use signalbox_proto::pb::signalbox::ingest::v1::{SubmitStreamResponse, answer::Result as Answer};
use sms::{MessageId, UnixUs};

use super::super::drive;

/// Passwords a second.
pub(super) const RATE: u32 = 100;
/// Time to live.
const TTL: Duration = Duration::from_secs(20);

/// What else goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing, and connections are new: not measured.
    Warmup,
    /// Nothing.
    Alone,
    /// The campaign is handed over.
    Handover,
    /// The campaign waits, and is sent as fast as the carriers take it.
    Beside,
    /// The same, while the last ones of what was measured arrive.
    Settling,
}

/// A password that was sent.
#[derive(Clone, Debug)]
struct Password {
    phase: Phase,
    /// The instant in its id; `None` = not answered, or refused.
    accepted_at: Option<UnixUs>,
    /// When a carrier first wrote it down; `None` = not yet.
    arrived_at: Option<UnixUs>,
}

/// All passwords that were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// By number; no two go to one.
    by_number: BTreeMap<String, Password>,
    /// Refused, with the reason of the last.
    pub(super) refused: (u64, String),
}

impl Sent {
    /// Notes that a carrier took one.
    pub(super) fn arrived(&mut self, received: &Received) {
        if let Some(password) = self.by_number.get_mut(&received.destination) {
            let first = password.arrived_at.map_or(received.at, |at| at.min(received.at));
            password.arrived_at = Some(first);
        }
    }

    /// Those of a phase that were accepted.
    pub(super) fn accepted(&self, phase: Phase) -> impl Iterator<Item = (UnixUs, Option<UnixUs>)> {
        let of_phase = self.by_number.values().filter(move |password| password.phase == phase);
        of_phase.filter_map(|password| Some((password.accepted_at?, password.arrived_at)))
    }
}

/// Passwords on their way to the router.
pub(super) struct Passwords {
    pub(super) courier: Courier,
    letters: Box<dyn Iterator<Item = Letter> + Send>,
    start: Instant,
    /// Due, and not handed over.
    waiting: Vec<Letter>,
    /// Numbers in the order in which they were sent.
    numbers: Vec<String>,
    pub(super) sent: Sent,
}

impl Passwords {
    /// Passwords of `seed`, to be handed to `courier` from now on.
    pub(super) fn new(courier: Courier, seed: u64) -> anyhow::Result<Self> {
        Ok(Self {
            courier,
            letters: Box::new(drive::passwords(Traffic::new(seed)?)),
            start: time::now(),
            waiting: Vec::new(),
            numbers: Vec::new(),
            sent: Sent::default(),
        })
    }

    /// Hands over what is due by now; what the router does not take just now goes with the next.
    pub(super) fn send(&mut self, phase: Phase) {
        let due = (self.start.elapsed().as_secs_f64() * f64::from(RATE)) as usize;
        let room = FRAME_MESSAGES_MAX - self.waiting.len();
        let count = due.saturating_sub(self.numbers.len() + self.waiting.len()).min(room);
        self.waiting.extend(self.letters.by_ref().take(count));
        if self.waiting.is_empty() || !self.courier.send(self.numbers.len() as u64, &self.waiting, TTL) {
            return;
        }
        for letter in self.waiting.drain(..) {
            let number = letter.to.digits().to_owned();
            self.numbers.push(number.clone());
            let password = Password {
                phase,
                accepted_at: None,
                arrived_at: None,
            };
            self.sent.by_number.insert(number, password);
        }
    }

    /// Takes answers.
    pub(super) fn take(&mut self, response: SubmitStreamResponse) -> anyhow::Result<()> {
        ensure!(response.error.is_none(), "a frame was refused: {:?}", response.error);
        for answer in response.answers {
            let place = usize::try_from(response.sequence)? + answer.index as usize;
            let number = self.numbers.get(place).context("an answer to nothing")?;
            let password = self.sent.by_number.get_mut(number).context("an answer to nothing")?;
            match answer.result.context("an answer without a result")? {
                Answer::Accepted(accepted) => {
                    let id: MessageId = accepted.message_id.parse()?;
                    password.accepted_at = Some(id.precise_instant());
                }
                Answer::Error(problem) => {
                    self.sent.refused.0 += 1;
                    self.sent.refused.1 = problem.message;
                }
            }
        }
        Ok(())
    }
}
