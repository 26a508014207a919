//! The writing side: one batch, one transaction, one sync.

use crate::store::{
    Attempts, Batch, BatchId, BoxFuture, CommitError, Outcome, StoreError, Write, Writer, failed,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::time::Duration;

/// How many commit records are kept. A record is asked for right after its batch, so the last
/// few would do.
const RECORDS_KEPT: i64 = 1024;
/// How long a commit record is looked for before its batch's outcome counts as unknown.
const LOOK_UP_FOR: Duration = Duration::from_millis(250);
/// How many batches pass between two prunings of the commit records.
const PRUNE_EVERY: u64 = 256;

/// The writing connection.
#[derive(Debug)]
pub struct SqliteWriter {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    batches: u64,
}

impl SqliteWriter {
    pub(super) fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        Self { connection, options, batches: 0 }
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await.map(drop)
    }

    async fn apply(&mut self, write: &Write) -> Result<Outcome, sqlx::Error> {
        match write {
            Write::Register { username, email, password_hash } => {
                let rows = sqlx::query(
                    "INSERT INTO users (username, email, pw_hash) VALUES (?1, ?2, ?3)
                     ON CONFLICT (username) DO NOTHING",
                )
                .bind(username)
                .bind(email)
                .bind(password_hash)
                .execute(&mut self.connection)
                .await?
                .rows_affected();
                Ok(if rows == 1 { Outcome::Done } else { Outcome::NameTaken })
            }
            Write::Tweet { author, text, pub_date } => {
                let rows = sqlx::query(
                    "INSERT INTO messages (author_id, text, pub_date)
                     SELECT user_id, ?2, ?3 FROM users WHERE username = ?1",
                )
                .bind(author)
                .bind(text)
                .bind(pub_date)
                .execute(&mut self.connection)
                .await?
                .rows_affected();
                Ok(if rows == 1 { Outcome::Done } else { Outcome::UnknownUser })
            }
            Write::Follow { who, whom } => {
                let rows = sqlx::query(
                    "INSERT INTO follows (who_id, whom_id)
                     SELECT a.user_id, b.user_id FROM users AS a, users AS b
                     WHERE a.username = ?1 AND b.username = ?2
                     ON CONFLICT DO NOTHING",
                )
                .bind(who)
                .bind(whom)
                .execute(&mut self.connection)
                .await?
                .rows_affected();
                if rows == 1 { Ok(Outcome::Done) } else { self.both_exist(who, whom).await }
            }
            Write::Unfollow { who, whom } => {
                let rows = sqlx::query(
                    "DELETE FROM follows
                     WHERE who_id = (SELECT user_id FROM users WHERE username = ?1)
                       AND whom_id = (SELECT user_id FROM users WHERE username = ?2)",
                )
                .bind(who)
                .bind(whom)
                .execute(&mut self.connection)
                .await?
                .rows_affected();
                if rows == 1 { Ok(Outcome::Done) } else { self.both_exist(who, whom).await }
            }
        }
    }

    /// Tells an edge that needed no change from a user who does not exist.
    async fn both_exist(&mut self, who: &str, whom: &str) -> Result<Outcome, sqlx::Error> {
        let exist: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE username = ?1)
                AND EXISTS (SELECT 1 FROM users WHERE username = ?2)",
        )
        .bind(who)
        .bind(whom)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(if exist { Outcome::Done } else { Outcome::UnknownUser })
    }

    async fn apply_all(&mut self, batch: &Batch) -> Result<Vec<Outcome>, sqlx::Error> {
        let mut outcomes = Vec::with_capacity(batch.entries.len());
        for entry in &batch.entries {
            outcomes.push(match &entry.write {
                Some(write) => self.apply(write).await?,
                None => Outcome::Done,
            });
        }
        if self.batches.is_multiple_of(PRUNE_EVERY) {
            sqlx::query(
                "DELETE FROM commits WHERE commit_id <= (SELECT max(commit_id) FROM commits) - ?1",
            )
            .bind(RECORDS_KEPT)
            .execute(&mut self.connection)
            .await?;
        }
        self.batches += 1;
        Ok(outcomes)
    }

    /// One execution for three statements: each costs a hop to the connection's thread and back.
    async fn record_and_commit(&mut self, batch: &Batch) -> Result<(), sqlx::Error> {
        match batch.latest() {
            Some(latest) => sqlx::query(
                "UPDATE latest SET command_id = ?; INSERT INTO commits (batch_id) VALUES (?); COMMIT",
            )
            .bind(latest),
            None => sqlx::query("INSERT INTO commits (batch_id) VALUES (?); COMMIT"),
        }
        .bind(batch.id.0.as_slice())
        .execute(&mut self.connection)
        .await
        .map(drop)
    }

    /// Leaves no transaction open. A connection that cannot even roll back is replaced, which
    /// rolls back too.
    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        if sqlx::query("ROLLBACK").execute(&mut self.connection).await.is_ok() {
            return Ok(());
        }
        self.connection = self.options.connect().await?;
        Ok(())
    }

    async fn try_commit(&mut self, batch: &Batch) -> Result<Vec<Outcome>, CommitError> {
        let rolled_back = |doing| move |source| CommitError::RolledBack(failed(doing)(source));
        if let Err(first) = self.begin().await {
            // A transaction that an earlier failure left open, or a connection that broke.
            tracing::warn!(error = %first, "beginning a transaction failed, trying once more");
            self.roll_back().await.map_err(rolled_back("connecting again"))?;
            self.begin().await.map_err(rolled_back("beginning a transaction"))?;
        }
        let outcomes = match self.apply_all(batch).await {
            Ok(outcomes) => outcomes,
            Err(source) => {
                let error = rolled_back("writing a batch")(source);
                // Not committed whatever comes of this: no COMMIT was sent.
                if let Err(source) = self.roll_back().await {
                    tracing::error!(error = %source, "rolling back failed");
                }
                return Err(error);
            }
        };
        match self.record_and_commit(batch).await {
            Ok(()) => Ok(outcomes),
            Err(source) => {
                self.look_up(batch, outcomes, failed("committing a batch")(source)).await
            }
        }
    }

    /// What came of a batch whose commit was not answered as it should.
    async fn look_up(
        &mut self,
        batch: &Batch,
        outcomes: Vec<Outcome>,
        lost: StoreError,
    ) -> Result<Vec<Outcome>, CommitError> {
        tracing::warn!(error = %lost, batch = ?batch.id, "looking a batch up");
        let mut attempts = Attempts::during(LOOK_UP_FOR);
        loop {
            match self.was_committed(batch.id).await {
                Ok(true) => return Ok(outcomes),
                Ok(false) => return Err(CommitError::RolledBack(lost)),
                Err(error) => {
                    if !attempts.again().await {
                        return Err(CommitError::Unknown(failed("looking a batch up")(error)));
                    }
                }
            }
        }
    }

    /// Only a connection of its own sees what is committed, and nothing that is not; and with the
    /// old one whatever it had begun is gone.
    async fn was_committed(&mut self, id: BatchId) -> Result<bool, sqlx::Error> {
        self.connection = self.options.connect().await?;
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM commits WHERE batch_id = ?1)")
            .bind(id.0.as_slice())
            .fetch_one(&mut self.connection)
            .await
    }
}

impl Writer for SqliteWriter {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(self.try_commit(batch))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = self.connection.close().await {
                tracing::warn!(%error, "closing the database failed");
            }
        })
    }
}

#[cfg(test)]
impl SqliteWriter {
    /// `journal_mode`, `synchronous` and `foreign_keys` as the connection really has them.
    pub(super) async fn pragmas(&mut self) -> (String, i64, i64) {
        sqlx::query_as(
            "SELECT (SELECT journal_mode FROM pragma_journal_mode),
                    (SELECT synchronous FROM pragma_synchronous),
                    (SELECT foreign_keys FROM pragma_foreign_keys)",
        )
        .fetch_one(&mut self.connection)
        .await
        .unwrap()
    }
}
