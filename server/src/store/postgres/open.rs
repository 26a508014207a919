//! Opening the database: migrations, and errors that say what to do.

use super::{
    PostgresStore, PostgresUrl, PostgresUrlError, PostgresWriter, connect::Connector,
    reads::Readers,
};
use crate::store::pages::SESSION_KEY_BYTES;
use sqlx::{
    Connection, PgConnection,
    migrate::{MigrateError, Migrator},
};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The advisory lock of those who migrate: "limosa" in ASCII.
const MIGRATION_LOCK: i64 = 0x6c69_6d6f_7361;
/// The oldest version that the store is tested with.
const OLDEST: u32 = 15;

/// How to use the database.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many connections read at the same time.
    pub readers: u32,
    /// How long a statement may take, waiting for other servers' batches included.
    pub statement_timeout: Duration,
    /// How long to go on asking a database that cannot be reached.
    pub retry_for: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            statement_timeout: Duration::from_secs(5),
            retry_for: Duration::from_secs(10),
        }
    }
}

/// Why the database cannot be used. None shows the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL.
    #[error(transparent)]
    Url(#[from] PostgresUrlError),
    /// Nobody answers, or not as PostgreSQL does.
    #[error("{url} cannot be reached: {source}; check host and port, and that it is running")]
    Unreachable {
        /// Which one.
        url: PostgresUrl,
        /// What happened.
        source: sqlx::Error,
    },
    /// It does not let the user in.
    #[error(
        "{url} refuses the user: {said}; check user and password, and the server's pg_hba.conf"
    )]
    Refused {
        /// Which one.
        url: PostgresUrl,
        /// What it said.
        said: String,
    },
    /// There is no such database.
    #[error("{url} names a database that does not exist; create it: createdb")]
    NoDatabase {
        /// Which one.
        url: PostgresUrl,
    },
    /// It is older than what the store is tested with.
    #[error("{url} is PostgreSQL {version}; use {OLDEST} or later")]
    TooOld {
        /// Which one.
        url: PostgresUrl,
        /// Its major version.
        version: u32,
    },
    /// A standby, or a database that was made read-only.
    #[error("{url} takes no writes; give the primary, not a standby or a read-only database")]
    ReadOnly {
        /// Which one.
        url: PostgresUrl,
    },
    /// A database that cannot hold every text.
    #[error(
        "{url} has the encoding {encoding}, which cannot hold every text; create the database with \
         createdb --encoding=UTF8 --template=template0"
    )]
    NotUtf8 {
        /// Which one.
        url: PostgresUrl,
        /// Its encoding.
        encoding: String,
    },
    /// The user may not create the tables.
    #[error(
        "{url}: the user may not create the tables ({said}); make the user the owner of the \
         database, or GRANT CREATE ON SCHEMA public"
    )]
    MayNotCreate {
        /// Which one.
        url: PostgresUrl,
        /// What it said.
        said: String,
    },
    /// A later version of the server has been here.
    #[error(
        "{url} has schema version {version}, which this server does not know; use a newer server"
    )]
    NewerSchema {
        /// Which one.
        url: PostgresUrl,
        /// The version that was found.
        version: i64,
    },
    /// A migration failed.
    #[error("cannot bring {url} to the current schema: {source}")]
    Migration {
        /// Which one.
        url: PostgresUrl,
        /// What went wrong.
        source: MigrateError,
    },
    /// Anything else that PostgreSQL says.
    #[error("cannot open {url}: {source}")]
    Other {
        /// Which one.
        url: PostgresUrl,
        /// What it said.
        source: sqlx::Error,
    },
}

