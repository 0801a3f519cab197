//! What follows the headers of a request: JSON or a form, with places in it.

use serde_json::Value;
use source::{Code, Entry, Secret, Section, Shape};
use web::{Escape, keys};

use super::OF_MESSAGE;
use crate::http_link::{Body, Node};

/// Values of one body.
const NODES_MAX: usize = 200;
/// Tables and lists within each other.
const DEPTH_MAX: usize = 8;

/// Reads `json` or `form`; beside it what the headers say of it.
pub(super) fn read(section: &Section<'_>, is_post: bool, secrets: &[(String, Secret)]) -> (Body, Option<&'static str>) {
    let (json, form) = (section.key("json"), section.key("form"));
    let written = if json.is_present() { &json } else { &form };
    if json.is_present() && form.is_present() {
        form.refuse(
            Code::DUPLICATE,
            "stands beside json",
            "a request has one of them",
            "remove one",
        );
    }
    if written.is_present() && !is_post {
        written.refuse(
            Code::FORMAT,
            "is never sent",
            "only POST has a body",
            "write method = \"POST\"",
        );
    }
    if json.is_present() {
        let mut nodes = 0;
        let node = node(&json, secrets, 0, &mut nodes);
        return (node.map_or(Body::Nothing, Body::Json), Some("application/json"));
    }
    if !form.is_present() {
        return (Body::Nothing, None);
    }
    let fields = keys::entries(section, "form").into_iter().filter_map(|(name, entry)| {
        let value = match fixed_text(&entry) {
            Some(text) => keys_template(&text),
            None => keys::template(&entry, OF_MESSAGE, secrets, Escape::Plain)?,
        };
        Some((name.to_owned(), value))
    });
    (Body::Form(fields.collect()), Some("application/x-www-form-urlencoded"))
}

/// A number or a flag as a form spells it; `None` = it is something else.
fn fixed_text(entry: &Entry<'_>) -> Option<String> {
    match entry.shape()? {
        Shape::Integer | Shape::Float | Shape::Boolean => fixed(entry).map(|value| value.to_string()),
        _ => None,
    }
}

fn keys_template(text: &str) -> web::Template {
    web::Template::parse(text, &[], &[], Escape::Plain).expect("numbers and flags have no braces")
}

/// A value without places; `None` = it is absent or a list, a table or a date.
pub(super) fn fixed(entry: &Entry<'_>) -> Option<Value> {
    match entry.shape()? {
        Shape::Integer => entry.integer(i64::MIN..=i64::MAX).map(Value::from),
        Shape::Float => entry.number(f64::MIN..=f64::MAX).map(Value::from),
        Shape::Boolean => entry.boolean().map(Value::from),
        Shape::String | Shape::Datetime | Shape::List | Shape::Table => entry.string(256).map(Value::from),
    }
}

fn node(entry: &Entry<'_>, secrets: &[(String, Secret)], depth: usize, nodes: &mut usize) -> Option<Node> {
    *nodes += 1;
    if depth > DEPTH_MAX || *nodes > NODES_MAX {
        if *nodes == NODES_MAX + 1 || depth == DEPTH_MAX + 1 {
            let what = format_args!("has more than {NODES_MAX} values or {DEPTH_MAX} levels");
            entry.refuse(Code::RANGE, what, "", "");
        }
        // Its own keys are no further problem.
        entry.section().inspect(|section| drop(section.entries()));
        return None;
    }
    match entry.shape()? {
        Shape::String => keys::template(entry, OF_MESSAGE, secrets, Escape::Plain).map(Node::Text),
        Shape::List => {
            let items = entry.items(NODES_MAX)?;
            Some(Node::List(
                items
                    .iter()
                    .filter_map(|item| node(item, secrets, depth + 1, nodes))
                    .collect(),
            ))
        }
        Shape::Table => {
            let fields = entry.section()?.entries();
            let field =
                |(name, entry): (&str, Entry<'_>)| Some((name.to_owned(), node(&entry, secrets, depth + 1, nodes)?));
            Some(Node::Object(fields.into_iter().filter_map(field).collect()))
        }
        Shape::Integer | Shape::Float | Shape::Boolean | Shape::Datetime => fixed(entry).map(Node::Fixed),
    }
}

/// Whether the value of index `place` stands in it.
pub(super) fn has(node: &Node, place: usize) -> bool {
    match node {
        Node::Fixed(_) => false,
        Node::Text(template) => template.has(place),
        Node::List(items) => items.iter().any(|item| has(item, place)),
        Node::Object(fields) => fields.iter().any(|(_, value)| has(value, place)),
    }
}
