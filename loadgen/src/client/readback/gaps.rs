//! What a read-back could not read.

use std::collections::BTreeSet;

/// How many gaps are named one by one.
const NAMED_GAPS: usize = 10;

/// What could not be read: the first by name, and how many more.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    named: BTreeSet<String>,
    more: u64,
}

impl Gaps {
    pub(super) fn add(&mut self, gap: String) {
        let is_new = self.named.insert(gap);
        if !is_new || self.named.len() > NAMED_GAPS {
            self.more += 1;
        }
        if self.named.len() > NAMED_GAPS {
            self.named.pop_last();
        }
    }

    pub(super) fn told(self) -> Vec<String> {
        let more =
            (self.more > 0).then(|| format!("and {} more that could not be read", self.more));
        self.named.into_iter().chain(more).collect()
    }
}
