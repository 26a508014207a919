//! The one place where time enters.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

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

    /// Starts at `instant`, which may be to come; until then the clock shows zero.
    pub fn starting_at(instant: Instant) -> Self {
        Self { start: instant }
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
/// up to whole milliseconds, which would read as lateness. It is a timer of the kernel (`timerfd`)
/// that the runtime waits for along with the connections.
#[derive(Debug)]
pub struct Alarm {
    clock: Clock,
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// An alarm that follows `clock`. Must be made within a runtime.
    ///
    /// # Errors
    /// The operating system's, where no timer can be had.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // Deprecated for types that may change their descriptor under way; an owned one does not.
        #[expect(deprecated, reason = "its replacement is unsafe")]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Self { clock, timer })
    }

    /// Waits until the clock shows `instant_ns`; returns at once where it does already.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn wait_until(&mut self, instant_ns: u64) -> io::Result<()> {
        loop {
            let left = self.clock.until(instant_ns);
            if left.is_zero() {
                return Ok(());
            }
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec {
                    tv_sec: left.as_secs() as i64,
                    tv_nsec: left.subsec_nanos().into(),
                },
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
            // What is left of the last time is forgotten with the new setting, and needs no read.
            self.timer.readable().await?.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_does_not_wait_for_the_past() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock).unwrap();
        for step in 1..20_u64 {
            let instant = step * 700_000;
            alarm.wait_until(instant).await.unwrap();
            assert!(clock.now_ns() >= instant);
        }
        alarm.wait_until(0).await.unwrap();
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_does_not_shorten_the_next_one() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock).unwrap();
        let given_up = tokio::time::timeout(Duration::from_millis(2), alarm.wait_until(5_000_000));
        assert!(given_up.await.is_err());
        std::thread::sleep(Duration::from_millis(5));
        alarm.wait_until(20_000_000).await.unwrap();
        assert!(clock.now_ns() >= 20_000_000);
    }
}
