//! The reference server that simulator traces are replayed against.
//!
//! Start with [`run`], which takes a listener and a future that ends it, so that tests bind
//! port 0. A request's way through the modules:
//!
//! - `serve` accepts connections, keeps clients to their timeouts, and drains;
//! - `router` names every route; `api` speaks the simulator's protocol, one file per resource,
//!   `ops` health, metrics and the OpenAPI document;
//! - [`passwords`] hashes what a registration brings;
//! - [`commit`] gathers the writes of concurrent requests into one transaction and answers none
//!   of them before it is durable;
//! - [`store`] is the seam behind which the databases lie.

mod api;
mod app;
pub mod commit;
pub mod config;
mod error;
pub mod logs;
pub mod metrics;
mod ops;
pub mod passwords;
mod router;
mod serve;
pub mod store;

pub use config::{Config, DatabaseUrl};
pub use serve::{ServeError, run};
