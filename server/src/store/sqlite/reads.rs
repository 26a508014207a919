//! The reading side.

use crate::store::{BoxFuture, Limit, Message, Store, StoreError, failed};
use sqlx::SqlitePool;

/// The reading connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pub(super) readers: SqlitePool,
}

impl SqliteStore {
    pub(super) fn new(readers: SqlitePool) -> Self {
        Self { readers }
    }

    pub(super) async fn user_id(&self, username: &str) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar("SELECT user_id FROM users WHERE username = ?1")
            .bind(username)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("looking a user up"))
    }
}

/// SQLite reads a negative LIMIT as no limit.
fn rows(limit: Limit) -> i64 {
    match limit {
        Limit::All => -1,
        Limit::AtMost(rows) => i64::try_from(rows).unwrap_or(i64::MAX),
    }
}

fn message((text, pub_date, author): (String, i64, String)) -> Message {
    Message { author, text, pub_date }
}

impl Store for SqliteStore {
    fn latest(&self) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(async {
            sqlx::query_scalar("SELECT command_id FROM latest")
                .fetch_one(&self.readers)
                .await
                .map_err(failed("reading latest"))
        })
    }

    fn messages(&self, limit: Limit) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        Box::pin(async move {
            let found = sqlx::query_as(
                "SELECT text, pub_date, username FROM messages JOIN users ON user_id = author_id
                 WHERE flagged = 0 ORDER BY message_id DESC LIMIT ?1",
            )
            .bind(rows(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading everybody's messages"))?;
            Ok(found.into_iter().map(message).collect())
        })
    }

    fn messages_by<'a>(
        &'a self,
        author: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<Message>>, StoreError>> {
        Box::pin(async move {
            let Some(author_id) = self.user_id(author).await? else {
                return Ok(None);
            };
            let found: Vec<(String, i64)> = sqlx::query_as(
                "SELECT text, pub_date FROM messages
                 WHERE author_id = ?1 AND flagged = 0 ORDER BY message_id DESC LIMIT ?2",
            )
            .bind(author_id)
            .bind(rows(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a user's messages"))?;
            let named = |(text, pub_date)| message((text, pub_date, author.to_owned()));
            Ok(Some(found.into_iter().map(named).collect()))
        })
    }

    fn followed_by<'a>(
        &'a self,
        who: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, StoreError>> {
        Box::pin(async move {
            let Some(who_id) = self.user_id(who).await? else {
                return Ok(None);
            };
            sqlx::query_scalar(
                "SELECT username FROM follows JOIN users ON user_id = whom_id
                 WHERE who_id = ?1 ORDER BY whom_id LIMIT ?2",
            )
            .bind(who_id)
            .bind(rows(limit))
            .fetch_all(&self.readers)
            .await
            .map(Some)
            .map_err(failed("reading whom a user follows"))
        })
    }

    fn user_exists<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.user_id(username).await?.is_some()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.readers.close())
    }
}
