//! Reads the log and puts what it says into a store that only the rebuilder sees.
//!
//! Partitions and topics may be read in any order and twice: facts join alike. An end that stands on the log is the end,
//! whatever was made of its message before. What cannot be read is counted and left to the loops, which put
//! it aside.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bus::{ConsumeError, Position, Read, Stored, Topic};
use bytes::Bytes;
use journey::{Attempt, CODE_TAKEN_BACK, Delayed, Event, Fact, OrderAnswer, OrderNumber, Outcome, State, recall};
use service::time;
use signalbox_proto::{
    keys,
    record::{self, Fault, Invalid, KeyEntry, KeyMark},
    topics,
};
use sms::{Lane, Message, MessageId, RecordKey, UnixMs};
use store::{Applied, Key, Op, Store, StoreError};

use super::Trouble;
use crate::{
    case::{self, Loaded},
    desk::{Desk, RETRY},
    epochs::SETTLED_AFTER,
    handlers::correlations,
    outbox, states,
};

/// How far back the log is read: the longest deadline and grace, and an hour.
const REPLAYED: Duration = Duration::from_secs(26 * 3_600);
/// How much earlier than its id says a message is looked for: the log's clock may be behind.
const EARLIER: Duration = Duration::from_secs(60);
/// How long an idempotency key is kept, from acceptance.
const KEYS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Records read at once; all that is held in memory.
const RECORDS_MAX: usize = 1_000;
/// Wait before the ends of the topics are looked at again.
const PAUSE: Duration = Duration::from_millis(50);
/// Tries to write a batch before the store is thought to be somebody else's.
const WRITES_MAX: usize = 10;

/// Orders before one on the log that are claimed if they have no answer: none of so many that is older waits any more.
const CALLED_OFF_MAX: u32 = 32;

/// What a topic tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Events,
    Accepted,
    Retry,
    Dispatch,
    Outcomes,
    Receipts,
}

/// What a rebuild read and wrote.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) records: u64,
    pub(super) states: u64,
    pub(super) ended: u64,
    pub(super) correlations: u64,
    pub(super) claims: u64,
    pub(super) keys: u64,
    /// What could not be read, and was left out.
    pub(super) unreadable: u64,
}

/// One rebuild under way.
pub(super) struct Replay<'a> {
    desk: &'a Arc<Desk>,
    store: &'a dyn Store,
    lost_at: UnixMs,
    counts: Counts,
    mending: Option<Mending>,
}

/// The few messages that are asked for, and all that was said about them so far.
struct Mending {
    wanted: Wanted,
    said: Said,
}

/// What a mend asks the log about.
enum Wanted {
    /// Messages whose states are damaged.
    Messages(BTreeSet<MessageId>),
    /// All messages with these keys: one of their records is damaged, and which of them it was of is not known.
    Keys(BTreeSet<RecordKey>),
}

/// What a batch of records says.
#[derive(Default)]
struct Said {
    facts: BTreeMap<MessageId, (RecordKey, Vec<Fact>)>,
    beside: Vec<Op>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(desk: &'a Arc<Desk>, store: &'a dyn Store, lost_at: UnixMs) -> Self {
        Self {
            desk,
            store,
            lost_at,
            counts: Counts::default(),
            mending: None,
        }
    }

    /// Makes the states of `messages` again that cannot be read, all at once: until then what is there stays. How many were;
    /// what the log says too little about stays as it is.
    pub(super) async fn mend(mut self, messages: BTreeSet<MessageId>) -> Result<u64, Trouble> {
        let now = self.desk.now();
        let oldest = messages.iter().map(|message| message.instant()).min().unwrap_or(now);
        let said = Said::default();
        let wanted = Wanted::Messages(messages);
        self.mending = Some(Mending { wanted, said });
        // Stored after the id was drawn, by clocks that may differ.
        self.gather(oldest - EARLIER).await?;
        if !self.mending.as_ref().is_some_and(Mending::is_told) {
            // They differ by more: whoever accepted the message was ahead, perhaps.
            self.gather(now - REPLAYED).await?;
        }
        let said = self.mending.as_mut().map(|mending| std::mem::take(&mut mending.said));
        self.enter(said.unwrap_or_default()).await?;
        Ok(self.counts.states)
    }

