//! From a target to a connected stream.

use super::base_url::Place;
use super::{BaseUrl, Stream, tls};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpStream, UnixStream};

/// Why there is no connection. Nothing of any request was sent.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host's name stands for no address.
    #[error("the host {host} cannot be resolved: {source}")]
    Unresolved {
        /// The name.
        host: String,
        /// The resolver's reason.
        source: io::Error,
    },
    /// Nobody took the connection.
    #[error(transparent)]
    Connect(#[from] io::Error),
    /// The target's certificate is not that of a trusted one.
    #[cfg(feature = "tls")]
    #[error(
        "its certificate is not accepted ({0}): whom the system does not trust is named by --ca-cert FILE"
    )]
    Certificate(String),
    /// There is no common TLS.
    #[cfg(feature = "tls")]
    #[error("no TLS connection ({0}): does the target speak https at this port?")]
    Handshake(#[source] io::Error),
}

impl DialError {
    /// Whether the target may not be running: nobody has taken the connection.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            Self::Unresolved { .. } | Self::Connect(_) => true,
            #[cfg(feature = "tls")]
            Self::Certificate(_) | Self::Handshake(_) => false,
        }
    }
}

/// Connects to one target again and again.
#[derive(Debug)]
pub struct Dialer {
    target: BaseUrl,
    /// What the host's name stands for, once it was asked for.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Dialer {
    /// A dialer of `target`.
    pub fn new(target: BaseUrl) -> Self {
        Self { target, addresses: Vec::new() }
    }

    /// Connects; with `https` also shakes hands. Each address of the host is tried in turn, so that
    /// `localhost` is found whether it listens on IPv4 or on IPv6.
    ///
    /// # Errors
    /// [`DialError`], of the last address that was tried. The name is then resolved again for the
    /// next connection.
    pub async fn dial(&mut self) -> Result<Stream, DialError> {
        match self.target.place() {
            Place::Socket(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
            Place::Port { host, port, .. } => {
                // Whoever gives up waiting drops this here, and what was resolved with it.
                let addresses = match std::mem::take(&mut self.addresses) {
                    none if none.is_empty() => resolve(host, *port).await?,
                    known => known,
                };
                let socket = connect(&addresses).await?;
                self.addresses = addresses;
                // A request is one write: it shall not wait for the answer to the one before.
                socket.set_nodelay(true)?;
                tls::secure(&self.target, socket).await
            }
        }
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    let resolved = tokio::net::lookup_host((host, port)).await;
    resolved
        .map(Iterator::collect)
        .map_err(|source| DialError::Unresolved { host: host.to_owned(), source })
}

async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
