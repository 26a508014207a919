//! Trying again, with growing pauses and a bound.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Attempts that are made until an instant. The pause doubles from 10 ms to half a second: a
/// database that is back at once is found at once, and one that is not is not hammered.
#[derive(Debug)]
pub(crate) struct Attempts {
    deadline: Instant,
    pause: Duration,
}

impl Attempts {
    /// Attempts until then; the first is free.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { deadline, pause: FIRST_PAUSE }
    }

    /// Attempts for so long from now on.
    pub(crate) fn during(bound: Duration) -> Self {
        Self::until(Instant::now() + bound)
    }

    /// When the last of them is made.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits for the next attempt's turn; `false`, at once, where there is none left.
    pub(crate) async fn again(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.deadline {
            return false;
        }
        sleep_until(self.deadline.min(now + self.pause)).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pauses_grow_and_the_last_attempt_is_made_at_the_deadline() {
        let begun = Instant::now();
        let mut attempts = Attempts::during(Duration::from_secs(2));
        let mut at = Vec::new();
        while attempts.again().await {
            at.push(begun.elapsed().as_millis());
        }
        assert_eq!(at, [10, 30, 70, 150, 310, 630, 1130, 1630, 2000]);
        assert!(!Attempts::during(Duration::ZERO).again().await);
    }
}
