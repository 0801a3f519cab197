//! Follows the receipts of a run: which state each message ended in, and how long after it was due.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use signalbox_proto::pb::signalbox::ingest::v1::{
    MessageState, Receipt, WatchReceiptsRequest, WatchReceiptsResponse, message_service_client::MessageServiceClient,
};
use tokio::{sync::oneshot, time::Instant};
use tonic::{Streaming, transport::Channel};

use super::{
    Latency, Plan, ReceiptsReport,
    schedule::Schedule,
    seconds::Seconds,
    tally::{histogram, record},
};

/// Pause before a broken stream is opened again.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

/// An open stream of receipts.
pub(crate) struct Follow {
    plan: Plan,
    run: String,
    timeout: Duration,
    client: MessageServiceClient<Channel>,
    stream: Option<Streaming<WatchReceiptsResponse>>,
    token: String,
    ends: Ends,
}

/// What is known of how messages ended.
struct Ends {
    /// By place among all messages: whether its end is known.
    ended: Vec<bool>,
    count: u64,
    states: BTreeMap<String, u64>,
    late: u64,
    repeated: u64,
    latency: Histogram<u64>,
    /// Seconds from the first message's due time to the last end.
    seconds: f64,
    each_second: Seconds,
}

impl Follow {
    /// Opens the stream; it covers every message submitted after this returns.
    pub(crate) async fn open(plan: Plan, run: String, timeout: Duration) -> Result<Self> {
        let client = plan.connect().await?;
        let ends = Ends {
            ended: vec![false; usize::try_from(plan.messages)?],
            count: 0,
            states: BTreeMap::new(),
            late: 0,
            repeated: 0,
            latency: histogram(),
            seconds: 0.0,
            each_second: Seconds::default(),
        };
        let mut follow = Self {
            plan,
            run,
            timeout,
            client,
            stream: None,
            token: String::new(),
            ends,
        };
        follow.reopen().await?;
        Ok(follow)
    }

    async fn reopen(&mut self) -> Result<()> {
        let request = WatchReceiptsRequest {
            token: self.token.clone(),
            since: None,
        };
        let request = self.plan.request(request)?;
        self.stream = Some(self.client.watch_receipts(request).await?.into_inner());
        Ok(())
    }

    /// Counts receipts until each of the messages `submitted` tells has one, or none came in time.
    pub(crate) async fn run(mut self, schedule: Schedule, mut submitted: oneshot::Receiver<u64>) -> ReceiptsReport {
        let mut expected: Option<u64> = None;
        let mut give_up = None;
        while expected.is_none_or(|expected| self.ends.count < expected) {
            tokio::select! { biased;
                accepted = &mut submitted, if expected.is_none() => {
                    expected = Some(accepted.unwrap_or(0));
                    give_up = Some(now() + self.timeout);
                }
                () = until(give_up), if give_up.is_some() => break,
                response = self.next() => {
                    let now = now();
                    self.token = response.token;
                    let before = self.ends.count;
                    for receipt in response.receipts {
                        self.ends.count(&receipt, &self.run, &schedule, now);
                    }
                    self.ends.note(self.ends.count - before, schedule.seconds_until(now));
                }
            }
        }
        self.ends.report(expected.unwrap_or(0))
    }

    /// The next response. A stream that broke is opened again where it stopped. Cancel-safe: an opening that was cut
    /// short is begun anew.
    async fn next(&mut self) -> WatchReceiptsResponse {
        loop {
            match &mut self.stream {
                Some(stream) => match stream.message().await {
                    Ok(Some(response)) => return response,
                    Ok(None) | Err(_) => self.stream = None,
                },
                None => {
                    pause(REOPEN_PAUSE).await;
                    // Tried again until the caller's time is up.
                    let _ = self.reopen().await;
                }
            }
        }
    }
}

impl Ends {
    fn count(&mut self, receipt: &Receipt, run: &str, schedule: &Schedule, now: Instant) {
        let place = receipt
            .reference
            .strip_prefix(run)
            .and_then(|place| place.strip_prefix('/'));
        let Some(place) = place
            .and_then(|place| place.parse::<u64>().ok())
            .filter(|p| *p < schedule.messages())
        else {
            // Another run's, or another customer's tool under the same account.
            return;
        };
        if receipt.late {
            self.late += 1;
            return;
        }
        let ended = &mut self.ended[place as usize];
        if std::mem::replace(ended, true) {
            self.repeated += 1;
            return;
        }
        self.count += 1;
        let state = receipt.state().as_str_name();
        let state = state.strip_prefix("MESSAGE_STATE_").unwrap_or(state).to_lowercase();
        *self.states.entry(state).or_default() += 1;
        if receipt.state() == MessageState::Delivered {
            record(&mut self.latency, schedule.due(place), now);
        }
    }

    /// So many messages ended after so many seconds.
    fn note(&mut self, messages: u64, seconds: f64) {
        if messages > 0 {
            self.seconds = seconds;
            self.each_second.note(seconds, messages);
        }
    }

    fn report(self, expected: u64) -> ReceiptsReport {
        ReceiptsReport {
            seconds: self.seconds,
            ended_each_second: self.each_second.counts(),
            ended: self.count,
            missing: expected.saturating_sub(self.count),
            states: self.states,
            late: self.late,
            repeated: self.repeated,
            latency_delivered: Latency::of(&self.latency),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the wait for receipts keeps real time")]
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause of the load test, not of a service")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[expect(clippy::disallowed_methods, reason = "latency is measured here")]
fn now() -> Instant {
    Instant::now()
}
