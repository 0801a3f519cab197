//! Work that a person may end before its time.

use service::{Stop, Tasks};

/// Runs `work`, which starts processes and ends them as it is dropped, until it is done or a signal asks for its end.
///
/// # Errors
/// Those of `work`; or a signal came first.
pub(crate) fn until_signal<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut signals, (handle, stop)) = (Tasks::new(), Stop::new());
        service::stop_on_signals(&mut signals, handle)?;
        // Not cancel-safe, and need not be: what was started is killed as it is dropped.
        tokio::select! { biased;
            () = stop.requested() => anyhow::bail!("stopped by a signal, and everything that was started with it"),
            done = work => done,
        }
    })
}
