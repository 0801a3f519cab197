//! Logs, metrics and the probes' endpoint.

use std::io::IsTerminal as _;

use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics::{Label, counter};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::{Filter, SubscriberExt as _},
    registry,
    util::SubscriberInitExt as _,
};

use crate::{Readiness, Stop};

/// Bucket bounds of every histogram in seconds, from a quarter of a millisecond to half a minute.
const SECONDS_BUCKETS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// What is logged unless `RUST_LOG` says otherwise: everything from `info` on, of the storage engine only what is wrong.
pub const LOGS_DEFAULT: &str = "info,fjall=warn,lsm_tree=warn";

/// What is never logged, whatever `RUST_LOG` says: names asked of DNS, which are numbers of people.
const LOGS_NEVER: &str = "hickory_";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `RUST_LOG` chooses what; absent = [`LOGS_DEFAULT`]. A second call changes nothing.
pub fn start_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGS_DEFAULT));
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // An error means that a subscriber is there already: a test's, or an earlier call's.
    let _ = match format {
        LogFormat::Text => registry().with(lines.with_filter(permitted(filter))).try_init(),
        LogFormat::Json => registry().with(lines.json().with_filter(permitted(filter))).try_init(),
    };
}

/// `filter` without what is never logged.
fn permitted<S: Subscriber>(filter: EnvFilter) -> impl Filter<S> {
    filter.and(filter_fn(|event| !event.target().starts_with(LOGS_NEVER)))
}

/// Installs the recorder behind the `metrics` macros. Once per process.
///
/// # Errors
/// A recorder is installed already, or a bucket list is empty.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)?
        .install_recorder()?;
    crate::clock::describe();
    crate::trace::describe();
    Ok(handle)
}

/// Begins the counter `name` at zero, for every combination of what each of its `labels` may say: alerts have something to compare
/// a first event with, and dashboards say 0 where nothing happened.
pub fn begin(name: &'static str, labels: &[(&'static str, &[&str])]) {
    let mut sets = vec![Vec::new()];
    for (label, values) in labels {
        let with = |set: &Vec<Label>, value: &str| [set.as_slice(), &[Label::new(*label, value.to_owned())]].concat();
        let grown = sets.iter().flat_map(|set| values.iter().map(|value| with(set, value)));
        sets = grown.collect();
    }
    for set in sets {
        counter!(name, set).increment(0);
    }
}

#[derive(Clone)]
struct Probes {
    readiness: Readiness,
    metrics: PrometheusHandle,
}

/// Serves `/metrics`, `/livez` and `/readyz` on `listener` until `stop`.
///
/// # Errors
/// The listener failed.
pub async fn serve_probes(
    listener: TcpListener,
    readiness: Readiness,
    metrics: PrometheusHandle,
    stop: Stop,
) -> std::io::Result<()> {
    let app = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route(
            "/metrics",
            get(|State(probes): State<Probes>| async move { probes.metrics.render() }),
        )
        .with_state(Probes { readiness, metrics });
    axum::serve(listener, app)
        .with_graceful_shutdown(async move { stop.requested().await })
        .await
}

async fn readyz(State(probes): State<Probes>) -> (StatusCode, String) {
    if probes.readiness.is_ready() {
        (StatusCode::OK, format!("ready\n{}", probes.readiness.reasons()))
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready\n{}", probes.readiness.reasons()),
        )
    }
}

#[cfg(test)]
mod tests;
