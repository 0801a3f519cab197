//! What an answer says of the message: a pure table from status and body to what becomes of it.

use serde_json::Value;
use source::Secret;
use web::{Answer, plain, text_at};

use super::config::AnswerShape;
use crate::{Action, OutcomeMap, Rule, UNMAPPED, link::Verdict, outcome::HttpCode};

/// Longest id of a carrier that is kept, in octets; a longer one finds no receipt, as if there were none.
const ID_OCTETS_MAX: usize = 128;

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// What becomes of the part.
    pub(super) verdict: Verdict,
    /// What is odd about it, for counting.
    pub(super) oddity: Option<&'static str>,
    /// The code that no map knows.
    pub(super) unmapped: Option<HttpCode>,
}

impl Read {
    fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            oddity: None,
            unmapped: None,
        }
    }

    fn odd(verdict: Verdict, oddity: &'static str) -> Self {
        Self {
            oddity: Some(oddity),
            ..Self::of(verdict)
        }
    }
}

/// What `answer` says, as `shape` describes it. What a success that cannot be read says is not known: in doubt the message
/// counts as unanswered.
pub(super) fn read(shape: &AnswerShape, map: &OutcomeMap<HttpCode>, secrets: &[Secret], answer: &Answer) -> Read {
    let status = answer.status.as_u16();
    let is_success = match shape.success.is_empty() {
        true => answer.status.is_success(),
        false => shape.success.contains(&status),
    };
    if !is_success {
        let body = answer
            .body
            .as_ref()
            .ok()
            .and_then(|body| serde_json::from_slice(body).ok());
        return refused(
            shape,
            map,
            secrets,
            HttpCode::Status(status),
            &body.unwrap_or(Value::Null),
        );
    }
    if shape.ok.is_none() && shape.id.is_none() {
        return Read::of(taken(""));
    }
    let Ok(body) = &answer.body else {
        return Read::odd(Verdict::Unanswered, "answer_cut_off");
    };
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Read::odd(Verdict::Unanswered, "answer_garbled");
    };
    if let Some((pointer, wanted)) = &shape.ok {
        match text_at(&body, pointer) {
            Some(found) if wanted.contains(&found) => {}
            Some(_) => return refused(shape, map, secrets, HttpCode::Status(status), &body),
            None if code_at(shape, &body).is_some() => {
                return refused(shape, map, secrets, HttpCode::Status(status), &body);
            }
            None => return Read::odd(Verdict::Unanswered, "answer_garbled"),
        }
    }
    let Some(pointer) = &shape.id else {
        return Read::of(taken(""));
    };
    match id(text_at(&body, pointer)) {
        Some(id) => Read::of(taken(&id)),
        None => Read::odd(taken(""), "answer_without_id"),
    }
}

/// An id as it is kept; `None` = there is none that a receipt could be told by.
pub(super) fn id(written: Option<String>) -> Option<String> {
    written.filter(|id| id.len() <= ID_OCTETS_MAX && !id.chars().any(char::is_control))
}

fn taken(id: &str) -> Verdict {
    Verdict::Taken {
        remote_id: id.to_owned(),
        charge: None,
    }
}

fn code_at(shape: &AnswerShape, body: &Value) -> Option<HttpCode> {
    HttpCode::body(&text_at(body, shape.code.as_deref()?)?)
}

/// What the body says is worth more than the status, where it is known to mean something.
fn refused(
    shape: &AnswerShape,
    map: &OutcomeMap<HttpCode>,
    secrets: &[Secret],
    status: HttpCode,
    body: &Value,
) -> Read {
    let code = code_at(shape, body);
    let by_code = code.map(|code| map.rule(code)).filter(|rule| *rule != UNMAPPED);
    let rule = by_code.unwrap_or_else(|| map.rule(status));
    // A success that the body takes back was not taken, whatever a map says of the status.
    let rule = match (rule.action, status) {
        (Action::Accept, HttpCode::Status(200..=299)) if by_code.is_none() => UNMAPPED,
        _ => rule,
    };
    Read {
        verdict: verdict(rule, detail(shape, map, secrets, status, code, body)),
        oddity: None,
        unmapped: (rule == UNMAPPED).then(|| code.unwrap_or(status)),
    }
}

fn verdict(rule: Rule, detail: String) -> Verdict {
    match rule.action {
        Action::Unanswered => Verdict::Unanswered,
        _ => Verdict::Refused {
            rule,
            detail,
            retry_after: None,
        },
    }
}

fn detail(
    shape: &AnswerShape,
    map: &OutcomeMap<HttpCode>,
    secrets: &[Secret],
    status: HttpCode,
    code: Option<HttpCode>,
    body: &Value,
) -> String {
    let mut detail = map.name(status);
    if let Some(code) = code {
        detail = format!("{detail} {}", plain(&map.name(code), secrets));
    }
    let said = shape.detail.as_deref().and_then(|pointer| text_at(body, pointer));
    match said {
        Some(said) => format!("{detail}: {}", plain(&said, secrets)),
        None => detail,
    }
}

#[cfg(test)]
mod tests;
