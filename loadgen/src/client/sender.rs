//! Sending requests, and saying what is known of their effect.

use super::http1::{Answer, Connection, ExchangeError, Patience};
use super::{BaseUrl, ClientKind};
use crate::clock::Clock;
use crate::profile::Profile;
use limosa_reports::run::operation::{Ack, Failure};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long the sender waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For an answer: the whole of it, or (simulator) each read of it.
    pub response: Duration,
}

impl Timeouts {
    /// The course's simulator gives up after 0.3 s, twice.
    pub const SIMULATOR: Self =
        Self { connect: Duration::from_millis(300), response: Duration::from_millis(300) };
    /// Long enough to tell a slow answer from none.
    pub const PATIENT: Self =
        Self { connect: Duration::from_secs(5), response: Duration::from_secs(10) };
}

/// What came of one request.
#[derive(Debug)]
pub struct Attempt {
    /// When the connect or, on an open connection, the send began.
    pub sent_ns: u64,
    /// When the answer was whole, or given up.
    pub done_ns: u64,
    /// The answer, or why there is none.
    pub result: Result<Answer, Failure>,
}

impl Attempt {
    /// The status that was answered; 0 where there was none.
    pub fn status(&self) -> u16 {
        self.result.as_ref().map_or(0, |answer| answer.status)
    }

    /// Whether it is certain that the target got nothing of the request.
    pub fn was_not_sent(&self) -> bool {
        matches!(self.result, Err(Failure::ConnectRefused | Failure::ConnectTimeout))
    }

    /// What the sender knows of the effect, and why it is not a plain success.
    ///
    /// `is_success` says which statuses the target promises the effect with.
    pub fn judge(&self, is_success: impl Fn(u16) -> bool) -> (Ack, Option<Failure>) {
        match &self.result {
            Ok(answer) if is_success(answer.status) => (Ack::Acknowledged, None),
            Ok(answer) if (400..500).contains(&answer.status) => {
                (Ack::Rejected, Some(Failure::Status))
            }
            Ok(_) => (Ack::Indeterminate, Some(Failure::Status)),
            Err(failure) if self.was_not_sent() => (Ack::NotSent, Some(*failure)),
            Err(failure) => (Ack::Indeterminate, Some(*failure)),
        }
    }
}

/// Whether connections to a target are used again; shared by all who send to it, so that what one
/// of them learns spares the others.
#[derive(Debug, Clone)]
pub struct KeepAlive {
    after_204: bool,
    broken: Arc<AtomicBool>,
}

impl KeepAlive {
    /// As the profile says, until the target shows otherwise.
    pub fn new(profile: &Profile) -> Self {
        Self { after_204: !profile.body_on_204, broken: Arc::default() }
    }

    fn allows(&self, answer: &Answer) -> bool {
        answer.keep_alive
            && (answer.status != 204 || self.after_204)
            && !self.broken.load(Ordering::Relaxed)
    }
}

/// Sends one request at a time to one target.
///
/// A target may close a connection that it promised to keep, or send a body after a 204, just when
/// the next request is on its way. The request may have been carried out all the same, so it stays
/// indeterminate: sending it again could store it twice. What can be done is not to let it happen
/// again. Where a kept connection brought no whole answer and the target at once accepts another
/// one, it does not honour keep-alive, and for the rest of the run each request gets a connection
/// of its own. Where it accepts none, it is down, and nothing is learnt of its connections.
#[derive(Debug)]
pub struct Sender {
    target: BaseUrl,
    kind: ClientKind,
    timeouts: Timeouts,
    clock: Clock,
    keep_alive: KeepAlive,
    addresses: Vec<SocketAddr>,
    connection: Option<Connection>,
    /// Whether the last request was lost with a kept connection.
    lost_kept: bool,
}

impl Sender {
    /// A sender that is not connected yet.
    pub fn new(
        target: BaseUrl,
        kind: ClientKind,
        timeouts: Timeouts,
        clock: Clock,
        keep_alive: KeepAlive,
    ) -> Self {
        Self {
            target,
            kind,
            timeouts,
            clock,
            keep_alive,
            addresses: Vec::new(),
            connection: None,
            lost_kept: false,
        }
    }

    /// Sends the request and waits for its answer or the timeout.
    ///
    /// A kept connection that the target has closed meanwhile is replaced before anything is
    /// sent: no request is lost to it, and none is ever sent twice.
    pub async fn send(&mut self, request: &[u8]) -> Attempt {
        let sent_ns = self.clock.now_ns();
        let result = self.try_send(request).await;
        Attempt { sent_ns, done_ns: self.clock.now_ns(), result }
    }

    async fn try_send(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        let kept = self.connection.take().filter(Connection::is_quiet);
        let is_kept = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let patience = match self.kind {
            ClientKind::Limosa => Patience::Whole(self.timeouts.response),
            ClientKind::Simulator => Patience::EachRead(self.timeouts.response),
        };
        let exchanged = connection.exchange(request, patience).await;
        let is_broken =
            matches!(exchanged, Err(ExchangeError::Closed(_) | ExchangeError::Malformed(_)));
        self.lost_kept = is_kept && is_broken;
        match exchanged {
            Ok(answer) => {
                if self.keep_alive.allows(&answer) && self.kind == ClientKind::Limosa {
                    self.connection = Some(connection);
                }
                Ok(answer)
            }
            Err(ExchangeError::Closed(_)) => Err(Failure::ConnectionClosed),
            Err(ExchangeError::Malformed(_)) => Err(Failure::MalformedAnswer),
            Err(ExchangeError::Timeout) => Err(Failure::ResponseTimeout),
        }
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let lost_kept = std::mem::take(&mut self.lost_kept);
        match tokio::time::timeout(self.timeouts.connect, self.connect_to_any()).await {
            Ok(Ok(connection)) => {
                if lost_kept {
                    self.keep_alive.broken.store(true, Ordering::Relaxed);
                }
                Ok(connection)
            }
            Ok(Err(_)) => {
                self.addresses.clear();
                Err(Failure::ConnectRefused)
            }
            Err(_elapsed) => {
                self.addresses.clear();
                Err(Failure::ConnectTimeout)
            }
        }
    }

    /// Names are resolved once, and again after a connection failed.
    async fn connect_to_any(&mut self) -> io::Result<Connection> {
        if self.addresses.is_empty() {
            self.addresses = self.target.resolve().await?;
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in &self.addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Connection::new(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests;
