//! `DeadService`: what stands on the dead topic, and putting it back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bus::{ConsumeError, Position, PublishError, Read, Record, Stored, Topic};
use service::Stop;
use signalbox_proto::{
    keys,
    pb::signalbox::routing::v1::{self as pb, dead_service_server::DeadService},
    record::{self, DeadId, DeadRecord, DeadWord},
    topics,
};
use sms::UnixMs;
use store::{Op, StoreError, Versioned};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::{answer, error::Refusal, query};
use crate::{case, desk::Desk, metrics};

/// Calls in flight, of all callers together: one reads the topic, the others wait for it. More are refused.
const CALLS_MAX: usize = 4;
/// Records of a page.
pub const PAGE_MAX: usize = 500;
const PAGE_DEFAULT: usize = 100;
/// Ids of one call.
pub const REPLAYS_MAX: usize = 100;
/// Records of the topic that one call looks at; a list goes on from there with its next page.
pub(super) const READ_MAX: usize = 1_000_000;
/// Records taken at once.
const BATCH_RECORDS: usize = 200;
/// How far the log's order and its times may disagree: so much earlier than a record it is looked for.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// Answers from the dead topic.
#[derive(Clone)]
pub(super) struct Dead {
    desk: Arc<Desk>,
    calls: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    stop: Stop,
}

/// A record that was put aside, and when it was put back last.
struct Found {
    key: u64,
    dead: DeadRecord,
    replayed_at: Option<UnixMs>,
}

/// What a list is about.
struct Filter {
    topic: String,
    fault: String,
    since: UnixMs,
}

impl Dead {
    pub(super) fn new(desk: Arc<Desk>, stop: Stop) -> Self {
        Self {
            desk,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            turn: Arc::new(Semaphore::new(1)),
            stop,
        }
    }

    /// The records that `filter` lets through from where `page` says, up to `size`; and where the next page begins.
    async fn page(
        &self,
        from: Position,
        filter: &Filter,
        size: usize,
    ) -> Result<(Vec<pb::DeadRecord>, String), Refusal> {
        let mut reader = self.desk.bus().read(&topics::dead(), from).await?;
        let (mut page, mut looked) = (Vec::new(), 0);
        while page.len() < size && looked < READ_MAX {
            let records = self.poll(&mut *reader, BATCH_RECORDS.min(size - page.len())).await?;
            if records.is_empty() {
                return Ok((page, String::new()));
            }
            looked += records.len();
            for stored in records {
                let DeadWord::Aside(dead) = word(&stored) else { continue };
                let (id, key) = (DeadId::of(&stored), stored.key);
                if filter.lets(id, &dead) {
                    let (dead, replayed_at) = (*dead, None);
                    page.push(Found { key, dead, replayed_at }.to_pb(id));
                }
            }
        }
        let Position::At(next) = reader.position() else {
            return Ok((page, String::new()));
        };
        Ok((page, next))
    }

    /// The records called `ids`, as far as they are there. What stands on a log is in order by time, but for a skew, in each
    /// of its partitions.
    async fn find(&self, ids: &[DeadId]) -> Result<BTreeMap<DeadId, Found>, Refusal> {
        let times = || ids.iter().map(|id| id.at);
        let since = times().min().unwrap_or_default() - SKEW_MAX;
        let until = times().max().unwrap_or_default() + SKEW_MAX;
        let mut reader = self.desk.bus().read(&topics::dead(), Position::Since(since.0)).await?;
        let (mut found, mut left, mut past) = (BTreeMap::new(), READ_MAX, BTreeSet::new());
        let partitions = self.desk.config.partitions;
        while found.len() < ids.len() && past.len() < partitions as usize {
            let records = self.poll(&mut *reader, BATCH_RECORDS).await?;
            if records.is_empty() {
                break;
            }
            left = left.checked_sub(records.len()).ok_or(Refusal::TooManyDead)?;
            for stored in records {
                if stored.stored_at_ms > until.0 {
                    past.insert(bus::PartitionId::of(stored.key, partitions));
                }
                let id = DeadId::of(&stored);
                if let (true, DeadWord::Aside(dead)) = (ids.contains(&id), word(&stored)) {
                    let (key, dead, replayed_at) = (stored.key, *dead, None);
                    found.insert(id, Found { key, dead, replayed_at });
                }
            }
        }
        let ids: Vec<DeadId> = found.keys().copied().collect();
        for (found, replayed_at) in found.values_mut().zip(self.replayed(&ids).await?) {
            found.replayed_at = replayed_at;
        }
        Ok(found)
    }

