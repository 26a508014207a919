//! Group commit: requests that wait at the same time share one transaction and one sync.
//!
//! Every write, and every `latest`, goes through one bounded queue to one [`Writer`]. The writer
//! takes whatever waits, up to a maximum, commits it as one batch and only then answers each
//! request. A lone request is never held back to wait for company: batches grow by themselves
//! while the previous one is being synced. (The idea is that of DeWitt et al., "Implementation
//! Techniques for Main Memory Database Systems", SIGMOD 1984.)
//!
//! While the database cannot be reached the batch at hand is tried again, and its requests wait; once
//! that has lasted for too long, each batch is tried once and refused, until the database is back.
//!
//! A request whose client goes away while it is queued is committed all the same: from then on
//! the client cannot know whether it was, and the server does not take it back.

use crate::{
    metrics::CommitMetrics,
    store::{Attempts, Batch, BatchId, CommitError, Entry, Outcome, Unstorable, Write, Writer},
};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

/// Bounds of the queue and of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most entries that one transaction holds; 1: each request commits alone.
    pub max_batch: usize,
    /// The most entries that wait; one more is refused.
    pub queue: usize,
    /// How long a database may be out of reach before its requests are refused.
    pub retry_for: Duration,
}

/// Why an entry is not known to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full; nothing was stored.
    #[error("too many writes are waiting; try again later")]
    Overloaded,
    /// The server is going down; nothing was stored.
    #[error("the server is shutting down")]
    Closed,
    /// No database could store it.
    #[error(transparent)]
    Unstorable(#[from] Unstorable),
    /// The database could not be reached, or what keeps `latest` apart from it; nothing was stored.
    #[error("the database, or the store of latest, cannot be reached; nothing was stored")]
    Unreachable,
    /// The database refused the transaction; nothing was stored.
    #[error("the database could not store it")]
    RolledBack,
    /// The database did not say whether the transaction was committed.
    #[error("the database did not say whether it was stored")]
    Unknown,
    /// It was stored, and `latest`, which is kept apart from it, may not name it.
    #[error("it was stored, and latest may not name it")]
    Unnamed,
}

type Answer = Result<Outcome, SubmitError>;

struct Waiting {
    entry: Entry,
    reply: oneshot::Sender<Answer>,
}

/// The way into the queue; cheap to clone.
#[derive(Clone)]
pub struct CommitQueue {
    sender: mpsc::Sender<Waiting>,
    metrics: CommitMetrics,
}

impl CommitQueue {
    /// Queues the entry and returns once the transaction that holds it is durable.
    ///
    /// # Errors
    /// [`SubmitError`] says whether it is certain that nothing was stored.
    pub async fn submit(&self, entry: Entry) -> Answer {
        // One that the database refuses would take all the others of its batch with it.
        entry.write.as_ref().map_or(Ok(()), Write::check)?;
        let (reply, answer) = oneshot::channel();
        self.sender.try_send(Waiting { entry, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.metrics.refused.increment(1);
                SubmitError::Overloaded
            }
            mpsc::error::TrySendError::Closed(_) => SubmitError::Closed,
        })?;
        // Without an answer the committer died; how far it came is not known.
        answer.await.unwrap_or(Err(SubmitError::Unknown))
    }
}

/// The running committer; it ends through [`Committer::close`].
pub struct Committer {
    closing: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Committer {
    /// Commits what is queued, refuses what comes later, and closes the writer.
    pub async fn close(self) {
        // An error means that the task has ended already.
        let _ended = self.closing.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the committer did not end well");
        }
    }
}

/// Starts the task that owns the writer.
pub fn start(
    writer: Box<dyn Writer>,
    limits: Limits,
    metrics: CommitMetrics,
) -> (CommitQueue, Committer) {
    let (sender, receiver) = mpsc::channel(limits.queue);
    let (closing, closed) = oneshot::channel();
    let queue = CommitQueue { sender, metrics: metrics.clone() };
    let writing = Writing { writer, retry_for: limits.retry_for, outage: None, metrics };
    let task = tokio::spawn(commit_batches(writing, receiver, closed, limits.max_batch));
    (queue, Committer { closing, task })
}

