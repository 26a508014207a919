//! The data in one SQLite file: one writing connection, several reading ones.
//!
//! WAL lets reads go on while a batch commits; `synchronous=FULL` syncs the log before a COMMIT
//! returns, so an acknowledged write survives SIGKILL and power loss.

mod open;
mod pages;
mod reads;
#[cfg(test)]
mod tests;
mod writes;

pub use open::{OpenError, Options, open};
pub use reads::SqliteStore;
pub use writes::SqliteWriter;
