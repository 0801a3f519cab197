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

#[expect(dead_code, reason = "for servers on fixed ports, which the binary starts")]
/// True when nobody listens on `port` of the loopback.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