async fn commit_batches(
    mut writing: Writing,
    mut receiver: mpsc::Receiver<Waiting>,
    mut closed: oneshot::Receiver<()>,
    max_batch: usize,
) {
    let mut open = true;
    let mut waiting = Vec::with_capacity(max_batch);
    loop {
        let taken = tokio::select! {
            taken = receiver.recv_many(&mut waiting, max_batch) => taken,
            _ = &mut closed, if open => {
                open = false;
                receiver.close();
                continue;
            }
        };
        if taken == 0 {
            break;
        }
        writing.metrics.queued.set(receiver.len() as f64);
        writing.commit(&mut waiting).await;
    }
    writing.writer.close().await;
}

/// What it takes to commit one batch after the other.
struct Writing {
    writer: Box<dyn Writer>,
    retry_for: Duration,
    /// Since when the database has not been reached.
    outage: Option<Instant>,
    metrics: CommitMetrics,
}

impl Writing {
    async fn commit(&mut self, waiting: &mut Vec<Waiting>) {
        let (entries, replies): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|one| (one.entry, one.reply)).unzip();
        let begun = Instant::now();
        let outcomes = self.settle(Batch::new(entries)).await;
        self.metrics.batch_size.record(replies.len() as f64);
        self.metrics.commit_seconds.record(begun.elapsed().as_secs_f64());
        match outcomes {
            Ok(outcomes) => {
                debug_assert_eq!(outcomes.len(), replies.len());
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    // An error means that the client has gone; the write stands.
                    let _gone = reply.send(Ok(outcome));
                }
            }
            Err(error) => {
                self.metrics.failed.increment(1);
                for reply in replies {
                    let _gone = reply.send(Err(error));
                }
            }
        }
    }

    /// Commits the batch; where it was certainly not committed because the database could not be
    /// reached, tries again until an outage has lasted for `retry_for`.
    async fn settle(&mut self, mut batch: Batch) -> Result<Vec<Outcome>, SubmitError> {
        let begun = Instant::now();
        let mut attempts = self.outage.map(|since| Attempts::until(since + self.retry_for));
        loop {
            let error = match self.writer.commit(&batch).await {
                Ok(outcomes) => {
                    if let Some(since) = self.outage.take() {
                        let seconds = since.elapsed().as_secs_f64();
                        tracing::info!(seconds, "the database is back");
                    }
                    return Ok(outcomes);
                }
                Err(CommitError::Unknown(error)) => {
                    if error.is_unreachable() {
                        self.outage.get_or_insert(begun);
                    }
                    tracing::error!(%error, batch = ?batch.id, "the batch's outcome is not known");
                    return Err(SubmitError::Unknown);
                }
                Err(CommitError::Unnamed(error)) => {
                    tracing::error!(%error, batch = ?batch.id, "latest does not name a batch");
                    return Err(SubmitError::Unnamed);
                }
                Err(CommitError::RolledBack(error)) => error,
            };
            if !error.is_unreachable() {
                // It was reached, then.
                self.outage = None;
                tracing::error!(%error, batch = ?batch.id, "a batch was rolled back");
                return Err(SubmitError::RolledBack);
            }
            let since = *self.outage.get_or_insert_with(|| {
                tracing::warn!(%error, "the database cannot be reached, trying again");
                Instant::now()
            });
            let attempts = attempts.get_or_insert_with(|| Attempts::until(since + self.retry_for));
            if !attempts.again().await {
                tracing::error!(%error, batch = ?batch.id, "the database cannot be reached");
                return Err(SubmitError::Unreachable);
            }
            batch.id = BatchId::random();
        }
    }
}

#[cfg(test)]
mod tests;
