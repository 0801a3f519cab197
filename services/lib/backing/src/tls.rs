//! Certificates for one run: an authority of its own, a server certificate for the loopback and one for a client.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// Where the certificates of one run lie, all PEM.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority that signed all others.
    pub ca: PathBuf,
    /// Certificate of a client.
    pub client: PathBuf,
    /// Key of the client, PKCS#8.
    pub client_key: PathBuf,
    /// Certificate of the server for `localhost` and 127.0.0.1.
    pub(crate) server: PathBuf,
    /// Key of the server, PKCS#8.
    pub(crate) server_key: PathBuf,
    /// Key and certificate of the server in one file, as Java wants them.
    pub(crate) keystore: PathBuf,
}

impl Certificates {
    /// Makes all of them in `folder`.
    pub(crate) fn make(folder: &Path) -> io::Result<Self> {
        let mut params = params("backing authority", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, key()?).map_err(io::Error::other)?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let (server, server_key) = signed(&ca, "backing server", &names, ExtendedKeyUsagePurpose::ServerAuth)?;
        let (client, client_key) = signed(&ca, "backing client", &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map(|()| path)
        };
        Ok(Self {
            ca: write("ca.pem", &ca.pem())?,
            client: write("client.pem", &client)?,
            client_key: write("client.key", &client_key)?,
            server: write("server.pem", &server)?,
            server_key: write("server.key", &server_key)?,
            keystore: write("keystore.pem", &format!("{server_key}{server}"))?,
        })
    }
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn params(name: &str, hosts: &[String]) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Certificate and key, both PEM.
fn signed(
    ca: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    hosts: &[String],
    usage: ExtendedKeyUsagePurpose,
) -> io::Result<(String, String)> {
    let key = key()?;
    let mut params = params(name, hosts)?;
    params.extended_key_usages.push(usage);
    let certificate = params.signed_by(&key, ca).map_err(io::Error::other)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
