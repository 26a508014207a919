//! Looking for users whom other shards register.

use super::Engine;
use crate::client::readback::Reader;
use std::time::Duration;

/// How often the target is asked.
pub(super) const PERIOD: Duration = Duration::from_millis(20);
/// How long requests wait for other shards' registers while none of these comes. After that they are
/// sent all the same, as the simulator would send them after a register that failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the first target.
pub(super) struct Scout {
    reader: Option<Reader>,
    /// When a user of another shard was found last.
    found_ns: u64,
}

impl Scout {
    pub(super) fn new(engine: &Engine) -> Self {
        let reader = engine
            .targets
            .first()
            .map(|target| Reader::new(target.clone(), engine.profile.clone(), engine.timeouts));
        Self { reader, found_ns: 0 }
    }

    /// Whether what has waited for the user since `since_ns` need not wait any longer.
    pub(super) async fn settles(&mut self, user: &str, since_ns: u64, now_ns: u64) -> bool {
        let Some(reader) = &self.reader else { return true };
        if reader.knows(user).await {
            self.found_ns = now_ns;
            return true;
        }
        // Where all the others are silent, nobody waits for each of their users anew.
        let others_ns = self.found_ns.max(if self.found_ns == 0 { 0 } else { since_ns });
        u128::from(now_ns.saturating_sub(others_ns)) >= PATIENCE.as_nanos()
    }
}
