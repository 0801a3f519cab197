//! Customers: they write, wait for an answer, and ask again where they may.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ingest::{Answer, Draft, Refusal};
use service::{Clock, Dice, time};
use sms::{MessageId, UnixMs};
use tokio::sync::{mpsc, oneshot};

use crate::{
    drafts::{Call, patience},
    faults::millis,
};

/// Times a customer asks for one message before it gives up; far more than any fault lasts.
const ASKS_MAX: usize = 100;

/// When a customer that forgot asks again for what it has, at the earliest, and the span after that.
const LATER_MIN: Duration = Duration::from_secs(3);
const LATER_MAX: Duration = Duration::from_secs(20);

/// A message that was answered OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its id.
    pub id: MessageId,
    /// When it was answered.
    pub at: UnixMs,
    /// The idempotency key; empty = none.
    pub key: String,
    /// The customer's word for it; no two messages of a run share one.
    pub reference: String,
}

/// One call on its way to ingest; its answers are lost with it.
pub(crate) struct Asked {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) answer: oneshot::Sender<Vec<Answer>>,
}

/// What customers need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) door: mpsc::UnboundedSender<Asked>,
    pub(crate) promises: Arc<Mutex<Vec<Promise>>>,
    pub(crate) clock: Clock,
}

impl Office {
    /// Sends `call`, and again what got no OK and has a key. A few that got one are sent again all the same, and some long
    /// after that.
    pub(crate) async fn visit(self, call: Call, dice: Dice) {
        let is_keyed = |draft: &&Draft| !draft.idempotency_key.is_empty();
        let keyed: Vec<Draft> = call.drafts.iter().filter(is_keyed).cloned().collect();
        self.insist(call.drafts, &dice).await;
        if !keyed.is_empty() && dice.below(3) == 0 {
            time::sleep(LATER_MIN + millis(&dice, 0, LATER_MAX.as_millis() as u64)).await;
            self.insist(keyed, &dice).await;
        }
    }

    async fn insist(&self, drafts: Vec<Draft>, dice: &Dice) {
        let mut wanted = drafts;
        for _ in 0..ASKS_MAX {
            let answers = self.ask(wanted.clone()).await;
            let mut again = Vec::new();
            for (index, draft) in wanted.into_iter().enumerate() {
                let answer = answers.as_ref().and_then(|answers| answers.get(index));
                let is_sure = self.hear(&draft, answer) && dice.below(8) > 0;
                if !is_sure && !draft.idempotency_key.is_empty() {
                    again.push(draft);
                }
            }
            if again.is_empty() {
                return;
            }
            wanted = again;
            time::sleep(patience(dice)).await;
        }
    }

    /// The answers to `drafts`; `None` = the other side died first.
    async fn ask(&self, drafts: Vec<Draft>) -> Option<Vec<Answer>> {
        let (answer, answered) = oneshot::channel();
        self.door.send(Asked { drafts, answer }).ok()?;
        answered.await.ok()
    }

    /// Notes a promise; says whether there was one.
    fn hear(&self, draft: &Draft, answer: Option<&Answer>) -> bool {
        match answer {
            Some(Ok(accepted)) => {
                self.promises
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Promise {
                        id: accepted.id,
                        at: self.clock.now(),
                        key: draft.idempotency_key.clone(),
                        reference: draft.reference.clone(),
                    });
                true
            }
            Some(Err(
                Refusal::Publish(_)
                | Refusal::Consume(_)
                | Refusal::Store(_)
                | Refusal::Busy(_)
                | Refusal::ClockBehind(_),
            ))
            | None => false,
            Some(Err(refusal)) => panic!("every draft of a run is sound, and one was refused: {refusal}"),
        }
    }
}
