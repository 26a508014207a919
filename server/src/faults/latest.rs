//! The faults of `latest`: kept in memory, stale, ahead of the data.

use crate::{
    latest::{Latest, Past},
    store::{Batch, BoxFuture, CommitError, Entry, Outcome, Writer},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

/// memory-latest: the database never sees it.
pub(super) fn keep_in_memory(inner: Box<dyn Writer>) -> (Box<dyn Writer>, Latest) {
    let value = Arc::new(AtomicI64::new(-1));
    (Box::new(Memory { inner, value: Arc::clone(&value) }), Latest::Memory(value))
}

/// stale-latest: the database sees it, readers later.
pub(super) fn lag(inner: Box<dyn Writer>, initial: i64, by: Duration) -> (Box<dyn Writer>, Latest) {
    let past = Arc::new(Past::new(by, initial));
    (Box::new(Stale { inner, past: Arc::clone(&past) }), Latest::Past(past))
}

/// ahead-latest: it is committed first, and the write after a while.
pub(super) fn run_ahead(inner: Box<dyn Writer>, by: Duration) -> Box<dyn Writer> {
    Box::new(Ahead { inner, by })
}

struct Memory {
    inner: Box<dyn Writer>,
    value: Arc<AtomicI64>,
}

struct Stale {
    inner: Box<dyn Writer>,
    past: Arc<Past>,
}

struct Ahead {
    inner: Box<dyn Writer>,
    by: Duration,
}

fn without_latest(batch: &Batch) -> Batch {
    let bare = |entry: &Entry| Entry { latest: None, write: entry.write.clone() };
    Batch { id: batch.id, entries: batch.entries.iter().map(bare).collect() }
}

impl Writer for Memory {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            let outcomes = self.inner.commit(&without_latest(batch)).await?;
            if let Some(latest) = batch.latest() {
                self.value.store(latest, Ordering::SeqCst);
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
            tokio::time::sleep(self.by).await;
            self.inner.commit(&without_latest(batch)).await
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}
