//! Versions and routers as they go over the wire.

use signalbox_proto::{pb::signalbox::routing::v1 as pb, record::TableServing};
use sms::UnixMs;

use crate::{
    grpc::answer::timestamp,
    tables::{Ledger, Stand, Version},
};

pub(super) fn published(version: &Version) -> pb::PublishedTable {
    let publication = &version.publication;
    let state = match version.stand {
        Stand::InForce => pb::TableState::InForce,
        Stand::Pending => pb::TableState::Pending,
        Stand::Replaced => pb::TableState::Replaced,
        Stand::Lapsed => pb::TableState::Lapsed,
    };
    pb::PublishedTable {
        number: publication.number,
        version: publication.version.clone(),
        at: Some(timestamp(publication.at)),
        confirm_by: publication.confirm_by.map(timestamp),
        is_confirmed: version.is_confirmed,
        again: publication.again.unwrap_or_default(),
        who: publication.who.clone(),
        note: publication.note.clone(),
        state: state.into(),
        packed_octets: publication.packed_octets,
    }
}

/// What is in force at `now`, and what each router serves.
pub(super) fn status(ledger: &Ledger, now: UnixMs) -> pb::WatchTablesResponse {
    let (in_force, servings) = (ledger.in_force(now), ledger.servings(now));
    let serves = |version: &Version| {
        let mut servings = servings.iter();
        !servings.as_slice().is_empty() && servings.all(|serving| serving.version == version.publication.version)
    };
    pb::WatchTablesResponse {
        is_converged: in_force.as_ref().is_some_and(serves),
        in_force: in_force.as_ref().map(published),
        returns_to: ledger.returns_to(now).as_ref().map(published),
        routers: servings.iter().map(serving).collect(),
    }
}

/// Whether the one says something that the other does not; that a router said the same again is nothing new.
pub(super) fn differs(one: &pb::WatchTablesResponse, other: &pb::WatchTablesResponse) -> bool {
    let timeless = |status: &pb::WatchTablesResponse| {
        let mut status = status.clone();
        status.routers.iter_mut().for_each(|router| router.said_at = None);
        status
    };
    timeless(one) != timeless(other)
}

fn serving(serving: &TableServing) -> pb::ServingRouter {
    pb::ServingRouter {
        router: serving.router.clone(),
        number: serving.number.unwrap_or_default(),
        version: serving.version.clone(),
        said_at: Some(timestamp(serving.said_at)),
        fault: serving.fault.clone(),
    }
}
