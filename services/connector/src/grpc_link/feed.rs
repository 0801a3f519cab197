//! What a carrier tells by itself, over a stream of its own: opened again when it breaks, confirmed item by item, and bounded by
//! not being read.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use service::time::{self, Instant};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};
use tracing::{info, warn};

use super::{
    client::{Client, is_refusal},
    words::Words,
};
use crate::backoff::Backoff;

/// Ids of one request.
const IDS_MAX: usize = 500;
/// Longest id that can be confirmed, in octets: beyond that a carrier does not keep to the contract.
const ID_OCTETS_MAX: usize = 256;

/// One of the streams of `CarrierService`.
pub(super) trait Kind {
    /// What we say.
    type Request: Send + 'static;
    /// What the carrier says.
    type Response: Send + 'static;
    /// What it tells.
    type Item;
    /// The call's name.
    const NAME: &'static str;
    /// Items that may be unconfirmed.
    const WINDOW: u32;

    /// The request that opens the stream with a `window`, or confirms.
    fn request(window: u32, confirmed: Vec<String>, again: Vec<String>) -> Self::Request;

    /// Opens the stream with `first`.
    fn open(client: Client, first: Self::Request) -> BoxFuture<'static, Result<Stream<Self>, Status>>;

    /// The items of a response, each with its id.
    fn items(response: Self::Response) -> Vec<(String, Self::Item)>;
}

/// An open stream.
pub(super) struct Stream<K: Kind + ?Sized> {
    pub requests: mpsc::Sender<K::Request>,
    pub responses: Streaming<K::Response>,
}

enum State<K: Kind> {
    /// To be opened at this time.
    Waiting(Instant),
    Opening(BoxFuture<'static, Result<Stream<K>, Status>>),
    Open(Box<Stream<K>>, Instant),
    /// The carrier has no such stream, or our side of it is over.
    Over,
}

/// A stream of items, and what is to be confirmed of it.
pub(super) struct Feed<K: Kind> {
    link: Arc<str>,
    words: Words,
    client: Client,
    backoff: Backoff,
    state: State<K>,
    /// Items that wait for their reply, by token; one without an id cannot be confirmed.
    open: BTreeMap<u64, Option<String>>,
    confirmed: Vec<String>,
    again: Vec<String>,
    is_closing: bool,
}

impl<K: Kind> Feed<K> {
    pub(super) fn new(link: Arc<str>, words: Words, client: Client, backoff: Backoff) -> Self {
        Self {
            link,
            words,
            client,
            backoff,
            state: State::Waiting(time::now()),
            open: BTreeMap::new(),
            confirmed: Vec::new(),
            again: Vec::new(),
            is_closing: false,
        }
    }

    /// The next items; each is to be entered under a token. Cancel-safe: what is under way stays in `self`.
    pub(super) async fn next(&mut self) -> Vec<(String, K::Item)> {
        loop {
            match &mut self.state {
                State::Over => std::future::pending().await,
                State::Waiting(at) => {
                    time::sleep_until(*at).await;
                    self.begin();
                }
                State::Opening(opening) => match opening.await {
                    Ok(stream) => self.state = State::Open(Box::new(stream), time::now()),
                    Err(status) => self.failed(&status, None),
                },
                State::Open(..) => {
                    if let Some(items) = self.serve().await {
                        return items;
                    }
                }
            }
        }
    }

    /// Confirms what is to be confirmed, or reads. `None` = no items came of it.
    async fn serve(&mut self) -> Option<Vec<(String, K::Item)>> {
        let State::Open(stream, since) = &mut self.state else {
            return None;
        };
        let has_room = self.open.len() < K::WINDOW as usize && !self.is_closing;
        let has_replies = !self.confirmed.is_empty() || !self.again.is_empty();
        let since = *since;
        let heard = tokio::select! {
            biased;
            permit = stream.requests.reserve(), if has_replies => match permit {
                Ok(permit) => {
                    let of = |ids: &mut Vec<String>| ids.drain(..ids.len().min(IDS_MAX)).collect();
                    permit.send(K::request(0, of(&mut self.confirmed), of(&mut self.again)));
                    return None;
                }
                // The carrier reads no more.
                Err(_) => Ok(None),
            },
            message = stream.responses.message(), if has_room => message,
            else => std::future::pending().await,
        };
        match heard {
            Ok(Some(response)) => return Some(K::items(response)),
            Ok(None) => self.ended(since),
            Err(status) => self.failed(&status, Some(since)),
        }
        None
    }

    fn begin(&mut self) {
        let of = |ids: &mut Vec<String>| ids.drain(..ids.len().min(IDS_MAX)).collect();
        // What waits for its reply comes again over the new stream: an old reply would be to another item.
        self.open.clear();
        self.again.clear();
        let first = K::request(K::WINDOW, of(&mut self.confirmed), Vec::new());
        self.state = State::Opening(K::open(self.client.clone(), first));
    }

    /// The carrier ended the stream as if all were well.
    fn ended(&mut self, since: Instant) {
        let wait = self.backoff.next(Some(time::now().duration_since(since)));
        self.wait(wait);
    }

    fn failed(&mut self, status: &Status, since: Option<Instant>) {
        let (link, stream) = (&self.link, K::NAME);
        if status.code() == Code::Unimplemented {
            info!(%link, stream, "the carrier has no such stream");
            self.state = State::Over;
            return;
        }
        let is_refused = is_refusal(status);
        let wait = match is_refused {
            true => self.backoff.refused(),
            false => self.backoff.next(since.map(|since| time::now().duration_since(since))),
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let reason = self.words.status(status);
        if is_refused {
            warn!(%link, stream, reason, wait_ms, "the carrier refuses the stream, check the key");
        } else {
            info!(%link, stream, reason, wait_ms, "the stream broke, opening it again");
        }
        self.wait(wait);
    }

    fn wait(&mut self, wait: Duration) {
        self.state = match self.is_closing {
            true => State::Over,
            false => State::Waiting(time::now() + wait),
        };
    }

    /// Notes that an item waits for its reply under `token`. False = its id cannot be confirmed.
    pub(super) fn enter(&mut self, token: u64, id: String) -> bool {
        let id = Some(id).filter(|id| (1..=ID_OCTETS_MAX).contains(&id.len()));
        let can_confirm = id.is_some();
        self.open.insert(token, id);
        can_confirm
    }

    /// A reply came. False = it is to no item of this stream.
    pub(super) fn reply(&mut self, token: u64, is_safe: bool) -> bool {
        let Some(id) = self.open.remove(&token) else {
            return false;
        };
        let replies = if is_safe { &mut self.confirmed } else { &mut self.again };
        replies.extend(id);
        true
    }

    /// Reads nothing more; what is safe is still confirmed.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
        if !matches!(self.state, State::Open(..)) {
            self.state = State::Over;
        }
    }

    /// Whether nothing waits for its reply, unless `no_replies` come any more, or is to be confirmed.
    pub(super) fn is_quiet(&self, no_replies: bool) -> bool {
        let has_replies = !self.confirmed.is_empty() || !self.again.is_empty();
        matches!(self.state, State::Over) || ((no_replies || self.open.is_empty()) && !has_replies)
    }

    /// Ends our side and waits until the carrier ends its own, so that nothing confirmed is lost on the way.
    pub(super) async fn finish(mut self) {
        if let State::Open(stream, _) = &mut self.state {
            let (closed, _) = mpsc::channel(1);
            stream.requests = closed;
            while let Ok(Some(_)) = stream.responses.message().await {}
        }
    }
}
