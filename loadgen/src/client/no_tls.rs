//! What stands for TLS where it is not built in: `https` targets are refused before they get here.

use super::{BaseUrl, DialError, Stream};
use std::path::{Path, PathBuf};
use tokio::net::TcpStream;

/// Whose word counts for the certificate of an `https` target: nobody's, since there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust(());

/// Why a file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no TLS to use it for.
    #[error(
        "--ca-cert {file}: this limosa was built without TLS: build it with the feature `tls`, which is on unless --no-default-features is given",
        file = .0.display()
    )]
    NoTls(PathBuf),
}

impl Trust {
    /// Trusts whom the system trusts, and the authorities whose certificates are in `file`.
    ///
    /// # Errors
    /// [`TrustError::NoTls`].
    pub fn with_ca_cert(file: &Path) -> Result<Self, TrustError> {
        Err(TrustError::NoTls(file.to_owned()))
    }
}

/// Leaves the connection as it is.
///
/// # Errors
/// None.
pub(super) async fn secure(_: &BaseUrl, socket: TcpStream) -> Result<Stream, DialError> {
    Ok(Stream::Tcp(socket))
}
