//! Tasks with an owner that joins them.

use tokio::task::{AbortHandle, JoinError, JoinSet};

/// A set of tasks. Dropping it aborts them, so no task outlives its owner.
#[derive(Debug)]
pub struct Tasks<T: Send + 'static = ()>(JoinSet<T>);

impl<T: Send + 'static> Default for Tasks<T> {
    fn default() -> Self {
        Self(JoinSet::new())
    }
}

impl<T: Send + 'static> Tasks<T> {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `task`.
    pub fn spawn(&mut self, task: impl Future<Output = T> + Send + 'static) -> AbortHandle {
        self.0.spawn(task)
    }

    /// Starts blocking `work` on a thread of its own pool.
    pub fn spawn_blocking(&mut self, work: impl FnOnce() -> T + Send + 'static) -> AbortHandle {
        self.0.spawn_blocking(work)
    }

    /// The next task that ended, `None` if none is left. Cancel-safe.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.0.join_next().await
    }

    /// Waits for all tasks; a panic in one goes on here.
    pub async fn join_all(&mut self) {
        while let Some(ended) = self.0.join_next().await {
            if let Err(error) = ended {
                resume_panic(error);
            }
        }
    }

    /// Tasks not yet joined.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every task was joined.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Lets the panic that ended a task go on here. A task that was cancelled ends with its owner, who knows why.
pub fn resume_panic(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
}
