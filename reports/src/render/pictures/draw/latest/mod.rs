//! What was reported as the last command: over time, how far behind, and what contradicts what.

mod course;
mod lags;
mod staleness;
mod witness;

pub(in crate::render) use witness::drawn as drawn_witnesses;

use super::super::palette::Role;
use super::super::scene::MarkKind;
use super::super::{Picture, Scene};
use crate::render::summary::Summary;
use crate::run::verdict::latest::{CourseBin, LatestDetails};

/// Tables hold this many stretches of time.
const ROWS: usize = 24;
/// So many replicas have a shape of their own; the rest share one.
const LANES: usize = 4;

/// The pictures that the run has something for.
pub(in super::super) fn pictures(summary: &Summary) -> Vec<Picture> {
    let [versions, times] = staleness::pictures(summary);
    let mut all: Vec<Picture> = course::picture(summary).into_iter().collect();
    all.extend(witness::pictures(summary));
    all.extend([versions, times, lags::picture(summary)].into_iter().flatten());
    all
}

/// One replica, or all those that have no colour and shape of their own.
struct Lane {
    name: String,
    role: Role,
    mark: MarkKind,
    replicas: Vec<u16>,
}

impl Lane {
    fn holds(&self, bin: &CourseBin) -> bool {
        self.replicas.contains(&bin.replica)
    }
}

/// The replicas: those with the most wrong reads on their own, by number, and then the others.
fn lanes(details: &LatestDetails) -> Vec<Lane> {
    const MARKS: [MarkKind; LANES] =
        [MarkKind::Triangle, MarkKind::Square, MarkKind::Disc, MarkKind::Cross];
    let mut worst: Vec<_> = details.replicas.iter().collect();
    worst.sort_by_key(|replica| std::cmp::Reverse(replica.wrong));
    let (own, others) = worst.split_at(worst.len().min(LANES));
    let mut own: Vec<u16> = own.iter().map(|replica| replica.replica).collect();
    own.sort_unstable();
    let is_alone = details.replicas.len() == 1;
    let mut lanes: Vec<Lane> = own
        .into_iter()
        .zip(MARKS)
        .enumerate()
        .map(|(index, (replica, mark))| Lane {
            name: if is_alone { "reported".to_owned() } else { format!("replica {replica}") },
            role: Role::of_series(index),
            mark,
            replicas: vec![replica],
        })
        .collect();
    if !others.is_empty() {
        lanes.push(Lane {
            name: "others".to_owned(),
            role: Role::of_series(LANES),
            mark: MarkKind::Disc,
            replicas: others.iter().map(|replica| replica.replica).collect(),
        });
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::verdict::latest::ReplicaReads;

    #[test]
    fn the_replicas_with_the_most_wrong_reads_have_a_lane_of_their_own() {
        let reads = |(replica, wrong)| ReplicaReads {
            replica,
            reads: 9,
            wrong,
            stale: wrong,
            max_versions: 1,
            max_ns: 1,
        };
        let replicas = (0..).zip([0, 3, 0, 1, 9, 2]).map(reads).collect();
        let lanes = lanes(&LatestDetails { replicas, ..LatestDetails::default() });
        let names: Vec<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
        assert_eq!(names, ["replica 1", "replica 3", "replica 4", "replica 5", "others"]);
        assert_eq!(lanes[4].replicas, [0, 2]);
    }
}
