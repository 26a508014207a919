//! One HTTP/1.1 connection that sends encoded requests and reads their answers.

mod answer;
mod deadline;
mod head;
#[cfg(test)]
mod tests;

pub use answer::Answer;

use super::Stream;
use super::stream::Look;
use answer::Incoming;
use deadline::Deadline;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// So many exchanges show what kind of server it is.
const FIRST: u32 = 4;
/// After so long without a request, a server may have ended the connection for its idleness.
const IDLE: Duration = Duration::from_millis(1);

/// A connection to the target.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
    deadline: Deadline,
    /// How many requests were sent on it.
    exchanges: u32,
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
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: Vec::with_capacity(4 << 10),
            deadline: Deadline::default(),
            exchanges: 0,
        }
    }

    /// Whether nothing has arrived since the last answer, `idle` ago: neither the end of the
    /// connection nor bytes that belong to no answer (a body after a 204, for one).
    ///
    /// Only the kernel knows at once: the runtime learns of what arrived when it next waits for
    /// something, and a request would meanwhile be written into a closed connection. But asking the
    /// kernel is a system call, and it is worth one only where something may have happened that the
    /// runtime has not heard of:
    ///
    /// - on the first exchanges. A server that closes after each answer, or sends a body after a
    ///   204, does so from the first one on;
    /// - after the connection was idle. A server that ends connections which nobody uses, or is
    ///   taken down in a pause, does so then.
    ///
    /// On a busy connection the runtime is asked, which costs no system call: it has waited for
    /// this connection's own answer, or another one's, a moment ago. A server may still close a
    /// busy one in that moment, unannounced; then the request crosses the close on its way, as it
    /// also would if it left right after the kernel had been asked.
    pub fn is_quiet(&mut self, idle: Duration) -> bool {
        let ask = if self.exchanges <= FIRST || idle > IDLE { Look::Kernel } else { Look::Runtime };
        self.buffer.is_empty() && self.stream.is_quiet(ask)
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
        let Self { stream, buffer, deadline, exchanges } = self;
        *exchanges = exchanges.saturating_add(1);
        match patience {
            Patience::Whole(limit) => {
                deadline.within(limit, send(stream, buffer, request, None)).await
            }
            Patience::EachRead(limit) => send(stream, buffer, request, Some(limit)).await,
        }
    }
}

async fn send(
    stream: &mut Stream,
    buffer: &mut Vec<u8>,
    request: &[u8],
    each: Option<Duration>,
) -> Result<Answer, ExchangeError> {
    let write = async {
        stream.write_all(request).await?;
        // TLS may hold back what the socket did not take at once.
        Ok(stream.flush().await?)
    };
    within(each, write).await?;
    Incoming { source: stream, buffer, each }.answer().await
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
