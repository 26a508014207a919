//! What every request can reach.

use crate::{
    commit::CommitQueue, config::Config, latest::Latest, metrics::Metrics, passwords::Passwords,
    requests::RequestIds, store::Store,
};
use axum::http::HeaderValue;
use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicBool},
};

/// The state of one server; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// The parts of [`App`].
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) latest: Latest,
    pub(crate) commits: CommitQueue,
    pub(crate) passwords: Passwords,
    pub(crate) metrics: Metrics,
    /// What the sessions of the web pages are signed with.
    pub(crate) session_key: cookie::Key,
    pub(crate) request_ids: RequestIds,
    /// The replica's name, as a header has it.
    pub(crate) replica: HeaderValue,
    /// Set once shutdown has begun; never cleared.
    pub(crate) draining: AtomicBool,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
