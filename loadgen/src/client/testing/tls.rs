//! Authorities and peers with certificates, made anew for each test.

use super::{Line, Peer, Step};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

/// Somebody who signs certificates.
pub(in super::super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub(in super::super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// The file with its own certificate.
    pub(in super::super) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A peer whose certificate is for `name`, and which offers these protocols (ALPN).
    pub(in super::super) fn peer(
        &self,
        name: &str,
        protocols: &[&str],
        scripts: Vec<Vec<Step>>,
    ) -> Peer {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
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
}
