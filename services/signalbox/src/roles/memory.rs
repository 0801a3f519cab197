//! How the memory of a service comes in.

/// Has memory come in small pages. The kernel clears a large one as it is first touched, which takes milliseconds where the
/// machine itself must find the memory first: on the path of a message, and for all that waits behind it.
#[cfg(target_os = "linux")]
pub(super) fn in_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "memory comes in large pages, which makes some messages wait for milliseconds");
    }
}

/// Other systems are for developers.
#[cfg(not(target_os = "linux"))]
pub(super) fn in_small_pages() {}
