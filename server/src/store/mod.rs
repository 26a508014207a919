//! Where the data lives: one seam, one file per database behind it.
//!
//! [`Store`] reads and is shared by every request. [`Writer`] commits batches and has exactly one
//! owner, the group commit of [`crate::commit`]. A store answers every [`Write`] of a batch as if
//! it had been executed alone, in the order of the batch; the conformance suite in
//! `conformance.rs` holds every implementation to that. What only the web pages read is apart, in
//! [`pages::PageReads`].

mod attempts;
#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod conformance_pages;
pub mod pages;
pub mod postgres;
pub mod sqlite;

pub(crate) use attempts::Attempts;

use std::{fmt, future::Future, pin::Pin};

/// A boxed future: what keeps [`Store`] and [`Writer`] usable as trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One change of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Create an account.
    Register {
        /// The new user's name; names are case-sensitive.
        username: String,
        /// The e-mail address, as given.
        email: String,
        /// The password's hash as a PHC string.
        password_hash: String,
    },
    /// Append a message.
    Tweet {
        /// The author.
        author: String,
        /// The message, kept byte for byte.
        text: String,
        /// When it was posted, in seconds since the Unix epoch.
        pub_date: i64,
    },
    /// Let `who` follow `whom`; an edge that exists already stays one edge.
    Follow {
        /// The follower.
        who: String,
        /// The user to be followed.
        whom: String,
    },
    /// Let `who` follow `whom` no longer; no edge is no error.
    Unfollow {
        /// The follower.
        who: String,
        /// The user to be followed no longer.
        whom: String,
    },
}

/// What one request brings to a batch: its command id, a write, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value that `latest` takes; `None` leaves it alone.
    pub latest: Option<i64>,
    /// The change of the data, if the request makes one.
    pub write: Option<Write>,
}

/// What came of one [`Entry`]; an entry without a write is always `Done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It happened, or had happened before (a duplicate follow, an unfollow of no edge).
    Done,
    /// The user name is already taken; nothing was changed.
    NameTaken,
    /// A user that the write names does not exist; nothing was changed.
    UnknownUser,
}

/// The random name under which a batch leaves its commit record.
///
/// Never derived from a command id: clients use those again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchId(pub [u8; 16]);

impl BatchId {
    /// A new id of 128 random bits.
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Entries that are committed in one transaction, in this order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The name of the commit record.
    pub id: BatchId,
    /// What to do, oldest first.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// A batch with a fresh random id.
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { id: BatchId::random(), entries }
    }

    /// The value that `latest` has after the batch: the last one named wins.
    pub fn latest(&self) -> Option<i64> {
        self.entries.iter().rev().find_map(|entry| entry.latest)
    }
}

/// A message as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The author's name.
    pub author: String,
    /// The message.
    pub text: String,
    /// When it was posted, in seconds since the Unix epoch.
    pub pub_date: i64,
}

/// How many rows a read may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Every row.
    All,
    /// At most so many rows.
    AtMost(u64),
}

/// A database that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}")]
pub struct StoreError {
    /// What was being done.
    pub doing: &'static str,
    /// What the database said.
    pub source: sqlx::Error,
}

impl StoreError {
    /// Whether the database could not be reached, as while it restarts: the same may well work
    /// later. Anything else would be refused again.
    pub fn is_unreachable(&self) -> bool {
        match &self.source {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
            // <https://www.postgresql.org/docs/current/errcodes-appendix.html>: no connection, going
            // down, coming up, full, or demoted to a standby; LM001 is `commit_batch`'s own.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                const SAID: [&str; 6] = ["57P01", "57P02", "57P03", "53300", "25006", "LM001"];
                code.starts_with("08") || SAID.contains(&&*code)
            }),
            _ => false,
        }
    }
}

pub(crate) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError { doing, source }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An SQLite file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// A PostgreSQL database.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

/// Why a batch is not known to be committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing of the batch was stored, nor will it be.
    #[error("the batch was rolled back: {0}")]
    RolledBack(#[source] StoreError),
    /// The answer to the commit was lost, and the commit record could not be read either.
    #[error("the outcome of the commit is not known: {0}")]
    Unknown(#[source] StoreError),
    /// The batch is stored, and its `latest`, which is kept apart from it, may not be.
    #[error("the batch was stored, and latest not told of it: {0}")]
    Unnamed(#[source] StoreError),
}

/// Reads. Each sees every batch that was committed before it was called.
pub trait Store: pages::PageReads {
    /// The id of the last command that was processed; -1 before any.
    fn latest(&self) -> BoxFuture<'_, Result<i64, StoreError>>;

    /// Everybody's messages that are not flagged, newest first.
    fn messages(&self, limit: Limit) -> BoxFuture<'_, Result<Vec<Message>, StoreError>>;

    /// One user's messages that are not flagged, newest first; `None`: no such user.
    fn messages_by<'a>(
        &'a self,
        author: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<Message>>, StoreError>>;

    /// Whom the user follows, in the order of their registration; `None`: no such user.
    fn followed_by<'a>(
        &'a self,
        who: &'a str,
        limit: Limit,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, StoreError>>;

    /// Whether there is a user of this name.
    fn user_exists<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Closes every connection; later reads fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The only one who changes the data.
pub trait Writer: Send {
    /// Commits the batch, its `latest` and its commit record in one transaction, durably.
    /// The outcomes are those of the entries, in their order. Where the answer to the commit is
    /// lost, the commit record tells.
    ///
    /// # Errors
    /// [`CommitError`] says whether nothing was stored, or whether that is not known. A batch that
    /// was rolled back may be committed again under a new id.
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>>;

    /// Finishes what was begun and closes the connection.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// Why a write can be stored in no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unstorable {
    /// PostgreSQL cannot store U+0000 in a text, so no store may.
    #[error("a text must not contain a NUL character")]
    Nul,
    /// A name is a key of an index, whose entries are bounded.
    #[error("a user name must not be longer than {LONGEST_NAME} bytes")]
    LongName,
}

/// The longest name that a user can register, in bytes: PostgreSQL's index entries end at 2,704.
pub const LONGEST_NAME: usize = 1024;

impl Write {
    /// Whether every store can take it.
    ///
    /// # Errors
    /// [`Unstorable`] says what is wrong with it.
    pub fn check(&self) -> Result<(), Unstorable> {
        let texts = match self {
            Self::Register { username, email, .. } => [username, email],
            Self::Tweet { author, text, .. } => [author, text],
            Self::Follow { who, whom } | Self::Unfollow { who, whom } => [who, whom],
        };
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(Unstorable::Nul);
        }
        match self {
            Self::Register { username, .. } if username.len() > LONGEST_NAME => {
                Err(Unstorable::LongName)
            }
            _ => Ok(()),
        }
    }

    /// The users that must exist for the write to be done; a register needs none.
    pub fn needs_users(&self) -> [Option<&str>; 2] {
        match self {
            Self::Register { .. } => [None, None],
            Self::Tweet { author, .. } => [Some(author), None],
            Self::Follow { who, whom } | Self::Unfollow { who, whom } => [Some(who), Some(whom)],
        }
    }
}
