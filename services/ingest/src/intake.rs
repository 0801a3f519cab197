//! Accepting messages: the one way onto the bus, whatever protocol a message came by.
//!
//! A frame is published in one call per lane, and its answers wait for those commits together: nothing here is awaited
//! message by message. `submit` must be called in order; what it returns may be finished side by side.

use std::{collections::BTreeMap, sync::Arc};

use bus::{Bus, Commit, Record, Topic};
use service::{
    Clock, Deps, Dice, Tracer, time,
    trace::{Call, Span, attribute},
};
use signalbox_proto::record;
use sms::{Encoding, Lane, Message, MessageId, UnixMs, UnixUs};
use store::{Key, Store, StoreError};

use crate::{
    Account, Busy, Draft, KeySecret, Permits, Pressure, Refusal,
    idempotency::{self, Final, Verdict, Wanted},
    metrics,
};

/// Publishes messages as accepted. Cheap to share.
pub struct Intake {
    bus: Arc<dyn Bus>,
    store: Arc<dyn Store>,
    clock: Clock,
    dice: Dice,
    tracer: Tracer,
    key_secret: KeySecret,
    pressure: Pressure,
    topics: [Topic; Lane::ALL.len()],
}

/// What a customer is told of an accepted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: MessageId,
    /// Encoding of its content.
    pub encoding: Encoding,
    /// Segments of its content.
    pub segments: u8,
}

/// The answer to one message.
pub type Answer = Result<Accepted, Refusal>;

/// Messages handed to the bus whose answers are not certain yet.
#[must_use = "nobody is answered until this is finished"]
pub struct Submitted {
    store: Arc<dyn Store>,
    answers: Vec<Answer>,
    lanes: Vec<(Lane, Vec<usize>, Commit)>,
    finals: BTreeMap<usize, Final>,
    repeats: Vec<(usize, usize)>,
    spans: Vec<Accepting>,
    started: time::Instant,
    _permits: Permits,
}

/// The spans of a message that is traced.
struct Accepting {
    place: usize,
    // Ahead of what it is part of.
    _send: Span,
    whole: Span,
}

/// A frame on its way to the bus.
struct Frame {
    call: Call,
    at: UnixUs,
    now: UnixMs,
    answers: Vec<Answer>,
    lanes: [(Vec<usize>, Vec<Record>); Lane::ALL.len()],
    finals: BTreeMap<usize, Final>,
    repeats: Vec<(usize, usize)>,
    spans: Vec<Accepting>,
}

impl Intake {
    /// An intake that publishes to the bus of `deps` under keys made with `key_secret`.
    pub fn new(deps: &Deps, key_secret: KeySecret) -> Self {
        Self {
            bus: Arc::clone(&deps.bus),
            store: Arc::clone(&deps.store),
            clock: deps.clock.clone(),
            dice: deps.dice.clone(),
            tracer: deps.tracer.clone(),
            key_secret,
            pressure: Pressure::default(),
            topics: Lane::ALL.map(signalbox_proto::topics::accepted),
        }
    }

    /// What it refuses messages for, once somebody keeps it up to date.
    pub fn pressure(&self) -> Pressure {
        self.pressure.clone()
    }

    /// Publishes what is good of `drafts`, which came by `call`, for `account`; a draft that was refused already keeps its place. Waits while the
    /// bus is over its limit. Messages with one recipient keep the order of calls.
    ///
    /// With idempotency keys among the drafts, one durable write to the store goes before the publish.
    pub async fn submit(&self, account: &Account, drafts: Vec<Result<Draft, Refusal>>, call: Call) -> Submitted {
        let started = time::now();
        let wanted = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        let permits = account.in_flight.take(wanted, account.in_flight_max);
        let mut frame = Frame::new(call, self.clock.precisely(), drafts.len());
        let drafts = self.admit(account, drafts, permits.granted() as usize, &mut frame);
        let ids = self.ids(account, &drafts, &mut frame).await;
        for ((place, draft), id) in drafts.into_iter().zip(ids) {
            if let Some(id) = id {
                self.add(account, place, draft, id, &mut frame);
            }
        }
        let lanes = self.publish(&mut frame).await;
        let Frame {
            answers,
            finals,
            repeats,
            spans,
            ..
        } = frame;
        let store = Arc::clone(&self.store);
        Submitted {
            store,
            answers,
            lanes,
            finals,
            repeats,
            spans,
            started,
            _permits: permits,
        }
    }

