//! The trip: messages in open loop, and the events on the way.

use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use service::{time, time::Instant};
use signalbox_loadtest::{
    stage::{Courier, Ends, FRAME_MESSAGES_MAX, News, land},
    world::{Letter, Traffic},
};
use signalbox_proto::{
    ingest::come_back,
    pb::signalbox::ingest::v1::{SubmitStreamResponse, WatchReceiptsResponse, answer::Result as Answer},
};
use sms::{CarrierName, Class, UnixMs};

use super::{campaign, ported, scenes, stage::Stage, waves};
use crate::cli::Demo;

/// Time to live of every message, where the scene has none of its own.
const TTL: Duration = Duration::from_secs(20);
/// Between two looks at whether what is waited for has come.
const LOOK_PERIOD: Duration = Duration::from_millis(100);
/// Frames leave this often, with whatever is due by then.
pub(super) const FRAME_PERIOD: Duration = Duration::from_millis(10);
/// Longest wait for the ends after the last message: time to live, lease, and some; where carriers keep answers back, the grace of a
/// password beside them.
const END_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest that a scene may take beyond the time of sending: its starts, drains and waits.
const SCENE_TIMEOUT: Duration = Duration::from_secs(300);
/// One message in so many is a password where failover is measured.
const PASSWORD_ONE_IN: usize = 4;
/// How long before the kill the last frame leaves: enough to arrive, too little to be answered in full.
const AHEAD: Duration = Duration::from_millis(3);

/// What was sent, and what happened when.
#[derive(Default)]
pub(super) struct Trip {
    /// Every accepted message by id.
    pub(super) accepted: BTreeMap<String, Letter>,
    /// Messages that were refused, with the reason of the first.
    pub(super) refused: (u64, String),
    /// How often a message was told to come back, and came back.
    pub(super) held_back: u64,
    /// Messages whose answer was lost with the router: they may be there or not.
    pub(super) lost: Vec<Letter>,
    /// The carrier that was killed, when, and when it came back.
    pub(super) dark: Option<(CarrierName, UnixMs, UnixMs)>,
    /// The carrier that became cheaper, and since when the router knows.
    pub(super) cheaper: Option<(CarrierName, UnixMs)>,
    /// When links may have been down for a moment, so that messages went where a link was up.
    pub(super) disturbed: Vec<UnixMs>,
    /// Whether a connector was killed, so that nobody knows what it sent last.
    pub(super) may_double: bool,
    /// Whether the store was emptied.
    pub(super) expects_rebuild: bool,
    /// How long it took to rebuild the store, as routers say.
    pub(super) rebuilt: Vec<String>,
    /// From the first submission to the last end.
    pub(super) took: Duration,
}

/// Sends all messages with the events that `demo` asks for, and waits until every accepted message has ended.
pub(super) async fn run(stage: &mut Stage, demo: &Demo) -> anyhow::Result<Trip> {
    let letters = letters(demo)?;
    let bar = bar(letters.len());
    let mut drive = Drive {
        courier: stage.courier(None).await?,
        schedule: Schedule {
            start: time::now(),
            rate: demo.rate,
            sent: 0,
            until: letters.len(),
        },
        letters,
        ttl: if demo.scene.waves { land::TTL } else { TTL },
        answered: BTreeSet::new(),
        later: BTreeMap::new(),
        trip: Trip::default(),
        ends: Ends::default(),
        bar,
    };
    let start = drive.schedule.start;
    let sending = Duration::from_secs(u64::from(demo.messages / demo.rate));
    let played = time::timeout(sending + SCENE_TIMEOUT, scenes::play(&mut drive, stage, demo)).await;
    played.context("the scene came to no end: messages are not answered, or do not end")??;
    let all_ended = time::timeout(END_TIMEOUT, drive.wait_for_ends()).await;
    drive.bar.finish_and_clear();
    stage.cast.ensure_running()?;
    let (open, first) = (
        drive.ends.open(),
        drive.ends.first_open().unwrap_or_default().to_owned(),
    );
    all_ended.with_context(|| format!("{open} accepted messages have not ended, the first is {first}"))??;
    drive.trip.took = start.elapsed();
    Ok(drive.trip)
}

