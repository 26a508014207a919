//! early-ack: the answer goes out before anything is stored.

use crate::store::{Batch, BoxFuture, CommitError, Outcome, Writer};
use std::time::Duration;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

struct EarlyAck {
    delay: Duration,
    later: mpsc::UnboundedSender<(Instant, Batch)>,
    committing: JoinHandle<()>,
}

pub(super) fn acknowledge_early(mut inner: Box<dyn Writer>, delay: Duration) -> Box<dyn Writer> {
    let (later, mut batches) = mpsc::unbounded_channel::<(Instant, Batch)>();
    let committing = tokio::spawn(async move {
        while let Some((due, batch)) = batches.recv().await {
            tokio::time::sleep_until(due).await;
            let answered = batch.latest();
            match inner.commit(&batch).await {
                Ok(outcomes) if outcomes.iter().all(|outcome| *outcome == Outcome::Done) => {}
                Ok(outcomes) => tracing::warn!(
                    target: "fault", fault = "early-ack", command = answered, ?outcomes,
                    "acknowledged and refused",
                ),
                Err(error) => tracing::warn!(
                    target: "fault", fault = "early-ack", command = answered, %error,
                    "acknowledged and not stored",
                ),
            }
        }
        inner.close().await;
    });
    Box::new(EarlyAck { delay, later, committing })
}

impl Writer for EarlyAck {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        if batch.entries.iter().any(|entry| entry.write.is_some()) {
            tracing::warn!(
                target: "fault", fault = "early-ack", command = batch.latest(), "hit",
            );
        }
        // The receiver ends only after this sender; were it gone, the write would be lost, which
        // is this fault's own promise.
        let _sent = self.later.send((Instant::now() + self.delay, batch.clone()));
        let outcomes = vec![Outcome::Done; batch.entries.len()];
        Box::pin(async move { Ok(outcomes) })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            drop(self.later);
            if let Err(error) = self.committing.await {
                tracing::error!(target: "fault", %error, "early-ack did not end well");
            }
        })
    }
}
