//! Free ports of the loopback, outside the range that outgoing connections take theirs from.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    io,
    net::{Ipv4Addr, TcpListener},
};

/// The ports that are handed out. Linux takes the ports of outgoing connections from 32768 upward: a server that was
/// killed finds its port still free when it comes back, because no client can have been given it meanwhile.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// Ports tried before giving up.
const TRIES_MAX: usize = 1_000;

/// Returns `count` different ports that were free a moment ago.
///
/// Another process may take one before it is used: whoever starts a server on them tries again with others.
pub(crate) fn free(count: usize) -> io::Result<Vec<u16>> {
    // Held until all are found, so that none is found twice.
    let mut held = Vec::with_capacity(count);
    for try_number in 0..TRIES_MAX {
        if held.len() == count {
            break;
        }
        // The keys of a `RandomState` differ from process to process and from call to call.
        let drawn = RandomState::new().hash_one((std::process::id(), try_number));
        let offset = drawn % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).expect("the range is of u16");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push(listener);
        }
    }
    if held.len() < count {
        return Err(io::Error::other(format!(
            "{TRIES_MAX} ports of 127.0.0.1 from {} to {} tried, fewer than {count} are free",
            RANGE.start, RANGE.end
        )));
    }
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

/// Returns `port` if nobody listens on it.
///
/// # Errors
/// It is taken, and no other is wanted instead.
pub(crate) fn stated(port: u16) -> io::Result<u16> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(port),
        Err(error) => Err(io::Error::other(format!("port {port} of 127.0.0.1: {error}"))),
    }
}

/// Starts something on free ports, and again on others while it answers that one was taken meanwhile.
pub(crate) fn retry<T>(tries_max: usize, mut start: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..tries_max {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
    start()
}
