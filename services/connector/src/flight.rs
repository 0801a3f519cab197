//! One claimed order on its way: what became of each of its parts, and what that makes of the order. Pure.

use std::{sync::Arc, time::Duration};

use journey::{Cause, Charge, Order, Outcome};
use service::time::Instant;
use smallvec::SmallVec;
use sms::UnixMs;

use crate::{Action, Rule, link::Verdict, parts::Ready, spans::OrderSpans};

/// Longest time an order is held in place under its claim; beyond it the router holds it.
pub(crate) const HOLD_IN_PLACE_MAX: Duration = Duration::from_secs(2);
/// First wait of a hold; each further one is twice as long.
const HOLD_FIRST: Duration = Duration::from_millis(250);
/// What the router waits at least after a hold that outlasted [`HOLD_IN_PLACE_MAX`]: the shortest wait it has.
const HOLD_HANDED_BACK: Duration = Duration::from_secs(5);
/// The same at the most, whatever carrier or account ask for: a message is worth a question a minute.
pub(crate) const HOLD_HANDED_BACK_MAX: Duration = Duration::from_secs(60);
const _: () = assert!(
    HOLD_IN_PLACE_MAX.as_millis() <= HOLD_HANDED_BACK.as_millis()
        && HOLD_HANDED_BACK.as_millis() <= HOLD_HANDED_BACK_MAX.as_millis(),
    "a hold that is handed back is a longer one"
);

/// A claimed order and its parts.
#[derive(Debug)]
pub(crate) struct Flight {
    /// The order and what is sent for it.
    pub ready: Arc<Ready>,
    spans: OrderSpans,
    parts: SmallVec<[Part; 2]>,
    tries: u8,
    held_since: Option<Instant>,
}

/// What became of a part, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Not handed to the link, or to be handed to it again.
    Missing,
    /// With the link since then.
    Sent { at: UnixMs },
    /// Taken by the carrier.
    Taken {
        remote_id: String,
        at: UnixMs,
        charge: Option<Box<Charge>>,
    },
    /// Refused.
    Refused {
        rule: Rule,
        detail: String,
        retry_after: Option<Duration>,
    },
    /// Never written.
    Unsent { code: &'static str },
    /// Written, without an answer.
    Unanswered { at: UnixMs },
}

/// What is to be done with a flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: parts are on their way.
    Wait,
    /// Send the missing parts.
    Send,
    /// Send the missing parts after this time.
    Hold(Duration),
    /// Report this; whatever comes later is a late answer.
    Report(Outcome),
}

impl Flight {
    /// Nothing sent yet.
    pub(crate) fn new(mut ready: Ready) -> Self {
        let parts = SmallVec::from_elem(Part::Missing, ready.parts.len());
        Self {
            spans: std::mem::take(&mut ready.spans),
            ready: Arc::new(ready),
            parts,
            tries: 0,
            held_since: None,
        }
    }

    /// The order.
    pub(crate) fn order(&self) -> &Order {
        &self.ready.order
    }

    /// Tells traces that a part of it is on its way.
    pub(crate) fn submitted(&mut self) {
        self.spans.submitted(&self.ready.order, self.parts.len());
    }

    /// What traces are told of it, for whoever reports it.
    pub(crate) fn take_spans(&mut self) -> OrderSpans {
        std::mem::take(&mut self.spans)
    }

    /// What the carrier says that it charges, where the message is one part.
    pub(crate) fn charge(&self) -> Option<Box<Charge>> {
        match &self.parts[..] {
            [Part::Taken { charge, .. }] => charge.clone(),
            _ => None,
        }
    }

    /// Parts in all.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Whether a part is to be sent. Once one was refused for good or lost, no other is.
    pub(crate) fn is_missing(&self) -> bool {
        self.parts.contains(&Part::Missing) && !self.parts.iter().any(Part::is_fatal)
    }

    /// The first part that is to be sent, now marked as sent.
    pub(crate) fn send_next(&mut self, at: UnixMs) -> Option<u8> {
        let index = self.parts.iter().position(|part| *part == Part::Missing)?;
        self.parts[index] = Part::Sent { at };
        Some(u8::try_from(index).expect("a message has at most 255 parts"))
    }

