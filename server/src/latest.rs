//! Where `GET /latest` reads its answer.
//!
//! Requests that ask at the same time share a read of the database, as writes share a commit.
//! A request takes only the value of a read that began after it arrived, so it never sees less
//! than a read of its own would have shown.

use crate::store::{Store, StoreError};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A source of `latest`.
#[derive(Debug, Clone)]
pub(crate) enum Latest {
    /// The database, in which it was committed together with the write: the only sound one.
    Database(Arc<SharedRead>),
    /// The memory of this process; other replicas and later lives of this one know nothing of it.
    Memory(Arc<AtomicI64>),
    /// What was true some time ago.
    Past(Arc<Past>),
}

impl Latest {
    pub(crate) async fn read(&self, store: &dyn Store) -> Result<i64, StoreError> {
        match self {
            Self::Database(shared) => shared.read(store).await,
            Self::Memory(value) => Ok(value.load(Ordering::SeqCst)),
            Self::Past(past) => Ok(past.read(Instant::now())),
        }
    }
}

/// A read that all who wait for it share.
#[derive(Debug, Default)]
pub(crate) struct SharedRead {
    /// How many reads have begun.
    begun: AtomicU64,
    /// The number of the last read that succeeded, counted from 1, and what it found.
    last: tokio::sync::Mutex<(u64, i64)>,
}

impl SharedRead {
    async fn read(&self, store: &dyn Store) -> Result<i64, StoreError> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.0 > begun_before {
            return Ok(last.1);
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let value = store.latest().await?;
        *last = (number, value);
        Ok(value)
    }
}

/// A value that is read with a delay.
#[derive(Debug)]
pub(crate) struct Past {
    delay: Duration,
    /// Oldest first; the front is what is read now, the others become true one after the other.
    values: Mutex<VecDeque<(Instant, i64)>>,
}

impl Past {
    pub(crate) fn new(delay: Duration, initial: i64) -> Self {
        Self { delay, values: Mutex::new([(Instant::now(), initial)].into()) }
    }

    pub(crate) fn set(&self, now: Instant, value: i64) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).push_back((now, value));
    }

    pub(crate) fn read(&self, now: Instant) -> i64 {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        while values.get(1).is_some_and(|(set, _)| *set + self.delay <= now) {
            values.pop_front();
        }
        values.front().map_or(-1, |(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{Options, open};
    use crate::store::{Batch, Entry, Writer};

    #[tokio::test]
    async fn a_shared_read_never_shows_less_than_what_was_committed_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let (store, mut writer) = open(&path, Options::default()).await.unwrap();
        let (store, shared) = (Arc::new(store), Arc::new(SharedRead::default()));
        for id in 0..50 {
            let entry = Entry { latest: Some(id), write: None };
            writer.commit(&Batch::new(vec![entry])).await.unwrap();
            let mut reads = Vec::new();
            for _ in 0..8 {
                let (store, shared) = (Arc::clone(&store), Arc::clone(&shared));
                reads.push(tokio::spawn(async move { shared.read(store.as_ref()).await.unwrap() }));
            }
            for read in reads {
                assert_eq!(read.await.unwrap(), id);
            }
        }
        assert!(shared.begun.load(Ordering::SeqCst) < 400, "no two requests shared a read");
    }

    #[test]
    fn the_past_is_read_exactly_so_late() {
        let second = Duration::from_secs(1);
        let past = Past::new(second * 10, -1);
        let start = Instant::now();
        past.set(start + second, 5);
        past.set(start + second * 2, 3);
        let read = |at: u32| past.read(start + second * at);
        assert_eq!([read(10), read(11), read(11), read(12), read(99)], [-1, 5, 5, 3, 3]);
    }
}
