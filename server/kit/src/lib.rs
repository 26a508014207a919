//! Real databases, and a real browser, for tests and benchmarks, started from the programs that are
//! installed.
//!
//! A [`Postgres`] or a [`Redis`] here keeps its promises: it syncs every commit, as the one in
//! production does. A server whose durability is switched off for speed would make every figure of
//! loss and latency that is measured on it worthless.
//!
//! Each listens on a free port of 127.0.0.1, has its files in a temporary folder, and ends with the
//! process that started it, however that ends. `DATABASE_URL` and `REDIS_URL` name servers to be
//! used in their place, where a test does not have to stop its server.
//!
//! [`Haproxy`] is the load balancer before several replicas, likewise.
//!
//! Tests of a crate whose `build.rs` calls [`tell_cargo`] are ignored, with the reason, where a
//! program is missing:
//!
//! ```ignore
//! #[test]
//! #[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
//! ```

mod folder;
mod haproxy;
mod postgres;
mod process;
mod programs;
mod redis;
mod webdriver;

pub use haproxy::Haproxy;
pub use postgres::{Database, Postgres, Shutdown};
pub use programs::tell_cargo;
pub use redis::Redis;
pub use webdriver::WebDriver;

use std::{io, path::PathBuf, process::ExitStatus};

/// Why a database could not be brought up or spoken to.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A program is not installed.
    #[error("{program} is not installed: apt-get install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// The package of Debian that holds it.
        package: &'static str,
    },
    /// The operating system refused.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What it said.
        source: io::Error,
    },
    /// A program ended otherwise than it should.
    #[error("{program} ended with {status}; it said:\n{said}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote.
        said: String,
    },
    /// A server is not ready in time.
    #[error("{program} was not ready within {seconds} s; its log is {}", log.display())]
    Silent {
        /// The program.
        program: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// Where it writes what happens.
        log: PathBuf,
    },
    /// A server that was not started here cannot be stopped here.
    #[error("{0} names a server that was not started here, which cannot be stopped")]
    NotOurs(&'static str),
}

fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> KitError {
    let doing = doing.into();
    move |source| KitError::Io { doing, source }
}
