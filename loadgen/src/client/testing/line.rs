//! A connection as a peer has it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A connection.
#[derive(Debug)]
pub(in super::super) enum Line {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
    /// TLS over TCP.
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
}

impl Line {
    /// Has the close of TCP be a reset.
    pub(super) fn reset(&self) {
        let Self::Tcp(stream) = self else { panic!("no TCP: {self:?}") };
        rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
    }

    /// Ends TLS; the socket stays open as long as what is returned.
    #[cfg(feature = "tls")]
    pub(super) fn notify(&mut self) -> TcpStream {
        let stream = self.tls();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        stream.sock.try_clone().unwrap()
    }

    /// Sends new keys, and asks for some.
    #[cfg(feature = "tls")]
    pub(super) fn rekey(&mut self) {
        let stream = self.tls();
        stream.conn.refresh_traffic_keys().unwrap();
        stream.flush().unwrap();
    }

    #[cfg(feature = "tls")]
    fn tls(&mut self) -> &mut rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
        let Self::Tls(stream) = self else { panic!("no TLS: {self:?}") };
        stream
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}
