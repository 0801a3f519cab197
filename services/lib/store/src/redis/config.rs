//! Where a Redis is and how to reach it; wrong settings are told from a server that is away.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use ::redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};

use crate::{Clock, StoreError};

/// How to reach a Redis.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: String,
    /// PEM file of the authority that signed the server's certificate; `None` = those this machine trusts.
    pub ca: Option<PathBuf>,
    /// PEM file of the certificate to show to the server; `None` = none.
    pub certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub key: Option<PathBuf>,
    /// Says the time in milliseconds since the epoch.
    pub clock: Clock,
}

impl RedisConfig {
    /// The client for these settings. Reads the files of TLS, nothing else.
    pub(super) fn client(&self) -> Result<Client, StoreError> {
        let info = self.url.as_str().into_connection_info().map_err(|error| {
            StoreError::Settings(format!(
                "url {}: {error}; it looks like redis://host:6379",
                self.shown_url()
            ))
        })?;
        let settings = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_tcp_settings(settings);
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return self.plain(info);
        }
        install_crypto();
        let client_tls = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some(ClientTlsConfig {
                client_cert: read("certificate", certificate)?,
                client_key: read("key", key)?,
            }),
            (None, None) => None,
            (Some(_), None) => return Err(StoreError::Settings("tls has a certificate and no key".to_owned())),
            (None, Some(_)) => return Err(StoreError::Settings("tls has a key and no certificate".to_owned())),
        };
        let root_cert = self.ca.as_deref().map(|path| read("ca", path)).transpose()?;
        let certificates = TlsCertificates { client_tls, root_cert };
        Client::build_with_tls(info, certificates)
            .map_err(|error| StoreError::Settings(format!("tls: {error}; the files must be PEM")))
    }

    fn plain(&self, info: ConnectionInfo) -> Result<Client, StoreError> {
        if self.ca.is_some() || self.certificate.is_some() || self.key.is_some() {
            let url = self.shown_url();
            return Err(StoreError::Settings(format!(
                "url {url} is without TLS, yet tls is set; write rediss://"
            )));
        }
        Client::open(info).map_err(|error| StoreError::Settings(format!("url {}: {error}", self.shown_url())))
    }

    /// The url without user and password.
    pub(super) fn shown_url(&self) -> String {
        let (scheme, rest) = self.url.split_once("//").unwrap_or(("", &self.url));
        match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}//***@{host}"),
            None => self.url.clone(),
        }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("url", &self.shown_url())
            .field("ca", &self.ca)
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// TLS needs one provider of cryptography per process; whoever comes first chooses, and a second choice is no fault.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, StoreError> {
    std::fs::read(path).map_err(|error| StoreError::Settings(format!("tls {what} {}: {error}", path.display())))
}
