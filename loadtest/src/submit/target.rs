//! Where load may go: to this machine, and nowhere else.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};

use anyhow::{Context, Error, Result, bail, ensure};

/// A loopback address. There is no other way to make one than to check it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target(SocketAddr);

impl Target {
    /// The address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

impl TryFrom<SocketAddr> for Target {
    type Error = Error;

    fn try_from(address: SocketAddr) -> Result<Self> {
        ensure!(
            address.ip().is_loopback(),
            "{address} is not on this machine; load goes to loopback addresses only, such as 127.0.0.1:7070"
        );
        Ok(Self(address))
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Reads `http://HOST:PORT` or `HOST:PORT`. A name is resolved now, and every address it has must be loopback.
    fn from_str(target: &str) -> Result<Self> {
        if target.starts_with("https://") {
            bail!("{target} asks for TLS, which loads on this machine go without; give http://HOST:PORT");
        }
        let host = target.strip_prefix("http://").unwrap_or(target).trim_end_matches('/');
        let addresses = host
            .to_socket_addrs()
            .with_context(|| format!("{target} is not http://HOST:PORT"))?;
        let targets: Vec<Self> = addresses.map(Self::try_from).collect::<Result<_>>()?;
        // A router listens on one address, and the documented one is IPv4.
        let ipv4 = targets.iter().find(|target| target.0.is_ipv4());
        ipv4.or(targets.first())
            .copied()
            .with_context(|| format!("{target} has no address"))
    }
}

#[cfg(test)]
mod tests;
