//! The promise that a write becomes safe.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    DiskError,
    sync::{Hurry, Shared, Ticket},
};

/// Resolves when a write is safe. Nothing is asked of a disk before somebody waits.
#[must_use = "a write may be lost until its commit resolves"]
pub struct Commit<E>(State<E>);

enum State<E> {
    /// A write to a disk that nobody waited for yet.
    Written(Arc<Shared>, Ticket, Hurry),
    Waiting(Pin<Box<dyn Future<Output = Result<(), E>> + Send>>),
}

impl<E: From<DiskError> + Send + 'static> Commit<E> {
    /// Safe when `future` resolves.
    pub fn new(future: impl Future<Output = Result<(), E>> + Send + 'static) -> Self {
        Self(State::Waiting(Box::pin(future)))
    }

    /// Safe already.
    pub fn done() -> Self {
        Self::new(std::future::ready(Ok(())))
    }

    pub(crate) fn written(shared: Arc<Shared>, ticket: Ticket) -> Self {
        Self(State::Written(shared, ticket, Hurry::Yes))
    }

    /// The same for one who is in no hurry: a disk takes [`PATIENCE`](crate::PATIENCE) longer at most, so that it syncs once for
    /// many. Other commits do not change.
    pub fn patiently(self) -> Self {
        match self.0 {
            State::Written(shared, ticket, _) => Self(State::Written(shared, ticket, Hurry::No)),
            State::Waiting(_) => self,
        }
    }
}

impl<E: From<DiskError> + Send + 'static> Future for Commit<E> {
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Written(shared, ticket, hurry) = &self.0 {
            let synced = shared.clone().synced(*ticket, *hurry);
            self.0 = State::Waiting(Box::pin(async move { Ok(synced.await?) }));
        }
        match &mut self.0 {
            State::Waiting(future) => future.as_mut().poll(context),
            State::Written(..) => unreachable!("replaced above"),
        }
    }
}

impl<E> fmt::Debug for Commit<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").finish_non_exhaustive()
    }
}