    /// Makes a state of each message with one of `keys` that has not ended and has none, so that its timer ends it should
    /// nothing move it on any more. How many were made.
    ///
    /// What is moved on by records that can be read goes on as it would: what is written here is what a store holds that
    /// was rebuilt a moment ago, and whoever learns more writes over it.
    pub(super) async fn make(mut self, keys: BTreeSet<RecordKey>) -> Result<u64, Trouble> {
        let wanted = Wanted::Keys(keys);
        let said = Said::default();
        self.mending = Some(Mending { wanted, said });
        self.gather(self.desk.now() - REPLAYED).await?;
        let said = self.mending.as_mut().map(|mending| std::mem::take(&mut mending.said));
        // Claims and ids stand in the store, which was not lost.
        let facts = said.unwrap_or_default().facts;
        let beside = Vec::new();
        self.enter(Said { facts, beside }).await?;
        Ok(self.counts.states)
    }

    /// Reads all topics from `since` to their ends.
    async fn gather(&mut self, since: UnixMs) -> Result<(), Trouble> {
        let began = self.desk.now();
        for (kind, topic, mut reader) in self.open(since).await? {
            self.pass(kind, &topic, &mut *reader, began).await?;
        }
        Ok(())
    }

    /// Reads to the end, again until `quiet` has passed since the loss was seen and the log could be read, and once more.
    pub(super) async fn run(mut self, quiet: Duration) -> Result<Counts, Trouble> {
        let since = self.desk.now() - REPLAYED;
        let mut topics = self.open(since).await?;
        let mut quiet_at = self.lost_at + quiet;
        loop {
            let (began, is_last) = (self.desk.now(), self.desk.now() >= quiet_at);
            let mut is_whole = true;
            for (kind, topic, reader) in &mut topics {
                if let Err(trouble) = self.pass(*kind, topic, &mut **reader, began).await {
                    let Trouble::Read(_) = trouble else { return Err(trouble) };
                    // Whoever could not publish meanwhile gets time to do so.
                    quiet_at = self.desk.now() + quiet;
                    is_whole = false;
                }
            }
            if is_last && is_whole {
                return Ok(self.counts);
            }
            time::sleep(PAUSE).await;
            self.sign_of_life().await?;
        }
    }

    /// A rebuilder that says nothing to the store is thought to be dead.
    async fn sign_of_life(&self) -> Result<(), StoreError> {
        self.store.get(vec![keys::doubt()]).await.map(drop)
    }

    /// Readers of all topics from `since` on: ends first, so that what ended costs one write.
    async fn open(&self, since: UnixMs) -> Result<Vec<(Kind, Topic, Box<dyn Read>)>, Trouble> {
        let table = self.desk.table.snapshot();
        let carriers = table.carriers().iter().map(|carrier| carrier.name());
        let dispatch = carriers.flat_map(|carrier| Lane::ALL.map(|lane| topics::dispatch(carrier, lane)));
        let mut wanted: Vec<(Kind, Topic)> = vec![(Kind::Events, topics::events())];
        wanted.extend(Lane::ALL.map(|lane| (Kind::Accepted, topics::accepted(lane))));
        wanted.extend(topics::DELAYS.map(|(word, _)| (Kind::Retry, topics::retry(word))));
        wanted.extend(Lane::ALL.map(|lane| (Kind::Retry, topics::lookup(lane))));
        wanted.extend(dispatch.map(|topic| (Kind::Dispatch, topic)));
        wanted.extend([
            (Kind::Outcomes, topics::outcomes()),
            (Kind::Receipts, topics::receipts()),
        ]);
        let since = Position::Since(since.0);
        let mut readers = Vec::with_capacity(wanted.len());
        for (kind, topic) in wanted {
            match self.desk.bus().read(&topic, since.clone()).await {
                Ok(reader) => readers.push((kind, topic, reader)),
                // A carrier whose topics could not be made yet was never sent an order.
                Err(ConsumeError::UnknownTopic(_)) if kind == Kind::Dispatch => {}
                Err(error) => return Err(error.into()),
            }
            self.sign_of_life().await?;
        }
        Ok(readers)
    }

