//! A `latest` that is kept apart from the data: written once the data is durable, before anybody is
//! answered.

use crate::store::{Batch, BoxFuture, CommitError, Entry, Outcome, StoreError, Writer};

/// A place outside of the database.
pub(super) trait Keeper: Send {
    /// Whether an id could be kept now. Asked before a batch is stored, so that what cannot be
    /// named is not stored.
    fn ready(&mut self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Keeps the id. After an error it may have been kept, or may be kept at any later time.
    fn keep(&mut self, id: i64) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// The decorator.
pub(super) struct Apart<K> {
    inner: Box<dyn Writer>,
    keeper: K,
}

impl<K: Keeper> Apart<K> {
    pub(super) fn new(inner: Box<dyn Writer>, keeper: K) -> Self {
        Self { inner, keeper }
    }

    async fn store(&mut self, batch: &Batch) -> Result<Vec<Outcome>, CommitError> {
        if batch.entries.iter().all(|entry| entry.write.is_none()) {
            return Ok(vec![Outcome::Done; batch.entries.len()]);
        }
        self.inner.commit(&without_latest(batch)).await
    }
}

/// The batch, which leaves `latest` alone.
pub(crate) fn without_latest(batch: &Batch) -> Batch {
    let bare = |entry: &Entry| Entry { latest: None, write: entry.write.clone() };
    Batch { id: batch.id, entries: batch.entries.iter().map(bare).collect() }
}

impl<K: Keeper> Writer for Apart<K> {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            let Some(id) = batch.latest() else { return self.inner.commit(batch).await };
            self.keeper.ready().await.map_err(CommitError::RolledBack)?;
            let outcomes = self.store(batch).await?;
            // Once only: a second try could be overtaken by what comes after it, and the first one
            // land when that has been answered. Who is told that the outcome is not known has been
            // promised nothing.
            self.keeper.keep(id).await.map_err(CommitError::Unnamed)?;
            Ok(outcomes)
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Write;
    use std::sync::{Arc, Mutex};

    /// What was done, in order.
    type Log = Arc<Mutex<Vec<String>>>;

    struct Database {
        log: Log,
    }

    struct Shelf {
        log: Log,
        works: bool,
        is_ready: bool,
    }

    fn refusal() -> StoreError {
        StoreError { doing: "testing", source: sqlx::Error::WorkerCrashed }
    }

    impl Writer for Database {
        fn commit<'a>(
            &'a mut self,
            batch: &'a Batch,
        ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
            self.log.lock().unwrap().push(format!("commit {:?}", batch.latest()));
            let outcomes = vec![Outcome::Done; batch.entries.len()];
            Box::pin(async { Ok(outcomes) })
        }

        fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    impl Keeper for Shelf {
        fn ready(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
            let ready = if self.is_ready { Ok(()) } else { Err(refusal()) };
            Box::pin(async { ready })
        }

        fn keep(&mut self, id: i64) -> BoxFuture<'_, Result<(), StoreError>> {
            self.log.lock().unwrap().push(format!("keep {id}"));
            let kept = if self.works { Ok(()) } else { Err(refusal()) };
            Box::pin(async { kept })
        }
    }

    fn apart(works: bool, is_ready: bool) -> (Apart<Shelf>, Log) {
        let log = Log::default();
        let database = Database { log: Arc::clone(&log) };
        let shelf = Shelf { log: Arc::clone(&log), works, is_ready };
        (Apart::new(Box::new(database), shelf), log)
    }

    fn tweet(id: i64) -> Entry {
        let write =
            Write::Tweet { author: "a".to_owned(), text: String::new(), pub_date: 1_700_000_000 };
        Entry { latest: Some(id), write: Some(write) }
    }

    #[tokio::test]
    async fn the_data_comes_first_and_latest_after_it() {
        let (mut apart, log) = apart(true, true);
        let outcomes = apart.commit(&Batch::new(vec![tweet(3), tweet(2)])).await.unwrap();
        assert_eq!(outcomes, [Outcome::Done; 2]);
        let bare = Entry { latest: Some(9), write: None };
        apart.commit(&Batch::new(vec![bare])).await.unwrap();
        assert_eq!(*log.lock().unwrap(), ["commit None", "keep 2", "keep 9"]);
    }

    #[tokio::test]
    async fn what_cannot_be_named_is_not_stored() {
        let (mut apart, log) = apart(true, false);
        let error = apart.commit(&Batch::new(vec![tweet(3)])).await.unwrap_err();
        assert!(matches!(error, CommitError::RolledBack(_)), "{error}");
        assert!(log.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_was_stored_and_not_named_is_acknowledged_to_nobody() {
        let (mut apart, log) = apart(false, true);
        let error = apart.commit(&Batch::new(vec![tweet(3)])).await.unwrap_err();
        assert!(matches!(error, CommitError::Unnamed(_)), "{error}");
        assert_eq!(*log.lock().unwrap(), ["commit None", "keep 3"]);
    }
}
