//! The bytes of a connection, over TCP, TLS or a Unix domain socket.

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected stream. Only TLS is boxed: its state is far larger than a socket's, and without TLS
/// the choice costs a comparison for each read and write.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
    /// TLS over TCP.
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Whom to ask what has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The kernel, which always knows.
    Kernel,
    /// The runtime, which costs no system call; the kernel only where the runtime has heard of
    /// something.
    Runtime,
}

impl Stream {
    /// Whether nothing has arrived that a reader would get: no bytes, and no end.
    pub(super) fn is_quiet(&mut self, look: Look) -> bool {
        let peeked = match self {
            Self::Tcp(stream) => match look {
                Look::Kernel => peek(&*stream),
                Look::Runtime => stream.try_io(Interest::READABLE, || peek(&*stream)),
            },
            Self::Unix(stream) => match look {
                Look::Kernel => peek(&*stream),
                Look::Runtime => stream.try_io(Interest::READABLE, || peek(&*stream)),
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => return super::tls::is_quiet(stream, look),
        };
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Looks at the first byte that waits, and leaves it there.
fn peek(socket: impl AsFd) -> io::Result<usize> {
    receive(socket, &mut [0], RecvFlags::PEEK)
}

/// Receives without waiting, whatever the runtime has heard of.
pub(super) fn receive(socket: impl AsFd, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
    loop {
        match recv(&socket, &mut *buffer, flags | RecvFlags::DONTWAIT) {
            Err(Errno::INTR) => {}
            received => return Ok(received.map(|(length, _)| length)?),
        }
    }
}

/// Calls a method of whichever stream it is.
macro_rules! on_any {
    ($stream:expr, $method:ident $(, $argument:expr)*) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_any!(self, poll_read, context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_any!(self, poll_write, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_any!(self, poll_flush, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_any!(self, poll_shutdown, context)
    }
}
