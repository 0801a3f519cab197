//! `WatchReceipts`: the events of one account, resumable by token.

use std::time::Duration;

use bus::{ConsumeError, Position, Read, Stored};
use futures::{Stream, stream};
use journey::Event;
use service::{
    Deps, Stop,
    time::{self, Instant},
};
use signalbox_proto::{
    ingest,
    pb::signalbox::ingest::v1::{Receipt, WatchReceiptsRequest, WatchReceiptsResponse},
    record::event_from_bytes,
    topics,
};
use sms::AccountId;
use store::{Key, Op, StoreError};
use tonic::Status;

use super::{Caller, Service, refused, unread::Unread};
use crate::{Permits, Refusal, Violation, metrics};

/// Receipt streams of one account at a time: each reads the events of all accounts.
pub const WATCHES_MAX: u32 = 16;
/// Events read at a time, and so receipts in one response.
const BATCH_EVENTS: usize = 500;
/// Least time between responses of a stream that is not behind. Each of them waits for a sync of the log, which passwords
/// on their way out would have to wait for as well.
const RESPONSES_EVERY: Duration = Duration::from_millis(20);
/// Events of other accounts after which a token is sent all the same, so that resuming does not read them again.
const SKIPPED_MAX: usize = 10_000;
/// Longest token.
const TOKEN_OCTETS_MAX: usize = 4_096;

/// One open stream of receipts.
struct Watch {
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
pub(super) async fn watch(
    service: &Service,
    caller: Caller,
    request: WatchReceiptsRequest,
) -> Result<impl Stream<Item = Result<WatchReceiptsResponse, Status>> + Send + 'static, Refusal> {
    let from = position(request)?;
    let permits = caller.account.watches.take(1, WATCHES_MAX);
    if permits.granted() == 0 {
        let account = caller.account.name.clone();
        return Err(Refusal::Exhausted {
            account,
            what: "receipt streams",
            limit: WATCHES_MAX,
        });
    }
    let read = service
        .deps
        .bus
        .read(&topics::events(), from)
        .await
        .map_err(|error| match error {
            ConsumeError::Position(_) => Violation::new(
                "token",
                "not a token of this service, or what it named is no longer kept",
            )
            .into(),
            other => Refusal::Consume(other),
        })?;
    let watch = Watch {
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
    };
    Ok(stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|response| (response, watch))
    }))
}

fn position(request: WatchReceiptsRequest) -> Result<Position, Refusal> {
    match (request.token, request.since) {
        (token, Some(_)) if !token.is_empty() => {
            Err(Violation::new("since", "token and since are both given, allowed is one of them").into())
        }
        (token, None) if token.is_empty() => Ok(Position::End),
        (token, Some(since)) if token.is_empty() => {
            let millis = since
                .seconds
                .checked_mul(1_000)
                .and_then(|millis| millis.checked_add(i64::from(since.nanos / 1_000_000)));
            let millis = millis.and_then(|millis| u64::try_from(millis).ok());
            let refused = || {
                Violation::new(
                    "since",
                    format!("{} s, allowed are instants from 1970 on", since.seconds),
                )
            };
            Ok(Position::Since(millis.ok_or_else(refused)?))
        }
        (token, _) if token.len() > TOKEN_OCTETS_MAX => {
            let what = format!("has {} octets, allowed are up to {TOKEN_OCTETS_MAX}", token.len());
            Err(Violation::new("token", what).into())
        }
        (token, _) => Ok(Position::At(token)),
    }
}

impl Watch {
    async fn next(&mut self) -> Option<Result<WatchReceiptsResponse, Status>> {
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
            let (mut receipts, mut unread) = (Vec::new(), Vec::new());
            for event in &events {
                match event_from_bytes(&event.value) {
                    Ok(read) => receipts.extend(receipt_of(&account.name, &read)),
                    Err(invalid) => unread.push((event, invalid)),
                }
            }
            // A token after them must not be handed out before they can be found elsewhere.
            if let Err(refusal) = self.unread.put_aside(&self.deps, &unread).await {
                return self.end(&refusal);
            }
            if !receipts.is_empty() || self.skipped >= SKIPPED_MAX {
                if !is_behind {
                    self.rested_at = time::now() + RESPONSES_EVERY;
                }
                return self.response(receipts).await;
            }
        }
    }

    async fn response(&mut self, receipts: Vec<Receipt>) -> Option<Result<WatchReceiptsResponse, Status>> {
        if let Err(error) = barrier(&self.deps).await {
            return self.end(&Refusal::Store(error));
        }
        self.skipped = 0;
        metrics::receipts(receipts.len());
        let Position::At(token) = self.read.position() else {
            return self.end(&Refusal::Consume(ConsumeError::Away(
                "the log does not say where it is".to_owned(),
            )));
        };
        Some(Ok(WatchReceiptsResponse { receipts, token }))
    }

    fn end(&mut self, refusal: &Refusal) -> Option<Result<WatchReceiptsResponse, Status>> {
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

/// The receipt in an event of `account`. The customer is not told of copies: it never got their ids.
fn receipt_of(account: &AccountId, event: &Event) -> Option<Receipt> {
    let (owner, is_copy) = match event {
        Event::Ended(ended) => (&ended.message.account, ended.message.copy_of.is_some()),
        Event::Late(late) => (&late.account, late.copy_of.is_some()),
    };
    (owner == account && !is_copy).then(|| ingest::receipt(event))
}
