//! SIGTERM and SIGINT: the first one drains, a second one exits at once.

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::{StopHandle, Tasks};

/// Exit code of a process that a second signal ended before it had drained.
pub const EXIT_UNDRAINED: i32 = 130;

/// Requests `stop` at the first SIGTERM or SIGINT and ends the process at the second. Runs inside `tasks`.
///
/// # Errors
/// The signal handlers could not be installed.
pub fn stop_on_signals(tasks: &mut Tasks, stop: StopHandle) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tasks.spawn(async move {
        tokio::select! { biased; _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        info!("asked to stop: draining; a second signal exits at once");
        stop.request();
        tokio::select! { biased; _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        warn!("second signal: exiting without draining, unfinished work will be redelivered");
        std::process::exit(EXIT_UNDRAINED);
    });
    Ok(())
}
