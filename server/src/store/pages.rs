//! What the web pages read beyond the simulator API.
//!
//! A seam of its own beside [`Store`](super::Store): none of it is on the way of a simulator's
//! request.

use super::{BoxFuture, StoreError};

/// The length of a session key, in bytes.
pub const SESSION_KEY_BYTES: usize = 32;

/// A message on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its place in the order of the commits: what is posted later has a greater one.
    pub id: i64,
    /// The author's name.
    pub author: String,
    /// The message.
    pub text: String,
    /// When it was posted, in seconds since the Unix epoch.
    pub pub_date: i64,
}

/// Whose messages a timeline shows; those that are flagged are left out of all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeline<'a> {
    /// Everybody's.
    Public,
    /// This user's.
    By(&'a str),
    /// This user's, and those of everybody whom this user follows.
    Home(&'a str),
}

/// Reads for pages. Each sees every batch that was committed before it was called.
pub trait PageReads: Send + Sync {
    /// At most `rows` messages of the timeline that were committed before the message `before`
    /// (`None`: before now), newest first; `None`: no such user.
    fn timeline<'a>(
        &'a self,
        timeline: Timeline<'a>,
        before: Option<i64>,
        rows: u32,
    ) -> BoxFuture<'a, Result<Option<Vec<Posted>>, StoreError>>;

    /// Whether `who` follows `whom`; users who do not exist follow nobody.
    fn follows<'a>(
        &'a self,
        who: &'a str,
        whom: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The hash of the user's password as a PHC string; `None`: no such user.
    fn password_hash<'a>(
        &'a self,
        username: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>>;

    /// The key that sessions are signed with, the same for every server on this database. It is
    /// drawn at random when the database is opened for the first time, and never changes.
    fn session_key(&self) -> BoxFuture<'_, Result<[u8; SESSION_KEY_BYTES], StoreError>>;
}
