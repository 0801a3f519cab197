//! `GetMessage`: the state in the store, or the accepted message on the bus if no router knows it yet.

use std::time::Duration;

use bus::{Position, Read};
use signalbox_proto::{
    ingest, keys,
    pb::signalbox::ingest::v1::GetMessageResponse,
    record::{accepted_from_bytes, state_from_bytes},
    topics,
};
use sms::{Lane, Message, MessageId};

use super::{Service, unread};
use crate::{Account, Refusal, Violation};

/// Searches of the bus at a time; further ones wait. Each reads some seconds of traffic.
pub(super) const SEARCHES_MAX: usize = 2;
/// Time around the id's own instant in which its record is looked for.
const WINDOW: Duration = Duration::from_secs(5);
/// Records looked at in one lane.
const RECORDS_MAX: usize = 200_000;
/// Records taken at a time.
const BATCH_RECORDS: usize = 1_000;

/// Where message `id` of `account` is.
pub(super) async fn get(service: &Service, account: &Account, id: &str) -> Result<GetMessageResponse, Refusal> {
    let id: MessageId = id.parse().map_err(|_| {
        Violation::new(
            "message_id",
            format!("has {} characters, wanted is a UUID of 36", id.len()),
        )
    })?;
    let stored = service
        .deps
        .store
        .get(vec![keys::state(id)])
        .await
        .map_err(Refusal::Store)?;
    if let Some(stored) = stored.into_iter().next().flatten() {
        let unreadable = |invalid| {
            unread::found("store/state", &invalid);
            Refusal::Unreadable(id)
        };
        let state = state_from_bytes(&stored.value).map_err(unreadable)?;
        let ended = state.ended.as_ref().map(|ended| &ended.message);
        let owner = ended
            .or(state.body.as_ref().map(|body| &body.message))
            .map(|message| &message.account);
        match ingest::status(&state) {
            Some(status) if owner == Some(&account.name) => return Ok(status),
            Some(_) => return Err(Refusal::NotFound(id)),
            None => {}
        }
    }
    match search(service, id).await? {
        Some(message) if message.account == account.name => Ok(ingest::accepted_status(&message)),
        _ => Err(Refusal::NotFound(id)),
    }
}

async fn search(service: &Service, id: MessageId) -> Result<Option<Message>, Refusal> {
    // An id that was not made by us can name any instant; the future has no records.
    let at = id.instant();
    if at > service.deps.clock.now() + WINDOW {
        return Ok(None);
    }
    let _permit = service.searches.acquire().await.expect("the semaphore is never closed");
    for lane in Lane::ALL {
        let from = Position::Since((at - WINDOW).0);
        let topic = topics::accepted(lane);
        let read = service.deps.bus.read(&topic, from).await.map_err(Refusal::Consume)?;
        let partitions = service.deps.bus.partitions(&topic).unwrap_or(1);
        if let Some(message) = search_lane(read, id, partitions).await? {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

async fn search_lane(mut read: Box<dyn Read>, id: MessageId, partitions: u32) -> Result<Option<Message>, Refusal> {
    let last_ms = (id.instant() + WINDOW).0;
    let mut left = RECORDS_MAX;
    // Partitions take turns: only when each of them in a row gave nothing of the window, all are past it.
    let mut beyond = 0;
    while left > 0 && beyond < partitions {
        let records = read.poll(BATCH_RECORDS.min(left)).await.map_err(Refusal::Consume)?;
        if records.is_empty() {
            return Ok(None);
        }
        left -= records.len();
        let is_beyond = records.iter().all(|record| record.stored_at_ms > last_ms);
        beyond = if is_beyond { beyond + 1 } else { 0 };
        for record in records {
            // Looking for the octets of the id first saves decoding the others.
            let is_candidate = record.value.windows(16).any(|octets| octets == id.0.as_bytes());
            match is_candidate.then(|| accepted_from_bytes(&record.value)) {
                Some(Ok(message)) if message.id == id => return Ok(Some(message)),
                // The router puts it aside.
                Some(Err(_)) => return Err(Refusal::Unreadable(id)),
                Some(Ok(_)) | None => {}
            }
        }
    }
    Ok(None)
}
