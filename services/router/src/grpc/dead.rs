//! `DeadService`: what stands on the dead topic, and putting it back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{ConsumeError, Position, PublishError, Record, Stored, Topic};
use service::Stop;
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, dead_service_server::DeadService},
    record::{self, DeadId, DeadRecord, DeadWord},
    topics,
};
use sms::UnixMs;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::{answer, error::Refusal, query};
use crate::{desk::Desk, metrics};

/// Calls in flight, of all callers together: one reads the topic, the others wait for it. More are refused.
const CALLS_MAX: usize = 4;
/// Records of a page.
pub const PAGE_MAX: usize = 500;
const PAGE_DEFAULT: usize = 100;
/// Ids of one call.
pub const REPLAYS_MAX: usize = 100;
/// Records of the topic that one call reads.
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

    /// Reads what was put aside since `since`, records before the notes about them; `want` says which records are kept, and
    /// may let go of kept ones.
    async fn read(
        &self,
        since: UnixMs,
        mut want: impl FnMut(DeadId, &DeadRecord, &mut BTreeMap<DeadId, Found>) -> bool,
    ) -> Result<BTreeMap<DeadId, Found>, Refusal> {
        let mut reader = self.desk.bus().read(&topics::dead(), Position::Since(since.0)).await?;
        let (mut found, mut left) = (BTreeMap::new(), READ_MAX);
        loop {
            if self.stop.is_requested() {
                return Err(Refusal::Draining);
            }
            let records = reader.poll(BATCH_RECORDS).await?;
            if records.is_empty() {
                return Ok(found);
            }
            left = left.checked_sub(records.len()).ok_or(Refusal::TooManyDead)?;
            for stored in records {
                match word(&stored) {
                    DeadWord::Aside(dead) => {
                        let id = DeadId::of(&stored);
                        if want(id, &dead, &mut found) {
                            let (key, dead) = (stored.key, *dead);
                            let replayed_at = None;
                            found.insert(id, Found { key, dead, replayed_at });
                        }
                    }
                    DeadWord::Replayed(id) => {
                        if let Some(found) = found.get_mut(&id) {
                            found.replayed_at = Some(UnixMs(stored.stored_at_ms));
                        }
                    }
                }
            }
        }
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
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(id("page_token", token)?),
        };
        let since = request
            .since
            .map(|since| query::instant(since).map_err(|(_, what)| wrong("since", what)));
        let filter = Filter {
            topic: request.topic,
            fault: request.fault,
            since: since.transpose()?.unwrap_or_default(),
        };
        let _place = self.begin().await?;
        let from = after.map_or(filter.since, |after| filter.since.max(after.at));
        let mut found = self
            .read(from - SKEW_MAX, |id, dead, kept| {
                let is_wanted = after.is_none_or(|after| id > after) && filter.lets(id, dead);
                // One more than a page has tells that there is another.
                if is_wanted && kept.len() > size && kept.last_key_value().is_some_and(|(last, _)| id < *last) {
                    kept.pop_last();
                }
                is_wanted && kept.len() <= size
            })
            .await?;
        let is_last = found.len() <= size;
        if !is_last {
            found.pop_last();
        }
        let next = found.last_key_value().filter(|_| !is_last);
        Ok(pb::ListDeadResponse {
            next_page_token: next.map(|(id, _)| id.to_string()).unwrap_or_default(),
            records: found.iter().map(|(id, found)| found.to_pb(*id)).collect(),
        })
    }

    async fn show(&self, request: pb::ShowDeadRequest) -> Result<pb::ShowDeadResponse, Refusal> {
        let id = id("id", &request.id)?;
        let _place = self.begin().await?;
        let found = self.read(id.at - SKEW_MAX, |other, _, _| other == id).await?;
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
        let since = ids.iter().map(|id| id.at).min().unwrap_or_default();
        let _place = self.begin().await?;
        let mut found = self.read(since - SKEW_MAX, |id, _, _| ids.contains(&id)).await?;
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
        if let Err(why) = found.reading() {
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
        found.replayed_at = Some(self.desk.now());
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
