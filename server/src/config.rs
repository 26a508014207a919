//! Settings of a server, checked as a whole before anything is opened.

use crate::{
    commit::Limits,
    faults::Fault,
    latest::LatestStore,
    pages::SessionKey,
    passwords::PasswordCost,
    store::postgres::{PostgresUrl, redacted},
};
use std::{num::NonZero, path::PathBuf, str::FromStr, thread, time::Duration};

/// How many connections may be open where nobody says otherwise.
const MAX_CONNECTIONS: usize = 10_000;
/// What hyper needs to read a head.
const LEAST_HEAD: usize = 8 * 1024;
/// The most of anything that is counted and held in memory; what is more is a slip of the pen.
const MOST: usize = 1_000_000;
/// The shortest time that PostgreSQL and the kernel tell from none at all.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest time that anybody waits for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest name of a replica, and of a request, in bytes.
const LONGEST_ID: usize = 128;

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`
    Postgres(PostgresUrl),
}

/// A database URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No known scheme.
    #[error("unknown database {0:?}; write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")]
    UnknownScheme(String),
    /// Nothing after the scheme, or something that is not a file.
    #[error("the database {0:?} names no file; write sqlite:FILE")]
    NoFile(String),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(url) = PostgresUrl::recognise(url) {
            return Ok(Self::Postgres(url));
        }
        let Some(rest) = url.strip_prefix("sqlite:") else {
            return Err(DatabaseUrlError::UnknownScheme(redacted(url)));
        };
        let file = rest.strip_prefix("//").unwrap_or(rest);
        if file.is_empty() || file == ":memory:" || file.contains('?') {
            return Err(DatabaseUrlError::NoFile(url.to_owned()));
        }
        Ok(Self::Sqlite(file.into()))
    }
}

/// How a server is to run. `Config::new` gives defaults fit for use.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the data lives.
    pub database: DatabaseUrl,
    /// Where `latest` lives.
    pub latest: LatestStore,
    /// What this replica is called in its answers and metrics.
    pub replica: String,
    /// How many connections read at the same time.
    pub readers: u32,
    /// How long PostgreSQL may take for a statement, waiting for other servers' batches included.
    pub statement_timeout: Duration,
    /// How many writes share a transaction, and how many may wait for one.
    pub commit: Limits,
    /// How dear a password hash is.
    pub password_cost: PasswordCost,
    /// How many passwords are hashed at the same time.
    pub password_cores: usize,
    /// How many passwords more may wait to be hashed.
    pub password_queue: usize,
    /// How many connections may be open at the same time.
    pub max_connections: usize,
    /// The longest head of a request, in bytes, rounded up to what is read from a socket at a time.
    pub max_head: usize,
    /// The longest request body, in bytes.
    pub max_body: usize,
    /// How long a client may take to send a request's head; a connection that is idle for so
    /// long is closed too.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long a client may leave an answer untaken.
    pub write_timeout: Duration,
    /// How long to go on serving, while `/readyz` already says 503, before connections are closed.
    pub drain_delay: Duration,
    /// How long requests in flight may take once connections are being closed.
    pub grace: Duration,
    /// What sessions of the web pages are signed with; `None`: a key that the database keeps, the
    /// same for every server on it.
    pub session_key: Option<SessionKey>,
    /// Whether browsers are to send sessions over TLS alone.
    pub secure_cookies: bool,
    /// What is to go wrong on purpose.
    pub faults: Vec<Fault>,
}

impl Config {
    /// Defaults for a server on this database.
    pub fn new(database: DatabaseUrl) -> Self {
        let cores = thread::available_parallelism().map_or(2, NonZero::get);
        Self {
            database,
            latest: LatestStore::default(),
            readers: 4,
            statement_timeout: Duration::from_secs(5),
            commit: Limits { max_batch: 128, queue: 4096, retry_for: Duration::from_secs(10) },
            password_cost: PasswordCost::default(),
            password_cores: cores,
            password_queue: 64,
            replica: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            max_connections: MAX_CONNECTIONS,
            max_head: 64 * 1024,
            max_body: 1024 * 1024,
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(60),
            drain_delay: Duration::ZERO,
            grace: Duration::from_secs(10),
            session_key: None,
            secure_cookies: false,
            faults: Vec::new(),
        }
    }

    /// Checks every setting and names all that are wrong at once.
    ///
    /// # Errors
    /// One line for each setting that cannot be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let counts = [
            ("--readers", self.readers as usize, 1..=MOST),
            ("--max-batch", self.commit.max_batch, 1..=MOST),
            ("--queue", self.commit.queue, 1..=MOST),
            ("--password-cores", self.password_cores, 1..=MOST),
            ("--password-queue", self.password_queue, 0..=MOST),
            ("--max-connections", self.max_connections, 1..=usize::MAX),
            ("--max-body", self.max_body, 1..=usize::MAX),
        ];
        let times = [
            ("--statement-timeout", self.statement_timeout, SHORTEST),
            ("--retry-for", self.commit.retry_for, Duration::ZERO),
            ("--header-timeout", self.header_timeout, SHORTEST),
            ("--body-timeout", self.body_timeout, SHORTEST),
            ("--write-timeout", self.write_timeout, SHORTEST),
            ("--drain-delay", self.drain_delay, Duration::ZERO),
            ("--grace", self.grace, Duration::ZERO),
        ];
        let mut problems: Vec<String> = counts
            .into_iter()
            .filter(|(_, value, allowed)| !allowed.contains(value))
            .map(|(flag, value, allowed)| match value {
                0 => format!("{flag} must be at least {}", allowed.start()),
                _ => format!("{flag} must be at most {}", allowed.end()),
            })
            .collect();
        problems.extend(times.into_iter().filter_map(|(flag, value, shortest)| {
            if value < shortest {
                Some(format!("{flag} must be at least {} s", shortest.as_secs_f64()))
            } else if value > LONGEST {
                Some(format!("{flag} must be at most {} s", LONGEST.as_secs()))
            } else {
                None
            }
        }));
        if let DatabaseUrl::Postgres(url) = &self.database
            && let Err(error) = url.options()
        {
            problems.push(format!("--database: {error}"));
        }
        if self.max_head < LEAST_HEAD {
            problems.push(format!("--max-head must be at least {LEAST_HEAD} bytes"));
        }
        if !is_word(&self.replica) {
            problems.push(format!(
                "--replica-id {:?} must be 1 to {LONGEST_ID} printable ASCII characters without \
                 spaces",
                self.replica
            ));
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

/// Whether the text can stand in a header, a label and a line of the log as it is.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Everything that is wrong with a [`Config`].
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used: {}", problems.join("; "))]
pub struct ConfigError {
    /// One sentence for each setting, naming its flag.
    pub problems: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("sqlite:some.db".parse().unwrap())
    }

    #[test]
    fn the_defaults_are_valid() {
        config().validate().unwrap();
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let mut config = config();
        config.commit.max_batch = 0;
        config.readers = 0;
        config.commit.queue = usize::MAX;
        config.password_queue = usize::MAX;
        config.statement_timeout = Duration::from_micros(999);
        config.commit.retry_for = Duration::MAX;
        config.body_timeout = Duration::ZERO;
        config.max_head = 100;
        config.replica = "a b".to_owned();
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.problems,
            [
                "--readers must be at least 1",
                "--max-batch must be at least 1",
                "--queue must be at most 1000000",
                "--password-queue must be at most 1000000",
                "--statement-timeout must be at least 0.001 s",
                "--retry-for must be at most 86400 s",
                "--body-timeout must be at least 0.001 s",
                "--max-head must be at least 8192 bytes",
                "--replica-id \"a b\" must be 1 to 128 printable ASCII characters without spaces",
            ]
        );
    }

    #[test]
    fn a_database_url_names_a_file() {
        let file = |url: &str| url.parse::<DatabaseUrl>();
        assert_eq!(file("sqlite:a/b.db"), Ok(DatabaseUrl::Sqlite("a/b.db".into())));
        assert_eq!(file("sqlite:///b.db"), Ok(DatabaseUrl::Sqlite("/b.db".into())));
        for url in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a.db?mode=ro"] {
            assert_eq!(file(url), Err(DatabaseUrlError::NoFile(url.to_owned())));
        }
        for url in ["", "a.db", "mysql://localhost"] {
            assert_eq!(file(url), Err(DatabaseUrlError::UnknownScheme(url.to_owned())));
        }
        let error = file("mysql://me:secret@db").unwrap_err();
        assert_eq!(error, DatabaseUrlError::UnknownScheme("mysql://me:***@db".to_owned()));
    }

    #[test]
    fn the_password_of_a_database_is_never_shown() {
        for url in ["postgres://me:secret@db/limosa", "postgres://me:secret@db:port/limosa"] {
            let config = Config::new(url.parse().unwrap());
            let problem = config.validate().err().map(|error| error.to_string());
            assert_eq!(problem.is_some(), url.contains("port"));
            assert!(!format!("{config:?} {problem:?}").contains("secret"));
        }
    }
}