/// What is sent: a mix of all classes; where failover is measured, passwords among messages of a campaign, each to a number
/// of its own.
fn letters(demo: &Demo) -> anyhow::Result<Vec<Letter>> {
    let count = demo.messages as usize;
    if demo.scene.ported {
        return Ok(ported::letters(count));
    }
    if demo.scene.waves {
        return land::Letters::new(demo.seed, waves::WAYS.len())?.take(count).collect();
    }
    let traffic = Traffic::new(demo.seed)?;
    if !demo.scene.failover {
        return Ok(traffic.take(count).collect());
    }
    let (mut passwords, mut campaign) = (passwords(traffic), campaign::letters(demo.seed));
    let letter = |place: usize| match place.is_multiple_of(PASSWORD_ONE_IN) {
        true => passwords.next(),
        false => campaign.next(),
    };
    Ok((0..count).map_while(letter).collect())
}

/// The passwords of `traffic`, no two to one number, so that carriers' logs tell them apart.
pub(super) fn passwords(traffic: Traffic) -> impl Iterator<Item = Letter> {
    let mut numbers = BTreeSet::new();
    traffic.filter(move |letter| letter.class == Class::Otp && numbers.insert(letter.to.clone()))
}

fn bar(count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let style = "  {bar:40} {pos}/{len} ended  {elapsed}  {msg}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is well formed"));
    bar
}

/// When which message is due: the open loop. A slow router gets no mercy.
struct Schedule {
    start: Instant,
    rate: u32,
    sent: usize,
    /// So many are sent at the most.
    until: usize,
}

/// The trip under way.
pub(super) struct Drive {
    courier: Courier,
    schedule: Schedule,
    letters: Vec<Letter>,
    /// Time to live of every message.
    ttl: Duration,
    /// Places of the letters that were answered, or whose answer is lost.
    answered: BTreeSet<usize>,
    /// Places of letters that come back, by when.
    later: BTreeMap<Instant, BTreeSet<usize>>,
    pub(super) trip: Trip,
    ends: Ends,
    bar: ProgressBar,
}

impl Drive {
    /// Messages that shall be sent.
    pub(super) fn count(&self) -> usize {
        self.letters.len()
    }

    /// Gives up on what was sent and not answered: it may be there or not. Returns how much that is.
    pub(super) fn lose_unanswered(&mut self) -> usize {
        let is_later = |place: &usize| self.later.values().any(|places| places.contains(place));
        let lost: Vec<_> = (0..self.schedule.sent)
            .filter(|place| !self.answered.contains(place) && !is_later(place))
            .collect();
        self.trip
            .lost
            .extend(lost.iter().map(|place| self.letters[*place].clone()));
        self.answered.extend(&lost);
        lost.len()
    }

    /// Connects anew; receipts go on where they were.
    pub(super) async fn reconnect(&mut self, stage: &Stage) -> anyhow::Result<()> {
        self.courier = stage.courier(self.courier.token()).await?;
        Ok(())
    }

    /// Tells people what happens.
    pub(super) fn say(&self, text: &str) {
        // Without a terminal the bar swallows what it is told to print above itself.
        if self.bar.is_hidden() {
            println!("  {text}")
        } else {
            self.bar.println(format!("  {text}"))
        }
    }

    /// Sends what is due and takes what comes, until `count` messages were answered.
    pub(super) async fn follow(&mut self, count: usize) -> anyhow::Result<()> {
        let mut ticks = time::every(FRAME_PERIOD);
        while self.answered.len() < count {
            // Both arms are cancel-safe: a stream keeps a message that was not taken.
            tokio::select! { biased;
                _ = ticks.tick() => self.send_due(),
                news = self.courier.next() => self.note(news?)?,
            }
        }
        Ok(())
    }

    /// Sends no more than the first `count` messages, until told another number; what waits for that leaves at its pace then.
    pub(super) fn send_until(&mut self, count: usize) {
        let sent = Duration::from_secs_f64(self.schedule.sent as f64 / f64::from(self.schedule.rate));
        let now = time::now();
        self.schedule.start = self.schedule.start.max(now.checked_sub(sent).unwrap_or(now));
        self.schedule.until = count;
    }

