//! Authorities and peers with certificates, made anew for each test.

use super::{Line, Peer, Step};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

/// Somebody who signs certificates.
pub(in super::super) struct Authority {
    name: &'static str,
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// What an authority says of itself, on behalf of these hosts.
fn authority(name: &str, hosts: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub(in super::super) fn new(name: &'static str) -> Self {
        let (params, key) = (authority(name, vec![]), KeyPair::generate().unwrap());
        let made = Self {
            name,
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(params.clone(), key),
        };
        made.publish(&params.self_signed(made.issuer.key()).unwrap());
        made
    }

    /// The file with its own certificate.
    pub(in super::super) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn publish(&self, certificate: &Certificate) {
        std::fs::write(self.file(), certificate.pem()).unwrap();
    }

    /// A peer with a certificate for `host`, which offers these protocols (ALPN).
    pub(in super::super) fn peer(
        &self,
        host: &str,
        protocols: &[&str],
        scripts: Vec<Vec<Step>>,
    ) -> Peer {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        start(certificate, &key, protocols, scripts)
    }

    /// A peer that shows the authority's own certificate, made out to `host`.
    pub(in super::super) fn itself(&self, host: &str, scripts: Vec<Vec<Step>>) -> Peer {
        let params = authority(self.name, vec![host.to_owned()]);
        let certificate = params.self_signed(self.issuer.key()).unwrap();
        self.publish(&certificate);
        start(certificate, self.issuer.key(), &[], scripts)
    }
}

fn start(
    certificate: Certificate,
    key: &KeyPair,
    protocols: &[&str],
    scripts: Vec<Vec<Step>>,
) -> Peer {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key.into())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accept = move || {
        let mut socket = listener.accept().unwrap().0;
        // What is sent after an answer shall not wait until that was acknowledged.
        socket.set_nodelay(true).unwrap();
        let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
        // Also sends the tickets. A client that trusts nobody gives up here.
        while session.is_handshaking() || session.wants_write() {
            if session.complete_io(&mut socket).is_err() {
                break;
            }
        }
        Line::Tls(Box::new(StreamOwned::new(session, socket)))
    };
    Peer::accepting(address, accept, scripts)
}
