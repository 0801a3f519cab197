//! Streams of what stands on a topic for one account, resumable by token: receipts and inbound messages alike.

use std::{marker::PhantomData, time::Duration};

use bus::{ConsumeError, Position, Read, Stored, Topic};
use futures::{Stream, stream};
use service::{
    Deps, Stop,
    time::{self, Instant},
    trace::Spans,
};
use signalbox_proto::record::Invalid;
use store::{Key, Op, StoreError};
use tonic::Status;

use super::{Caller, Service, refused, unread::Unread};
use crate::{Account, Permits, Refusal, Violation, metrics};

/// Streams of one account at a time: each reads what concerns all accounts.
pub const WATCHES_MAX: u32 = 16;
/// Records read at a time, and so entries of one response.
const BATCH_EVENTS: usize = 500;
/// Least time between responses of a stream that is not behind. Each of them waits for a sync of the log, which passwords
/// on their way out would have to wait for as well.
const RESPONSES_EVERY: Duration = Duration::from_millis(20);
/// Records of other accounts after which a token is sent all the same, so that resuming does not read them again.
const SKIPPED_MAX: usize = 10_000;
/// Longest token.
const TOKEN_OCTETS_MAX: usize = 4_096;

/// What a stream is of.
pub(super) trait Feed: Send + 'static {
    /// One entry.
    type Item: Send;
    /// Some entries, and where to go on.
    type Response: Send;
    /// What there are too many of, for people.
    const STREAMS: &'static str;

    /// Where it stands.
    fn topic() -> Topic;

    /// The entry in `stored`; `None` = it is not the caller's.
    fn read(caller: &Caller, account: &Account, stored: &Stored) -> Result<Option<Self::Item>, Invalid>;

    /// A response.
    fn response(items: Vec<Self::Item>, token: String) -> Self::Response;

    /// Counts what was handed out.
    fn count(items: usize);
}

/// Where a caller wants to begin.
pub(super) struct From {
    /// After the response with this token; empty = see `since`.
    pub(super) token: String,
    /// With the first at or after this instant, in seconds and nanoseconds since 1970; absent = now.
    pub(super) since: Option<(i64, i32)>,
}

/// One open stream.
struct Watch<F> {
    read: Box<dyn Read>,
    deps: Deps,
    unread: Unread,
    caller: Caller,
    stop: Stop,
    skipped: usize,
    /// When it responds next at the earliest.
    rested_at: Instant,
    is_begun: bool,
    is_over: bool,
    _permits: Permits,
    _open: Open,
    _of: PhantomData<fn() -> F>,
}

/// Counts the stream while it is open.
struct Open;

impl Open {
    fn new() -> Self {
        metrics::watches(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::watches(-1.0);
    }
}

/// Opens the stream: once this returns, no later event is missed.
pub(super) async fn watch<F: Feed>(
    service: &Service,
    caller: Caller,
    from: From,
) -> Result<impl Stream<Item = Result<F::Response, Status>> + Send + 'static, Refusal> {
    let from = position(from)?;
    let permits = caller.account.watches.take(1, WATCHES_MAX);
    if permits.granted() == 0 {
        let account = caller.account.name.clone();
        return Err(Refusal::Exhausted {
            account,
            what: F::STREAMS,
            limit: WATCHES_MAX,
        });
    }
    let read = service
        .deps
        .bus
        .read(&F::topic(), from)
        .await
        .map_err(|error| match error {
            ConsumeError::Position(_) => Violation::new(
                "token",
                "not a token of this service, or what it named is no longer kept",
            )
            .into(),
            other => Refusal::Consume(other),
        })?;
    let watch = Watch::<F> {
        read,
        deps: service.deps.clone(),
        unread: service.unread.clone(),
        caller,
        stop: service.stop.clone(),
        skipped: 0,
        rested_at: time::now(),
        is_begun: false,
        is_over: false,
        _permits: permits,
        _open: Open::new(),
        _of: PhantomData,
    };
    Ok(stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|response| (response, watch))
    }))
}