    /// Sends what is due and takes what comes, until `is_over`.
    pub(super) async fn follow_until(&mut self, is_over: impl Fn() -> bool) -> anyhow::Result<()> {
        let mut ticks = time::every(LOOK_PERIOD);
        loop {
            // Cancel-safe: what is sent and taken stays so.
            tokio::select! { biased;
                _ = ticks.tick() => if is_over() {
                    return Ok(());
                },
                followed = self.follow(usize::MAX) => followed?,
            }
        }
    }

    fn send_due(&mut self) {
        if !self.send_again() {
            return;
        }
        let elapsed = self.schedule.start.elapsed().as_secs_f64();
        let due = ((elapsed * f64::from(self.schedule.rate)) as usize).min(self.schedule.until);
        while self.schedule.sent < due {
            let until = due.min(self.schedule.sent + FRAME_MESSAGES_MAX);
            let from = self.schedule.sent;
            if !self.courier.send(from as u64, &self.letters[from..until], self.ttl) {
                return;
            }
            self.schedule.sent = until;
        }
    }

    /// Sends those again that were told to come back by now, in runs of neighbours; false if the router takes no more.
    fn send_again(&mut self) -> bool {
        let now = time::now();
        while let Some(entry) = self.later.first_entry()
            && *entry.key() <= now
        {
            let (at, mut places) = entry.remove_entry();
            while let Some(from) = places.first().copied() {
                let run = places.iter().zip(from..).take_while(|(place, next)| **place == *next);
                let until = from + run.take(FRAME_MESSAGES_MAX).count();
                if !self.courier.send(from as u64, &self.letters[from..until], self.ttl) {
                    self.later.insert(at, places);
                    return false;
                }
                places = places.split_off(&until);
            }
        }
        true
    }

    /// Puts a frame on the wire before its time, so that the kill finds messages under way.
    pub(super) async fn send_ahead(&mut self) {
        let from = self.schedule.sent;
        let until = (from + FRAME_MESSAGES_MAX).min(self.letters.len());
        if self.courier.send(from as u64, &self.letters[from..until], self.ttl) {
            self.schedule.sent = until;
        }
        time::sleep(AHEAD).await;
    }

    fn note(&mut self, news: News) -> anyhow::Result<()> {
        match news {
            News::Answers(response) => self.take_answers(response)?,
            News::Receipts(response) => self.take_receipts(response),
        }
        self.bar.set_message(format!("{} accepted", self.trip.accepted.len()));
        Ok(())
    }

    fn take_answers(&mut self, response: SubmitStreamResponse) -> anyhow::Result<()> {
        ensure!(response.error.is_none(), "a frame was refused: {:?}", response.error);
        for answer in response.answers {
            let place = usize::try_from(response.sequence)? + answer.index as usize;
            let result = answer.result.context("an answer without a result")?;
            if let Answer::Error(problem) = &result
                && let Some(stay_away) = come_back(problem)
            {
                self.trip.held_back += 1;
                self.later.entry(time::now() + stay_away).or_default().insert(place);
                continue;
            }
            self.answered.insert(place);
            match result {
                Answer::Accepted(accepted) => {
                    self.ends.begin(&accepted.message_id);
                    self.trip
                        .accepted
                        .insert(accepted.message_id, self.letters[place].clone());
                }
                Answer::Error(problem) => {
                    if self.trip.refused.0 == 0 {
                        self.trip.refused.1 = problem.message;
                    }
                    self.trip.refused.0 += 1;
                }
            }
        }
        Ok(())
    }

    fn take_receipts(&mut self, response: WatchReceiptsResponse) {
        self.ends.end(response);
        self.bar.set_position(self.ends.ended() as u64);
    }

    /// Sends and takes while `work` goes on.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::pin!(work);
        let mut ticks = time::every(FRAME_PERIOD);
        loop {
            // All arms are cancel-safe; the work is kept from turn to turn.
            tokio::select! { biased;
                done = &mut work => return done,
                _ = ticks.tick() => self.send_due(),
                news = self.courier.next() => self.note(news?)?,
            }
        }
    }

    /// Waits until every accepted message has ended.
    pub(super) async fn wait_for_ends(&mut self) -> anyhow::Result<()> {
        while self.ends.open() > 0 {
            let news = self.courier.next().await?;
            self.note(news)?;
        }
        Ok(())
    }
}
