//! Looking for users whom other shards register.

use super::Engine;
use crate::client::readback::Reader;
use std::time::Duration;

/// How often the target is asked.
pub(super) const PERIOD: Duration = Duration::from_millis(20);
/// How long a request waits for another shard's register. After that it is sent all the same, as
/// the simulator would send it after a register that failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the first target.
pub(super) struct Scout {
    reader: Option<Reader>,
}

impl Scout {
    pub(super) fn new(engine: &Engine) -> Self {
        let reader = engine
            .targets
            .first()
            .map(|target| Reader::new(target.clone(), engine.profile.clone(), engine.timeouts));
        Self { reader }
    }

    /// Whether what has waited for the user since `since_ns` need not wait any longer.
    pub(super) async fn settles(&self, user: &str, since_ns: u64, now_ns: u64) -> bool {
        let Some(reader) = &self.reader else { return true };
        let is_patient = u128::from(now_ns.saturating_sub(since_ns)) < PATIENCE.as_nanos();
        !is_patient || reader.knows(user).await
    }
}
