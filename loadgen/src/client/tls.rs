//! TLS by rustls: whom to trust, the handshake, and what arrives between two answers.

mod given;

use super::base_url::Place;
use super::stream::{Look, receive};
use super::{BaseUrl, DialError, Stream};
use given::Given;
use rustix::net::RecvFlags;
use rustls::client::{Resumption, WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whose word counts for the certificate of an `https` target: the authorities that the system
/// trusts, read once they are needed, and more of one's own.
#[derive(Debug, Clone, Default)]
pub struct Trust(Option<Arc<Own>>);

/// Authorities of one's own.
#[derive(Debug)]
struct Own {
    file: PathBuf,
    config: Arc<ClientConfig>,
}

/// Why a file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("--ca-cert {file}: {source}", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error(
        "--ca-cert {file} holds no certificate: give a PEM file, in which `-----BEGIN CERTIFICATE-----` stands before each",
        file = .0.display()
    )]
    Empty(PathBuf),
    /// One of its certificates is none.
    #[error("--ca-cert {file}: its certificate {number} cannot be used: {reason}", file = .file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// Why.
        reason: String,
    },
}

/// One file is one trust.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(|own| &own.file) == other.0.as_ref().map(|own| &own.file)
    }
}

impl Eq for Trust {}

impl Trust {
    /// Trusts whom the system trusts, the authorities whose certificates are in `file` (PEM), and
    /// servers that show one of these certificates themselves.
    ///
    /// # Errors
    /// [`TrustError`], which names the file.
    pub fn with_ca_cert(file: &Path) -> Result<Self, TrustError> {
        let pem = std::fs::read(file)
            .map_err(|source| TrustError::Unreadable { file: file.to_owned(), source })?;
        let mut roots = system_roots();
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let broken = |reason: String| TrustError::Certificate {
                file: file.to_owned(),
                number: certificates.len() + 1,
                reason,
            };
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            roots.add(certificate.clone()).map_err(|error| broken(error.to_string()))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(TrustError::Empty(file.to_owned()));
        }
        let provider = Arc::new(ring::default_provider());
        let authorities = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let Ok(authorities) = authorities.build() else {
            unreachable!("there is an authority, and no revocation list");
        };
        let given = Given { authorities, certificates };
        let config =
            config(|builder| builder.dangerous().with_custom_certificate_verifier(Arc::new(given)));
        Ok(Self(Some(Arc::new(Own { file: file.to_owned(), config: Arc::new(config) }))))
    }

    fn config(&self) -> Arc<ClientConfig> {
        static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let system = || config(|builder| builder.with_root_certificates(system_roots())).into();
        Arc::clone(self.0.as_ref().map_or_else(|| SYSTEM.get_or_init(system), |own| &own.config))
    }
}

/// What the system trusts. Where that cannot be read, nothing is trusted that is not given.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// A session is never resumed: each connection costs the target the same, a whole handshake, in
/// whatever order they are made. The course's simulator resumes none either.
fn config(
    trusting: impl FnOnce(
        ConfigBuilder<ClientConfig, WantsVerifier>,
    ) -> ConfigBuilder<ClientConfig, WantsClientCert>,
) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let Ok(builder) =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
    else {
        unreachable!("ring has the ciphers of TLS 1.2 and of TLS 1.3");
    };
    let mut config = trusting(builder).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    config
}

/// The settings of a client of `target`. One that is to speak no TLS trusts nobody, so that what the
/// system trusts is not read in vain.
pub(super) fn client_config(target: &BaseUrl) -> ClientConfig {
    match target.place() {
        Place::Port { tls: true, .. } => Arc::unwrap_or_clone(target.trust().config()),
        _ => config(|builder| builder.with_root_certificates(RootCertStore::empty())),
    }
}

/// Shakes hands over a connection to `target`, where it is to speak TLS.
///
/// # Errors
/// [`DialError::Certificate`] or [`DialError::Handshake`].
pub(super) async fn secure(target: &BaseUrl, socket: TcpStream) -> Result<Stream, DialError> {
    let Place::Port { tls: true, host, .. } = target.place() else {
        return Ok(Stream::Tcp(socket));
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| DialError::Handshake(io::Error::other(error)))?;
    let connector = TlsConnector::from(target.trust().config());
    match connector.connect(name, socket).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(error) => Err(refused(&error)),
    }
}

/// Why a handshake has failed.
pub(super) fn refused(error: &io::Error) -> DialError {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(reason)) => DialError::Certificate(in_words(reason)),
        _ => DialError::Handshake(io::Error::new(error.kind(), error.to_string())),
    }
}

fn in_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => "nobody who is trusted here has signed it".to_owned(),
        CertificateError::Other(reason) => reason.to_string(),
        reason => reason.to_string(),
    }
}

/// Whether nothing has arrived that a reader would get. What the socket holds does not tell: a
/// ticket of TLS 1.3 or a new key is bytes and yet nothing to read, and a `close_notify` is bytes
/// and yet the end. So the session takes in what is there, as it would for the next answer; after a
/// `close_notify` it reads nothing more, as at the socket's end.
pub(super) fn is_quiet(stream: &mut TlsStream<TcpStream>, look: Look) -> bool {
    let (socket, session) = stream.get_mut();
    loop {
        match session.process_new_packets() {
            Ok(state) if state.plaintext_bytes_to_read() == 0 => {}
            _ => return false,
        }
        match session.read_tls(&mut Waiting { socket, look }) {
            Ok(1..) => {}
            Ok(0) => return false,
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// The bytes that wait at a socket.
struct Waiting<'a> {
    socket: &'a TcpStream,
    look: Look,
}

impl io::Read for Waiting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut receive = || receive(self.socket, buffer, RecvFlags::empty());
        match self.look {
            Look::Kernel => receive(),
            Look::Runtime => self.socket.try_io(Interest::READABLE, receive),
        }
    }
}
