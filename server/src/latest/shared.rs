//! A read of the database that requests share, as writes share a commit.
//!
//! A request takes only the value of a read that began after it arrived, so it never sees less
//! than a read of its own would have shown.

use crate::store::{Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};

/// A read that all who wait for it share.
#[derive(Debug, Default)]
pub(crate) struct SharedRead {
    /// How many reads have begun.
    begun: AtomicU64,
    /// The number of the last read that succeeded, counted from 1, and what it found.
    last: tokio::sync::Mutex<(u64, i64)>,
}

impl SharedRead {
    pub(super) async fn read(&self, store: &dyn Store) -> Result<i64, StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{Options, open};
    use crate::store::{Batch, Entry, Writer};
    use std::sync::Arc;

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
}
