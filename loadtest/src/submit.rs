//! Submits messages over gRPC in open loop: each has a moment at which it is due, whatever became of the others, and
//! its latency counts from that moment. A router that stalls is thus charged for everybody who had to wait.
//!
//! Talks to this machine only.

pub mod args;
mod connection;
mod receipts;
mod report;
mod schedule;
mod seconds;
mod tally;
mod target;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use signalbox_proto::pb::signalbox::ingest::v1::message_service_client::MessageServiceClient;
use tokio::{sync::oneshot, task::JoinSet};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::world::Traffic;
pub use connection::submission;
pub use report::{Latency, ReceiptsReport, Refused, Report};
use schedule::Schedule;
use tally::Tally;
pub(crate) use tally::histogram;
pub use target::Target;

/// Most messages of one frame, as `SubmitStream` has it.
pub const FRAME_MESSAGES_MAX: usize = 500;
/// Most connections of one run.
pub const CONNECTIONS_MAX: u32 = 256;
/// Highest rate, in messages per second.
pub const RATE_MAX: u32 = 1_000_000;
/// Most messages of one run: each is remembered by one octet while receipts are followed.
pub const MESSAGES_MAX: u64 = 100_000_000;

/// What to submit, where and how fast.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Address of the router's ingest.
    pub target: Target,
    /// Key of the account.
    pub api_key: String,
    /// Messages per second over all connections, 1 to [`RATE_MAX`].
    pub rate: u32,
    /// Messages in all, 1 to [`MESSAGES_MAX`].
    pub messages: u64,
    /// Connections, 1 to [`CONNECTIONS_MAX`]; each has one stream.
    pub connections: u32,
    /// Longest time a due message waits for others to share its frame.
    pub frame_wait: Duration,
    /// Messages of a frame, 1 to [`FRAME_MESSAGES_MAX`].
    pub frame_messages: usize,
    /// How long after it was due a message comes back that the router is too busy for; zero = it does not, and is refused.
    pub patience: Duration,
    /// How long after the last message answers are waited for.
    pub answer_timeout: Duration,
    /// How long after the last answer receipts are waited for; absent = receipts are not followed.
    pub receipt_timeout: Option<Duration>,
    /// Time to live of each message; absent = the router's.
    pub ttl: Option<Duration>,
    /// Whether messages of one segment alone are wanted; what is longer is left out of the traffic.
    pub one_segment: bool,
    /// Seed of recipients and texts.
    pub seed: u64,
    /// Whether [`Report::accepted_ids`] is wanted.
    pub keeps_ids: bool,
}

impl Plan {
    fn check(&self) -> Result<()> {
        bounded("messages a second", self.rate.into(), RATE_MAX.into())?;
        bounded("messages", self.messages, MESSAGES_MAX)?;
        bounded("connections", self.connections.into(), CONNECTIONS_MAX.into())?;
        let (frame, frame_max) = (self.frame_messages as u64, FRAME_MESSAGES_MAX as u64);
        bounded("messages a frame", frame, frame_max)
    }

    async fn connect(&self) -> Result<MessageServiceClient<Channel>> {
        let endpoint = Endpoint::from_shared(self.target.url())?
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            // Answers and receipts are small and many; the client is never what slows the router down.
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20);
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("cannot connect to {}", self.target.url()))?;
        Ok(MessageServiceClient::new(channel))
    }

    /// `message` as a request with the account's key.
    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let bearer: MetadataValue<Ascii> = format!("Bearer {}", self.api_key)
            .parse()
            .context("the API key has characters no header may carry")?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}

/// Submits what `plan` says and reports how it went. A refused message is a finding and stands in the report, and so is
/// a stream that broke: what it had not got answered is `unanswered`.
///
/// # Errors
/// The plan breaks a limit, or no connection could be opened; nothing was submitted then.
pub async fn run(plan: Plan) -> Result<Report> {
    plan.check()?;
    let mut clients = Vec::new();
    for _ in 0..plan.connections {
        clients.push(plan.connect().await?);
    }
    let run = run_name(&plan);
    let mut watching = JoinSet::new();
    let follow = match plan.receipt_timeout {
        // Opened before the first message, so that no receipt is missed.
        Some(timeout) => Some(receipts::Follow::open(plan.clone(), run.clone(), timeout).await?),
        None => None,
    };
    let schedule = Schedule::starting_now(plan.rate, plan.messages, plan.connections);
    let done = follow.map(|follow| {
        let (done, submitted) = oneshot::channel();
        watching.spawn(follow.run(schedule, submitted));
        done
    });

    let mut streams = JoinSet::new();
    for (number, client) in (0..).zip(clients) {
        let traffic = Traffic::new(plan.seed.wrapping_add(u64::from(number)))?;
        streams.spawn(
            connection::Connection {
                number,
                plan: plan.clone(),
                run: run.clone(),
                schedule,
                traffic,
            }
            .run(client),
        );
    }
    let mut tally = Tally::default();
    while let Some(stream) = streams.join_next().await {
        tally.add(stream.context("a stream panicked")?);
    }
    if let Some(done) = done {
        // The receiver is gone only if following receipts failed for good, which its report says.
        let _ = done.send(tally.accepted);
    }
    let seconds = tally.last_answer.map_or(0.0, |at| schedule.seconds_until(at));
    let receipts = match watching.join_next().await {
        Some(report) => Some(report.context("following receipts panicked")?),
        None => None,
    };
    Ok(Report::new(&plan, tally, seconds, receipts))
}

/// Refuses a number that is not from 1 to `max`.
fn bounded(what: &str, asked: u64, max: u64) -> Result<()> {
    ensure!(
        (1..=max).contains(&asked),
        "{asked} {what} asked, allowed are 1 to {max}"
    );
    Ok(())
}

/// A word that tells the messages of this run from those of others: part of every reference.
#[expect(
    clippy::disallowed_methods,
    reason = "a load test may tell its runs apart by the clock"
)]
fn run_name(plan: &Plan) -> String {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!("load-{:x}-{:x}", since.as_nanos(), plan.seed)
}
