//! TLS under an SMPP session: whom the link trusts, and who it says that it is.

use std::{fs, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use web::{certificates, roots};

/// How a link does TLS, version 1.2 or 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// File of the authorities that the carrier's certificate may come from, in PEM; absent = those of the machine.
    pub ca: Option<PathBuf>,
    /// Files of our certificate with its chain, and of its key, in PEM; absent = we show none.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that the carrier's certificate has to bear; absent = the host of the address.
    pub server_name: Option<String>,
}

impl TlsConfig {
    /// Whether its files can be used, in words.
    ///
    /// # Errors
    /// Which file cannot, and why.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.client().map(drop)
    }

    /// Speaks TLS over `stream` with the carrier at `address`. Files are read anew, so that a renewed certificate is shown
    /// from the next connection on.
    pub(super) async fn connect(&self, address: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = self.server_name.as_deref().unwrap_or(host);
        let name = server_name(name)?;
        let connector = TlsConnector::from(Arc::new(self.client()?));
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| format!("{address}: TLS: {error}"))
    }

    fn client(&self) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots(self.ca.as_deref())?);
        let Some((certificate, key)) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        if chain.is_empty() {
            return Err(format!("{}: there is no certificate in it", certificate.display()));
        }
        let of_key = |error: &dyn std::fmt::Display| format!("{}: {error}", key.display());
        let key = PrivateKeyDer::from_pem_slice(&fs::read(key).map_err(|error| of_key(&error))?)
            .map_err(|error| of_key(&error))?;
        let with_identity = builder.with_client_auth_cert(chain, key);
        with_identity.map_err(|error| format!("{}: {error}", certificate.display()))
    }
}

/// A name as certificates bear it: of a host, or an address of one, in brackets or not.
///
/// # Errors
/// It is none.
pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(bare).map_err(|_| format!("\"{name}\" is no name that a certificate could bear"))
}