    /// The drafts to go on with and their places; the others have their answers. Refused drafts use up no permit, and their
    /// idempotency keys stay free.
    fn admit(
        &self,
        account: &Account,
        drafts: Vec<Result<Draft, Refusal>>,
        granted: usize,
        frame: &mut Frame,
    ) -> Vec<(usize, Draft)> {
        let mut admitted = Vec::with_capacity(drafts.len());
        let judge = self.pressure.judge(frame.now);
        let refuse_all = self.pressure.refuse_all(frame.now);
        let mut shed: Vec<Busy> = Vec::new();
        for (place, draft) in drafts.into_iter().enumerate() {
            let busy = |draft: &Draft| judge.refuse(&account.name, draft.class.lane(), &draft.to, &self.dice);
            let refusal = match (draft, &refuse_all) {
                (Ok(_), Some(refusal)) => refusal.clone(),
                (Ok(draft), None) if let Some(busy) = busy(&draft) => {
                    shed.push(busy.clone());
                    Refusal::Busy(busy)
                }
                (Ok(draft), None) if admitted.len() < granted => {
                    frame.answers.push(Ok(Accepted {
                        id: self.dice.message_id(frame.at),
                        encoding: draft.encoding,
                        segments: draft.segments,
                    }));
                    admitted.push((place, draft));
                    continue;
                }
                (Ok(_), None) => Refusal::Exhausted {
                    account: account.name.clone(),
                    what: "messages in flight",
                    limit: account.in_flight_max,
                },
                (Err(refusal), _) => refusal,
            };
            frame.answers.push(Err(refusal));
        }
        metrics::shed(&shed);
        admitted
    }

    /// The id under which each draft is to be published; `None` = it is answered without that.
    async fn ids(&self, account: &Account, drafts: &[(usize, Draft)], frame: &mut Frame) -> Vec<Option<MessageId>> {
        let mut ids: Vec<_> = drafts.iter().map(|(place, _)| frame.id(*place)).collect();
        let keyed: Vec<usize> = (0..drafts.len())
            .filter(|index| !drafts[*index].1.idempotency_key.is_empty())
            .collect();
        if keyed.is_empty() {
            return ids;
        }
        let wanted: Vec<Wanted> = keyed
            .iter()
            .map(|index| {
                let (place, draft) = &drafts[*index];
                let key = idempotency::store_key(&account.name, &draft.idempotency_key);
                let id = frame.id(*place).expect("an admitted draft has an id");
                Wanted {
                    key,
                    id,
                    digest: idempotency::digest(draft),
                }
            })
            .collect();
        let verdicts = match idempotency::reserve(&self.store, &wanted).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                for index in keyed {
                    frame.answers[drafts[index].0] = Err(Refusal::Store(error.clone()));
                    ids[index] = None;
                }
                return ids;
            }
        };
        let mut first_places: BTreeMap<Key, usize> = BTreeMap::new();
        for ((index, wanted), verdict) in keyed.into_iter().zip(wanted).zip(verdicts) {
            let place = drafts[index].0;
            ids[index] = frame.judge(place, verdict, wanted, &mut first_places);
        }
        ids
    }

    fn add(&self, account: &Account, place: usize, draft: Draft, id: MessageId, frame: &mut Frame) {
        let (lane, mark) = (draft.class.lane(), idempotency::mark(&draft));
        let mut whole = self.tracer.accept(&frame.call, frame.at);
        whole.set(attribute::MESSAGE_ID, || id.to_string());
        whole.set(attribute::LANE, || lane.as_str());
        whole.set(attribute::ENCODING, || draft.encoding.as_str());
        whole.set(attribute::SEGMENTS, || draft.segments);
        let message = Message {
            id,
            account: account.name.clone(),
            key: self.key_secret.key(&account.name, &draft.to),
            from: draft.from,
            to: draft.to,
            content: draft.content,
            encoding: draft.encoding,
            segments: draft.segments,
            class: draft.class,
            accepted_at: frame.now,
            ttl: draft.ttl,
            receipt: draft.receipt,
            reference: draft.reference,
            copy_of: None,
            trace: whole.context().copied().map(Box::new),
        };
        let octets = match mark {
            Some(mark) => record::accepted_with_key_to_bytes(&message, &mark),
            None => record::accepted_to_bytes(&message),
        };
        let mut record = Record::new(message.key.0, octets);
        let topic = &self.topics[lane as usize];
        let send = self.tracer.send(topic, &mut record, id, message.trace.as_deref());
        if whole.context().is_some() {
            frame.spans.push(Accepting {
                place,
                _send: send,
                whole,
            });
        }
        let (places, records) = &mut frame.lanes[lane as usize];
        places.push(place);
        records.push(record);
    }

    async fn publish(&self, frame: &mut Frame) -> Vec<(Lane, Vec<usize>, Commit)> {
        let mut commits = Vec::new();
        for lane in Lane::ALL {
            let (places, records) = std::mem::take(&mut frame.lanes[lane as usize]);
            if places.is_empty() {
                continue;
            }
            match self.bus.publish(&self.topics[lane as usize], records).await {
                Ok(commit) => commits.push((lane, places, commit)),
                Err(error) => places
                    .into_iter()
                    .for_each(|place| frame.answers[place] = Err(Refusal::Publish(error.clone()))),
            }
        }
        commits
    }
}

