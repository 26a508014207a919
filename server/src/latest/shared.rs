//! A read of the database that requests share, as writes share a commit.
//!
//! A request takes only the value of a read that began after it arrived, so it never sees less
//! than a read of its own would have shown. It takes the failure of any read that ended after it
//! arrived: who waits for a database that cannot be reached waits together with all others, and
//! not behind them.

use crate::store::{StoreError, failed};
use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

/// A read that all who wait for it share.
#[derive(Debug, Default)]
pub(crate) struct SharedRead {
    /// How many reads have begun.
    begun: AtomicU64,
    /// How many of them could not reach the database.
    failed: AtomicU64,
    /// The number of the last read that succeeded, counted from 1, and what it found.
    last: tokio::sync::Mutex<(u64, i64)>,
}

impl SharedRead {
    /// What `read` finds, or has found for another request.
    pub(super) async fn share<F>(&self, read: impl FnOnce() -> F) -> Result<i64, StoreError>
    where
        F: Future<Output = Result<i64, StoreError>>,
    {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let failed_before = self.failed.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.0 > begun_before {
            return Ok(last.1);
        }
        if self.failed.load(Ordering::SeqCst) > failed_before {
            let error = io::Error::other("another request waited for it in vain");
            return Err(failed("reading latest")(error.into()));
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let value = read().await.inspect_err(|error| {
            if error.is_unreachable() {
                self.failed.fetch_add(1, Ordering::SeqCst);
            }
        })?;
        *last = (number, value);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{Options, open};
    use crate::store::{Batch, Entry, Store, Writer};
    use std::{sync::Arc, time::Duration};
    use tokio::time::{Instant, sleep};

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
                reads.push(tokio::spawn(
                    async move { shared.share(|| store.latest()).await.unwrap() },
                ));
            }
            for read in reads {
                assert_eq!(read.await.unwrap(), id);
            }
        }
        assert!(shared.begun.load(Ordering::SeqCst) < 400, "no two requests shared a read");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_database_in_vain_waits_together() {
        const PATIENCE: Duration = Duration::from_secs(10);
        let in_vain = async || {
            sleep(PATIENCE).await;
            Err(failed("reading latest")(io::Error::from(io::ErrorKind::ConnectionRefused).into()))
        };
        let shared = Arc::new(SharedRead::default());
        let mut reads = Vec::new();
        for _ in 0..5 {
            let shared = Arc::clone(&shared);
            reads.push(tokio::spawn(async move {
                let begun = Instant::now();
                assert!(shared.share(in_vain).await.unwrap_err().is_unreachable());
                begun.elapsed()
            }));
            sleep(Duration::from_secs(1)).await;
        }
        for (read, seconds) in reads.into_iter().zip([10, 9, 8, 7, 6]) {
            assert_eq!(read.await.unwrap(), Duration::from_secs(seconds));
        }
        // That failure is nothing to who comes after it.
        assert_eq!(shared.share(async || Ok(7)).await.unwrap(), 7);
    }
}