    /// The next records. Others get their turn: a log in this process answers at once, always.
    async fn poll(&self, reader: &mut dyn Read, records_max: usize) -> Result<Vec<Stored>, Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        tokio::task::yield_now().await;
        Ok(reader.poll(records_max).await?)
    }

    /// When each of `ids` was put back last, as the store knows it.
    async fn replayed(&self, ids: &[DeadId]) -> Result<Vec<Option<UnixMs>>, Refusal> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = ids.iter().map(|id| keys::replayed(*id)).collect();
        let marks = self.desk.store().get(keys).await?.into_iter();
        let at = |mark: Option<Versioned>| record::replayed_at_from_bytes(&mark?.value).ok();
        Ok(marks.map(at).collect())
    }

    /// Takes a place, and waits for the turn.
    async fn begin(&self) -> Result<[tokio::sync::OwnedSemaphorePermit; 2], Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        let call = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        Ok([call, turn.expect("it is never closed")])
    }

    async fn list(&self, request: pb::ListDeadRequest) -> Result<pb::ListDeadResponse, Refusal> {
        let size = match request.page_size as usize {
            0 => PAGE_DEFAULT,
            size if size <= PAGE_MAX => size,
            size => return Err(wrong("page_size", format!("is {size}, allowed are up to {PAGE_MAX}"))),
        };
        let since = request
            .since
            .map(|since| query::instant(since).map_err(|(_, what)| wrong("since", what)));
        let filter = Filter {
            topic: request.topic,
            fault: request.fault,
            since: since.transpose()?.unwrap_or_default(),
        };
        let from = match request.page_token {
            token if token.is_empty() => Position::Since((filter.since - SKEW_MAX).0),
            token => Position::At(token),
        };
        let _place = self.begin().await?;
        let (mut records, next_page_token) = self.page(from, &filter, size).await?;
        let ids = records.iter().map(|record| record.id.parse());
        let ids = ids
            .collect::<Result<Vec<DeadId>, _>>()
            .expect("ids are written to be read");
        // A list is of use while the store is away, and nothing is put back by it.
        let replayed = self.replayed(&ids).await.unwrap_or_default();
        for (record, at) in records.iter_mut().zip(replayed) {
            record.replayed_at = at.map(answer::timestamp);
        }
        records.sort_by_key(|record| record.set_aside_at.map(|at| (at.seconds, at.nanos)));
        Ok(pb::ListDeadResponse {
            next_page_token,
            records,
        })
    }

    async fn show(&self, request: pb::ShowDeadRequest) -> Result<pb::ShowDeadResponse, Refusal> {
        let id = id("id", &request.id)?;
        let _place = self.begin().await?;
        let found = self.find(&[id]).await?;
        let found = found.get(&id).ok_or(Refusal::NoSuchDead(id))?;
        let reading = match found.reading() {
            Ok(reading) => pb::show_dead_response::Reading::Readable(pb::DeadReading {
                kind: reading.kind.to_owned(),
                message_id: reading.message.map(|id| id.to_string()).unwrap_or_default(),
                account: reading.account.map(|account| account.to_string()).unwrap_or_default(),
                carrier: reading.carrier.map(|carrier| carrier.to_string()).unwrap_or_default(),
            }),
            Err(why) => pb::show_dead_response::Reading::Unreadable(why),
        };
        Ok(pb::ShowDeadResponse {
            record: Some(found.to_pb(id)),
            octets: found.dead.octets.clone().slice(if request.with_octets {
                0..
            } else {
                found.dead.octets.len()..
            }),
            reading: Some(reading),
        })
    }

    async fn replay(&self, request: pb::ReplayDeadRequest) -> Result<pb::ReplayDeadResponse, Refusal> {
        let count = request.ids.len();
        if !(1..=REPLAYS_MAX).contains(&count) {
            return Err(wrong(
                "ids",
                format!("has {count} entries, allowed are 1 to {REPLAYS_MAX}"),
            ));
        }
        let ids = request
            .ids
            .iter()
            .enumerate()
            .map(|(at, text)| id(&format!("ids[{at}]"), text));
        let ids = ids.collect::<Result<Vec<DeadId>, _>>()?;
        let _place = self.begin().await?;
        let mut found = self.find(&ids).await?;
        let mut replays = Vec::with_capacity(count);
        for id in ids {
            let (result, reason) = match found.get_mut(&id) {
                None => (
                    pb::ReplayResult::NotFound,
                    "no such record, or it is no longer kept".to_owned(),
                ),
                Some(found) if found.replayed_at.is_some() && !request.again => {
                    (pb::ReplayResult::DoneBefore, "it was put back before".to_owned())
                }
                Some(found) => match self.put_back(id, found).await? {
                    Ok(()) => (pb::ReplayResult::Replayed, String::new()),
                    Err(why) => (pb::ReplayResult::Refused, why),
                },
            };
            replays.push(pb::Replay {
                id: id.to_string(),
                result: result.into(),
                reason,
            });
        }
        Ok(pb::ReplayDeadResponse { replays })
    }

    /// Publishes one record where it came from, and a note of it once that is safe; else says why it is not put back.
    async fn put_back(&self, id: DeadId, found: &mut Found) -> Result<Result<(), String>, Refusal> {
        let until = match found.reading() {
            Ok(reading) => reading.until,
            Err(why) => return Ok(Err(why)),
        };
        // A fold that finds no state takes the message for a new one, and ends it a second time.
        let over = until.map_or(Duration::ZERO, |until| self.desk.now().since(until));
        if over >= case::KEPT {
            let [over, kept] = [over, case::KEPT].map(|span| span.as_secs() / 3_600);
            let why = format!(
                "its message's deadline and grace were over {over} h ago; whether it ended is known for {kept} h"
            );
            return Ok(Err(why));
        }
        let record = Record::new(found.key, found.dead.octets.clone());
        match self.publish(&Topic::new(found.dead.topic.clone()), record).await {
            Ok(()) => {}
            Err(PublishError::UnknownTopic(topic)) => return Ok(Err(format!("there is no topic {topic} any more"))),
            Err(error) => return Err(error.into()),
        }
        // Should this fail, the record is put back once more by whoever asks: that changes nothing.
        let note = Record::new(found.key, record::replayed_to_bytes(id));
        self.publish(&topics::dead(), note).await?;
        let now = self.desk.now();
        let mark = Op::Put {
            key: keys::replayed(id),
            value: record::replayed_at_to_bytes(now),
            expires_at_ms: (now + topics::RETENTION_DEFAULT).0,
        };
        self.desk.store().apply(vec![mark]).await?.1.await?;
        found.replayed_at = Some(now);
        metrics::replayed(&found.dead.topic);
        Ok(Ok(()))
    }

    async fn publish(&self, topic: &Topic, record: Record) -> Result<(), PublishError> {
        self.desk.bus().publish(topic, vec![record]).await?.await
    }
}