impl Frame {
    fn new(call: Call, at: UnixUs, messages: usize) -> Self {
        Self {
            call,
            at,
            now: at.millis(),
            answers: Vec::with_capacity(messages),
            lanes: Default::default(),
            finals: BTreeMap::new(),
            repeats: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn id(&self, place: usize) -> Option<MessageId> {
        self.answers[place].as_ref().ok().map(|accepted| accepted.id)
    }

    /// What a key's verdict makes of the message at `place`: the id to publish it under, or none and its answer.
    fn judge(
        &mut self,
        place: usize,
        verdict: Verdict,
        wanted: Wanted,
        first_places: &mut BTreeMap<Key, usize>,
    ) -> Option<MessageId> {
        match verdict {
            Verdict::Publish(id, reserved) => {
                self.set_id(place, id);
                if let Some(first) = first_places.get(&wanted.key) {
                    // The same message twice in one frame: one record, one fate.
                    self.repeats.push((place, *first));
                    return None;
                }
                let Wanted { key, digest, .. } = wanted;
                first_places.insert(key.clone(), place);
                let last = Final {
                    key,
                    id,
                    digest,
                    reserved,
                };
                self.finals.insert(place, last);
                Some(id)
            }
            Verdict::Done(id) => {
                self.set_id(place, id);
                None
            }
            Verdict::Reused(id) => {
                self.answers[place] = Err(Refusal::KeyReused(id));
                None
            }
            Verdict::Unreadable(id) => {
                self.answers[place] = Err(Refusal::Unreadable(id));
                None
            }
        }
    }

    fn set_id(&mut self, place: usize, id: MessageId) {
        if let Ok(accepted) = &mut self.answers[place] {
            accepted.id = id;
        }
    }
}

impl Submitted {
    /// The answers, in the order of the drafts, once they are certain: OK means durable.
    pub async fn finish(mut self) -> Vec<Answer> {
        for (lane, places, commit) in std::mem::take(&mut self.lanes) {
            match commit.await {
                Ok(()) => metrics::accepted(lane, places.len()),
                Err(error) => {
                    for place in places {
                        self.answers[place] = Err(Refusal::Publish(error.clone()));
                        self.finals.remove(&place);
                    }
                }
            }
        }
        // A publish that was refused at once left its place without an OK, and with its key pending.
        let (places, finals): (Vec<usize>, Vec<Final>) = std::mem::take(&mut self.finals)
            .into_iter()
            .filter(|(place, _)| self.answers[*place].is_ok())
            .unzip();
        if !finals.is_empty() {
            let ids = idempotency::finish(&self.store, &finals).await;
            self.answer_keyed(&places, ids);
        }
        for (repeat, first) in std::mem::take(&mut self.repeats) {
            self.answers[repeat] = self.answers[first].clone();
        }
        for Accepting { place, whole, .. } in &mut self.spans {
            if let Err(refusal) = &self.answers[*place] {
                whole.fail(refusal.reason());
            }
        }
        metrics::answered(&self.answers, self.started.elapsed());
        self.answers
    }

    /// Answers messages with a key, which are on the log, as their keys say.
    fn answer_keyed(&mut self, places: &[usize], ids: Result<Vec<MessageId>, StoreError>) {
        for (index, place) in places.iter().enumerate() {
            match (&ids, &mut self.answers[*place]) {
                (Ok(ids), Ok(accepted)) => accepted.id = ids[index],
                (Err(error), answer) => *answer = Err(Refusal::Store(error.clone())),
                (Ok(_), Err(_)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
