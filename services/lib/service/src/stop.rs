//! The request to stop.

use tokio::sync::watch;

/// Tells a service that it shall drain. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Asks for the stop.
#[derive(Debug)]
pub struct StopHandle(watch::Sender<bool>);

impl Stop {
    /// A stop nobody asked for yet, and the handle that does.
    pub fn new() -> (StopHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopHandle(sender), Self(receiver))
    }

    /// Whether the stop was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the stop is asked for, or its handle is gone. Cancel-safe.
    pub async fn requested(&self) {
        let mut receiver = self.0.clone();
        // An error means that the handle is gone: whoever could ask no longer exists, so the answer is yes.
        let _ = receiver.wait_for(|is_requested| *is_requested).await;
    }
}

impl StopHandle {
    /// Asks for the stop; asking again changes nothing.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}
