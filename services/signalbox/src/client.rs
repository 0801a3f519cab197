//! A client of the message service, with the account's key on every call.

use std::{fmt, fs, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use signalbox_proto::pb::signalbox::ingest::v1::message_service_client::MessageServiceClient;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_types::StatusExt as _;

use crate::cli::Server;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The message service, called as one account.
pub(crate) type Client = MessageServiceClient<InterceptedService<Channel, Key>>;

/// What a connection with TLS stands on, PEM files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tls<'a> {
    /// The authority to trust.
    pub(crate) authority: Option<&'a Path>,
    /// Certificate and key to show; `None` = none.
    pub(crate) identity: Option<(&'a Path, &'a Path)>,
}

/// The server cannot be had at the moment: nothing is wrong with what was asked.
#[derive(Debug)]
pub(crate) struct Away(pub(crate) String);

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Away {}

/// Puts the account's key on every call.
#[derive(Clone)]
pub(crate) struct Key(MetadataValue<Ascii>);

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Connects to `server`.
///
/// # Errors
/// The address or key is malformed, the certificate is missing or cannot be read, or nobody answers ([`Away`]).
pub(crate) async fn connect(server: &Server) -> anyhow::Result<Client> {
    let key = format!("Bearer {}", server.api_key)
        .parse()
        .context("the API key has characters no header can carry")?;
    let tls = Tls {
        authority: server.ca.as_deref(),
        identity: None,
    };
    let channel = channel(&server.server, tls).await?;
    Ok(MessageServiceClient::with_interceptor(channel, Key(key)))
}

/// A connection to `url`.
///
/// # Errors
/// The address is malformed, a certificate is missing or cannot be read, or nobody answers ([`Away`]).
pub(crate) async fn channel(url: &str, tls: Tls<'_>) -> anyhow::Result<Channel> {
    let is_secure = url.starts_with("https:");
    ensure!(
        tls.authority.is_some() || !is_secure,
        "{url} speaks TLS: name the certificate authority to trust with --ca FILE"
    );
    ensure!(
        is_secure || tls.identity.is_none(),
        "{url} speaks plain text, which shows nobody a certificate: write https:"
    );
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .with_context(|| format!("{url} is no URL"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true);
    if let Some(authority) = tls.authority {
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(authority)?));
        if let Some((certificate, key)) = tls.identity {
            config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        endpoint = endpoint.tls_config(config)?;
    }
    let channel = endpoint.connect().await.map_err(|error| {
        let error = anyhow::Error::from(error);
        Away(format!("{url}: nobody answers: {error:#}"))
    })?;
    Ok(channel)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{}: cannot be read", file.display()))
}

/// How long to stay away before asking for the same again; `None` = see [`signalbox_proto::ingest::come_back`].
pub(crate) fn come_back(status: &Status) -> Option<Duration> {
    signalbox_proto::ingest::problem(status.details()).and_then(|problem| signalbox_proto::ingest::come_back(&problem))
}

/// `status` with its details, for people: what is wrong, with which field, and when to come back. It is [`Away`] where trying
/// again may help.
pub(crate) fn explain(status: &Status) -> anyhow::Error {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    let details = status.get_error_details();
    for violation in details
        .bad_request()
        .map(|found| &found.field_violations[..])
        .unwrap_or_default()
    {
        let line = format!("{}: {}", violation.field, violation.description);
        // A single violation is the status message already.
        if !text.contains(&line) {
            text.push_str(&format!("\n  {line}"));
        }
    }
    if let Some(delay) = details.retry_info().and_then(|found| found.retry_delay) {
        text.push_str(&format!("\n  try again in {} ms", delay.as_millis()));
    }
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => Away(text).into(),
        _ => anyhow::anyhow!(text),
    }
}

#[cfg(test)]
mod tests;
