//! What an answer of a carrier makes of an order, as written in a link's configuration.

use std::{fmt, str::FromStr};

/// What becomes of the order a carrier answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The carrier took it.
    Accept,
    /// The same carrier again, in place for up to two seconds, then by way of the router.
    Hold {
        /// Most tries in place; absent = as many as two seconds hold.
        tries_max: Option<u8>,
        /// Whether the next carrier is asked after them, rather than the same one later.
        then_next: bool,
    },
    /// Another carrier.
    Next {
        /// Whether a second carrier that says the same ends the message.
        then_fail: bool,
    },
    /// No carrier will take it.
    Fail,
    /// The fault of the link: the order was not looked at.
    LinkDown,
    /// Nobody can tell whether the carrier took it.
    Unanswered,
}

/// An action and the stable word of its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What becomes of the order.
    pub action: Action,
    /// Stable word for causes and metrics, such as `throttled`.
    pub code: &'static str,
}

/// Words that are no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Not in the grammar.
    #[error(
        "\"{0}\" is no action, write accept, hold [1-9] [then next], next [then fail], fail, link_down or unanswered"
    )]
    Action(String),
    /// A cause that metrics and routers do not know.
    #[error("\"{0}\" is no cause, known are {known}", known = CODES.join(", "))]
    Code(String),
}

/// Every word of a cause that a map may give. Metrics are labelled with them, so there are no others; which of them speak
/// against a carrier, routers know.
const CODES: &[&str] = &[
    "accepted",
    "bad_number",
    "bad_sender",
    "bind_refused",
    "content",
    "delivery_failed",
    "mapped",
    "no_credit",
    "not_bound",
    "not_permitted",
    "opted_out",
    "profile",
    "queue_full",
    "refused",
    "submit_failed",
    "system_error",
    "temporary",
    "throttled",
    "unknown_error",
];

/// An action as a map writes it: the word of its cause may follow, as in `link_down as no_credit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordedAction {
    /// What becomes of the order.
    pub action: Action,
    /// The word; absent = the one that the default map has.
    pub code: Option<&'static str>,
}

impl FromStr for WordedAction {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let Some((action, word)) = text.rsplit_once(" as ") else {
            let action = text.parse()?;
            return Ok(Self { action, code: None });
        };
        let known = CODES.iter().find(|code| **code == word.trim());
        let code = *known.ok_or_else(|| ActionError::Code(shown(word)))?;
        Ok(Self {
            action: action.parse()?,
            code: Some(code),
        })
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["accept"] => Ok(Self::Accept),
            ["next"] => Ok(Self::Next { then_fail: false }),
            ["next", "then", "fail"] => Ok(Self::Next { then_fail: true }),
            ["fail"] => Ok(Self::Fail),
            ["link_down"] => Ok(Self::LinkDown),
            ["unanswered"] => Ok(Self::Unanswered),
            ["hold", rest @ ..] => hold(rest).ok_or_else(|| refused(text)),
            _ => Err(refused(text)),
        }
    }
}

/// The words after `hold`; `None` = they are none of the grammar.
fn hold(words: &[&str]) -> Option<Action> {
    let (tries_max, rest) = match words.split_first() {
        Some((number, rest)) if *number != "then" => {
            let tries = number.parse().ok().filter(|tries| (1..=9).contains(tries))?;
            (Some(tries), rest)
        }
        _ => (None, words),
    };
    let then_next = match rest {
        [] => false,
        ["then", "next"] => true,
        _ => return None,
    };
    Some(Action::Hold { tries_max, then_next })
}

fn refused(text: &str) -> ActionError {
    ActionError::Action(shown(text))
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept => f.write_str("accept"),
            Self::Next { then_fail } => f.write_str(if *then_fail { "next then fail" } else { "next" }),
            Self::Fail => f.write_str("fail"),
            Self::LinkDown => f.write_str("link_down"),
            Self::Unanswered => f.write_str("unanswered"),
            Self::Hold { tries_max, then_next } => {
                f.write_str("hold")?;
                if let Some(tries) = tries_max {
                    write!(f, " {tries}")?;
                }
                f.write_str(if *then_next { " then next" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests;
