//! A collector of traces, as OpenTelemetry defines it: keeps every span that it is sent, and the octets it came in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value},
    trace::v1::{ResourceSpans, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use service::Tasks;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// Takes spans as long as it lives.
pub(crate) struct Collector {
    taken: Taken,
    address: SocketAddr,
    _server: Tasks,
}

#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// One span as a test reads it.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// `service.name` of the process.
    pub(crate) process: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty = it has none.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) begun_at: u64,
    pub(crate) ended_at: u64,
    pub(crate) is_failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

#[tonic::async_trait]
impl TraceService for Taken {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (taken, address) = (Taken::default(), listener.local_addr().unwrap());
        let service = TraceServiceServer::new(taken.clone());
        let mut server = Tasks::new();
        server.spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let server = Server::builder().add_service(service);
            server.serve_with_incoming(incoming).await.unwrap();
        });
        Self {
            taken,
            address,
            _server: server,
        }
    }

    /// What `[telemetry]` says so that a process sends spans here of this share of messages.
    pub(crate) fn setting(&self, sample_ratio: &str) -> String {
        format!("otlp = \"http://{}\"\nsample_ratio = {sample_ratio}\n", self.address)
    }

    /// All that was taken, as it came.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let taken = self.taken.0.lock().unwrap();
        taken.iter().flat_map(|request| request.encode_to_vec()).collect()
    }

    /// Every span, by its trace.
    pub(crate) fn traces(&self) -> BTreeMap<String, Vec<Span>> {
        let mut traces: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        let taken = self.taken.0.lock().unwrap();
        for span in taken.iter().flat_map(|request| &request.resource_spans).flat_map(spans) {
            traces.entry(span.trace.clone()).or_default().push(span);
        }
        traces
    }
}

fn spans(of_process: &ResourceSpans) -> Vec<Span> {
    let resource = attributes(&of_process.resource.as_ref().unwrap().attributes);
    let all = of_process.scope_spans.iter().flat_map(|scope| &scope.spans);
    let span = |span: &opentelemetry_proto::tonic::trace::v1::Span| Span {
        process: resource["service.name"].clone(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        kind: span.kind(),
        begun_at: span.start_time_unix_nano,
        ended_at: span.end_time_unix_nano,
        is_failed: span
            .status
            .as_ref()
            .is_some_and(|status| status.code() == StatusCode::Error),
        attributes: attributes(&span.attributes),
    };
    all.map(span).collect()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().unwrap().value.as_ref().unwrap() {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => panic!("{}: {other:?}", pair.key),
    };
    pairs.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Parents that `spans` name and do not hold.
pub(crate) fn absent_parents(spans: &[Span]) -> BTreeSet<&str> {
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let parents = spans.iter().map(|span| span.parent.as_str());
    parents
        .filter(|parent| !parent.is_empty() && !ids.contains(parent))
        .collect()
}

/// The spans below `parent` as lines, each below its own parent and after those that began before it; a cross marks what failed.
pub(crate) fn tree(spans: &[Span], parent: &str) -> String {
    let mut children: Vec<_> = spans.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| (span.begun_at, span.ended_at));
    let line = |span: &Span| {
        let failed = if span.is_failed { " ✗" } else { "" };
        let below = tree(spans, &span.id);
        let below = below.lines().map(|line| format!("  {line}\n"));
        format!("{}: {}{failed}\n{}", span.process, span.name, below.collect::<String>())
    };
    children.into_iter().map(line).collect()
}
