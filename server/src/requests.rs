//! What lies around every request: a name for it, its measurement, its line in the log.
//!
//! The name is that of the request's `X-Request-Id`, or one of ours where it has none that is fit
//! for a log. The answer carries it, and so does every line that is logged on the request's way, so
//! that what a client saw can be found in the logs of all that the request went through.
//! `X-Limosa-Replica` says which replica answered, which behind a load balancer nobody else can.

use crate::{app::App, config::is_word};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header::CONNECTION},
    middleware::Next,
    response::Response,
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLICA: HeaderName = HeaderName::from_static("x-limosa-replica");

/// The route's name where no route matched.
const NO_ROUTE: &str = "none";

/// Names for requests that bring none: a number, and before it what tells one server's numbers from
/// those of another and of an earlier life.
#[derive(Debug)]
pub(crate) struct RequestIds {
    life: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self { life: rand::random(), next: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        format!("{:08x}-{}", self.life, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The middleware around everything.
pub(crate) async fn attend(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let _active = app.metrics.active.hold();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = given.filter(|id| is_word(id)).map_or_else(|| app.request_ids.next(), str::to_owned);
    let span = tracing::error_span!("request", id);
    let path = tracing::enabled!(target: "access", tracing::Level::DEBUG)
        .then(|| request.uri().path().to_owned());
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = begun.elapsed();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let status = response.status();
    app.metrics.request(&method, route, status, took);
    if let Some(path) = path {
        let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1e3);
        tracing::debug!(target: "access", parent: &span, %method, path, status, ms, "answered");
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(REPLICA, app.replica.clone());
    if app.draining.load(Ordering::Relaxed) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
