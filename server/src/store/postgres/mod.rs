//! The data in PostgreSQL, 15 or later: one writing connection of each server, several reading ones,
//! and as many servers on one database as one likes.
//!
//! # A batch is one statement
//! The function `commit_batch` of the schema executes the entries one after the other, records the
//! batch and returns; the statement is a transaction of its own. So nothing that a client does
//! wrong, be it slow, stopped or cut off, holds a lock: locks are taken after the last byte of a
//! batch has arrived and given back before the first byte of its answer is sent.
//!
//! # Order
//! The first thing that a batch does is to update the one row of `latest`, and whoever has updated
//! it keeps others waiting until the commit. So batches of all servers execute one after the other,
//! in the order of their commits, and this order is that of `message_id`, of `user_id` and of
//! `latest`: no message ever appears behind one that a reader has seen, and `latest` names the last
//! command of the newest batch. Nobody waits for that row while holding anything that a batch
//! wants, so there is no deadlock.
//!
//! The isolation level is READ COMMITTED, whatever the database's default is: in it each statement
//! inside the function takes its own snapshot, so those behind the update see all that the batches
//! before have committed, while at a higher level they would see what was committed before the wait
//! began, and fail. As nobody else writes meanwhile, batches are strictly serializable all the same.
//! A read is one statement, or two that together are right at the time of the second (nobody takes
//! a user away), on the same server that is written to: it sees every batch that was committed
//! before it began, and so `latest` is linearizable over all servers.
//!
//! What it costs: servers do not sync at the same time. Each one's batches grow while it waits for
//! the others, as they grow while the disk syncs.
//!
//! # What was committed
//! `synchronous_commit` is `on`, or `remote_apply` where the database says so. An answer of
//! PostgreSQL's that is an error means that the batch was rolled back. Where there is no answer,
//! the writer begins a new session: it takes its row of the commit records over, which ends the
//! old session for good (a batch of it that is still under way anywhere is refused when it arrives)
//! and reads there what came of the batch. Therefore "not committed" is a fact too, and such a batch
//! can be tried again.
//!
//! A connection pooler in between has to keep a session on one connection.

mod connect;
mod open;
mod pages;
mod reads;
#[cfg(test)]
mod tests;
mod url;
mod writes;

pub use open::{OpenError, Options, open};
pub use reads::PostgresStore;
pub(crate) use url::redacted;
pub use url::{PostgresUrl, PostgresUrlError};
pub use writes::PostgresWriter;