    /// Reads one topic to its end, or past where it ended some time after the pass `began`.
    async fn pass(&mut self, kind: Kind, topic: &Topic, reader: &mut dyn Read, began: UnixMs) -> Result<(), Trouble> {
        let mut end: Option<Position> = None;
        loop {
            let records = reader.poll(RECORDS_MAX).await?;
            if records.is_empty() {
                return Ok(());
            }
            let is_new = records.iter().all(|stored| stored.stored_at_ms > began.0);
            self.counts.records += records.len() as u64;
            let said = self.say(kind, topic, &records);
            match &mut self.mending {
                Some(mending) => mending.said.join(said),
                None => self.enter(said).await?,
            }
            // A log in this process answers at once, always: others get their turn all the same.
            tokio::task::yield_now().await;
            // One partition has been read up to what comes while we read; the others may not have been.
            if is_new && end.is_none() {
                end = Some(self.desk.bus().read(topic, Position::End).await?.position());
            }
            if end.as_ref().is_some_and(|end| reader.position().is_past(end)) {
                return Ok(());
            }
        }
    }

    fn say(&mut self, kind: Kind, topic: &Topic, records: &[Stored]) -> Said {
        let mut said = Said::default();
        for stored in records {
            if !self.is_of_key(stored) {
                continue;
            }
            if let Err(invalid) = self.hear(&mut said, kind, stored)
                // Whoever read it first told, and put it aside.
                && self.mending.is_none()
            {
                self.counts.unreadable += 1;
                outbox::found_dead(topic.as_str(), invalid.fault(), &invalid.to_string());
            }
        }
        said
    }

    /// Enters what one record says.
    fn hear(&mut self, said: &mut Said, kind: Kind, stored: &Stored) -> Result<(), Invalid> {
        let octets = &stored.value;
        match kind {
            Kind::Events => {
                if let Event::Ended(ended) = record::event_from_bytes(octets)?
                    && self.is_about(ended.message.id)
                {
                    said.add(ended.message.id, ended.message.key, Fact::Ended(ended));
                }
            }
            Kind::Accepted => {
                let (message, mark) = record::accepted_with_key_from_bytes(octets)?;
                if !self.is_about(message.id) {
                    return Ok(());
                }
                let key = mark.and_then(|mark| self.key(&message, &mark));
                self.counts.keys += u64::from(key.is_some());
                said.beside.extend(key);
                said.add(message.id, message.key, Fact::Accepted(Box::new(message)));
            }
            Kind::Retry => {
                if let Delayed::Message(waiting) = record::delayed_from_bytes(octets, RecordKey(stored.key))?
                    && self.is_about(waiting.message.id)
                {
                    let over = waiting.deadline + waiting.message.class.grace();
                    self.call_off(said, waiting.message.id, waiting.number, &waiting.attempts, over);
                    said.add(waiting.message.id, waiting.message.key, Fact::Waits(waiting));
                }
            }
            Kind::Dispatch => {
                let order = record::order_from_bytes(octets)?;
                if self.is_about(order.message.id) {
                    let over = order.terms.deadline + order.terms.grace;
                    self.call_off(said, order.message.id, order.number, &order.attempts, over);
                    said.add(order.message.id, order.message.key, Fact::Ordered(Box::new(order)));
                }
            }
            Kind::Outcomes => {
                let answer = record::outcome_from_bytes(octets)?;
                if self.is_about(answer.order.message) {
                    self.answer(said, answer);
                }
            }
            Kind::Receipts => {
                let receipt = record::receipt_from_bytes(octets)?;
                let (message, key) = (receipt.order.message, receipt.order.key);
                if self.is_about(message) {
                    said.add(message, key, Fact::Receipt(Box::new(receipt)));
                }
            }
        }
        Ok(())
    }

    /// Whether `message` is one of those that are asked for.
    fn is_about(&self, message: MessageId) -> bool {
        let mending = self.mending.as_ref();
        mending.is_none_or(|mending| match &mending.wanted {
            Wanted::Messages(messages) => messages.contains(&message),
            Wanted::Keys(_) => true,
        })
    }

    /// Whether `stored` may be of a message that is asked for.
    fn is_of_key(&self, stored: &Stored) -> bool {
        match self.mending.as_ref().map(|mending| &mending.wanted) {
            Some(Wanted::Keys(keys)) => keys.contains(&RecordKey(stored.key)),
            Some(Wanted::Messages(_)) | None => true,
        }
    }