fn position(request: From) -> Result<Position, Refusal> {
    match (request.token, request.since) {
        (token, Some(_)) if !token.is_empty() => {
            Err(Violation::new("since", "token and since are both given, allowed is one of them").into())
        }
        (token, None) if token.is_empty() => Ok(Position::End),
        (token, Some((seconds, nanos))) if token.is_empty() => {
            let millis = seconds
                .checked_mul(1_000)
                .and_then(|millis| millis.checked_add(i64::from(nanos / 1_000_000)));
            let millis = millis.and_then(|millis| u64::try_from(millis).ok());
            let refused = || Violation::new("since", format!("{seconds} s, allowed are instants from 1970 on"));
            Ok(Position::Since(millis.ok_or_else(refused)?))
        }
        (token, _) if token.len() > TOKEN_OCTETS_MAX => {
            let what = format!("has {} octets, allowed are up to {TOKEN_OCTETS_MAX}", token.len());
            Err(Violation::new("token", what).into())
        }
        (token, _) => Ok(Position::At(token)),
    }
}

impl<F: Feed> Watch<F> {
    async fn next(&mut self) -> Option<Result<F::Response, Status>> {
        if self.is_over {
            return None;
        }
        if !self.is_begun {
            self.is_begun = true;
            return self.response(Vec::new()).await;
        }
        loop {
            let events = tokio::select! {
                biased;
                () = self.stop.requested() => return self.end(&Refusal::Draining),
                events = read(&mut *self.read, self.rested_at) => events,
            };
            let events = match events {
                Ok(events) => events,
                Err(error) => return self.end(&Refusal::Consume(error)),
            };
            let account = match self.caller.now() {
                Ok(account) => account,
                Err(refusal) => return self.end(&refusal),
            };
            self.skipped += events.len();
            let is_behind = events.len() == BATCH_EVENTS;
            let (mut items, mut unread) = (Vec::new(), Vec::new());
            let (topic, mut handed_out) = (F::topic(), Spans::default());
            for event in &events {
                match F::read(&self.caller, &account, event) {
                    Ok(Some(item)) => {
                        handed_out.keep(self.deps.tracer.process(&topic, event));
                        items.push(item);
                    }
                    Ok(None) => {}
                    Err(invalid) => unread.push((event, invalid)),
                }
            }
            // A token after them must not be handed out before they can be found elsewhere.
            if let Err(refusal) = self.unread.put_aside(&self.deps, &topic, &unread).await {
                return self.end(&refusal);
            }
            if !items.is_empty() || self.skipped >= SKIPPED_MAX {
                if !is_behind {
                    self.rested_at = time::now() + RESPONSES_EVERY;
                }
                return self.response(items).await;
            }
        }
    }

    async fn response(&mut self, items: Vec<F::Item>) -> Option<Result<F::Response, Status>> {
        if let Err(error) = barrier(&self.deps).await {
            return self.end(&Refusal::Store(error));
        }
        self.skipped = 0;
        F::count(items.len());
        let Position::At(token) = self.read.position() else {
            return self.end(&Refusal::Consume(ConsumeError::Away(
                "the log does not say where it is".to_owned(),
            )));
        };
        Some(Ok(F::response(items, token)))
    }

    fn end(&mut self, refusal: &Refusal) -> Option<Result<F::Response, Status>> {
        self.is_over = true;
        Some(Err(refused(refusal, "")))
    }
}

/// What is there from `rested_at` on. Cancel-safe.
async fn read(read: &mut dyn Read, rested_at: Instant) -> Result<Vec<Stored>, ConsumeError> {
    time::sleep_until(rested_at).await;
    read.next(BATCH_EVENTS).await
}

/// Resolves when all that was read is durable. Reading an embedded log runs ahead of its sync, and a token must not name a
/// place that a crash takes back; log and store share one sync, so a write to the store covers both. Elsewhere only durable
/// records are read, and this costs one write per response.
async fn barrier(deps: &Deps) -> Result<(), StoreError> {
    let key = Key::new("barrier", "receipts");
    let expires_at_ms = deps.clock.now().0 + 1_000;
    let put = Op::Put {
        key,
        value: bytes::Bytes::new(),
        expires_at_ms,
    };
    let written = match deps.store.apply(vec![put]).await {
        Ok((_, commit)) => commit.patiently().await,
        Err(error) => Err(error),
    };
    match written {
        // A store that can be lost is not the log's: what was read there is durable, and receipts go on.
        Err(StoreError::Lost) => Ok(()),
        written => written,
    }
}
