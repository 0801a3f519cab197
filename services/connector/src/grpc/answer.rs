//! What is told of a link, on the wire.

use std::time::Duration;

use signalbox_proto::pb::signalbox::connector::v1 as pb;
use sms::UnixMs;

use crate::control::{Sheet, Stand};

/// One link.
pub(super) fn link(sheet: Sheet) -> pb::Link {
    let state = match sheet.stand {
        Stand::Up => pb::LinkState::Up,
        Stand::Down => pb::LinkState::Down,
        Stand::Paused => pb::LinkState::Paused,
        Stand::Draining => pb::LinkState::Draining,
        Stand::Drained => pb::LinkState::Drained,
        Stand::Leaving => pb::LinkState::Leaving,
    };
    let (error, error_at) = sheet.trouble.map(|trouble| (trouble.words, trouble.at)).unzip();
    pb::Link {
        name: sheet.name,
        kind: sheet.kind.to_owned(),
        carriers: sheet.carriers.iter().map(ToString::to_string).collect(),
        state: state.into(),
        since: Some(timestamp(sheet.since)),
        binds_up: sheet.binds_up,
        binds: sheet.binds,
        window_slots: sheet.window_slots,
        window_used: sheet.window_used,
        account: sheet.account,
        rate_configured: sheet.rate_configured,
        rate_ordered: sheet.rate_ordered,
        rate_in_force: sheet.rate_in_force,
        queued: sheet.queued,
        in_flight: sheet.in_flight,
        parts_taken: sheet.parts_taken,
        round_trip_last: sheet.round_trip_last.map(span),
        round_trip_p50: sheet.round_trip_p50.map(span),
        error: error.unwrap_or_default(),
        error_at: error_at.map(timestamp),
        unmapped_codes: sheet.unmapped_codes,
    }
}

/// What came of the test of one connection.
pub(super) fn test((bind, tested): (u32, Result<Duration, String>)) -> pb::BindTest {
    let (round_trip, error) = match tested {
        Ok(after) => (Some(span(after)), String::new()),
        Err(why) => (None, why),
    };
    pb::BindTest {
        bind,
        round_trip,
        error,
    }
}

fn timestamp(at: UnixMs) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at.0 % 1_000 * 1_000_000).expect("a part of a second"),
    }
}

fn span(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).expect("a part of a second"),
    }
}
