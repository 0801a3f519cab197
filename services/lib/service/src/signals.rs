//! SIGTERM and SIGINT: the first one drains, a second one exits at once.

use std::sync::{Arc, atomic::AtomicBool};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::{StopHandle, Tasks};

/// Exit code of a process that a second signal ended before it had drained.
pub const EXIT_UNDRAINED: i32 = 130;

/// Requests `stop` at the first SIGTERM or SIGINT, which runs inside `tasks`, and ends the process at the second, in the signal's
/// own handler: a process whose threads all wait for a disk ends too. What is unfinished then is delivered again.
///
/// # Errors
/// The signal handlers could not be installed.
pub fn stop_on_signals(tasks: &mut Tasks, stop: StopHandle) -> std::io::Result<()> {
    let is_asked = Arc::new(AtomicBool::new(false));
    for number in [SIGTERM, SIGINT] {
        // In this order, as handlers run in it: the first signal finds nothing asked yet.
        flag::register_conditional_shutdown(number, EXIT_UNDRAINED, Arc::clone(&is_asked))?;
        flag::register(number, Arc::clone(&is_asked))?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tasks.spawn(async move {
        tokio::select! { biased; _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        info!("asked to stop: draining; a second signal exits at once, and what is unfinished is delivered again");
        stop.request();
    });
    Ok(())
}
