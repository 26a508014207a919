//! Sending requests, and saying what is known of their effect.

use super::http1::{Answer, Connection, ExchangeError, Patience};
use super::{BaseUrl, ClientKind, Dialer};
use crate::clock::Clock;
use crate::profile::Profile;
use limosa_reports::run::operation::{Ack, Failure};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
    wanted: bool,
    after_204: bool,
    /// When the target showed otherwise.
    given_up: Arc<OnceLock<u64>>,
}

impl KeepAlive {
    /// As the profile says, until the target shows otherwise.
    pub fn new(profile: &Profile) -> Self {
        Self { wanted: true, after_204: !profile.body_on_204, given_up: Arc::default() }
    }

    /// A connection for each request, from the first one on; [`RequestEncoder::closing`] has the
    /// requests say so.
    ///
    /// [`RequestEncoder::closing`]: super::RequestEncoder::closing
    pub fn off() -> Self {
        Self { wanted: false, after_204: false, given_up: Arc::default() }
    }

    /// Whether there was to be a connection for each request from the first one on.
    pub fn is_off(&self) -> bool {
        !self.wanted
    }

    /// When the target had shown that it does not honour keep-alive, in ns of the senders' clock;
    /// since then each request had a connection of its own. `None` where it has not, or was not
    /// asked to.
    pub fn given_up(&self) -> Option<u64> {
        self.given_up.get().copied()
    }

    fn allows(&self, answer: &Answer) -> bool {
        self.wanted
            && answer.keep_alive
            && (answer.status != 204 || self.after_204)
            && self.given_up().is_none()
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
    dialer: Dialer,
    kind: ClientKind,
    timeouts: Timeouts,
    clock: Clock,
    keep_alive: KeepAlive,
    connection: Option<Connection>,
    /// When the last attempt was over.
    free_ns: u64,
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
            dialer: Dialer::new(target),
            kind,
            timeouts,
            clock,
            keep_alive,
            connection: None,
            free_ns: 0,
            lost_kept: false,
        }
    }

    /// Sends the request and waits for its answer or the timeout.
    ///
    /// A kept connection that the target has closed meanwhile is replaced before anything is
    /// sent: no request is lost to it, and none is ever sent twice.
    pub async fn send(&mut self, request: &[u8]) -> Attempt {
        let sent_ns = self.clock.now_ns();
        let idle = Duration::from_nanos(sent_ns.saturating_sub(self.free_ns));
        let result = self.try_send(request, idle).await;
        self.free_ns = self.clock.now_ns();
        Attempt { sent_ns, done_ns: self.free_ns, result }
    }

    async fn try_send(&mut self, request: &[u8], idle: Duration) -> Result<Answer, Failure> {
        let kept = self.connection.take();
        let kept = kept.and_then(|mut kept| kept.is_quiet(idle).then_some(kept));
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
        match tokio::time::timeout(self.timeouts.connect, self.dialer.dial()).await {
            Ok(Ok(stream)) => {
                if lost_kept {
                    self.keep_alive.given_up.get_or_init(|| self.clock.now_ns());
                }
                Ok(Connection::new(stream))
            }
            Ok(Err(_)) => Err(Failure::ConnectRefused),
            Err(_elapsed) => Err(Failure::ConnectTimeout),
        }
    }
}

#[cfg(test)]
mod tests;
