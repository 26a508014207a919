//! The reference server that simulator traces are replayed against.
//!
//! Start with [`run`], which takes a listener and a future that ends it, so that tests bind
//! port 0. A request's way through the modules:
//!
//! - `serve` puts the parts together; `connections` accepts clients, keeps them to their timeouts,
//!   and drains;
//! - `requests` names, measures and logs each request; `router` names every route; `api` speaks the
//!   simulator's protocol, one file per resource, `ops` health, metrics and the OpenAPI document;
//!   `pages` is MiniTwit as people know it;
//! - [`passwords`] hashes what a registration brings, and verifies what a login does;
//! - [`commit`] gathers the writes of concurrent requests into one transaction and answers none
//!   of them before it is durable;
//! - [`store`] is the seam behind which the databases lie;
//! - [`latest`] is where the number of the last command lives: in the database, in Redis, in memory;
//! - [`faults`] can be planted around it on purpose, and are off by default.

mod api;
mod app;
pub mod commit;
pub mod config;
mod connections;
mod error;
pub mod faults;
pub mod latest;
pub mod logs;
pub mod metrics;
mod ops;
mod pages;
pub mod passwords;
mod requests;
mod router;
mod serve;
pub mod store;

pub use config::{Config, DatabaseUrl};
pub use connections::listen;
pub use pages::{SessionKey, SessionKeyError};
pub use serve::{ServeError, run};
