//! Where the data lives: one seam, one file per database behind it.
//!
//! [`Store`] reads and is shared by every request. [`Writer`] commits batches and has exactly one
//! owner, the group commit of [`crate::commit`]. A store answers every [`Write`] of a batch as if
//! it had been executed alone, in the order of the batch; the conformance suite in
//! `conformance.rs` holds every implementation to that.

#[cfg(test)]
pub(crate) mod conformance;
pub mod sqlite;

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

/// Why a batch is not known to be committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing of the batch was stored.
    #[error("the batch was rolled back: {0}")]
    RolledBack(#[source] StoreError),
    /// The answer to the COMMIT was lost: [`Writer::was_committed`] tells.
    #[error("the outcome of the commit is not known: {source}")]
    Ambiguous {
        /// What the entries are to be answered with, should the batch turn out to be committed.
        outcomes: Vec<Outcome>,
        /// What the database said.
        source: StoreError,
    },
    /// The batch is stored, and its `latest`, which is kept apart from it, may not be.
    #[error("the batch was stored, and latest not told of it: {0}")]
    Unnamed(#[source] StoreError),
}

/// Reads. Each sees every batch that was committed before it was called.
pub trait Store: Send + Sync {
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
    /// The outcomes are those of the entries, in their order.
    ///
    /// # Errors
    /// [`CommitError`] says whether nothing was stored, or whether that is not known.
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>>;

    /// Whether the commit record of this batch is in the database.
    ///
    /// # Errors
    /// When the database does not answer; the question stays open.
    fn was_committed(&mut self, id: BatchId) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Finishes what was begun and closes the connection.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

impl Write {
    /// The users that must exist for the write to be done; a register needs none.
    pub fn needs_users(&self) -> [Option<&str>; 2] {
        match self {
            Self::Register { .. } => [None, None],
            Self::Tweet { author, .. } => [Some(author), None],
            Self::Follow { who, whom } | Self::Unfollow { who, whom } => [Some(who), Some(whom)],
        }
    }
}