    /// Whether messages are asked for by key: nothing says that their states are damaged.
    fn is_by_key(&self) -> bool {
        let wanted = self.mending.as_ref().map(|mending| &mending.wanted);
        matches!(wanted, Some(Wanted::Keys(_)))
    }

    /// What an idempotency key stands for; `None` = it is too old to be kept.
    fn key(&self, message: &Message, mark: &KeyMark) -> Option<Op> {
        let expires = message.id.instant() + KEYS_KEPT;
        let entry = KeyEntry {
            is_final: true,
            id: message.id,
            digest: mark.digest,
        };
        (expires > self.desk.now()).then(|| Op::Swap {
            key: keys::idempotency(&message.account, &mark.hex()),
            expected: None,
            value: Some(entry.to_bytes()),
            expires_at_ms: expires.0,
            due: None,
        })
    }

    /// Claims the orders of `message` before the one with this `number` that were not answered when that was decided: a router had
    /// claimed them, or it would have waited for their answers. They may stand on the log still, and must not be sent. One that
    /// was answered and is missing in a long history is not sent again either.
    fn call_off(&self, said: &mut Said, message: MessageId, number: OrderNumber, answered: &[Attempt], over: UnixMs) {
        let first = number.0.saturating_sub(CALLED_OFF_MAX).max(1);
        let numbers = (first..number.0).map(OrderNumber);
        let called_off = numbers.filter(|number| answered.iter().all(|attempt| attempt.number != *number));
        said.beside.extend(called_off.map(|number| Op::Claim {
            key: keys::claim(message, number),
            owner: Bytes::from_static(keys::CALLED_OFF_OWNER),
            expires_at_ms: (over.max(self.desk.now()) + case::KEPT).0,
        }));
    }

    /// An answer, the claim it stands for, and the ids by which its receipts are found.
    fn answer(&mut self, said: &mut Said, answer: OrderAnswer) {
        let taken_back = matches!(&answer.outcome, Outcome::LinkDown { cause } if cause.code == CODE_TAKEN_BACK);
        let owner = match taken_back {
            true => keys::ROUTER_OWNER.to_vec(),
            false => keys::answered_owner(&answer.order.carrier),
        };
        said.beside.push(Op::Claim {
            key: keys::claim(answer.order.message, answer.order.number),
            owner: owner.into(),
            expires_at_ms: case::kept_until(&answer.returned.terms, self.desk.now()).0,
        });
        self.counts.claims += 1;
        let correlations = correlations(&answer);
        self.counts.correlations += correlations.len() as u64;
        said.beside.extend(correlations);
        let (message, key) = (answer.order.message, answer.order.key);
        said.add(message, key, Fact::Answered(Box::new(answer)));
    }

    /// Writes what a batch said. A write whose answer was lost shows as a conflict, and is compared anew.
    async fn enter(&mut self, said: Said) -> Result<(), Trouble> {
        let messages: Vec<Key> = said.facts.keys().map(|message| keys::state(*message)).collect();
        let mut beside = said.beside;
        for _ in 0..WRITES_MAX {
            let there = if messages.is_empty() {
                Vec::new()
            } else {
                self.states(&messages).await?
            };
            let mut ops: Vec<Op> = Vec::new();
            let (mut states, mut ended) = (0, 0);
            for ((message, (key, facts)), loaded) in said.facts.iter().zip(there) {
                if let Some(invalid) = self.left_to_a_mend(loaded.as_ref()) {
                    if invalid.fault() != Fault::Newer {
                        self.desk.damaged(*message);
                    }
                    continue;
                }
                let before = loaded.as_ref().and_then(|loaded| loaded.state.clone());
                let state = facts
                    .iter()
                    .fold(before.clone(), |state, fact| Some(recall(state, fact)));
                let is_wanted =
                    |state: &State| before.as_ref() != Some(state) && self.may_write(loaded.as_ref(), state);
                if let Some(state) = state.filter(is_wanted) {
                    states += u64::from(before.is_none());
                    ended += u64::from(state.ended.is_some());
                    ops.push(self.swap(*message, *key, &state, loaded.map(|loaded| loaded.version)));
                }
            }
            let swaps = ops.len();
            ops.append(&mut beside);
            let applied = self.apply(ops).await?;
            if !applied[..swaps]
                .iter()
                .any(|applied| matches!(applied, Applied::Conflict(_)))
            {
                self.counts.states += states;
                self.counts.ended += ended;
                return Ok(());
            }
        }
        Err(StoreError::Lost.into())
    }

