//! The faults of `latest`: stale, ahead of the data, a mere count.

use crate::{
    latest::{Latest, Past, without_latest},
    store::{Batch, BoxFuture, CommitError, Entry, Outcome, Writer},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

/// stale-latest: the database sees it, readers later.
pub(super) fn lag(inner: Box<dyn Writer>, initial: i64, by: Duration) -> (Box<dyn Writer>, Latest) {
    let past = Arc::new(Past::new(by, initial));
    (Box::new(Stale { inner, past: Arc::clone(&past) }), Latest::Past(past))
}

/// count-latest: what readers see is how many ids were brought, whatever they were.
pub(super) fn count(inner: Box<dyn Writer>, initial: i64) -> (Box<dyn Writer>, Latest) {
    let counted = Arc::new(AtomicI64::new(initial));
    (Box::new(Count { inner, counted: Arc::clone(&counted) }), Latest::Memory(counted))
}

/// ahead-latest: it is committed first, and the write after a while.
pub(super) fn run_ahead(inner: Box<dyn Writer>, by: Duration) -> Box<dyn Writer> {
    Box::new(Ahead { inner, by })
}

struct Count {
    inner: Box<dyn Writer>,
    counted: Arc<AtomicI64>,
}

struct Stale {
    inner: Box<dyn Writer>,
    past: Arc<Past>,
}

struct Ahead {
    inner: Box<dyn Writer>,
    by: Duration,
}

impl Writer for Count {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            let outcomes = self.inner.commit(batch).await?;
            for id in batch.entries.iter().filter_map(|entry| entry.latest) {
                let count = self.counted.fetch_add(1, Ordering::SeqCst) + 1;
                if count != id {
                    tracing::warn!(
                        target: "fault", fault = "count-latest", command = id, count, "hit",
                    );
                }
            }
            Ok(outcomes)
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}

impl Writer for Stale {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            let outcomes = self.inner.commit(batch).await?;
            if let Some(latest) = batch.latest() {
                self.past.set(Instant::now(), latest);
            }
            Ok(outcomes)
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}

impl Writer for Ahead {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            let has_writes = batch.entries.iter().any(|entry| entry.write.is_some());
            if batch.latest().is_none() || !has_writes {
                return self.inner.commit(batch).await;
            }
            let ahead = Batch::new(vec![Entry { latest: batch.latest(), write: None }]);
            self.inner.commit(&ahead).await?;
            tracing::warn!(
                target: "fault", fault = "ahead-latest", command = batch.latest(), "hit",
            );
            tokio::time::sleep(self.by).await;
            self.inner.commit(&without_latest(batch)).await
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}
