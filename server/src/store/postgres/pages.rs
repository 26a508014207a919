//! What the web pages read.

use super::PostgresStore;
use crate::store::{
    BoxFuture, StoreError, failed,
    pages::{PageReads, Posted, SESSION_KEY_BYTES, Timeline},
};

const PUBLIC: &str = "SELECT message_id, username, text, pub_date
    FROM messages JOIN users ON user_id = author_id
    WHERE NOT flagged AND message_id < $1
    ORDER BY message_id DESC LIMIT $2";

const BY: &str = "SELECT message_id, username, text, pub_date
    FROM messages JOIN users ON user_id = author_id
    WHERE author_id = (SELECT user_id FROM users WHERE username = $3)
        AND NOT flagged AND message_id < $1
    ORDER BY message_id DESC LIMIT $2";

/// Of each author only as many as the page can hold: the cost grows with the number of those whom
/// the user follows, and not with what they have written.
const HOME: &str = "SELECT message_id, username, text, pub_date
    FROM (SELECT user_id AS id FROM users WHERE username = $3
          UNION SELECT whom_id FROM follows
          WHERE who_id = (SELECT user_id FROM users WHERE username = $3)) AS shown
    JOIN users ON user_id = shown.id
    CROSS JOIN LATERAL (
        SELECT message_id, text, pub_date FROM messages
        WHERE author_id = shown.id AND NOT flagged AND message_id < $1
        ORDER BY message_id DESC LIMIT $2) AS newest
    ORDER BY message_id DESC LIMIT $2";

impl PostgresStore {
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
        if user.is_some_and(|user| user.contains('\0')) {
            return Ok(None);
        }
        let found = self.readers.rows("reading a page of messages", || {
            let query = sqlx::query_as(statement);
            let query = query.bind(before.unwrap_or(i64::MAX)).bind(i64::from(rows));
            match user {
                Some(user) => query.bind(user),
                None => query,
            }
        });
        let posted = |(id, author, text, pub_date)| Posted { id, author, text, pub_date };
        let found = found.await?.into_iter().map(posted).collect();
        match user {
            Some(user) => self.unless_unknown(user, found).await,
            None => Ok(Some(found)),
        }
    }
}

impl PageReads for PostgresStore {
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
            if who.contains('\0') || whom.contains('\0') {
                return Ok(false);
            }
            let found = self.readers.rows("reading whether a user follows another", || {
                sqlx::query_as(
                    "SELECT EXISTS (SELECT 1 FROM follows
                     WHERE who_id = (SELECT user_id FROM users WHERE username = $1)
                       AND whom_id = (SELECT user_id FROM users WHERE username = $2))",
                )
                .bind(who)
                .bind(whom)
            });
            Ok(found.await?.contains(&(true,)))
        })
    }

    fn password_hash<'a>(
        &'a self,
        username: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            if username.contains('\0') {
                return Ok(None);
            }
            let found = self.readers.rows("reading a password's hash", || {
                sqlx::query_as("SELECT pw_hash FROM users WHERE username = $1").bind(username)
            });
            Ok(found.await?.into_iter().next().map(|(hash,)| hash))
        })
    }

    fn session_key(&self) -> BoxFuture<'_, Result<[u8; SESSION_KEY_BYTES], StoreError>> {
        Box::pin(async {
            let doing = "reading the session key";
            let query = || sqlx::query_as("SELECT secret FROM session_key");
            let found: Vec<(Vec<u8>,)> = self.readers.rows(doing, query).await?;
            let key = found.into_iter().next().map(|(key,)| key);
            let key = key.ok_or_else(|| failed(doing)(sqlx::Error::RowNotFound))?;
            key.try_into().map_err(|key: Vec<u8>| {
                let length = format!("it has {} bytes, not {SESSION_KEY_BYTES}", key.len());
                StoreError { doing, source: sqlx::Error::Decode(length.into()) }
            })
        })
    }
}
