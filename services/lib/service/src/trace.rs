//! Traces: what was done for one message, by which process and for how long, as spans of one trace.
//!
//! Ingest decides once for each message whether it is traced; from there on its records say so in a `traceparent`, and whoever
//! reads one without does nothing here. A span is recorded when it is dropped: it goes into a bounded queue, from which whoever
//! made the tracer sends it on. Where that is full it is lost and counted; a message never waits for its trace.

mod names;

use std::{
    borrow::Cow,
    fmt,
    num::{NonZeroU64, NonZeroU128},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bus::{Record, Stored, Topic};
use metrics::{Unit, counter, describe_counter};
use sms::{MessageId, TraceContext, UnixUs};
use tokio::sync::mpsc;

use crate::{Clock, Dice, telemetry};

pub use names::attribute;

/// Name of the header, of the bus and of gRPC alike, that says where in a trace somebody stands.
pub const TRACEPARENT: &str = "traceparent";
/// Spans that wait to be sent on. About half a kilobyte each.
pub const WAITING_MAX: usize = 8_192;
/// Messages a second of which callers alone decide that they are traced; beyond it the ratio does.
pub const ASKED_PER_SECOND_MAX: u64 = 10;

/// What became of spans.
const SPANS: &str = "signalbox_trace_spans_total";

/// Makes spans; cheap to clone. [`Tracer::default`] makes none and costs nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

struct Inner {
    spans: mpsc::Sender<Ended>,
    clock: Clock,
    dice: Dice,
    ratio: f64,
    asked: Asked,
    /// What the log is called in spans.
    system: &'static str,
}

/// How many messages callers had traced in the present second: the second above, the number below.
#[derive(Default)]
struct Asked(AtomicU64);

/// The call that a message came by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// Full name of its method.
    pub method: &'static str,
    /// The caller's own span, if it is recorded.
    pub asked: Option<TraceContext>,
}

/// What a span is to those before and behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers somebody else's call.
    Server,
    /// Waits for somebody else's answer.
    Client,
    /// Puts a record on the log.
    Producer,
    /// Does what a record of the log asks for.
    Consumer,
}

/// The value of an attribute. Numbers of people and what they write never are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

/// A span that is over.
#[derive(Debug)]
pub struct Ended {
    /// Itself.
    pub context: TraceContext,
    /// The span that led to it, perhaps of another process; absent = it is the first of its trace.
    pub parent: Option<NonZeroU64>,
    /// What was done.
    pub name: String,
    /// What it is to others.
    pub kind: Kind,
    /// When it began.
    pub begun_at: UnixUs,
    /// When it ended.
    pub ended_at: UnixUs,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed.
    pub is_failed: bool,
}

/// A span under way, recorded when it is dropped; one of a message that is not traced is nothing at all.
#[derive(Default)]
pub struct Span(Option<Box<Open>>);

/// Spans that end together; none of messages that are not traced.
#[derive(Debug, Default)]
pub struct Spans(Vec<Span>);

struct Open {
    tracer: Tracer,
    span: Ended,
}

impl Tracer {
    /// A tracer of `ratio` of all messages, and the spans it makes; `system` is what the log is called in them.
    pub fn new(ratio: f64, system: &'static str, clock: Clock, dice: Dice) -> (Self, mpsc::Receiver<Ended>) {
        let (spans, ended) = mpsc::channel(WAITING_MAX);
        let inner = Inner {
            spans,
            clock,
            dice,
            ratio,
            asked: Asked::default(),
            system,
        };
        (Self(Some(Arc::new(inner))), ended)
    }

    /// The first span of ours of a message that came by `call` at `at`, if it is traced: one in so many is, and so are a few a
    /// second whose callers ask for it. A caller that asks has it as part of its own trace.
    pub fn accept(&self, call: &Call, at: UnixUs) -> Span {
        let Some(inner) = &self.0 else { return Span::default() };
        let is_asked = call.asked.is_some() && inner.asked.take(at.0 / 1_000_000);
        if !is_asked && inner.dice.fraction() >= inner.ratio {
            return Span::default();
        }
        let mut span = self.span(call.asked, Kind::Server, call.method.to_owned(), at);
        span.set(attribute::RPC_SYSTEM, || "grpc");
        span.set(attribute::RPC_METHOD, || call.method);
        span
    }

    /// What `stored` of `topic` leads to, if it belongs to a trace.
    pub fn process(&self, topic: &Topic, stored: &Stored) -> Span {
        match context_of(stored) {
            Some(parent) => self.on_log("process", Kind::Consumer, topic, parent),
            None => Span::default(),
        }
    }

    /// Puts `record`, which is about `message` and to stand on `topic`, into the trace of `parent`; it counts as handed over when
    /// the span is dropped. Nothing without a parent.
    pub fn send(&self, topic: &Topic, record: &mut Record, message: MessageId, parent: Option<&TraceContext>) -> Span {
        let Some(parent) = parent else { return Span::default() };
        let mut span = self.on_log("send", Kind::Producer, topic, *parent);
        span.set(attribute::MESSAGE_ID, || message.to_string());
        // A process that records nothing passes on what it got.
        let context = span.context().unwrap_or(parent);
        record.headers.push((TRACEPARENT, context.to_string().into()));
        span
    }

