//! Waiting for something outside this process, within a limit. The one place of this crate that reads a clock.

use std::{
    io, thread,
    time::{Duration, Instant},
};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, and returns it.
///
/// # Errors
/// The error of `look` at once; `TimedOut`, naming `what`, when nothing was found within `limit`.
#[expect(
    clippy::disallowed_methods,
    reason = "it waits for processes that share no clock with this one"
)]
pub(crate) fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> io::Result<Option<T>>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() >= limit {
            let text = format!("{what}: not within {} s", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        thread::sleep(PAUSE);
    }
}
