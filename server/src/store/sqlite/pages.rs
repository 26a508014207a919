//! What the web pages read.

use super::SqliteStore;
use crate::store::{
    BoxFuture, StoreError, failed,
    pages::{PageReads, Posted, SESSION_KEY_BYTES, Timeline},
};

const PUBLIC: &str = "SELECT message_id, username, text, pub_date
    FROM messages JOIN users ON user_id = author_id
    WHERE flagged = 0 AND message_id < ?1
    ORDER BY message_id DESC LIMIT ?2";

const BY: &str = "SELECT message_id, username, text, pub_date
    FROM messages JOIN users ON user_id = author_id
    WHERE author_id = ?3 AND flagged = 0 AND message_id < ?1
    ORDER BY message_id DESC LIMIT ?2";

/// Of each author only as many as the page can hold: the cost grows with the number of those whom
/// the user follows, and not with what they have written.
const HOME: &str = "SELECT message_id, username, text, pub_date
    FROM (SELECT ?3 AS id UNION SELECT whom_id FROM follows WHERE who_id = ?3) AS shown
    JOIN users ON user_id = shown.id
    JOIN messages ON message_id IN (
        SELECT message_id FROM messages
        WHERE author_id = shown.id AND flagged = 0 AND message_id < ?1
        ORDER BY message_id DESC LIMIT ?2)
    ORDER BY message_id DESC LIMIT ?2";

impl SqliteStore {
    async fn read_timeline(
        &self,
        timeline: Timeline<'_>,
        before: Option<i64>,
        rows: u32,
    ) -> Result<Option<Vec<Posted>>, StoreError> {
        let (statement, user) = match timeline {
            Timeline::Public => (PUBLIC, None),
            Timeline::By(user) => (BY, Some(user)),
            Timeline::Home(user) => (HOME, Some(user)),
        };
        let mut query = sqlx::query_as(statement).bind(before.unwrap_or(i64::MAX)).bind(rows);
        if let Some(user) = user {
            let Some(id) = self.user_id(user).await? else {
                return Ok(None);
            };
            query = query.bind(id);
        }
        let found =
            query.fetch_all(&self.readers).await.map_err(failed("reading a page of messages"))?;
        Ok(Some(found.into_iter().map(posted).collect()))
    }
}

fn posted((id, author, text, pub_date): (i64, String, String, i64)) -> Posted {
    Posted { id, author, text, pub_date }
}

impl PageReads for SqliteStore {
    fn timeline<'a>(
        &'a self,
        timeline: Timeline<'a>,
        before: Option<i64>,
        rows: u32,
    ) -> BoxFuture<'a, Result<Option<Vec<Posted>>, StoreError>> {
        Box::pin(self.read_timeline(timeline, before, rows))
    }

    fn follows<'a>(
        &'a self,
        who: &'a str,
        whom: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM follows
                 WHERE who_id = (SELECT user_id FROM users WHERE username = ?1)
                   AND whom_id = (SELECT user_id FROM users WHERE username = ?2))",
            )
            .bind(who)
            .bind(whom)
            .fetch_one(&self.readers)
            .await
            .map_err(failed("reading whether a user follows another"))
        })
    }

    fn password_hash<'a>(
        &'a self,
        username: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            sqlx::query_scalar("SELECT pw_hash FROM users WHERE username = ?1")
                .bind(username)
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("reading a password's hash"))
        })
    }

    fn session_key(&self) -> BoxFuture<'_, Result<[u8; SESSION_KEY_BYTES], StoreError>> {
        Box::pin(async {
            let doing = "reading the session key";
            let key: Vec<u8> = sqlx::query_scalar("SELECT secret FROM session_key")
                .fetch_one(&self.readers)
                .await
                .map_err(failed(doing))?;
            key.try_into().map_err(|key: Vec<u8>| {
                let length = format!("it has {} bytes, not {SESSION_KEY_BYTES}", key.len());
                StoreError { doing, source: sqlx::Error::Decode(length.into()) }
            })
        })
    }
}