/// Connects and brings the schema up to date. Several servers may do so at once: they take turns.
///
/// # Errors
/// [`OpenError`] tells what is wrong with the database and what to do about it.
pub async fn open(
    url: &PostgresUrl,
    options: Options,
) -> Result<(PostgresStore, PostgresWriter), OpenError> {
    let explained = |source| explain(url, source);
    let connector = Connector::new(url.options()?, options.statement_timeout);
    let mut connection = connector.connect_plainly().await.map_err(explained)?;
    check(url, &mut connection).await?;
    migrate(url, &mut connection).await?;
    // Whatever comes of the goodbye, the connection has done its work.
    let _closed = connection.close().await;
    let writer = PostgresWriter::begin(connector.clone(), options.retry_for);
    let writer = writer.await.map_err(explained)?;
    let readers = Readers::new(connector, options.readers, options.retry_for);
    Ok((PostgresStore::new(readers), writer))
}

async fn check(url: &PostgresUrl, connection: &mut PgConnection) -> Result<(), OpenError> {
    let url = || url.clone();
    let (version, encoding, is_read_only, fsync, full_page_writes): (i32, _, bool, bool, bool) =
        sqlx::query_as(
            "SELECT current_setting('server_version_num')::int,
                    current_setting('server_encoding'),
                    current_setting('transaction_read_only')::bool,
                    current_setting('fsync')::bool,
                    current_setting('full_page_writes')::bool",
        )
        .fetch_one(connection)
        .await
        .map_err(|source| explain(&url(), source))?;
    let version = version.unsigned_abs() / 10_000;
    if version < OLDEST {
        return Err(OpenError::TooOld { url: url(), version });
    }
    if is_read_only {
        return Err(OpenError::ReadOnly { url: url() });
    }
    if encoding != "UTF8" {
        return Err(OpenError::NotUtf8 { url: url(), encoding });
    }
    if !(fsync && full_page_writes) {
        tracing::warn!("the database runs without fsync or full_page_writes: a crash loses writes");
    }
    Ok(())
}

/// All of it in one transaction under an advisory lock, so that of several servers that start at
/// once on an empty database one does the work, and the others wait and find it done.
async fn migrate(url: &PostgresUrl, connection: &mut PgConnection) -> Result<(), OpenError> {
    let explained = |source| explain(url, source);
    let mut transaction = connection.begin().await.map_err(explained)?;
    // At a higher level one would look at the tables as they were before the wait for the lock. And
    // that there is nothing to do is no news.
    sqlx::raw_sql(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning",
    )
    .execute(&mut *transaction)
    .await
    .map_err(explained)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(explained)?;
    // `run` borrows in a way that makes every future around it lose its `Send`.
    let migrated = MIGRATIONS.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            OpenError::NewerSchema { url: url.clone(), version }
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            explain(url, source)
        }
        source => OpenError::Migration { url: url.clone(), source },
    })?;
    // The commit records of servers that are long gone. One that is still there begins a new session.
    sqlx::query("DELETE FROM writers WHERE seen_at < now() - interval '30 days'")
        .execute(&mut *transaction)
        .await
        .map_err(explained)?;
    sqlx::query("INSERT INTO session_key (only_row, secret) VALUES (1, $1) ON CONFLICT DO NOTHING")
        .bind(rand::random::<[u8; SESSION_KEY_BYTES]>().as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(explained)?;
    transaction.commit().await.map_err(explained)
}

/// SQLSTATEs of PostgreSQL, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn explain(url: &PostgresUrl, source: sqlx::Error) -> OpenError {
    let url = url.clone();
    let Some(error) = source.as_database_error() else {
        return match source {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
                OpenError::Unreachable { url, source }
            }
            source => OpenError::Other { url, source },
        };
    };
    let said = error.message().to_owned();
    match error.code().as_deref() {
        Some("28000" | "28P01") => OpenError::Refused { url, said },
        Some("3D000") => OpenError::NoDatabase { url },
        Some("42501") => OpenError::MayNotCreate { url, said },
        Some("25006") => OpenError::ReadOnly { url },
        Some("57P03" | "53300") => OpenError::Unreachable { url, source },
        _ => OpenError::Other { url, source },
    }
}
