//! The reading side.

use super::connect::{Connector, is_refusal};
use crate::store::{Attempts, BoxFuture, Limit, Message, Store, StoreError, failed};
use sqlx::{
    Connection, FromRow, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout_at,
};

/// The reading connections. A pool of its own: sqlx's asks the server after each use whether the
/// connection still works, which doubles the cost of a read, and waits for ever for a server that
/// does not answer. Here a read that finds out that it does not work is tried again.
#[derive(Debug)]
pub(super) struct Readers {
    connector: Connector,
    idle: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
    retry_for: Duration,
}

impl Readers {
    pub(super) fn new(connector: Connector, most: u32, retry_for: Duration) -> Self {
        let permits = Semaphore::new(most as usize);
        Self { connector, idle: Mutex::default(), permits, retry_for }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows, from a connection of the pool or a new one; tried again, within a bound, while the
    /// database cannot be reached.
    pub(super) async fn rows<'q, O>(
        &self,
        doing: &'static str,
        query: impl Fn() -> QueryAs<'q, Postgres, O, PgArguments> + Send + Sync,
    ) -> Result<Vec<O>, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut attempts = Attempts::during(self.retry_for);
        let _permit = self.permit(&attempts).await.map_err(failed(doing))?;
        loop {
            let error = match self.attempt(query()).await {
                Ok(rows) => return Ok(rows),
                Err(error) => failed(doing)(error),
            };
            if !error.is_unreachable() {
                return Err(error);
            }
            // Those that are idle are older than the one that broke.
            self.idle().clear();
            if !attempts.again().await {
                return Err(error);
            }
            tracing::debug!(%error, "reading again");
        }
    }

    async fn permit(&self, attempts: &Attempts) -> Result<SemaphorePermit<'_>, sqlx::Error> {
        match timeout_at(attempts.deadline(), self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_closed)) => Err(sqlx::Error::PoolClosed),
            Err(_late) => {
                let all_busy = "every reading connection is busy";
                Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, all_busy)))
            }
        }
    }

    async fn attempt<O>(
        &self,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<Vec<O>, sqlx::Error>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let pooled = self.idle().pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => self.connector.connect().await?,
        };
        let answer = self.connector.answer(query.fetch_all(&mut connection)).await;
        // Any other has an answer under way that belongs to nobody.
        if answer.as_ref().map_or_else(is_refusal, |_| true) {
            self.idle().push(connection);
        }
        answer
    }

    /// Whoever holds a permit finishes; nobody gets one any more.
    async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "closing a reading connection failed");
            }
        }
    }
}

/// Reads from the same server that is written to.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pub(super) readers: Arc<Readers>,
}

impl PostgresStore {
    pub(super) fn new(readers: Readers) -> Self {
        Self { readers: Arc::new(readers) }
    }

    async fn exists(&self, username: &str) -> Result<bool, StoreError> {
        // PostgreSQL takes no U+0000, and so no user has one.
        if username.contains('\0') {
            return Ok(false);
        }
        let found = self.readers.rows("looking a user up", || {
            sqlx::query_as("SELECT EXISTS (SELECT 1 FROM users WHERE username = $1)").bind(username)
        });
        Ok(found.await?.contains(&(true,)))
    }

    /// The rows, or, where there is none, whether there is such a user.
    pub(super) async fn unless_unknown<T>(
        &self,
        username: &str,
        rows: Vec<T>,
    ) -> Result<Option<Vec<T>>, StoreError> {
        Ok(if rows.is_empty() && !self.exists(username).await? { None } else { Some(rows) })
    }
}

/// PostgreSQL reads a LIMIT of NULL as no limit.
fn rows(limit: Limit) -> Option<i64> {
    match limit {
        Limit::All => None,
        Limit::AtMost(rows) => Some(i64::try_from(rows).unwrap_or(i64::MAX)),
    }
}

impl Store for PostgresStore {
    fn latest(&self) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(async {
            const DOING: &str = "reading latest";
            let query = || sqlx::query_as("SELECT command_id FROM latest");
            let values: Vec<(i64,)> = self.readers.rows(DOING, query).await?;
            let missing = || failed(DOING)(sqlx::Error::RowNotFound);
            values.first().map(|(value,)| *value).ok_or_else(missing)
        })
    }

    fn messages(&self, limit: Limit) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        Box::pin(async move {
            let found = self.readers.rows("reading everybody's messages", || {
                sqlx::query_as(
                    "SELECT text, pub_date, username FROM messages
                     JOIN users ON user_id = author_id
                     WHERE NOT flagged ORDER BY message_id DESC LIMIT $1",
                )
                .bind(rows(limit))
            });
            let message = |(text, pub_date, author)| Message { author, text, pub_date };
            Ok(found.await?.into_iter().map(message).collect())
        })
    }

    fn messages_by<'a>(
        &'a self,
        author: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<Message>>, StoreError>> {
        Box::pin(async move {
            if author.contains('\0') {
                return Ok(None);
            }
            let found = self.readers.rows("reading a user's messages", || {
                sqlx::query_as(
                    "SELECT text, pub_date FROM messages
                     WHERE author_id = (SELECT user_id FROM users WHERE username = $1)
                        AND NOT flagged
                     ORDER BY message_id DESC LIMIT $2",
                )
                .bind(author)
                .bind(rows(limit))
            });
            let message = |(text, pub_date)| Message { author: author.to_owned(), text, pub_date };
            let messages = found.await?.into_iter().map(message).collect();
            self.unless_unknown(author, messages).await
        })
    }

    fn followed_by<'a>(
        &'a self,
        who: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, StoreError>> {
        Box::pin(async move {
            if who.contains('\0') {
                return Ok(None);
            }
            let found = self.readers.rows("reading whom a user follows", || {
                sqlx::query_as(
                    "SELECT username FROM follows JOIN users ON user_id = whom_id
                     WHERE who_id = (SELECT user_id FROM users WHERE username = $1)
                     ORDER BY whom_id LIMIT $2",
                )
                .bind(who)
                .bind(rows(limit))
            });
            let names = found.await?.into_iter().map(|(name,)| name).collect();
            self.unless_unknown(who, names).await
        })
    }

    fn user_exists<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.exists(username))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.readers.close())
    }
}
