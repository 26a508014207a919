//! Opening the file: settings, migrations, and errors that say what to do.

use super::{SqliteStore, SqliteWriter};
use crate::store::{Attempts, pages::SESSION_KEY_BYTES};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How to open the file.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many connections read at the same time.
    pub readers: u32,
    /// How long to wait for another process's lock.
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, busy_timeout: Duration::from_secs(5) }
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file would be created in a directory that does not exist.
    #[error(
        "the directory {} of the database does not exist; create it or choose another file",
        .0.display()
    )]
    DirectoryMissing(PathBuf),
    /// The path names a directory.
    #[error("{} is a directory; the database must be a file in it", .0.display())]
    IsDirectory(PathBuf),
    /// The file holds something else.
    #[error("{} is not an SQLite database; choose another file", .0.display())]
    NotADatabase(PathBuf),
    /// Another process holds the lock.
    #[error(
        "{} is locked by another process; stop it, or give each server a file of its own",
        .0.display()
    )]
    Locked(PathBuf),
    /// The file or its directory cannot be written to.
    #[error(
        "{} cannot be written to; check the permissions of the file and of its directory",
        .0.display()
    )]
    ReadOnly(PathBuf),
    /// A later version of the server has been here.
    #[error(
        "{} has schema version {version}, which this server does not know; use a newer server",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version that was found.
        version: i64,
    },
    /// A migration failed.
    #[error("cannot bring {} to the current schema: {source}", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: MigrateError,
    },
    /// Anything else that SQLite says.
    #[error("cannot open {}: {source}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
}

/// Opens the file, creates it where it is missing, and brings its schema up to date.
///
/// # Errors
/// [`OpenError`] tells what is wrong with the file and what to do about it.
pub async fn open(path: &Path, options: Options) -> Result<(SqliteStore, SqliteWriter), OpenError> {
    if path.is_dir() {
        return Err(OpenError::IsDirectory(path.to_owned()));
    }
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
        && !directory.is_dir()
    {
        return Err(OpenError::DirectoryMissing(directory.to_owned()));
    }
    let connect = connect_options(path, &options);
    let mut connection = first_connection(path, &connect, options.busy_timeout).await?;
    migrate(path, &mut connection).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        .min_connections(1)
        // A file cannot hang up: testing a connection before each use would double the cost.
        .test_before_acquire(false)
        .connect_with(connect.clone().pragma("query_only", "ON"))
        .await
        .map_err(|source| explain(path, source))?;
    Ok((SqliteStore::new(readers), SqliteWriter::new(connection, connect)))
}

/// Of several servers that turn a new file's WAL on at the same time SQLite refuses all but one at
/// once, whatever the busy timeout is.
async fn first_connection(
    path: &Path,
    connect: &SqliteConnectOptions,
    busy_timeout: Duration,
) -> Result<SqliteConnection, OpenError> {
    let mut attempts = Attempts::during(busy_timeout);
    loop {
        match connect.connect().await.map_err(|source| explain(path, source)) {
            Err(OpenError::Locked(_)) if attempts.again().await => {}
            other => return other,
        }
    }
}

fn connect_options(path: &Path, options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
}

/// The schema, and the session key, in one transaction, so that of two servers that start at once
/// on an empty file the second waits, and finds nothing left to do.
async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let explained = |source| explain(path, source);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(explained)?;
    // `run` borrows in a way that makes every future around it lose its `Send`.
    let migrated = MIGRATIONS.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            OpenError::NewerSchema { path: path.to_owned(), version }
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            explain(path, source)
        }
        source => OpenError::Migration { path: path.to_owned(), source },
    })?;
    sqlx::query("INSERT INTO session_key (only_row, secret) VALUES (1, ?1) ON CONFLICT DO NOTHING")
        .bind(rand::random::<[u8; SESSION_KEY_BYTES]>().as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(explained)?;
    transaction.commit().await.map_err(explained)
}

/// Primary result codes of SQLite, <https://www.sqlite.org/rescode.html>.
fn explain(path: &Path, source: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    let code = source
        .as_database_error()
        .and_then(|error| error.code()?.parse::<u32>().ok())
        .map(|extended| extended & 0xff);
    match code {
        Some(5 | 6) => OpenError::Locked(path),
        Some(3 | 8 | 14 | 23) => OpenError::ReadOnly(path),
        Some(26) => OpenError::NotADatabase(path),
        _ => OpenError::Other { path, source },
    }
}
