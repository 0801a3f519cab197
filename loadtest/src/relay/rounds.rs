//! Rounds: so many messages in frames from one end to the other, as fast as they arrive, and what that took.

use std::{collections::VecDeque, sync::Arc};

use anyhow::{Context as _, ensure};
use bus::Read;
use service::{Tasks, resume_panic, time};
use tokio::sync::Semaphore;

use super::{
    RECORDS,
    args::Args,
    engines::Engines,
    hops::{Hop, Line},
    letters::{Letters, key_of},
    report::{Floor, Round},
    topics::Topics,
};
use crate::{submit::FRAME_MESSAGES_MAX, usage};

/// Messages under way: enough for full batches at every hop.
const UNDER_WAY_MAX: usize = 20_000;
/// Frames that are not durable yet.
const FRAMES_UNSAFE_MAX: usize = 8;
/// Events taken at once.
const EVENTS_MAX: usize = 1_000;
/// One part in so many of a round makes everything warm first.
const WARM_PART: u64 = 4;
/// This process, among those that are looked at.
const OWN_NAME: &str = "relay";

/// A running line, and how far it is.
struct Running {
    line: Arc<Line>,
    hops: Tasks<anyhow::Result<()>>,
    events: Box<dyn Read>,
    /// Messages sent so far.
    sent: u64,
}

/// Measures as `args` say.
pub(super) async fn measure(engines: Engines, args: &Args) -> anyhow::Result<Floor> {
    let warm = args.messages.div_ceil(WARM_PART);
    let total = warm + args.messages * args.rounds as u64;
    let mut running = Running::start(&engines, args.seed, total).await?;
    running.round(warm).await?;
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        rounds.push(running.round(args.messages).await?);
    }
    let octets = running.line.letters.octets();
    running.finish().await?;
    Floor::new(engines.words, args.messages, (RECORDS, octets), rounds).context("there was a round")
}

impl Running {
    async fn start(engines: &Engines, seed: u64, total: u64) -> anyhow::Result<Self> {
        let at = engines.clock.now();
        let topics = Topics::of(&format!("{:x}", at.0));
        engines.bus.ensure(&topics.specs()).await?;
        let letters = Letters::new(seed, at)?;
        let line = Arc::new(Line::new(engines.bus.clone(), engines.store.clone(), topics, letters));
        let events = line.events().await?;
        let mut hops = Tasks::new();
        for hop in Hop::ALL {
            let member = line.join(hop).await?;
            hops.spawn(Arc::clone(&line).run(hop, member, total));
        }
        Ok(Self {
            line,
            hops,
            events,
            sent: 0,
        })
    }

    /// Sends so many `messages` and waits for their ends.
    async fn round(&mut self, messages: u64) -> anyhow::Result<Round> {
        let before = usage::processor_times(&usage::family(OWN_NAME)?);
        let begun = time::now();
        let room = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let mut source = Tasks::new();
        source.spawn(send(Arc::clone(&self.line), self.sent, messages, Arc::clone(&room)));
        let (mut ended, mut is_sent) = (0, false);
        while ended < messages {
            // Every arm is cancel-safe: a reader keeps what was not taken, and tasks are joined once.
            tokio::select! { biased;
                Some(done) = self.hops.join_next() => match done {
                    Ok(done) => {
                        done?;
                        // A hop is done when it acked the last message of all; the event may be still to come.
                    }
                    Err(panic) => resume_panic(panic),
                },
                Some(done) = source.join_next(), if !is_sent => match done {
                    Ok(done) => {
                        done?;
                        is_sent = true;
                    }
                    Err(panic) => resume_panic(panic),
                },
                events = self.events.next(EVENTS_MAX) => {
                    let events = events?.len();
                    ended += events as u64;
                    room.add_permits(events);
                }
            }
        }
        ensure!(ended == messages, "{ended} events came of {messages} messages");
        self.sent += messages;
        let seconds = begun.elapsed().as_secs_f64();
        let after = usage::processor_times(&usage::family(OWN_NAME)?);
        Ok(Round {
            seconds,
            per_second: messages as f64 / seconds,
            processor_us: usage::processor_us(&before, &after, messages),
        })
    }

    /// Waits until everything is acked, and that nothing came twice.
    async fn finish(mut self) -> anyhow::Result<()> {
        while let Some(done) = self.hops.join_next().await {
            match done {
                Ok(done) => done?,
                Err(panic) => resume_panic(panic),
            }
        }
        let further = self.events.poll(EVENTS_MAX).await?.len();
        ensure!(further == 0, "{further} events came that nobody waited for");
        Ok(())
    }
}

/// Publishes `messages` from the one at `first` on, a frame at a time, with as many under way as there is `room`.
async fn send(line: Arc<Line>, first: u64, messages: u64, room: Arc<Semaphore>) -> anyhow::Result<()> {
    let mut unsafe_frames = VecDeque::new();
    let mut next = first;
    while next < first + messages {
        let until = (next + FRAME_MESSAGES_MAX as u64).min(first + messages);
        let keys: Vec<u64> = (next..until).map(key_of).collect();
        room.acquire_many(u32::try_from(keys.len())?).await?.forget();
        let accepted = &line.topics.accepted;
        unsafe_frames.push_back(line.publish(accepted, &keys, |written| &written.accepted).await?);
        if unsafe_frames.len() > FRAMES_UNSAFE_MAX
            && let Some(oldest) = unsafe_frames.pop_front()
        {
            oldest.await?;
        }
        next = until;
    }
    for frame in unsafe_frames {
        frame.await?;
    }
    Ok(())
}
