//! TLS between a link and its carrier: whom it trusts, and who it says that it is.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use super::{
    connect,
    peer::{Peer, Script},
    until,
};
use crate::{
    LinkKind, TlsConfig,
    fixture::{World, order},
};

/// An authority, and its certificate and ours in files.
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
        let (certificate, key) = authority.issue("signalbox");
        for (name, text) in [
            ("ca.pem", authority.issuer.pem()),
            ("us.pem", certificate),
            ("us.key", key),
        ] {
            std::fs::write(authority.file(name), text).unwrap();
        }
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for `name` and its key, in PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A carrier called `name` that wants to see a certificate of this authority.
    async fn carrier(&self, name: &str) -> Peer {
        let (certificate, key) = self.issue(name);
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(certificate, key))
            .client_ca_root(Certificate::from_pem(self.issuer.pem()));
        Peer::start_with(Script::default(), Some(tls)).await
    }

    /// Trusts this authority, and shows its certificate of us.
    fn ours(&self) -> TlsConfig {
        TlsConfig {
            ca: Some(self.file("ca.pem")),
            identity: Some((self.file("us.pem"), self.file("us.key"))),
            server_name: Some("sms.atlas.example".to_owned()),
        }
    }
}

/// What becomes of a message over a link with `tls` to `peer`.
async fn said(peer: &Peer, tls: TlsConfig) -> String {
    let world = World::new(&["atlas"]).await;
    let url = format!("https://{}", peer.address);
    let (_stop, _service) = connect(&world, url, |link| match &mut link.kind {
        LinkKind::Grpc(grpc) => grpc.tls = Some(tls),
        _ => unreachable!("it was made as a gRPC link"),
    });
    world.publish(&[order(1)]).await;
    until(async || !world.said().await.is_empty()).await;
    let mut word = world.said().await.remove(0);
    word.truncate(word.find(" c-").unwrap_or(word.len()));
    word
}

#[tokio::test]
async fn a_carrier_and_a_link_that_know_each_other_s_authority_meet() {
    let authority = Authority::new();
    let peer = authority.carrier("sms.atlas.example").await;
    assert_eq!(said(&peer, authority.ours()).await, "1 accepted");
}

#[tokio::test]
async fn nothing_is_sent_to_a_carrier_that_nobody_vouches_for_or_that_is_called_otherwise() {
    let (authority, other) = (Authority::new(), Authority::new());
    let peer = authority.carrier("sms.atlas.example").await;
    let unknown = TlsConfig {
        ca: other.ours().ca,
        ..authority.ours()
    };
    let otherwise = TlsConfig {
        server_name: Some("sms.borealis.example".to_owned()),
        ..authority.ours()
    };
    let by_address = TlsConfig {
        server_name: None,
        ..authority.ours()
    };
    for tls in [unknown, otherwise, by_address] {
        assert_eq!(said(&peer, tls).await, "1 link_down no_link");
    }
    assert_eq!(peer.calls("Submit"), 0);
}

#[tokio::test]
async fn a_carrier_that_wants_to_see_a_certificate_gets_the_configured_one() {
    let authority = Authority::new();
    let peer = authority.carrier("sms.atlas.example").await;
    let without = TlsConfig {
        identity: None,
        ..authority.ours()
    };
    assert_eq!(said(&peer, without).await, "1 link_down no_link");
    assert_eq!(peer.calls("Submit"), 0);
}
