//! The values that were read, with what Delta-atomicity depends on.

use super::history::Operation;
use super::zones::{Cluster, delta_ns};
use std::collections::HashMap;

/// The first so many values that were read.
#[derive(Debug)]
pub(super) struct Clusters {
    capacity: usize,
    index: HashMap<i64, u32>,
    clusters: Vec<Cluster>,
    has_more: bool,
}

impl Clusters {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, index: HashMap::new(), clusters: Vec::new(), has_more: false }
    }

    /// Takes a read of a value whose write was called at `write_call_ns`, and which was there at
    /// `done_ns` without the read.
    pub(super) fn read(&mut self, read: &Operation, write_call_ns: u64, done_ns: u64) {
        if let Some(at) = self.index.get(&read.value) {
            let cluster = &mut self.clusters[*at as usize];
            cluster.done_ns = cluster.done_ns.min(read.return_ns);
            cluster.read_call_ns = cluster.read_call_ns.max(read.call_ns);
        } else if self.clusters.len() < self.capacity {
            self.index.insert(read.value, self.clusters.len() as u32);
            self.clusters.push(Cluster {
                write_call_ns,
                done_ns: done_ns.min(read.return_ns),
                read_call_ns: read.call_ns,
            });
        } else {
            self.has_more = true;
        }
    }

    /// The id was written again: reads from now on are of another value.
    pub(super) fn rewrite(&mut self, id: i64) {
        self.index.remove(&id);
    }

    /// Whether a value is known.
    pub(super) fn has(&self, id: i64) -> bool {
        self.index.contains_key(&id)
    }

    /// The least time by which the reads have to be moved back so that these values do not
    /// contradict each other, and whether there were more of them.
    pub(super) fn delta_ns(&self) -> (u64, bool) {
        (delta_ns(&self.clusters), self.has_more)
    }
}
