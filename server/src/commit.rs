//! Group commit: requests that wait at the same time share one transaction and one sync.
//!
//! Every write, and every `latest`, goes through one bounded queue to one [`Writer`]. The writer
//! takes whatever waits, up to a maximum, commits it as one batch and only then answers each
//! request. A lone request is never held back to wait for company: batches grow by themselves
//! while the previous one is being synced. (The idea is that of DeWitt et al., "Implementation
//! Techniques for Main Memory Database Systems", SIGMOD 1984.)
//!
//! A request whose client goes away while it is queued is committed all the same: from then on
//! the client cannot know whether it was, and the server does not take it back.

use crate::{
    metrics::CommitMetrics,
    store::{Batch, CommitError, Entry, Outcome, StoreError, Writer},
};
use std::time::{Duration, Instant};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// How often a commit of unknown outcome is looked up before its requests are told so.
const LOOKUPS: u32 = 5;
/// The pause between two look-ups.
const LOOKUP_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of the queue and of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most entries that one transaction holds; 1: each request commits alone.
    pub max_batch: usize,
    /// The most entries that wait; one more is refused.
    pub queue: usize,
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
    let task = tokio::spawn(commit_batches(writer, receiver, closed, limits.max_batch, metrics));
    (queue, Committer { closing, task })
}

async fn commit_batches(
    mut writer: Box<dyn Writer>,
    mut receiver: mpsc::Receiver<Waiting>,
    mut closed: oneshot::Receiver<()>,
    max_batch: usize,
    metrics: CommitMetrics,
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
        metrics.queued.set(receiver.len() as f64);
        commit_one(writer.as_mut(), &mut waiting, &metrics).await;
    }
    writer.close().await;
}

async fn commit_one(writer: &mut dyn Writer, waiting: &mut Vec<Waiting>, metrics: &CommitMetrics) {
    let (entries, replies): (Vec<_>, Vec<_>) =
        waiting.drain(..).map(|one| (one.entry, one.reply)).unzip();
    let batch = Batch::new(entries);
    let begun = Instant::now();
    let outcomes = settle(writer, &batch).await;
    metrics.batch_size.record(replies.len() as f64);
    metrics.commit_seconds.record(begun.elapsed().as_secs_f64());
    match outcomes {
        Ok(outcomes) => {
            debug_assert_eq!(outcomes.len(), replies.len());
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // An error means that the client has gone; the write stands.
                let _gone = reply.send(Ok(outcome));
            }
        }
        Err(error) => {
            metrics.failed.increment(1);
            for reply in replies {
                let _gone = reply.send(Err(error));
            }
        }
    }
}

/// Commits the batch; where the outcome of the COMMIT is not known, the commit record decides.
async fn settle(writer: &mut dyn Writer, batch: &Batch) -> Result<Vec<Outcome>, SubmitError> {
    match writer.commit(batch).await {
        Ok(outcomes) => Ok(outcomes),
        Err(CommitError::RolledBack(error)) => {
            tracing::error!(%error, batch = ?batch.id, "a batch was rolled back");
            Err(SubmitError::RolledBack)
        }
        Err(CommitError::Unnamed(error)) => {
            tracing::error!(%error, batch = ?batch.id, "latest does not name a batch");
            Err(SubmitError::Unnamed)
        }
        Err(CommitError::Ambiguous { outcomes, source }) => {
            tracing::warn!(error = %source, batch = ?batch.id, "looking a batch up");
            match look_up(writer, batch).await {
                Ok(true) => Ok(outcomes),
                Ok(false) => Err(SubmitError::RolledBack),
                Err(error) => {
                    tracing::error!(%error, batch = ?batch.id, "the batch's outcome is not known");
                    Err(SubmitError::Unknown)
                }
            }
        }
    }
}

async fn look_up(writer: &mut dyn Writer, batch: &Batch) -> Result<bool, StoreError> {
    let mut tries = 1;
    loop {
        match writer.was_committed(batch.id).await {
            Err(_) if tries < LOOKUPS => {
                tries += 1;
                tokio::time::sleep(LOOKUP_PAUSE).await;
            }
            decided => return decided,
        }
    }
}

#[cfg(test)]
mod tests;
