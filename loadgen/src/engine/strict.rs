//! The strict order: one outstanding request.

use crate::client::{Attempt, RequestEncoder, Sender};
use crate::clock::Clock;
use crate::profile::Profile;
use crate::record::{RecordError, Recorder};
use crate::schedule::{Payload, ScheduledRequest};
use limosa_reports::run::ledger::Outcome;
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_scenarios::TraceError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a long wait looks whether the user has ended the run.
const GLANCE: Duration = Duration::from_millis(100);

/// Sends a schedule, one request at a time.
#[derive(Debug)]
pub struct Strict<'a> {
    /// The clock of the run's current part.
    pub clock: Clock,
    /// What the target is known to do otherwise.
    pub profile: &'a Profile,
    /// Turns commands into bytes.
    pub encoder: RequestEncoder,
    /// Sends the commands.
    pub commands: Sender,
    /// Sends the reads, on a connection of its own: the commands' connections stay as they are.
    pub reads: Sender,
    /// The target's number in the manifest.
    pub replica: u16,
    /// When to give up.
    pub stop: StopRule,
    /// Set to end the run after the request that is under way.
    pub interrupted: &'a AtomicBool,
}

/// When to give up before the schedule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopRule {
    /// After so many commands in a row that could not be sent; `None`: never.
    pub unreachable: Option<u32>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Everything was sent.
    Complete,
    /// The target could not be reached; the first of the last commands that were not sent.
    Unreachable {
        /// Where to go on.
        resume_at: i64,
    },
    /// The user ended it; the last command that was tried, if any was.
    Interrupted {
        /// Goes on after this id.
        last_id: Option<i64>,
    },
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The records.
    #[error("the run was ended, since it can no longer be recorded: {0}")]
    Record(#[from] RecordError),
}

/// The next request of the schedule, with its bytes in `out`.
fn prepare(
    encoder: &RequestEncoder,
    schedule: &mut impl Iterator<Item = Result<ScheduledRequest, TraceError>>,
    out: &mut Vec<u8>,
) -> Option<Result<ScheduledRequest, TraceError>> {
    let request = schedule.next()?;
    if let Ok(request) = &request {
        match &request.payload {
            Payload::Command(action) => encoder.command(request.command_id, action, out),
            Payload::ReadLatest => encoder.read_latest(out),
        }
    }
    Some(request)
}

impl Strict<'_> {
    /// Sends the whole schedule, or until it is to stop.
    ///
    /// # Errors
    /// [`EngineError`]; what was sent before is recorded.
    pub async fn run(
        &mut self,
        mut schedule: impl Iterator<Item = Result<ScheduledRequest, TraceError>>,
        recorder: &mut Recorder,
    ) -> Result<Ending, EngineError> {
        let (mut bytes, mut next_bytes) = (Vec::new(), Vec::new());
        let mut unsent: Option<(i64, u32)> = None;
        let mut last_id = None;
        let mut free_ns = self.clock.now_ns();
        let mut next = prepare(&self.encoder, &mut schedule, &mut next_bytes);
        while let Some(request) = next.transpose()? {
            std::mem::swap(&mut bytes, &mut next_bytes);
            let interrupted = match request.intended_ns {
                Some(intended_ns) => self.is_interrupted_before(intended_ns).await,
                None => self.interrupted.load(Ordering::Relaxed),
            };
            if interrupted {
                return Ok(Ending::Interrupted { last_id });
            }
            let ready_ns = request.intended_ns.map_or(free_ns, |intended| intended.max(free_ns));
            let intent = recorder.intent(request, ready_ns, self.clock.now_ns())?;
            let is_read = intent.operation == Operation::Latest;
            let sender = if is_read { &mut self.reads } else { &mut self.commands };
            // The next request is made ready while the target works on this one, and not between
            // this one's answer and the next one's send.
            let attempt;
            (attempt, next) = tokio::join!(biased; sender.send(&bytes), async {
                prepare(&self.encoder, &mut schedule, &mut next_bytes)
            });
            free_ns = attempt.done_ns;
            let outcome = self.outcome(intent.sequence, intent.operation, &attempt);
            recorder.outcome(&intent, &outcome)?;
            if is_read {
                continue;
            }
            last_id = Some(intent.command_id);
            unsent = match (outcome.ack, unsent) {
                (Ack::NotSent, None) => Some((intent.command_id, 1)),
                (Ack::NotSent, Some((first, count))) => Some((first, count + 1)),
                _ => None,
            };
            if let (Some((resume_at, count)), Some(limit)) = (unsent, self.stop.unreachable)
                && count >= limit
            {
                return Ok(Ending::Unreachable { resume_at });
            }
        }
        Ok(Ending::Complete)
    }

    /// Waits until the instant; returns early, and true, where the user ends the run.
    async fn is_interrupted_before(&self, instant_ns: u64) -> bool {
        let glance_ns = GLANCE.as_nanos() as u64;
        while !self.interrupted.load(Ordering::Relaxed) {
            let now_ns = self.clock.now_ns();
            self.clock.wait_until(instant_ns.min(now_ns + glance_ns)).await;
            if instant_ns <= now_ns + glance_ns {
                return self.interrupted.load(Ordering::Relaxed);
            }
        }
        true
    }

    fn outcome(&self, sequence: u64, operation: Operation, attempt: &Attempt) -> Outcome {
        let (mut ack, mut failure) =
            attempt.judge(|status| self.profile.is_success(operation, status));
        let mut latest = None;
        if operation == Operation::Latest
            && let (Ack::Acknowledged, Ok(answer)) = (ack, &attempt.result)
        {
            latest = serde_json::from_slice(&answer.body)
                .ok()
                .and_then(|json| self.profile.parse_latest(&json));
            if latest.is_none() {
                (ack, failure) = (Ack::Indeterminate, Some(Failure::MalformedAnswer));
            }
        }
        Outcome {
            sequence,
            sent_ns: attempt.sent_ns,
            done_ns: attempt.done_ns,
            replica: self.replica,
            status: attempt.status(),
            ack,
            failure,
            latest,
        }
    }
}
