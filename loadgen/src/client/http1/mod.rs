//! One HTTP/1.1 connection that sends encoded requests and reads their answers.

mod answer;
mod head;
#[cfg(test)]
mod tests;

pub use answer::Answer;

use answer::Incoming;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A connection to the target.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Why there was no whole answer. Whatever was sent may have taken effect.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The connection was closed or reset.
    #[error("the connection was closed before the answer was whole")]
    Closed(#[source] io::Error),
    /// What came was not HTTP/1.1, or broke its own framing.
    #[error("the answer is not well-formed HTTP/1.1: {0}")]
    Malformed(&'static str),
    /// Nothing came for too long.
    #[error("no answer within the timeout")]
    Timeout,
}

/// How long to wait while a request is written and its answer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// At most this long from the first byte sent to the last one read.
    Whole(Duration),
    /// At most this long for the write and for each single read, as the simulator's library counts.
    EachRead(Duration),
}

impl Connection {
    /// Takes over a connected stream.
    ///
    /// # Errors
    /// The operating system's, where Nagle's algorithm cannot be turned off.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4 << 10) })
    }

    /// Whether nothing has arrived since the last answer: neither the end of the connection nor
    /// bytes that belong to no answer (a body after a 204, for one).
    ///
    /// Asks the kernel: the runtime learns of what arrived only when it next waits for something,
    /// and a request would meanwhile be written into a closed connection.
    pub fn is_quiet(&self) -> bool {
        let peek = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        self.buffer.is_empty()
            && matches!(recv(&self.stream, &mut [0_u8; 1], peek), Err(Errno::AGAIN))
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// [`ExchangeError`]; the connection must not be used again after one.
    pub async fn exchange(
        &mut self,
        request: &[u8],
        patience: Patience,
    ) -> Result<Answer, ExchangeError> {
        match patience {
            Patience::Whole(limit) => within(Some(limit), self.send(request, None)).await,
            Patience::EachRead(limit) => self.send(request, Some(limit)).await,
        }
    }

    async fn send(
        &mut self,
        request: &[u8],
        each: Option<Duration>,
    ) -> Result<Answer, ExchangeError> {
        let Self { stream, buffer } = self;
        within(each, async { Ok(stream.write_all(request).await?) }).await?;
        Incoming { source: stream, buffer, each }.answer().await
    }
}

/// Gives up after `limit`, where there is one.
async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, ExchangeError>>,
) -> Result<T, ExchangeError> {
    match limit {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or(Err(ExchangeError::Timeout))
        }
        None => work.await,
    }
}

impl From<io::Error> for ExchangeError {
    fn from(error: io::Error) -> Self {
        Self::Closed(error)
    }
}
