//! The recorder.

use super::live::LastSecond;
use super::{ErrorLog, Live};
use crate::schedule::{Payload, ScheduledRequest};
use limosa_reports::run::ledger::{Intent, LedgerError, LedgerWriter, Mark, Outcome};
use limosa_reports::run::operation::{Ack, Operation};
use limosa_scenarios::Action;
use std::sync::Arc;

/// Why a run cannot be recorded any further.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The simulator's error lines.
    #[error("error log: {0}")]
    ErrorLog(#[from] std::io::Error),
}

/// Writes what is sent and what comes of it.
#[derive(Debug)]
pub struct Recorder {
    ledger: LedgerWriter,
    errors: Option<ErrorLog>,
    live: Arc<Live>,
    last_second: LastSecond,
}

impl Recorder {
    /// Records into `ledger`; failures also into `errors`, where given.
    pub fn new(ledger: LedgerWriter, errors: Option<ErrorLog>) -> Self {
        Self { ledger, errors, live: Arc::default(), last_second: LastSecond::new() }
    }

    /// The counts, to be shown while they grow.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// Records a request that is about to be sent: once this has returned, a kill of the process
    /// does not lose it.
    ///
    /// # Errors
    /// [`RecordError::Ledger`]; the request must not be sent then.
    pub fn intent(
        &mut self,
        request: ScheduledRequest,
        lane: u32,
        ready_ns: u64,
        called_ns: u64,
    ) -> Result<Intent, RecordError> {
        let (operation, user, detail) = subject(request.payload);
        let intent = Intent {
            sequence: request.sequence,
            command_id: request.command_id,
            operation,
            lane,
            intended_ns: request.intended_ns,
            ready_ns,
            called_ns,
            user,
            detail,
        };
        self.ledger.append(&intent)?;
        Ok(intent)
    }

    /// Records what came of it.
    ///
    /// # Errors
    /// [`RecordError`]; the request counts as abandoned then.
    pub fn outcome(&mut self, intent: &Intent, outcome: &Outcome) -> Result<(), RecordError> {
        self.ledger.append(outcome)?;
        if outcome.ack != Ack::NotSent {
            let service_ns = outcome.done_ns.saturating_sub(outcome.sent_ns);
            self.last_second.record(outcome.done_ns, service_ns, &self.live);
        }
        if intent.operation.is_write() {
            self.live.count(intent.operation, outcome.ack, intent.command_id);
            if let Some(errors) = &mut self.errors {
                errors.push(
                    intent.command_id,
                    intent.operation,
                    outcome.status,
                    outcome.failure,
                )?;
            }
        }
        Ok(())
    }

    /// Records that something happened.
    ///
    /// # Errors
    /// [`RecordError::Ledger`].
    pub fn mark(&mut self, at_ns: u64, name: &str) -> Result<(), RecordError> {
        Ok(self.ledger.append(&Mark { at_ns, name: name.to_owned() })?)
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// [`RecordError::Ledger`] where the last segment cannot be closed.
    pub fn finish(self) -> Result<(), RecordError> {
        Ok(self.ledger.finish()?)
    }
}

/// What the ledger keeps of a request: who, and what an audit must find again. No password.
fn subject(payload: Payload) -> (Operation, String, String) {
    match payload {
        // A register that the protocol refuses has no address here, so that a judge can tell.
        Payload::Command(Action::Register { user, email, password }) => {
            let is_complete = !user.is_empty() && !password.is_empty();
            (Operation::Register, user, if is_complete { email } else { String::new() })
        }
        Payload::Command(Action::Tweet { user, text }) => (Operation::Tweet, user, text),
        Payload::Command(Action::Follow { user, whom }) => (Operation::Follow, user, whom),
        Payload::Command(Action::Unfollow { user, whom }) => (Operation::Unfollow, user, whom),
        Payload::Read { operation, user } => (operation, user.unwrap_or_default(), String::new()),
    }
}
