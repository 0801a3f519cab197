//! What connectors and routers say about carriers.

use std::time::Duration;

use journey::{
    Binds, CONGESTED_MAX, CarrierReport, CarrierWord, Congestion, Ejection, Ejections, Head, LaneLoad, LinkState,
    Pressure, RouterReport,
};
use sms::{AccountId, CarrierName, Lane, RecordKey, UnixMs};

use super::{
    invalid::{Invalid, field},
    message::carrier,
};
use crate::pb::signalbox::bus::v1 as pb;

/// Key of the words of one connector about `carrier`. `instance` is a name that a connector keeps across restarts where it
/// has one, else its run: the topic keeps the last word under each key.
pub fn carrier_key(carrier: &CarrierName, instance: &str) -> RecordKey {
    key_of(carrier.as_str().as_bytes(), instance.as_bytes())
}

pub(super) fn key_of(first: &[u8], second: &[u8]) -> RecordKey {
    // FNV-1a; the separator is in neither name, and numbers have one length.
    let octets = first.iter().chain(&[0]).chain(second).copied();
    RecordKey(octets.fold(0xCBF2_9CE4_8422_2325, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3)
    }))
}

/// Key of the words of one run of a router; no carrier has a name like it.
pub fn router_key(router: &str) -> RecordKey {
    key_of(b"/router", router.as_bytes())
}

/// Key of the words that say nothing: one is kept of all who say them.
pub fn time_key() -> RecordKey {
    key_of(b"/time", b"")
}

pub(super) fn to_pb(report: &CarrierReport) -> pb::CarrierReport {
    let lanes = Lane::ALL.iter().zip(&report.lanes).map(|(lane, load)| pb::LaneLoad {
        lane: lane.as_str().to_owned(),
        orders: load.orders,
        wait_ms: load.wait.map(millis),
    });
    pb::CarrierReport {
        carrier: report.carrier.as_str().to_owned(),
        incarnation: report.incarnation.clone(),
        link: report.link.clone(),
        state: state_to_pb(report.state).into(),
        since: report.since.0,
        said_at: report.said_at.0,
        binds: report.binds.map(|Binds { up, wanted }| pb::Binds { up, wanted }),
        window_slots: report.window_slots,
        window_used: report.window_used,
        rate_limit: report.rate_limit,
        taken_per_second: report.taken_per_second,
        lanes: lanes.collect(),
        ejections: None,
        pressure: None,
    }
}

pub(super) fn router_to_pb(report: &RouterReport) -> pb::CarrierReport {
    let said = &report.ejections;
    let ejected = said.ejected.iter().map(|one| pb::Ejection {
        carrier: one.carrier.as_str().to_owned(),
        network: one.network.clone(),
    });
    pb::CarrierReport {
        ejections: Some(pb::Ejections {
            router: said.router.clone(),
            said_at: said.said_at.0,
            ejected: ejected.collect(),
        }),
        pressure: (!report.pressure.is_none()).then(|| pressure_to_pb(&report.pressure)),
        ..pb::CarrierReport::default()
    }
}

pub(super) fn word_from_pb(word: pb::CarrierReport) -> Result<CarrierWord, Invalid> {
    let Some(said) = word.ejections else {
        return from_pb(word).map(Box::new).map(CarrierWord::Link);
    };
    let ejected = said.ejected.into_iter().map(|one| {
        Ok(Ejection {
            carrier: carrier("ejections.ejected.carrier", &one.carrier)?,
            network: one.network,
        })
    });
    let ejections = Ejections {
        router: said.router,
        said_at: UnixMs(said.said_at),
        ejected: ejected.collect::<Result<_, Invalid>>()?,
    };
    Ok(CarrierWord::Router(RouterReport {
        ejections,
        pressure: word.pressure.map(pressure_from_pb).unwrap_or_default(),
    }))
}

fn pressure_to_pb(pressure: &Pressure) -> pb::Pressure {
    let lags = Lane::ALL.iter().zip(&pressure.lags);
    let lags = lags.filter(|(_, lag)| !lag.is_zero()).map(|(lane, lag)| pb::LaneLag {
        lane: lane.as_str().to_owned(),
        lag_ms: millis(*lag),
    });
    let congested = pressure.congested.iter().map(|one| pb::Congestion {
        lane: one.lane.as_str().to_owned(),
        head: one.head.number(),
        wait_ms: millis(one.wait),
        account: one.account.as_ref().map_or(String::new(), ToString::to_string),
    });
    pb::Pressure {
        lags: lags.collect(),
        congested: congested.collect(),
    }
}

/// Lanes and heads of a later version are no business of ours, and of too many heads the last ones are the least.
fn pressure_from_pb(told: pb::Pressure) -> Pressure {
    let mut pressure = Pressure::default();
    for pb::LaneLag { lane, lag_ms } in &told.lags {
        if let Some(place) = place_of(lane) {
            pressure.lags[place] = Duration::from_millis(*lag_ms);
        }
    }
    let congested = told.congested.iter().filter_map(|one| {
        let account = (!one.account.is_empty()).then(|| AccountId::new(&one.account));
        Some(Congestion {
            lane: Lane::ALL[place_of(&one.lane)?],
            account: account.transpose().ok()?,
            head: Head::new(one.head)?,
            wait: Duration::from_millis(one.wait_ms),
        })
    });
    pressure.congested = congested.take(CONGESTED_MAX).collect();
    pressure
}

fn place_of(lane: &str) -> Option<usize> {
    Lane::ALL.iter().position(|known| known.as_str() == lane)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn from_pb(report: pb::CarrierReport) -> Result<CarrierReport, Invalid> {
    let mut lanes = [LaneLoad::default(); Lane::ALL.len()];
    for told in &report.lanes {
        // A lane of a later version is no business of ours.
        let Some(place) = place_of(&told.lane) else {
            continue;
        };
        lanes[place] = LaneLoad {
            orders: told.orders,
            wait: told.wait_ms.map(Duration::from_millis),
        };
    }
    let taken = report.taken_per_second;
    let sound = if taken.is_finite() && taken >= 0.0 {
        Ok(taken)
    } else {
        Err(format!("{taken} is no rate"))
    };
    Ok(CarrierReport {
        carrier: carrier("carrier", &report.carrier)?,
        state: state_from_pb(report.state())?,
        incarnation: report.incarnation,
        link: report.link,
        since: UnixMs(report.since),
        said_at: UnixMs(report.said_at),
        binds: report.binds.map(|pb::Binds { up, wanted }| Binds { up, wanted }),
        window_slots: report.window_slots,
        window_used: report.window_used,
        rate_limit: report.rate_limit,
        taken_per_second: field("taken_per_second", sound)?,
        lanes,
    })
}

fn state_to_pb(state: LinkState) -> pb::LinkState {
    match state {
        LinkState::Up => pb::LinkState::Up,
        LinkState::Down => pb::LinkState::Down,
        LinkState::Draining => pb::LinkState::Draining,
        LinkState::Gone => pb::LinkState::Gone,
    }
}

fn state_from_pb(state: pb::LinkState) -> Result<LinkState, Invalid> {
    match state {
        pb::LinkState::Unspecified => Err(Invalid::Missing("state")),
        pb::LinkState::Up => Ok(LinkState::Up),
        pb::LinkState::Down => Ok(LinkState::Down),
        pb::LinkState::Draining => Ok(LinkState::Draining),
        pb::LinkState::Gone => Ok(LinkState::Gone),
    }
}

#[cfg(test)]
mod tests;
