//! A customer: sends messages and waits until each has come to its end.

use std::{collections::BTreeSet, time::Duration};

use service::time;
use signalbox_loadtest::{
    stage::{API_KEY, Courier, FRAME_MESSAGES_MAX, News, land::Letters},
    submit::Target,
    world::Letter,
};
use signalbox_proto::pb::signalbox::ingest::v1::{Submission, SubmitStreamResponse, answer::Result as Answered};

/// Messages under way at the most.
const OPEN_MAX: usize = 4_000;
/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(400);

/// Messages to `networks` networks.
pub(crate) fn letters(count: usize, networks: usize) -> Vec<Letter> {
    let letters = Letters::new(1, networks).unwrap();
    letters.take(count).map(Result::unwrap).collect()
}

/// What came of messages.
#[derive(Default)]
pub(crate) struct Outcome {
    sent: usize,
    answered: usize,
    open: BTreeSet<String>,
    /// Ends that came ahead of the answer.
    early: BTreeSet<String>,
    /// Messages that were accepted.
    pub(crate) accepted: usize,
    /// Messages that were refused.
    pub(crate) refused: usize,
}

/// Sends `letters`, which live for `ttl`, and one frame of `bad` messages, and waits until all that was accepted has ended
/// but for `open_max`. `midway` is called once half was answered.
pub(crate) async fn run(
    target: Target,
    (letters, ttl): (&[Letter], Duration),
    bad: Vec<Submission>,
    open_max: usize,
    midway: impl FnOnce(),
) -> Outcome {
    let mut courier = Courier::connect(target, API_KEY, None).await.unwrap();
    let (mut outcome, mut midway) = (Outcome::default(), Some(midway));
    let all = letters.len() + bad.len();
    let mut bad = Some(bad).filter(|bad| !bad.is_empty());
    let whole = async {
        while outcome.answered < all || outcome.open.len() > open_max {
            let next = (outcome.sent + FRAME_MESSAGES_MAX).min(letters.len());
            let has_room = outcome.under_way() < OPEN_MAX;
            if outcome.sent < next && has_room && courier.send(1, &letters[outcome.sent..next], ttl) {
                outcome.sent = next;
                continue;
            }
            if let Some(bad) = bad.take() {
                assert!(courier.send_with(2, || bad), "one more frame finds room");
            }
            outcome.take(courier.next().await.unwrap());
            if outcome.answered >= all / 2
                && let Some(midway) = midway.take()
            {
                midway();
            }
        }
    };
    let done = time::timeout(PATIENCE, whole).await;
    assert!(done.is_some(), "{} messages have not ended", outcome.open.len());
    outcome
}

impl Outcome {
    fn under_way(&self) -> usize {
        self.sent.saturating_sub(self.answered) + self.open.len()
    }

    fn take(&mut self, news: News) {
        match news {
            News::Answers(SubmitStreamResponse { answers, .. }) => {
                self.answered += answers.len();
                for answer in answers {
                    let Some(Answered::Accepted(accepted)) = answer.result else {
                        self.refused += 1;
                        continue;
                    };
                    self.accepted += 1;
                    if !self.early.remove(&accepted.message_id) {
                        self.open.insert(accepted.message_id);
                    }
                }
            }
            News::Receipts(response) => {
                for receipt in response.receipts {
                    if !self.open.remove(&receipt.message_id) {
                        self.early.insert(receipt.message_id);
                    }
                }
            }
        }
    }
}
