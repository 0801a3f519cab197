//! The thread that lets full spaces be written out, which also frees what was written out before: too long for a writer.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use crate::Space;

/// The owner of the thread; dropping it joins.
pub(crate) struct Flush {
    /// Holds each space at most once, since a space is full once until it is flushed. `None` only while dropping.
    full: Option<Sender<Space>>,
    thread: Option<JoinHandle<()>>,
}

impl Flush {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("disk-flush".into())
            .spawn(move || run(&receiver))?;
        Ok(Self {
            full: Some(sender),
            thread: Some(thread),
        })
    }

    /// Lets `space` be written out soon.
    pub(crate) fn flush(&self, space: Space) {
        // Without its thread the database writes spaces out when its log grows too long, so nothing is lost.
        if self.full.as_ref().is_some_and(|full| full.send(space).is_err()) {
            tracing::error!("the flush thread is gone");
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the flush thread panicked");
        }
    }
}

fn run(full: &Receiver<Space>) {
    for space in full {
        if let Err(error) = space.flush() {
            tracing::error!(%error, ?space, "a space could not be written out");
        }
    }
}
