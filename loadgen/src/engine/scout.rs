//! Looking for users whom other shards register.

use super::Engine;
use crate::client::readback::Reader;
use std::time::Duration;

/// How often the target is asked.
pub(super) const PERIOD: Duration = Duration::from_millis(20);

/// Asks the first target.
pub(super) struct Scout {
    reader: Option<Reader>,
    patience: Patience,
}

impl Scout {
    pub(super) fn new(engine: &Engine) -> Self {
        let reader = engine
            .targets
            .first()
            .map(|target| Reader::new(target.clone(), engine.profile.clone(), engine.timeouts));
        Self { reader, patience: Patience::default() }
    }

    /// Whether what has waited for the user since `since_ns` need not wait any longer.
    pub(super) async fn settles(&mut self, user: &str, since_ns: u64, now_ns: u64) -> bool {
        let Some(reader) = &self.reader else { return true };
        if reader.knows(user).await {
            self.patience.found();
            return true;
        }
        self.patience.is_over(since_ns, now_ns)
    }
}

/// How long requests wait for other shards' registers. After that they are sent all the same, as the
/// simulator would send them after a register that failed.
#[derive(Debug, Default)]
struct Patience {
    /// Since when somebody waits and nobody was found.
    silent_since_ns: Option<u64>,
}

impl Patience {
    /// For one user, and for the first news of any of them: where the other shards are gone, nobody
    /// waits for each of their users anew.
    const LONGEST_NS: u64 = 30_000_000_000;

    fn found(&mut self) {
        self.silent_since_ns = None;
    }

    fn is_over(&mut self, since_ns: u64, now_ns: u64) -> bool {
        let silent_since_ns = *self.silent_since_ns.get_or_insert(since_ns);
        now_ns.saturating_sub(since_ns.min(silent_since_ns)) >= Self::LONGEST_NS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_late_first_wait_has_all_its_time() {
        let mut patience = Patience::default();
        assert!(!patience.is_over(100 * S, 101 * S));
        assert!(!patience.is_over(100 * S, 129 * S));
        assert!(patience.is_over(100 * S, 130 * S));
    }

    #[test]
    fn silence_is_waited_for_once_and_news_end_it() {
        let mut patience = Patience::default();
        assert!(!patience.is_over(0, 10 * S));
        assert!(patience.is_over(0, 30 * S));
        assert!(patience.is_over(40 * S, 40 * S), "the others are gone");
        patience.found();
        assert!(!patience.is_over(40 * S, 41 * S), "and there again");
    }

    #[test]
    fn one_user_who_never_comes_is_not_waited_for_by_others_news() {
        let mut patience = Patience::default();
        for second in 0..30 {
            assert!(!patience.is_over(0, second * S));
            patience.found();
        }
        assert!(patience.is_over(0, 30 * S));
    }
}