/// What a record of the topic says. One that cannot be read itself was put aside all the same.
fn word(stored: &Stored) -> DeadWord {
    record::dead_word_from_bytes(&stored.value).unwrap_or_else(|invalid| {
        let dead = DeadRecord::of(topics::dead().as_str(), stored, &invalid);
        DeadWord::Aside(Box::new(dead))
    })
}

impl Found {
    /// What it is, if it can be put back.
    fn reading(&self) -> Result<record::Reading, String> {
        let DeadRecord {
            topic, octets, omitted, ..
        } = &self.dead;
        if *omitted > 0 {
            return Err(format!("it was too long to be kept: {omitted} octets are missing"));
        }
        record::read_as_on(topic, octets, self.key).map_err(|invalid| invalid.to_string())
    }

    fn to_pb(&self, id: DeadId) -> pb::DeadRecord {
        pb::DeadRecord {
            id: id.to_string(),
            set_aside_at: Some(answer::timestamp(id.at)),
            topic: self.dead.topic.clone(),
            fault: self.dead.fault.as_str().to_owned(),
            reason: self.dead.reason.clone(),
            size: self.dead.octets.len() as u64 + self.dead.omitted,
            omitted: self.dead.omitted,
            stored_at: self.dead.stored_at.map(answer::timestamp),
            key: self.key,
            replayed_at: self.replayed_at.map(answer::timestamp),
        }
    }
}

impl Filter {
    fn lets(&self, id: DeadId, dead: &DeadRecord) -> bool {
        let short = || dead.topic.strip_prefix("signalbox.");
        id.at >= self.since
            && (self.fault.is_empty() || self.fault == dead.fault.as_str())
            && (self.topic.is_empty() || self.topic == dead.topic || short() == Some(self.topic.as_str()))
    }
}

fn id(field: &str, text: &str) -> Result<DeadId, Refusal> {
    text.parse().map_err(|what| wrong(field, what))
}

fn wrong(field: &str, what: String) -> Refusal {
    Refusal::wrong(field, what)
}

impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        match error {
            ConsumeError::Position(_) => wrong("page_token", error.to_string()),
            error => Self::Log(error.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Log(error.to_string())
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        Self::Log(error.to_string())
    }
}

#[tonic::async_trait]
impl DeadService for Dead {
    async fn list_dead(&self, request: Request<pb::ListDeadRequest>) -> Result<Response<pb::ListDeadResponse>, Status> {
        super::counted("dead_list", self.list(request.into_inner()).await)
    }

    async fn show_dead(&self, request: Request<pb::ShowDeadRequest>) -> Result<Response<pb::ShowDeadResponse>, Status> {
        super::counted("dead_show", self.show(request.into_inner()).await)
    }

    async fn replay_dead(
        &self,
        request: Request<pb::ReplayDeadRequest>,
    ) -> Result<Response<pb::ReplayDeadResponse>, Status> {
        super::counted("dead_replay", self.replay(request.into_inner()).await)
    }
}
