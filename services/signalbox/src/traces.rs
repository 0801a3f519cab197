//! Sends spans on to a collector, by OTLP over gRPC. All that this house knows of OpenTelemetry's own types is here.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;
use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};
use service::{
    Clock, Dice, Seldom, Stop, StopHandle, Tasks, Tracer, time,
    trace::{self, Ended, Kind, Value},
};
use sms::UnixUs;
use tokio::sync::mpsc::Receiver;
use tonic::transport::ClientTlsConfig;
use tracing::warn;

use crate::config::Traces;

/// Spans of one call.
const BATCH_MAX: usize = 512;
/// How long spans wait for others to go with them.
const GATHER: Duration = Duration::from_secs(1);
/// Longest wait for a collector.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longest time in which what is left is sent as the process ends.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// A collector that is away is found out with every batch.
static TOLD: Seldom = Seldom::new();

/// The task that sends spans on; `None` = there are no traces.
pub(crate) struct Sending(Option<(Tasks, StopHandle)>);

struct Collector {
    exporter: opentelemetry_otlp::SpanExporter,
    scope: InstrumentationScope,
}

/// A tracer of the process called `name`, whose log is called `system`, and what sends its spans on.
///
/// # Errors
/// The collector's address cannot be used.
pub(crate) fn start(
    traces: Option<&Traces>,
    (name, system): (&'static str, &'static str),
) -> anyhow::Result<(Tracer, Sending)> {
    let Some(traces) = traces else {
        return Ok((Tracer::default(), Sending(None)));
    };
    let mut exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&traces.otlp)
        .with_timeout(ANSWER_WITHIN);
    if traces.otlp.starts_with("https:") {
        exporter = exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
    }
    let mut exporter = exporter.build().context("[telemetry] otlp")?;
    let attributes = [
        KeyValue::new("service.namespace", "signalbox"),
        KeyValue::new("service.name", name),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    exporter.set_resource(&Resource::builder_empty().with_attributes(attributes).build());
    let collector = Collector {
        exporter,
        scope: InstrumentationScope::builder("signalbox").build(),
    };
    let (tracer, ended) = Tracer::new(traces.sample_ratio, system, Clock::wall(), Dice::from_system());
    let (mut tasks, (handle, stop)) = (Tasks::new(), Stop::new());
    tasks.spawn(run(collector, ended, stop));
    Ok((tracer, Sending(Some((tasks, handle)))))
}

impl Sending {
    /// Waits until all is sent that has ended, or for five seconds.
    pub(crate) async fn finish(self) {
        let Some((mut tasks, handle)) = self.0 else { return };
        handle.request();
        if time::timeout(FLUSH_WITHIN, tasks.join_all()).await.is_none() {
            warn!("the collector of traces did not take the last spans in time");
        }
    }
}

/// Sends what ends, until `stop` and nothing is left.
async fn run(collector: Collector, mut ended: Receiver<Ended>, stop: Stop) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        tokio::select! {
            biased;
            count = ended.recv_many(&mut batch, BATCH_MAX) => if count == 0 { return },
            () = stop.requested() => return,
        }
        tokio::select! {
            biased;
            () = stop.requested() => {}
            () = gather(&mut ended, &mut batch) => {}
        }
        collector.send(std::mem::take(&mut batch)).await;
    }
}

/// Adds what ends within a moment, as long as there is room.
async fn gather(ended: &mut Receiver<Ended>, batch: &mut Vec<Ended>) {
    let full = async {
        while batch.len() < BATCH_MAX {
            let room = BATCH_MAX - batch.len();
            if ended.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    time::timeout(GATHER, full).await;
}

impl Collector {
    /// What cannot be sent is lost and counted: traces are worth no memory.
    async fn send(&self, batch: Vec<Ended>) {
        let spans = batch.len();
        let batch = batch.into_iter().map(|span| self.convert(span)).collect();
        let result = match self.exporter.export(batch).await {
            Ok(()) => "sent",
            Err(error) => {
                if TOLD.is_due("collector") {
                    warn!(%error, spans, "the collector of traces does not take spans, they are lost");
                }
                "failed"
            }
        };
        trace::count(result, spans);
    }

    fn convert(&self, span: Ended) -> SpanData {
        let trace = TraceId::from_bytes(span.context.trace.get().to_be_bytes());
        let id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
        let kind = match span.kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        };
        SpanData {
            span_context: SpanContext::new(
                trace,
                id(span.context.span.get()),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| id(parent.get())),
            parent_span_is_remote: matches!(span.kind, Kind::Server | Kind::Consumer),
            span_kind: kind,
            name: span.name.into(),
            start_time: at(span.begun_at),
            end_time: at(span.ended_at),
            attributes: span.attributes.into_iter().map(attribute).collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: match span.is_failed {
                true => Status::error(""),
                false => Status::Unset,
            },
            instrumentation_scope: self.scope.clone(),
        }
    }
}

fn at(instant: UnixUs) -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_micros(instant.0)
}

fn attribute((name, value): (&'static str, Value)) -> KeyValue {
    match value {
        Value::Text(text) => KeyValue::new(name, text),
        Value::Number(number) => KeyValue::new(name, number),
    }
}
