//! A link over SMPP 3.4: one connection or several, kept up, with the session's octets and time moved around it.
//!
//! The session itself is a state machine of the `smpp` crate. What is written here is when to connect, what to send, and
//! what the answers and receipts mean.

mod bundle;
mod config;
mod connection;
mod inbound;
mod receipt;
mod submit;
mod tls;

use std::time::Duration;

use service::{Dice, time};
use smpp::BindKind;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    link::{Event, Plug, Tag},
    maps::LiveMaps,
};
use connection::{Connection, End};

/// Tags that vendors may use as they like (3.4 §5.3.2).
pub(crate) const VENDOR_TAGS: std::ops::RangeInclusive<u16> = 0x1400..=0x3FFF;

pub use config::{BINDS_MAX, Binds, Numbering, SmppConfig, Validity};
pub(crate) use submit::submit;
pub use tls::TlsConfig;
pub(crate) use tls::server_name;

/// Longest wait for a connection to be taken.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What a link does beside its connection's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// Its name, for logs and metrics.
    pub link: std::sync::Arc<str>,
    /// Which directions a connection opens.
    pub bind: BindKind,
    /// Parts that may be unanswered at once on one connection.
    pub window: u32,
    /// How to connect, bind and write.
    pub smpp: SmppConfig,
    /// What its words mean.
    pub maps: LiveMaps,
}

/// Keeps the link up until it is told to close: one connection, or several where it has more binds.
pub(crate) async fn run(dialect: Dialect, dice: Dice, plug: Plug) {
    if dialect.smpp.binds.all() > 1 {
        return bundle::run(&dialect, &dice, plug).await;
    }
    let bind = dialect.smpp.binds.kinds().next().unwrap_or(dialect.bind);
    keep(Dialect { bind, ..dialect }, dice, plug).await;
}

/// Keeps one connection up until it is told to close.
async fn keep(dialect: Dialect, dice: Dice, mut plug: Plug) {
    let mut backoff = Backoff::new(dialect.smpp.reconnect.clone(), dialect.smpp.credentials_pause, dice);
    let mut token_next = 0;
    loop {
        let end = match plug.until_closed(connect(&dialect)).await {
            None => return,
            Some(Ok(stream)) => {
                let connection = Connection::new(&dialect, &mut plug, &mut token_next);
                match stream {
                    Stream::Plain(mut stream) => {
                        let (reader, writer) = stream.split();
                        connection.serve(reader, writer).await
                    }
                    Stream::Tls(stream) => {
                        let (reader, writer) = tokio::io::split(*stream);
                        connection.serve(reader, writer).await
                    }
                }
            }
            Some(Err(reason)) => End {
                reason,
                is_closing: false,
                bound_for: None,
                is_refused: false,
            },
        };
        let _ = plug.events.send(Event::Down {
            reason: end.reason.clone(),
        });
        if end.is_closing {
            info!(link = %dialect.link, reason = %end.reason, "link closed");
            return;
        }
        let wait = match end.is_refused {
            true => backoff.refused(),
            false => backoff.next(end.bound_for),
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        if end.is_refused {
            warn!(link = %dialect.link, reason = %end.reason, wait_ms, "the carrier refuses the bind, check the credentials");
        } else {
            info!(link = %dialect.link, reason = %end.reason, wait_ms, "no connection, trying again");
        }
        if plug.until_closed(time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// A connection before the bind.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn connect(dialect: &Dialect) -> Result<Stream, String> {
    let address = &dialect.smpp.address;
    let connecting = async {
        let of_address = |error| format!("{address}: {error}");
        let stream = TcpStream::connect(address.as_str()).await.map_err(of_address)?;
        stream.set_nodelay(true).map_err(of_address)?;
        match &dialect.smpp.tls {
            None => Ok(Stream::Plain(stream)),
            Some(tls) => Ok(Stream::Tls(Box::new(tls.connect(address, stream).await?))),
        }
    };
    let limit = || format!("{address}: no connection within {} s", CONNECT_LIMIT.as_secs());
    time::timeout(CONNECT_LIMIT, connecting).await.ok_or_else(limit)?
}

/// The session's name for a part.
fn tag_to_u64(tag: Tag) -> u64 {
    tag.flight << 8 | u64::from(tag.part)
}

fn tag_from_u64(tag: u64) -> Tag {
    Tag {
        flight: tag >> 8,
        part: (tag & 0xFF) as u8,
    }
}

#[cfg(test)]
mod tests;
