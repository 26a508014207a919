//! The faults of connections: refuse and stall, by the clock since the server's start.

use super::spec::Fault;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A stretch of time in which the port is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

/// The planted refusals, earliest first.
pub(crate) fn refusals(faults: &[Fault], start: Instant) -> Vec<Refusal> {
    let mut refusals: Vec<_> = faults
        .iter()
        .filter_map(|fault| match *fault {
            Fault::Refuse { from, lasting } => {
                Some(Refusal { from: start + from, until: start + from + lasting })
            }
            _ => None,
        })
        .collect();
    refusals.sort_by_key(|refusal| refusal.from);
    refusals
}

/// A stall that comes again and again.
#[derive(Debug, Clone)]
pub(crate) struct Stall {
    start: Instant,
    every: Duration,
    lasting: Duration,
    /// The number of the stall that was logged last, counted from 1.
    logged: Arc<AtomicU64>,
}

/// The planted stalls.
pub(crate) fn stalls(faults: &[Fault], start: Instant) -> Vec<Stall> {
    let stalls = faults.iter().filter_map(|fault| match *fault {
        Fault::Stall { every, lasting } => {
            Some(Stall { start, every, lasting, logged: Arc::default() })
        }
        _ => None,
    });
    stalls.collect()
}

impl Stall {
    /// How long a request that comes so long after the start is held.
    fn hold(&self, since_start: Duration) -> Option<Duration> {
        let every = self.every.as_nanos();
        let left = every - since_start.as_nanos() % every;
        (left <= self.lasting.as_nanos())
            .then(|| Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    fn log(&self, since_start: Duration) {
        let period = u64::try_from(since_start.as_nanos() / self.every.as_nanos()).unwrap_or(0);
        if self.logged.fetch_max(period + 1, Ordering::Relaxed) <= period {
            tracing::warn!(target: "fault", fault = "stall", period, "holding requests");
        }
    }
}

/// The middleware that holds requests.
pub(crate) async fn hold(State(stall): State<Stall>, request: Request, next: Next) -> Response {
    let since_start = stall.start.elapsed();
    if let Some(time) = stall.hold(since_start) {
        stall.log(since_start);
        tokio::time::sleep(time).await;
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stall_is_the_end_of_each_period() {
        let faults = ["stall:every=5000,for=1000".parse().unwrap()];
        let stall = stalls(&faults, Instant::now()).remove(0);
        let hold = |ms| stall.hold(Duration::from_millis(ms)).map(|time| time.as_millis());
        assert_eq!(hold(0), None);
        assert_eq!(hold(3_999), None);
        assert_eq!(hold(4_000), Some(1_000));
        assert_eq!(hold(4_999), Some(1));
        assert_eq!(hold(5_000), None);
        assert_eq!(hold(9_250), Some(750));
    }
}
