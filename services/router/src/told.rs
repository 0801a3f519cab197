//! What a look-up said about a recipient, as a decision takes it.

use journey::{Attempt, NetworkOrigin, SegmentReceipt};
use lookup::{Answer, Confidence, Reach, Source as Said};
use sms::{ReceiptFault, ReceiptState, UnixMs};
use table::{Micros, Network, Served, Source};

/// What is known of the network of one message beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The network; `None` = the table is not contradicted.
    pub(crate) served: Option<Served>,
    /// Whether the number was ported; `None` = nobody said.
    pub(crate) ported: Option<bool>,
    /// Whether nothing can ever be delivered to it.
    pub(crate) is_dead: bool,
    /// What the order says of it.
    pub(crate) looked_up: NetworkOrigin,
}

impl Told {
    /// What `answer` says. A guess by the numbering plan tells a decision nothing: the table has that plan.
    pub(crate) fn of(answer: &Answer) -> Self {
        let is_sure = answer.confidence == Confidence::High;
        let source = match answer.source {
            Said::Ported => Source::Ported,
            Said::Plan => Source::Numbering,
            Said::Memory | Said::Store | Said::Provider => Source::Hlr,
        };
        Self {
            served: answer
                .network
                .filter(|_| is_sure)
                .map(|network| Served { network, source }),
            ported: answer.ported.filter(|_| is_sure),
            is_dead: answer.reach == Reach::Dead,
            looked_up: NetworkOrigin {
                source: answer.source.as_str().to_owned(),
                provider: answer.provider.clone(),
                ported: answer.ported,
                is_sure,
                cost_micros: answer.cost.0,
                asked_at: answer.asked_at,
            },
        }
    }

    /// What was known when the last of `attempts` was made, so that a failover asks nobody again; `None` = nothing for sure.
    pub(crate) fn of_attempts(attempts: &[Attempt]) -> Option<Self> {
        let last = attempts.last()?;
        let denies = |heard: &SegmentReceipt| {
            heard.receipt.state != ReceiptState::Delivered && heard.receipt.fault == ReceiptFault::Number
        };
        if last.receipts.iter().any(denies) {
            return None;
        }
        let looked_up = last.looked_up.as_deref().filter(|looked_up| looked_up.is_sure)?;
        let network = Network::parse_together(&last.network).ok()?;
        let source = if looked_up.source == Said::Ported.as_str() {
            Source::Ported
        } else {
            Source::Hlr
        };
        Some(Self {
            served: Some(Served { network, source }),
            ported: looked_up.ported,
            is_dead: false,
            looked_up: NetworkOrigin {
                cost_micros: 0,
                ..looked_up.clone()
            },
        })
    }

    /// Whether a decision may come out otherwise by it.
    pub(crate) fn is_news(&self) -> bool {
        self.served.is_some() || self.ported.is_some() || self.is_dead
    }

    /// Nobody was asked, at `now`: the numbering plan answers.
    pub(crate) fn by_plan(now: UnixMs) -> Self {
        Self {
            served: None,
            ported: None,
            is_dead: false,
            looked_up: NetworkOrigin {
                source: Said::Plan.as_str().to_owned(),
                provider: String::new(),
                ported: None,
                is_sure: false,
                cost_micros: Micros(0).0,
                asked_at: now,
            },
        }
    }
}
