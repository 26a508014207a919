//! Prometheus metrics, kept per server: two servers in one process do not mix theirs.
//!
//! The `metrics` crate's macros write to one recorder of the whole process, so the handles are
//! registered here by hand.

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, Label, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

const REQUESTS: &str = "http_server_request_duration_seconds";
const ACTIVE: &str = "http_server_active_requests";
const OPEN: &str = "http_server_open_connections";
const ACCEPTED: &str = "http_server_accepted_connections_total";
const TURNED_AWAY: &str = "http_server_refused_connections_total";
const CLOSED_IDLE: &str = "http_server_closed_idle_connections_total";
const BUILD_INFO: &str = "limosa_build_info";
const BATCH_SIZE: &str = "commit_batch_size";
const COMMIT: &str = "commit_duration_seconds";
const COMMIT_FAILED: &str = "commit_failed_total";
const QUEUED: &str = "commit_queue_length";
const REFUSED: &str = "commit_refused_total";
const HASHING: &str = "password_hashing_duration_seconds";

/// The bounds that OpenTelemetry recommends for `http.server.request.duration`, in seconds, with
/// finer ones below 5 ms, where a healthy server lives.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1.0,
    2.5, 5.0, 10.0,
];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// The methods that HTTP defines; a client may make up any number of others.
static METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// What stands for those.
const OTHER: &str = "_OTHER";

/// How often recorded samples are folded into their buckets; between two scrapes they would pile
/// up otherwise.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static METADATA: Metadata<'_> = Metadata::new(module_path!(), metrics::Level::INFO, None);

/// The registry of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    requests: RwLock<HashMap<(&'static str, String, u16), Histogram>>,
    /// Requests that are being answered.
    pub active: Level,
    /// What the connections tell.
    pub connections: ConnectionMetrics,
    /// What the group commit tells.
    pub commit: CommitMetrics,
    /// How long a password takes to be hashed, waiting for a core included.
    pub hashing_seconds: Histogram,
}

/// What the connections tell.
pub struct ConnectionMetrics {
    /// Connections that have a place.
    pub open: Level,
    /// Connections that were given a place.
    pub accepted: Counter,
    /// Connections that were refused because all places were taken.
    pub refused: Counter,
    /// Connections that were closed because they were idle and another wanted their place.
    pub closed_idle: Counter,
}

/// How many of something there are at this moment.
#[derive(Clone)]
pub struct Level(Gauge);

/// One of them; counted until it is dropped.
pub struct Held(Gauge);

impl Level {
    /// Counts one more, until what is returned is dropped.
    pub fn hold(&self) -> Held {
        self.0.increment(1.0);
        Held(self.0.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// What the group commit tells.
#[derive(Clone)]
pub struct CommitMetrics {
    /// Entries per batch.
    pub batch_size: Histogram,
    /// From the first statement of a batch until it is durable.
    pub commit_seconds: Histogram,
    /// Batches that were not committed, or of which that is not known.
    pub failed: Counter,
    /// Entries that wait while a batch is taken.
    pub queued: Gauge,
    /// Entries that were refused because the queue was full.
    pub refused: Counter,
}

impl CommitMetrics {
    /// Metrics that nobody reads, for tests and benchmarks of the group commit alone.
    pub fn noop() -> Self {
        Self {
            batch_size: Histogram::noop(),
            commit_seconds: Histogram::noop(),
            failed: Counter::noop(),
            queued: Gauge::noop(),
            refused: Counter::noop(),
        }
    }
}

impl Metrics {
    /// The empty registry of the replica of this name.
    ///
    /// # Errors
    /// Never in practice: the bucket bounds are constants and not empty.
    pub fn new(replica: &str) -> Result<Self, metrics_exporter_prometheus::BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(BATCH_SIZE.to_owned()), SIZES)?
            .set_buckets(SECONDS)?
            .build_recorder();
        describe(&recorder);
        let histogram = |name| recorder.register_histogram(&Key::from_static_name(name), &METADATA);
        let counter = |name| recorder.register_counter(&Key::from_static_name(name), &METADATA);
        let gauge = |name| recorder.register_gauge(&Key::from_static_name(name), &METADATA);
        let commit = CommitMetrics {
            batch_size: histogram(BATCH_SIZE),
            commit_seconds: histogram(COMMIT),
            failed: counter(COMMIT_FAILED),
            queued: gauge(QUEUED),
            refused: counter(REFUSED),
        };
        let connections = ConnectionMetrics {
            open: Level(gauge(OPEN)),
            accepted: counter(ACCEPTED),
            refused: counter(TURNED_AWAY),
            closed_idle: counter(CLOSED_IDLE),
        };
        let active = Level(gauge(ACTIVE));
        let hashing_seconds = histogram(HASHING);
        let labels = vec![
            Label::new("version", env!("CARGO_PKG_VERSION")),
            Label::new("replica", replica.to_owned()),
        ];
        recorder.register_gauge(&Key::from_parts(BUILD_INFO, labels), &METADATA).set(1.0);
        let handle = recorder.handle();
        let requests = RwLock::default();
        Ok(Self { recorder, handle, requests, active, connections, commit, hashing_seconds })
    }

    /// Records one answered request; `route` is the pattern, never the path, and a method that HTTP
    /// does not define is `_OTHER`, as OpenTelemetry calls it: so the number of series is bounded.
    pub fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let method = METHODS.iter().find(|known| *known == method).map_or(OTHER, Method::as_str);
        let key = (method, route.to_owned(), status.as_u16());
        let known = self.requests.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let histogram = known.unwrap_or_else(|| {
            let labels = vec![
                Label::new("method", method),
                Label::new("route", route.to_owned()),
                Label::new("status", status.as_str().to_owned()),
            ];
            let named = Key::from_parts(REQUESTS, labels);
            let histogram = self.recorder.register_histogram(&named, &METADATA);
            let mut requests = self.requests.write().unwrap_or_else(PoisonError::into_inner);
            requests.entry(key).or_insert(histogram).clone()
        });
        histogram.record(took.as_secs_f64());
    }

    /// The exposition in Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what was recorded into the buckets.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn describe(recorder: &PrometheusRecorder) {
    let seconds = [
        (REQUESTS, "Time from a request's head to its answer."),
        (COMMIT, "Time from a batch's first statement until it is durable."),
        (HASHING, "Time to hash a password, waiting for a core included."),
    ];
    for (name, text) in seconds {
        recorder.describe_histogram(name.into(), Some(Unit::Seconds), text.into());
    }
    recorder.describe_histogram(BATCH_SIZE.into(), None, "Requests that share a commit.".into());
    let gauges = [
        (QUEUED, "Writes that wait for a commit."),
        (ACTIVE, "Requests that are being answered."),
        (OPEN, "Connections that have a place."),
        (BUILD_INFO, "Always 1: which version this is, and which replica."),
    ];
    for (name, text) in gauges {
        recorder.describe_gauge(name.into(), None, text.into());
    }
    let counters = [
        (ACCEPTED, "Connections that were given a place."),
        (TURNED_AWAY, "Connections that were refused because all places were taken."),
        (CLOSED_IDLE, "Idle connections that were closed because another wanted their place."),
        (COMMIT_FAILED, "Batches that were not committed, or of which that is not known."),
        (REFUSED, "Writes that were refused because the queue was full."),
    ];
    for (name, text) in counters {
        recorder.describe_counter(name.into(), None, text.into());
    }
}
