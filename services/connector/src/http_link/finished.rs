//! What becomes of requests that are over, and what that says of the carrier.

use futures::{FutureExt as _, StreamExt as _};
use service::time;
use smpp::IdFormats;
use tracing::{error, warn};
use web::{Failure, discreet};

use super::{Asked, Link, answer, exact_ids, unfit};
use crate::{
    Action,
    link::{Answer, Event, Verdict},
    metrics,
};

/// Codes and oddities told in the log, each once.
const TOLD_MAX: usize = 100;
/// The cause word with which a carrier refuses who we are; it costs the link a pause.
const CREDENTIALS: &str = "bind_refused";

impl Link {
    /// Takes `first` and every other answer that is there.
    pub(super) fn on_answers(&mut self, first: Asked) {
        let mut answers: Vec<Answer> = self.on_answer(first).into_iter().collect();
        while let Some(Some(next)) = self.asked.next().now_or_never() {
            answers.extend(self.on_answer(next));
        }
        if !answers.is_empty() {
            self.say(Event::Answers(answers));
        }
        if let Some(reason) = self.news.take() {
            self.say(Event::Down { reason });
        }
        self.see_to_health(time::now());
    }

    fn on_answer(&mut self, asked: Asked) -> Option<Answer> {
        let (number, answered) = asked.ok()?;
        let open = self.take(number)?;
        let verdict = match answered {
            Ok(answer) => self.read(&answer),
            Err(failure) => self.failed(failure),
        };
        // What was given up is no news unless the carrier itself speaks of it.
        let is_news = !open.is_late || matches!(verdict, Verdict::Taken { .. } | Verdict::Refused { .. });
        is_news.then_some(Answer { tag: open.tag, verdict })
    }

    fn read(&mut self, answer: &web::Answer) -> Verdict {
        let (now, maps) = (time::now(), self.dialect.maps.get());
        self.health.answered();
        let http = &self.dialect.http;
        let read = answer::read(&http.answer, &maps.outcomes.http, &http.secrets, answer);
        if let Some(code) = read.unmapped {
            metrics::unmapped(&self.dialect.link, "status");
            let name = discreet(&maps.outcomes.http.name(code), &self.dialect.http.secrets);
            if self.told.len() < TOLD_MAX && self.told.insert(name.clone()) {
                warn!(link = %self.dialect.link, code = name, "the carrier answers what no map knows");
            }
        }
        if let Some(oddity) = read.oddity {
            self.odd(oddity);
        }
        let mut verdict = read.verdict;
        match &mut verdict {
            Verdict::Taken { remote_id, .. } => *remote_id = self.ids().of_response(remote_id),
            Verdict::Refused {
                rule,
                detail,
                retry_after,
            } => {
                let is_hold = matches!(rule.action, Action::Hold { .. });
                if let Some(wait) = answer.retry_after.filter(|_| is_hold) {
                    *retry_after = Some(self.health.rest(now, wait, *rule, detail.clone()));
                }
                if rule.action == Action::LinkDown
                    && rule.code == CREDENTIALS
                    && let Some(wait) = self.health.refused(now)
                {
                    let wait_s = wait.as_secs();
                    error!(link = %self.dialect.link, answer = detail, wait_s, "the carrier refuses our credentials, check them");
                    self.news = Some(format!("the carrier refuses our credentials ({detail})"));
                }
            }
            _ => {}
        }
        verdict
    }

    /// How ids are written: receipts are told by them.
    fn ids(&self) -> IdFormats {
        let hook = self.dialect.http.hook.as_ref();
        let receipts = hook.and_then(|hook| hook.receipts.as_ref());
        receipts.map_or_else(exact_ids, |shape| shape.ids)
    }

    fn failed(&mut self, failure: Failure) -> Verdict {
        match failure {
            Failure::Request => {
                self.odd("request_unfit");
                unfit("the address is none once it is filled in".to_owned())
            }
            Failure::Connect(why) => {
                if let Some(wait) = self.health.unreachable(time::now()) {
                    self.away(&why, wait);
                }
                Verdict::Unsent { code: "no_link" }
            }
            Failure::Lost(_) => {
                self.odd("answer_lost");
                Verdict::Unanswered
            }
        }
    }

    fn odd(&mut self, kind: &'static str) {
        metrics::oddity(&self.dialect.link, kind);
        if self.told.insert(kind.to_owned()) {
            warn!(link = %self.dialect.link, kind, "the carrier answers oddly, which is told once");
        }
    }
}
