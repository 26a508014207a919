//! The zones of Gibbons and Korach ("Testing shared memories", 1997) over a whole history, and the
//! least time by which its reads have to be moved back so that it is linearizable
//! (Delta-atomicity; Golab, Li and Shah, "Analyzing consistency properties for fun and profit",
//! 2011).

/// A value that was read: when it was written, there, and last named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cluster {
    /// The call of its write.
    pub(super) write_call_ns: u64,
    /// The earliest return of its operations.
    pub(super) done_ns: u64,
    /// The latest call of its reads.
    pub(super) read_call_ns: u64,
}

impl Cluster {
    /// The latest call of its operations where every read is called `earlier_ns` earlier.
    fn last_call_ns(&self, earlier_ns: u64) -> u64 {
        self.write_call_ns.max(self.read_call_ns.saturating_sub(earlier_ns))
    }
}

/// Whether no two values contradict each other where every read is called `earlier_ns` earlier.
/// O(n log n).
pub(super) fn consistent(clusters: &[Cluster], earlier_ns: u64) -> bool {
    let zone = |cluster: &Cluster| (cluster.done_ns, cluster.last_call_ns(earlier_ns));
    let (mut forward, backward): (Vec<_>, Vec<_>) =
        clusters.iter().map(zone).partition(|(done, last_call)| done < last_call);
    forward.sort_unstable();
    if forward.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return false;
    }
    // Forward zones are disjoint from here on: only the last that began can hold a backward one.
    backward.iter().all(|(done, last_call)| {
        let begun = forward.partition_point(|(from, _)| from < last_call);
        begun == 0 || forward[begun - 1].1 <= *done
    })
}

/// The least time by which the reads have to be moved back, in nanoseconds.
pub(super) fn delta_ns(clusters: &[Cluster]) -> u64 {
    let last = clusters.iter().map(|cluster| cluster.read_call_ns).max().unwrap_or(0);
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low) / 2;
        if consistent(clusters, middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(write_call_ns: u64, done_ns: u64, read_call_ns: u64) -> Cluster {
        Cluster { write_call_ns, done_ns, read_call_ns }
    }

    #[test]
    fn values_that_were_read_one_after_another_are_consistent() {
        assert!(consistent(&[cluster(1, 2, 5), cluster(5, 6, 9)], 0));
        assert_eq!(delta_ns(&[cluster(1, 2, 5), cluster(5, 6, 9)]), 0);
    }

    #[test]
    fn two_values_read_in_turns_contradict_each_other_until_one_is_moved_far_enough() {
        // The first is read until 20, the second from 10 to 15.
        let clusters = [cluster(1, 5, 20), cluster(1, 10, 15)];
        assert!(!consistent(&clusters, 0));
        assert_eq!(delta_ns(&clusters), 10);
    }

    #[test]
    fn a_value_that_is_replaced_within_the_zone_of_another_contradicts_it() {
        let clusters = [cluster(1, 5, 20), cluster(8, 10, 7)];
        assert!(!consistent(&clusters, 0));
        assert_eq!(delta_ns(&clusters), 10);
    }
}