    /// What is done because of `parent`, from now on. Nothing without a parent.
    pub fn begin(&self, parent: Option<&TraceContext>, kind: Kind, name: impl FnOnce() -> String) -> Span {
        match (&self.0, parent) {
            (Some(inner), Some(parent)) => self.span(Some(*parent), kind, name(), inner.clock.precisely()),
            _ => Span::default(),
        }
    }

    fn on_log(&self, operation: &'static str, kind: Kind, topic: &Topic, parent: TraceContext) -> Span {
        let mut span = self.begin(Some(&parent), kind, || format!("{operation} {topic}"));
        span.set(attribute::SYSTEM, || self.0.as_ref().map_or("", |inner| inner.system));
        span.set(attribute::OPERATION_NAME, || operation);
        span.set(attribute::OPERATION_TYPE, || operation);
        span.set(attribute::DESTINATION, || topic.as_str().to_owned());
        span
    }

    fn span(&self, parent: Option<TraceContext>, kind: Kind, name: String, begun_at: UnixUs) -> Span {
        let Some(inner) = &self.0 else { return Span::default() };
        let draw = || NonZeroU64::new(inner.dice.next_u64()).unwrap_or(NonZeroU64::MIN);
        let new_trace = || NonZeroU128::from(draw()) | u128::from(inner.dice.next_u64()) << 64;
        let span = Ended {
            context: TraceContext {
                trace: parent.map_or_else(new_trace, |parent| parent.trace),
                span: draw(),
            },
            parent: parent.map(|parent| parent.span),
            name,
            kind,
            begun_at,
            ended_at: begun_at,
            attributes: Vec::new(),
            is_failed: false,
        };
        let tracer = self.clone();
        Span(Some(Box::new(Open { tracer, span })))
    }
}

impl Asked {
    /// Whether one more may be traced in `second`.
    fn take(&self, second: u64) -> bool {
        let (above, below) = (32, u64::from(u32::MAX));
        let next = |taken: u64| {
            let count = if taken >> above == second { taken & below } else { 0 };
            (count < ASKED_PER_SECOND_MAX).then_some(second << above | (count + 1))
        };
        self.0.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

impl Span {
    /// Where it stands; `None` = nothing is traced, or not here.
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.as_ref().map(|open| &open.span.context)
    }

    /// What is done for it, from now on; nothing for a span that is none.
    pub fn begin(&self, kind: Kind, name: impl FnOnce() -> String) -> Self {
        let begin = |open: &Open| open.tracer.begin(Some(&open.span.context), kind, name);
        self.0.as_deref().map(begin).unwrap_or_default()
    }

    /// Says something of it, by a name of [`attribute`]; nothing where that is empty.
    pub fn set<V: Into<Value>>(&mut self, name: &'static str, value: impl FnOnce() -> V) {
        let Some(open) = &mut self.0 else { return };
        let value = value().into();
        if value != Value::Text(Cow::Borrowed("")) {
            open.span.attributes.push((name, value));
        }
    }

    /// Says that it failed, and why in a word of ours.
    pub fn fail(&mut self, cause: &str) {
        self.set(attribute::ERROR, || cause.to_owned());
        if let Some(open) = &mut self.0 {
            open.span.is_failed = true;
        }
    }
}

impl Spans {
    /// Keeps `span` until all of them end.
    pub fn keep(&mut self, span: Span) {
        if span.0.is_some() {
            self.0.push(span);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(inner) = &self.tracer.0 else { return };
        let ended = Ended {
            name: std::mem::take(&mut self.span.name),
            attributes: std::mem::take(&mut self.span.attributes),
            ended_at: inner.clock.precisely(),
            ..self.span
        };
        if inner.spans.try_send(ended).is_err() {
            count("dropped", 1);
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracer").field(&self.0.is_some()).finish()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.context()).finish()
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// The span that put `stored` on the log, if that belongs to a trace.
pub fn context_of(stored: &Stored) -> Option<TraceContext> {
    let header = stored.headers.iter().find(|(name, _)| name == TRACEPARENT);
    header.and_then(|(_, value)| asked(value))
}

/// The span that a `traceparent` names, if it is recorded.
pub fn asked(traceparent: &[u8]) -> Option<TraceContext> {
    let (context, is_sampled) = TraceContext::parse(traceparent)?;
    is_sampled.then_some(context)
}

/// Counts what became of `spans`: they were `sent`, sending them `failed`, or they were `dropped`.
pub fn count(result: &'static str, spans: usize) {
    counter!(SPANS, "result" => result).increment(spans as u64);
}

pub(crate) fn describe() {
    describe_counter!(SPANS, Unit::Count, "spans of traces, by what became of them");
    telemetry::begin(SPANS, &[("result", &["sent", "failed", "dropped"])]);
}

#[cfg(test)]
mod tests;
