//! One order as a request: what stands for each place, and the body built of values, never of pasted text.

use jiff::Timestamp;
use journey::Order;
use serde_json::Value;
use sms::{Content, Encoding, SenderKind};
use web::{
    Escape, HeaderValue, Request, Template,
    header::{ACCEPT, USER_AGENT},
};

use super::config::{Body, HttpConfig, Node, PLACES, RECEIPT_URL};
use crate::link::Job;

/// What stands for each place, as text and as a value of JSON.
struct Filled {
    texts: [String; PLACES.len()],
    values: [Value; PLACES.len()],
    /// Whether the address for receipts stands for nothing here.
    lacks_url: bool,
}

/// The request for `job`.
///
/// # Errors
/// The message cannot be sent so; in words without its content.
pub(super) fn request(config: &HttpConfig, job: &Job) -> Result<Request, String> {
    let filled = Filled::new(config, job)?;
    let texts: Vec<&str> = filled.texts.iter().map(String::as_str).collect();
    let mut headers = vec![
        (ACCEPT, HeaderValue::from_static("application/json")),
        (USER_AGENT, HeaderValue::from_static("signalbox")),
    ];
    for (name, value) in &config.headers {
        if filled.lacks(value) {
            continue;
        }
        let value = HeaderValue::from_str(&value.fill(&texts));
        let mut value = value.map_err(|_| format!("header {name} has a value that is none"))?;
        // Keeps it out of the tables of HTTP/2 and of Debug.
        value.set_sensitive(true);
        headers.push((name.clone(), value));
    }
    if let Some(name) = &config.idempotency {
        let value = HeaderValue::from_str(&attempt(&job.ready.order)).expect("an id is plain ASCII");
        headers.push((name.clone(), value));
    }
    Ok(Request {
        method: config.method.clone(),
        url: config.url.fill(&texts),
        headers,
        body: body(&config.body, &filled, &texts).into(),
    })
}

fn body(body: &Body, filled: &Filled, texts: &[&str]) -> Vec<u8> {
    match body {
        Body::Nothing => Vec::new(),
        Body::Json(node) => {
            let value = filled.value(node, texts).unwrap_or(Value::Null);
            value.to_string().into_bytes()
        }
        Body::Form(fields) => {
            let written = fields.iter().filter(|(_, value)| !filled.lacks(value));
            let pair = |(name, value): &(String, Template)| {
                let escape = |text: &str| Escape::Percent.write(text);
                format!("{}={}", escape(name), escape(&value.fill(texts)))
            };
            written.map(pair).collect::<Vec<_>>().join("&").into_bytes()
        }
    }
}

/// Names one try of one message at this carrier, the same however often its order is sent: `<message>-<order>`.
fn attempt(order: &Order) -> String {
    format!("{}-{}", order.message.id, order.number.0)
}

impl Filled {
    fn new(config: &HttpConfig, job: &Job) -> Result<Self, String> {
        let order = &job.ready.order;
        let (content, encoding, segments) = order.content();
        let Content::Text(text) = content else {
            return Err("binary content has no place in this link's requests".to_owned());
        };
        let from = order.from().as_str();
        let digits = from.strip_prefix('+').unwrap_or(from);
        let e164 = match order.from().kind() {
            SenderKind::LongCode => format!("+{digits}"),
            SenderKind::ShortCode | SenderKind::Alphanumeric => from.to_owned(),
        };
        let from = match order.from().kind() {
            SenderKind::Alphanumeric => from,
            SenderKind::ShortCode | SenderKind::LongCode => digits,
        };
        let span = job.valid_for.min(config.validity_max);
        let deadline = order.terms.deadline - (job.valid_for - span);
        let deadline = i64::try_from(deadline.0)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok());
        let url = config
            .hook
            .as_ref()
            .filter(|_| order.receipt)
            .map(|hook| hook.told_url());
        let word = |words: &[Value; 2], is_first: bool| words[usize::from(!is_first)].clone();
        let milliseconds = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let lacks_url = url.is_none();
        let values: [Value; PLACES.len()] = [
            order.to().digits().into(),
            from.into(),
            e164.into(),
            text.as_str().into(),
            order.message.id.to_string().into(),
            attempt(order).into(),
            // Never beyond the deadline, and never nothing: 0 is no limit to some.
            span.as_secs().max(1).into(),
            (span.as_secs() / 60).max(1).into(),
            milliseconds.max(1).into(),
            deadline.map(|at| format!("{at:.3}")).unwrap_or_default().into(),
            word(&config.receipt_words, order.receipt),
            url.unwrap_or_default().into(),
            word(&config.encoding_words, encoding == Encoding::Gsm7),
            segments.into(),
            order.class().as_str().into(),
        ];
        let texts = values.each_ref().map(text_of);
        Ok(Self {
            texts,
            values,
            lacks_url,
        })
    }

    fn lacks(&self, template: &Template) -> bool {
        self.lacks_url && template.has(RECEIPT_URL)
    }

    /// The value; `None` = it is left out, and so is the list or object in which nothing is left.
    fn value(&self, node: &Node, texts: &[&str]) -> Option<Value> {
        match node {
            Node::Fixed(value) => Some(value.clone()),
            Node::Text(template) if self.lacks(template) => None,
            Node::Text(template) => Some(match template.alone() {
                Some(place) => self.values[place].clone(),
                None => template.fill(texts).into(),
            }),
            Node::List(items) => {
                let values: Vec<Value> = items.iter().filter_map(|item| self.value(item, texts)).collect();
                (!values.is_empty() || items.is_empty()).then(|| values.into())
            }
            Node::Object(fields) => {
                let field = |(name, node): &(String, Node)| Some((name.clone(), self.value(node, texts)?));
                let values: serde_json::Map<String, Value> = fields.iter().filter_map(field).collect();
                (!values.is_empty() || fields.is_empty()).then(|| values.into())
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
