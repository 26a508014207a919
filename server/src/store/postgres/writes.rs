//! The writing side: one batch, one statement, one sync.

use super::connect::{Connector, is_refusal};
use crate::store::{
    Attempts, Batch, BoxFuture, CommitError, Outcome, StoreError, Write, Writer, failed,
};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// The kinds of writes, as `commit_batch` knows them.
const REGISTER: i16 = 1;
const TWEET: i16 = 2;
const FOLLOW: i16 = 3;
const UNFOLLOW: i16 = 4;

/// The one of a server that writes.
#[derive(Debug)]
pub struct PostgresWriter {
    connector: Connector,
    /// The key of its commit record.
    id: [u8; 16],
    /// None after the connection broke.
    session: Option<Session>,
    retry_for: Duration,
}

#[derive(Debug)]
struct Session {
    connection: PgConnection,
    id: [u8; 16],
}

/// What the commit record holds: the last batch, and what came of its entries.
type Record = (Option<Vec<u8>>, Option<Vec<i16>>);

fn unconnected(error: sqlx::Error) -> CommitError {
    CommitError::RolledBack(failed("connecting again")(error))
}

impl PostgresWriter {
    pub(super) async fn begin(
        connector: Connector,
        retry_for: Duration,
    ) -> Result<Self, sqlx::Error> {
        let mut writer = Self { connector, id: rand::random(), session: None, retry_for };
        writer.session = Some(writer.begin_session().await?.0);
        Ok(writer)
    }

    /// Connects and takes the commit record over: from then on no batch of an older session can be
    /// committed. Waits for one that is being committed right now.
    async fn begin_session(&self) -> Result<(Session, Record), sqlx::Error> {
        let mut session =
            Session { connection: self.connector.connect().await?, id: rand::random() };
        let taking = sqlx::query_as(
            "INSERT INTO writers (writer_id, session_id) VALUES ($1, $2)
             ON CONFLICT (writer_id) DO UPDATE SET session_id = excluded.session_id, seen_at = now()
             RETURNING batch_id, outcomes",
        )
        .bind(self.id.as_slice())
        .bind(session.id.as_slice())
        .fetch_one(&mut session.connection);
        let record = self.connector.answer(taking).await?;
        Ok((session, record))
    }

    async fn try_commit(&mut self, batch: &Batch) -> Result<Vec<Outcome>, CommitError> {
        // Where this future is dropped on the way, so is the connection.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.begin_session().await.map_err(unconnected)?.0,
        };
        let executing = execute(&mut session, &self.id, batch);
        match self.connector.answer(executing).await {
            Ok(outcomes) => {
                self.session = Some(session);
                Ok(outcomes_of(batch, &outcomes))
            }
            Err(error) if is_refusal(&error) => {
                let error = failed("writing a batch")(error);
                // After any other refusal the session goes on.
                if !error.is_unreachable() {
                    self.session = Some(session);
                }
                Err(CommitError::RolledBack(error))
            }
            Err(error) => {
                drop(session);
                self.look_up(batch, failed("committing a batch")(error)).await
            }
        }
    }

    /// What came of a batch whose answer was lost.
    async fn look_up(
        &mut self,
        batch: &Batch,
        lost: StoreError,
    ) -> Result<Vec<Outcome>, CommitError> {
        tracing::warn!(error = %lost, batch = ?batch.id, "looking a batch up");
        let mut attempts = Attempts::during(self.retry_for);
        loop {
            match self.begin_session().await {
                Ok((session, record)) => {
                    self.session = Some(session);
                    return match record {
                        (Some(id), Some(outcomes)) if id == batch.id.0 => {
                            Ok(outcomes_of(batch, &outcomes))
                        }
                        _ => Err(CommitError::RolledBack(lost)),
                    };
                }
                Err(error) => {
                    if !attempts.again().await {
                        return Err(CommitError::Unknown(failed("looking a batch up")(error)));
                    }
                }
            }
        }
    }
}

/// PostgreSQL commits behind the row that it returns. `fetch_one` waits for that: it takes the row
/// for good only where no error follows.
async fn execute(
    session: &mut Session,
    writer: &[u8; 16],
    batch: &Batch,
) -> Result<Vec<i16>, sqlx::Error> {
    let mut kinds: Vec<i16> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    let mut hashes: Vec<&str> = Vec::new();
    let mut dates: Vec<i64> = Vec::new();
    for write in batch.entries.iter().filter_map(|entry| entry.write.as_ref()) {
        let (kind, name, other, hash, date) = match write {
            Write::Register { username, email, password_hash } => {
                (REGISTER, username, email, password_hash.as_str(), 0)
            }
            Write::Tweet { author, text, pub_date } => (TWEET, author, text, "", *pub_date),
            Write::Follow { who, whom } => (FOLLOW, who, whom, "", 0),
            Write::Unfollow { who, whom } => (UNFOLLOW, who, whom, "", 0),
        };
        kinds.push(kind);
        names.push(name);
        others.push(other);
        hashes.push(hash);
        dates.push(date);
    }
    sqlx::query_scalar("SELECT commit_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(writer.as_slice())
        .bind(session.id.as_slice())
        .bind(batch.id.0.as_slice())
        .bind(batch.latest())
        .bind(kinds)
        .bind(names)
        .bind(others)
        .bind(hashes)
        .bind(dates)
        .fetch_one(&mut session.connection)
        .await
}

/// The outcome of every entry, from those of the writes.
fn outcomes_of(batch: &Batch, of_writes: &[i16]) -> Vec<Outcome> {
    let mut of_writes = of_writes.iter();
    let outcome = |code: &i16| match code {
        0 => Outcome::Done,
        1 => Outcome::NameTaken,
        _ => Outcome::UnknownUser,
    };
    let of_entry = |entry: &crate::store::Entry| match entry.write {
        Some(_) => of_writes.next().map_or(Outcome::UnknownUser, outcome),
        None => Outcome::Done,
    };
    batch.entries.iter().map(of_entry).collect()
}

impl Writer for PostgresWriter {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(self.try_commit(batch))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Some(session) = self.session
                && let Err(error) = session.connection.close().await
            {
                tracing::warn!(%error, "closing the database failed");
            }
        })
    }
}

#[cfg(test)]
impl PostgresWriter {
    /// `synchronous_commit`, the isolation level and `statement_timeout` of the session.
    pub(super) async fn settings(&mut self) -> (String, String, String) {
        let session = self.session.as_mut().unwrap();
        sqlx::query_as(
            "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation'),
                    current_setting('statement_timeout')",
        )
        .fetch_one(&mut session.connection)
        .await
        .unwrap()
    }
}
