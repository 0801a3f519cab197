//! Batches whose consequences are not safe yet, in the order in which they were read.

use std::{collections::VecDeque, future::Future, pin::pin};

use bus::Batch;
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesOrdered};

use super::After;
use crate::Error;

/// What was read, and whether all it led to is safe.
pub(super) type Finished = (Result<(), Error>, Vec<Batch>);

/// Batches under way, and those that were over while another was handled.
#[derive(Default)]
pub(super) struct Open {
    over: VecDeque<Finished>,
    under_way: FuturesOrdered<BoxFuture<'static, Finished>>,
}

impl Open {
    /// Batches not given back yet.
    pub(super) fn len(&self) -> usize {
        self.over.len() + self.under_way.len()
    }

    /// Adds what was `read` last, and what is left to do for it.
    pub(super) fn push(&mut self, read: Vec<Batch>, after: After) {
        self.under_way.push_back(after.map(|done| (done, read)).boxed());
    }

    /// The oldest, once all it led to is safe or has failed; `None` = there is none. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Finished> {
        match self.over.pop_front() {
            Some(finished) => Some(finished),
            None => self.under_way.next().await,
        }
    }

    /// Waits for `work` while the others go on: what they publish must not stand still for as long as a store is away, and come
    /// out when another epoch has begun.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            // Both arms are cancel-safe: the work is pinned outside, and what was not given out is kept.
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(finished) = self.under_way.next(), if !self.under_way.is_empty() => self.over.push_back(finished),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use service::time;
    use tokio::sync::oneshot;

    use super::*;

    /// The first batch has something left to do, and the second is handled for longer than that takes.
    #[tokio::test(start_paused = true)]
    async fn what_a_batch_led_to_goes_on_while_the_next_is_handled() {
        let mut open = Open::default();
        let (tell, mut told) = oneshot::channel();
        let after = async {
            time::sleep(Duration::from_millis(1)).await;
            tell.send(()).expect("the test listens");
            Ok(())
        };
        open.push(Vec::new(), after.boxed());
        open.push(Vec::new(), std::future::pending().boxed());
        open.beside(time::sleep(Duration::from_secs(1))).await;
        assert_eq!(told.try_recv(), Ok(()));
        assert_eq!(open.len(), 2, "neither was given back");
        assert!(open.next().await.is_some());
        assert!(open.next().now_or_never().is_none(), "the second is under way");
    }
}