    /// Enters an answer. False = the part was not waiting for one, so the answer is a repeat.
    pub(crate) fn answer(&mut self, part: u8, verdict: Verdict) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(part)) else {
            return false;
        };
        let (Part::Sent { at } | Part::Unanswered { at }) = *part else {
            return false;
        };
        *part = match verdict {
            Verdict::Taken { remote_id, charge } => Part::Taken { remote_id, at, charge },
            Verdict::Refused { rule, .. } if rule.action == Action::Accept => Part::Taken {
                remote_id: String::new(),
                at,
                charge: None,
            },
            Verdict::Refused { rule, .. } if rule.action == Action::Unanswered => Part::Unanswered { at },
            Verdict::Refused {
                rule,
                detail,
                retry_after,
            } => Part::Refused {
                rule,
                detail,
                retry_after,
            },
            Verdict::Unsent { code } => Part::Unsent { code },
            Verdict::Displaced => Part::Missing,
            Verdict::Unanswered => Part::Unanswered { at },
        };
        true
    }

    /// Whether every part was taken by now: after the order was reported as unknown, this is worth a report of its own.
    pub(crate) fn late_acceptance(&self) -> Option<Outcome> {
        self.accepted()
    }

    /// Whether the part is on its way.
    pub(crate) fn is_sent(&self, part: u8) -> bool {
        matches!(self.parts.get(usize::from(part)), Some(Part::Sent { .. }))
    }

    /// Whether no part of it was ever handed to the link.
    pub(crate) fn is_unsent(&self) -> bool {
        self.parts.iter().all(|part| *part == Part::Missing)
    }

    /// Whether a part could still be answered.
    pub(crate) fn is_open(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Sent { .. } | Part::Unanswered { .. }))
    }

    /// Whether nothing of it was taken, lost or is on its way, so that the carrier has nothing of it.
    fn is_untouched(&self) -> bool {
        self.parts
            .iter()
            .all(|part| matches!(part, Part::Missing | Part::Refused { .. } | Part::Unsent { .. }))
    }

    /// Answers every part that was not sent in the carrier's place, so that nothing more of the order is sent.
    pub(crate) fn abandon(&mut self, verdict: &Verdict, at: UnixMs) {
        while let Some(part) = self.send_next(at) {
            self.answer(part, verdict.clone());
        }
    }

    /// What is to be done now. `Report` comes last: the flight is over then. Without `may_hold` the router does it.
    pub(crate) fn next(&mut self, now: Instant, wall: UnixMs, may_hold: bool) -> Next {
        if self.parts.iter().any(|part| matches!(part, Part::Sent { .. })) {
            return Next::Wait;
        }
        match self.outcome(wall) {
            Some(outcome) => Next::Report(outcome),
            None if self.parts.iter().any(Part::is_held) => self.hold(now, wall, may_hold),
            None => Next::Send,
        }
    }

    /// The outcome that the parts allow no other for; `None` = parts are missing or held.
    fn outcome(&self, wall: UnixMs) -> Option<Outcome> {
        if let Some(accepted) = self.accepted() {
            return Some(accepted);
        }
        let is_taken = self.parts.iter().any(|part| matches!(part, Part::Taken { .. }));
        let is_lost = self.parts.iter().any(|part| matches!(part, Part::Unanswered { .. }));
        let fatal = self
            .parts
            .iter()
            .filter(|part| part.is_fatal())
            .max_by_key(|part| part.weight())?;
        if is_taken || is_lost {
            return Some(Outcome::Unknown {
                since: self.last_sent(wall),
            });
        }
        Some(match fatal {
            Part::Refused { rule, detail, .. } => self.refused(*rule, detail),
            Part::Unsent { code } => Outcome::LinkDown {
                cause: Cause::new(*code, ""),
            },
            _ => unreachable!("a lost part was handled above, and no other is fatal"),
        })
    }

    fn refused(&self, rule: Rule, detail: &str) -> Outcome {
        let cause = Cause::new(rule.code, detail);
        // A second carrier that says the same of a number or a content is believed.
        let is_repeated = || {
            let earlier = &self.ready.order.attempts;
            earlier
                .iter()
                .any(|a| a.answer.code == rule.code && a.carrier != self.ready.order.carrier)
        };
        match rule.action {
            Action::Fail => Outcome::Fail { cause },
            Action::Next { then_fail: true } if is_repeated() => Outcome::Fail { cause },
            Action::LinkDown => Outcome::LinkDown { cause },
            _ => Outcome::Next { cause },
        }
    }

    fn accepted(&self) -> Option<Outcome> {
        let ids = self.parts.iter().map(|part| match part {
            Part::Taken { remote_id, .. } => Some(remote_id.clone()),
            _ => None,
        });
        let remote_ids: Vec<String> = ids.collect::<Option<_>>()?;
        let has_ids = remote_ids.iter().any(|id| !id.is_empty());
        Some(Outcome::Accepted {
            remote_ids: if has_ids { remote_ids } else { Vec::new() },
        })
    }

    /// Every part is taken or held: again in place, or no more.
    fn hold(&mut self, now: Instant, wall: UnixMs, may_hold: bool) -> Next {
        let held = self.parts.iter().find_map(|part| match part {
            Part::Refused { rule, detail, .. } => Some((*rule, detail.clone())),
            _ => None,
        });
        let (rule, detail) = held.expect("a held part is a refused one");
        let Action::Hold { tries_max, then_next } = rule.action else {
            unreachable!("outcome() took every other action")
        };
        let since = *self.held_since.get_or_insert(now);
        let asked = self.retry_after();
        let wait = asked.unwrap_or_default().max(HOLD_FIRST * (1 << self.tries.min(3)));
        let is_spent = tries_max.is_some_and(|most| self.tries >= most);
        let is_too_long = now.duration_since(since) + wait > HOLD_IN_PLACE_MAX;
        let is_too_late = wall + wait >= self.order().terms.deadline;
        if may_hold && !is_spent && !is_too_long && !is_too_late {
            self.tries += 1;
            self.parts
                .iter_mut()
                .filter(|part| part.is_held())
                .for_each(|part| *part = Part::Missing);
            self.spans.held(rule.code, &detail);
            return Next::Hold(wait);
        }
        let cause = Cause::new(rule.code, detail);
        Next::Report(match then_next {
            _ if !self.is_untouched() => Outcome::Unknown {
                since: self.last_sent(wall),
            },
            true => Outcome::Next { cause },
            false => Outcome::Hold {
                retry_after: asked.map_or(HOLD_HANDED_BACK, |asked| {
                    asked.clamp(HOLD_HANDED_BACK, HOLD_HANDED_BACK_MAX)
                }),
                cause,
            },
        })
    }

    /// How long the carrier wants to be left alone with it; `None` = it does not say.
    fn retry_after(&self) -> Option<Duration> {
        let of_part = |part: &Part| match part {
            Part::Refused { retry_after, .. } => *retry_after,
            _ => None,
        };
        self.parts.iter().filter_map(of_part).max()
    }

    fn last_sent(&self, wall: UnixMs) -> UnixMs {
        let sent = self.parts.iter().filter_map(|part| match part {
            Part::Sent { at } | Part::Taken { at, .. } | Part::Unanswered { at } => Some(*at),
            _ => None,
        });
        sent.max().unwrap_or(wall)
    }
}

impl Part {
    fn is_held(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                rule: Rule {
                    action: Action::Hold { .. },
                    ..
                },
                ..
            }
        )
    }

    /// Whether the order cannot be taken as a whole any more.
    fn is_fatal(&self) -> bool {
        match self {
            Self::Refused { .. } => !self.is_held(),
            Self::Unsent { .. } | Self::Unanswered { .. } => true,
            Self::Missing | Self::Sent { .. } | Self::Taken { .. } => false,
        }
    }

    /// Which of several answers speaks for the order: the strongest.
    fn weight(&self) -> u8 {
        match self {
            Self::Refused { rule, .. } => match rule.action {
                Action::Fail => 4,
                Action::Next { .. } => 3,
                _ => 2,
            },
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
