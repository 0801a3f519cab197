//! A link over TLS, with certificates made for each test.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, crypto::ring::default_provider, pki_types::PrivateKeyDer, server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

use super::{
    connect,
    peer::{Peer, Says},
    until,
};
use crate::{
    fixture::{World, order},
    smpp_link::TlsConfig,
};

/// An authority, and a folder with its certificate in `ca.pem` and ours in `us.pem` and `us.key`.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self {
            issuer,
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(authority.file("ca.pem"), authority.issuer.pem()).unwrap();
        let (certificate, key) = authority.issue("signalbox");
        std::fs::write(authority.file("us.pem"), certificate.pem()).unwrap();
        std::fs::write(authority.file("us.key"), key.serialize_pem()).unwrap();
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A carrier called `name` that takes everything from clients with a certificate of this authority.
    async fn carrier(&self, name: &str) -> Peer {
        let (certificate, key) = self.issue(name);
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Peer::start_with(Some(TlsAcceptor::from(Arc::new(config))), |_| Says::taken("7")).await
    }

    /// Trusts this authority, and shows its certificate of us.
    fn ours(&self) -> TlsConfig {
        TlsConfig {
            ca: Some(self.file("ca.pem")),
            identity: Some((self.file("us.pem"), self.file("us.key"))),
            server_name: Some("smpp.atlas.example".to_owned()),
        }
    }
}

/// What becomes of a message over a link with `tls` to `carrier`.
async fn said(carrier: &Peer, tls: TlsConfig) -> String {
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect(&world, carrier.address.to_string(), |smpp| smpp.tls = Some(tls));
    world.publish(&[order(1)]).await;
    until(async || !world.said().await.is_empty()).await;
    world.said().await.remove(0)
}

#[tokio::test]
async fn a_carrier_and_a_link_that_know_each_other_s_authority_meet() {
    let authority = Authority::new();
    let carrier = authority.carrier("smpp.atlas.example").await;
    assert_eq!(said(&carrier, authority.ours()).await, "1 accepted 7");
}

#[tokio::test]
async fn nothing_is_sent_to_a_carrier_that_nobody_vouches_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let carrier = authority.carrier("smpp.atlas.example").await;
    let unknown = TlsConfig {
        ca: other.ours().ca,
        ..authority.ours()
    };
    assert_eq!(said(&carrier, unknown).await, "1 link_down no_link");
    let otherwise_called = TlsConfig {
        server_name: Some("smpp.borealis.example".to_owned()),
        ..authority.ours()
    };
    assert_eq!(said(&carrier, otherwise_called).await, "1 link_down no_link");
    let by_address = TlsConfig {
        server_name: None,
        ..authority.ours()
    };
    assert_eq!(
        said(&carrier, by_address).await,
        "1 link_down no_link",
        "127.0.0.1 is not in it"
    );
    assert!(carrier.seen.submits().is_empty());
}

#[tokio::test]
async fn a_carrier_that_wants_to_see_a_certificate_gets_the_configured_one() {
    let authority = Authority::new();
    let carrier = authority.carrier("smpp.atlas.example").await;
    let without = TlsConfig {
        identity: None,
        ..authority.ours()
    };
    assert_eq!(said(&carrier, without).await, "1 link_down no_link");
    assert!(carrier.seen.submits().is_empty());
}