    /// Why what is there cannot be read, where what we know is not all that the log says of its message: what is there may be
    /// its end, of which this batch knows nothing.
    fn left_to_a_mend<'l>(&self, loaded: Option<&'l Loaded>) -> Option<&'l Invalid> {
        let is_partial = self.mending.is_none() || self.is_by_key();
        loaded.and_then(|loaded| loaded.invalid.as_ref()).filter(|_| is_partial)
    }

    /// Whether `state` may stand where `loaded` does: a mend writes over nothing that a later version can read, and puts no
    /// state that knows no message, and would never end it, in the place of one that did.
    fn may_write(&self, loaded: Option<&Loaded>, state: &State) -> bool {
        let invalid = loaded.and_then(|loaded| loaded.invalid.as_ref());
        let is_newer = invalid.is_some_and(|invalid| invalid.fault() == Fault::Newer);
        let knows_message = state.body.is_some() || state.ended.is_some();
        if self.is_by_key() {
            // One that knows its message ends it by itself, and what ended needs no state.
            let there = loaded.and_then(|loaded| loaded.state.as_ref());
            let is_enough = there.is_some_and(|there| there.body.is_some() || there.ended.is_some());
            return !is_enough && state.body.is_some();
        }
        self.mending.is_none() || (knows_message && !is_newer)
    }

    /// The states of `messages`; waits while the store is away.
    async fn states(&self, messages: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        loop {
            match states::read(self.store, messages.to_vec()).await {
                Err(StoreError::Away(_)) => time::sleep(RETRY).await,
                result => return result,
            }
        }
    }

    /// Applies `ops` and makes them safe; waits while the store is away.
    async fn apply(&self, ops: Vec<Op>) -> Result<Vec<Applied>, StoreError> {
        let mut results = Vec::with_capacity(ops.len());
        for ops in ops.chunks(store::OPS_MAX) {
            let applied = loop {
                match self.apply_once(ops).await {
                    Err(StoreError::Away(_)) => time::sleep(RETRY).await,
                    result => break result?,
                }
            };
            results.extend(applied);
        }
        Ok(results)
    }

    async fn apply_once(&self, ops: &[Op]) -> Result<Vec<Applied>, StoreError> {
        let (applied, commit) = self.store.apply(ops.to_vec()).await?;
        commit.await.map(|()| applied)
    }

    /// When `state` is looked at next.
    fn timer(&self, state: &State, now: UnixMs) -> Option<UnixMs> {
        let soon = now + SETTLED_AFTER;
        match state.timer {
            // Nothing was lost but the record: claims are where they were.
            timer if self.is_by_key() => timer,
            // What came while it was damaged was acked, and comes no more: there may be something to do.
            _ if self.mending.is_some() && state.ended.is_none() => Some(soon),
            timer => timer.map(|at| at.max(soon)),
        }
    }

    fn swap(&self, message: MessageId, key: RecordKey, state: &State, expected: Option<u64>) -> Op {
        let now = self.desk.now();
        Op::Swap {
            key: keys::state(message),
            expected,
            value: Some(record::state_to_bytes(state)),
            expires_at_ms: case::expiry(state, now).0,
            due: self.timer(state, now).map(|at| self.desk.due(key, at)),
        }
    }
}

impl Mending {
    /// Whether the log said what each message is, or how it ended.
    fn is_told(&self) -> bool {
        let is_told = |fact: &Fact| matches!(fact, Fact::Accepted(_) | Fact::Ended(_));
        let facts = |message| self.said.facts.get(message).map(|(_, facts)| facts);
        let Wanted::Messages(messages) = &self.wanted else {
            return true;
        };
        messages
            .iter()
            .all(|message| facts(message).is_some_and(|facts| facts.iter().any(is_told)))
    }
}

impl Said {
    fn join(&mut self, other: Self) {
        for (message, (key, facts)) in other.facts {
            facts.into_iter().for_each(|fact| self.add(message, key, fact));
        }
        self.beside.extend(other.beside);
    }

    fn add(&mut self, message: MessageId, key: RecordKey, fact: Fact) {
        self.facts
            .entry(message)
            .or_insert_with(|| (key, Vec::new()))
            .1
            .push(fact);
    }
}
