//! The one place where time enters.

use std::time::{Duration, Instant};

/// The runtime's timer rounds up to whole milliseconds; what is nearer is slept by the thread.
const COARSE: Duration = Duration::from_millis(2);

/// A monotonic clock that starts at zero.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Waits until the clock shows `instant_ns`, to some tens of microseconds; returns at once where
    /// it does already.
    ///
    /// For a thread with nothing else to do: it blocks the thread for the last two milliseconds.
    pub async fn wait_until(&self, instant_ns: u64) {
        let left = || Duration::from_nanos(instant_ns.saturating_sub(self.now_ns()));
        if left() > COARSE {
            tokio::time::sleep(left() - COARSE).await;
        }
        if !left().is_zero() {
            std::thread::sleep(left());
            // Lets the runtime see what arrived meanwhile: a connection that was closed, for one.
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_does_not_wait_for_the_past() {
        let clock = Clock::start();
        for step in 1..20_u64 {
            let instant = step * 700_000;
            clock.wait_until(instant).await;
            assert!(clock.now_ns() >= instant);
        }
        clock.wait_until(0).await;
    }
}
