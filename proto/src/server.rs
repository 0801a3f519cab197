//! What every gRPC server of ours has at its edge: TLS, reflection, and errors that say their cause.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig, server::Router};

/// PEM files of a server's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Callers must show a certificate of this authority; absent = they show none.
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    /// Every file it names.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_ca)
    }
}

/// Why a server has no identity.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Certificate and key are none, or do not belong together.
    #[error("{} with {}: {error}", certificate.display(), key.display())]
    Identity {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        error: String,
    },
}

/// `server` with the identity of `tls`, or as it is where there is none.
///
/// # Errors
/// A file, or what is in it.
pub fn with_tls(server: Server, tls: Option<&Tls>) -> Result<Server, TlsError> {
    let Some(tls) = tls else { return Ok(server) };
    let identity = Identity::from_pem(read(&tls.certificate)?, read(&tls.key)?);
    let mut config = ServerTlsConfig::new().identity(identity);
    if let Some(authority) = &tls.client_ca {
        config = config.client_ca_root(Certificate::from_pem(read(authority)?));
    }
    server.tls_config(config).map_err(|error| TlsError::Identity {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        error: causes(&error),
    })
}

/// `router` with reflection of all our packages, of health, and of the details of errors, so that generic clients can show
/// them.
///
/// # Errors
/// What the descriptors lack.
pub fn with_reflection(router: Router) -> Result<Router, tonic_reflection::server::Error> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(crate::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
    Ok(router.add_service(v1).add_service(v1alpha))
}

/// The error with its causes, since the outermost says little.
pub fn causes(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::File {
        path: path.to_owned(),
        error,
    })
}
