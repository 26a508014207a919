//! The one place where time enters.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

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

    /// How long it is until the clock shows `instant_ns`; zero where it does already.
    pub fn until(&self, instant_ns: u64) -> Duration {
        Duration::from_nanos(instant_ns.saturating_sub(self.now_ns()))
    }
}

/// Wakes a task at an absolute instant, to some tens of microseconds: the runtime's own timer rounds
/// up to whole milliseconds, which would read as lateness. A thread sleeps on the task's behalf, so
/// that other tasks go on meanwhile.
#[derive(Debug)]
pub struct Alarm {
    clock: Clock,
    instants: Sender<u64>,
    rung: Arc<Notify>,
}

impl Alarm {
    /// An alarm that follows `clock`.
    pub fn new(clock: Clock) -> Self {
        let (instants, asked) = channel();
        let rung = Arc::new(Notify::new());
        let bell = Arc::clone(&rung);
        std::thread::spawn(move || {
            for instant_ns in asked {
                std::thread::sleep(clock.until(instant_ns));
                bell.notify_one();
            }
        });
        Self { clock, instants, rung }
    }

    /// Waits until the clock shows `instant_ns`; returns at once where it does already.
    pub async fn wait_until(&mut self, instant_ns: u64) {
        while !self.clock.until(instant_ns).is_zero() {
            // The thread ends only with the sender.
            let _asked = self.instants.send(instant_ns);
            self.rung.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_does_not_wait_for_the_past() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock);
        for step in 1..20_u64 {
            let instant = step * 700_000;
            alarm.wait_until(instant).await;
            assert!(clock.now_ns() >= instant);
        }
        alarm.wait_until(0).await;
    }
}
