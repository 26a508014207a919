//! A value that is read with a delay, for a planted fault.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A value that is read with a delay.
#[derive(Debug)]
pub(crate) struct Past {
    delay: Duration,
    /// Oldest first; the front is what is read now, the others become true one after the other.
    values: Mutex<VecDeque<(Instant, i64)>>,
}

impl Past {
    pub(crate) fn new(delay: Duration, initial: i64) -> Self {
        Self { delay, values: Mutex::new([(Instant::now(), initial)].into()) }
    }

    pub(crate) fn set(&self, now: Instant, value: i64) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).push_back((now, value));
    }

    pub(crate) fn read(&self, now: Instant) -> i64 {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        while values.get(1).is_some_and(|(set, _)| *set + self.delay <= now) {
            values.pop_front();
        }
        values.front().map_or(-1, |(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_read_exactly_so_late() {
        let second = Duration::from_secs(1);
        let past = Past::new(second * 10, -1);
        let start = Instant::now();
        past.set(start + second, 5);
        past.set(start + second * 2, 3);
        let read = |at: u32| past.read(start + second * at);
        assert_eq!([read(10), read(11), read(11), read(12), read(99)], [-1, 5, 5, 3, 3]);
    }
}
