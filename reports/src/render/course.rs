//! The course of a run: what happened when, in a bounded number of equal stretches.
//!
//! A run of a second and one of a day are drawn on the same paper, so the stretches ("bins") grow
//! with the run: they begin at 1 ms, and whenever there are more than [`FINE_BINS`] of them, each
//! ten become one. In the end they are joined to at most [`BINS`], by a factor that keeps their
//! width a round number.
//!
//! The requests that are drawn one by one are a bottom-k sample (E. Cohen, H. Kaplan, "Summarizing
//! data using bottom-k sketches", PODC 2007): of each bin and kind of outcome, those whose number
//! hashes lowest, and the slowest. Such a sample can be joined, does not depend on the order of
//! reading, and comes out the same each time.

use crate::run::ledger::Entry;
use crate::run::operation::Ack;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most bins that a finished course has.
pub(super) const BINS: usize = 240;
/// The most bins while it is being gathered.
const FINE_BINS: usize = 1200;
/// How many requests of one kind a bin keeps beside the slowest.
const SAMPLE: usize = 5;
const FIRST_WIDTH_NS: u64 = 1_000_000;

/// What happened when.
#[derive(Debug, Clone, Serialize)]
pub struct Course {
    /// The length of each bin, in nanoseconds.
    pub width_ns: u64,
    /// The bins, without gaps, from the run's start.
    pub bins: Vec<Bin>,
    /// Requests to draw one by one: a sample, and the slowest of each bin.
    #[serde(skip)]
    pub points: Vec<Point>,
}

/// One stretch of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Bin {
    /// Where it begins, in nanoseconds from the run's start.
    pub start_ns: u64,
    /// How many commands ended in each way.
    pub outcomes: BTreeMap<Ack, u64>,
    /// Service time of the commands: the median, in nanoseconds.
    pub p50_ns: Option<u64>,
    /// The 99th percentile.
    pub p99_ns: Option<u64>,
    /// The longest.
    pub max_ns: Option<u64>,
    /// The highest command id that had been sent by its end.
    pub latest_sent: Option<i64>,
    /// The last value that `GET /latest` reported in it.
    pub latest_reported: Option<i64>,
}

impl Bin {
    /// How many commands ended in the given way.
    pub fn count(&self, ack: Ack) -> u64 {
        self.outcomes.get(&ack).copied().unwrap_or(0)
    }
}

/// One command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When its outcome came, in nanoseconds from the run's start.
    pub at_ns: u64,
    /// Its service time.
    pub service_ns: u64,
    /// What came of it.
    pub ack: Ack,
    rank: u64,
}

/// Gathers a [`Course`] from the ledger's entries, in memory that does not grow with the run.
#[derive(Debug)]
pub(super) struct CourseBuilder {
    width_ns: u64,
    bins: Vec<Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    outcomes: BTreeMap<Ack, u64>,
    service: Option<Histogram<u32>>,
    sampled: BTreeMap<Ack, Vec<Point>>,
    slowest: BTreeMap<Ack, Point>,
    latest_sent: Option<i64>,
    latest_reported: Option<(u64, i64)>,
}

impl Default for CourseBuilder {
    fn default() -> Self {
        Self { width_ns: FIRST_WIDTH_NS, bins: Vec::new() }
    }
}

impl CourseBuilder {
    /// Takes one request into account; one without an outcome has no place in the course.
    pub(super) fn add(&mut self, entry: &Entry) {
        let Some(outcome) = &entry.outcome else {
            return;
        };
        let bin = self.bin(outcome.done_ns);
        if let Some(latest) = outcome.latest {
            bin.latest_reported = bin.latest_reported.max(Some((outcome.done_ns, latest)));
        }
        if !entry.intent.operation.is_write() {
            return;
        }
        *bin.outcomes.entry(outcome.ack).or_default() += 1;
        let service_ns = outcome.done_ns.saturating_sub(outcome.sent_ns);
        if outcome.ack != Ack::NotSent {
            bin.latest_sent = bin.latest_sent.max(Some(entry.intent.command_id));
            let histogram = bin.service.get_or_insert_with(service_histogram);
            // Only this way of recording lets the histogram grow; the other one clamps.
            if histogram.record(service_ns).is_err() {
                histogram.saturating_record(service_ns);
            }
        }
        bin.sample(Point {
            at_ns: outcome.done_ns,
            service_ns,
            ack: outcome.ack,
            rank: rank(entry.part, entry.intent.sequence),
        });
    }

    fn bin(&mut self, at_ns: u64) -> &mut Gathered {
        while at_ns / self.width_ns >= FINE_BINS as u64 {
            self.join(10);
        }
        let index = (at_ns / self.width_ns) as usize;
        if self.bins.len() <= index {
            self.bins.resize_with(index + 1, Gathered::default);
        }
        &mut self.bins[index]
    }

    fn join(&mut self, factor: usize) {
        let mut joined = Vec::with_capacity(self.bins.len().div_ceil(factor));
        for (index, bin) in std::mem::take(&mut self.bins).into_iter().enumerate() {
            if index % factor == 0 {
                joined.push(bin);
            } else if let Some(first) = joined.last_mut() {
                first.absorb(bin);
            }
        }
        self.bins = joined;
        self.width_ns *= factor as u64;
    }

    /// The course of all that was added.
    pub(super) fn finish(mut self) -> Course {
        // 1, 2, 5 and 10 keep a width of 1, 10, 100 ... ms round.
        let factor =
            [1, 2, 5].into_iter().find(|factor| self.bins.len() <= BINS * factor).unwrap_or(10);
        self.join(factor);
        let mut points: Vec<Point> = Vec::new();
        let mut latest_sent = None;
        let mut bins = Vec::with_capacity(self.bins.len());
        for (bin, start_ns) in self.bins.into_iter().zip((0..).step_by(self.width_ns as usize)) {
            latest_sent = latest_sent.max(bin.latest_sent);
            points.extend(bin.sampled.values().flatten());
            points.extend(
                bin.slowest.values().filter(|slowest| {
                    !bin.sampled.values().flatten().any(|point| point == *slowest)
                }),
            );
            let quantile = |quantile| Some(bin.service.as_ref()?.value_at_quantile(quantile));
            bins.push(Bin {
                start_ns,
                p50_ns: quantile(0.5),
                p99_ns: quantile(0.99),
                max_ns: bin
                    .slowest
                    .values()
                    .filter(|point| point.ack != Ack::NotSent)
                    .map(|point| point.service_ns)
                    .max(),
                latest_sent,
                latest_reported: bin.latest_reported.map(|(_, latest)| latest),
                outcomes: bin.outcomes,
            });
        }
        points.sort_by_key(|point| (point.at_ns, point.rank));
        Course { width_ns: self.width_ns, bins, points }
    }
}

impl Gathered {
    fn sample(&mut self, point: Point) {
        let slowest = self.slowest.entry(point.ack).or_insert(point);
        if (point.service_ns, point.rank) > (slowest.service_ns, slowest.rank) {
            *slowest = point;
        }
        let sampled = self.sampled.entry(point.ack).or_default();
        let place = sampled.partition_point(|other| other.rank < point.rank);
        if place < SAMPLE {
            sampled.insert(place, point);
            sampled.truncate(SAMPLE);
        }
    }

    fn absorb(&mut self, later: Self) {
        for (ack, count) in later.outcomes {
            *self.outcomes.entry(ack).or_default() += count;
        }
        if let Some(more) = later.service {
            let sum = self.service.get_or_insert_with(service_histogram);
            *sum += more;
        }
        for point in later.sampled.into_values().flatten().chain(later.slowest.into_values()) {
            if !self.sampled.get(&point.ack).is_some_and(|known| known.contains(&point)) {
                self.sample(point);
            }
        }
        self.latest_sent = self.latest_sent.max(later.latest_sent);
        self.latest_reported = self.latest_reported.max(later.latest_reported);
    }
}

/// Two significant digits are finer than a picture can show, and small enough for 1,200 of them.
fn service_histogram() -> Histogram<u32> {
    Histogram::new(2).unwrap_or_else(|_| unreachable!("two digits are within the type's limits"))
}

/// Spreads consecutive numbers evenly over all values: the finalizer of SplitMix64 (G. Steele,
/// D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn rank(part: u16, sequence: u64) -> u64 {
    let mut z = sequence.wrapping_add(u64::from(part) << 48).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::entry;
    use proptest::prelude::*;

    fn course<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Course {
        let mut builder = CourseBuilder::default();
        for entry in entries {
            builder.add(entry);
        }
        builder.finish()
    }

    #[test]
    fn the_slowest_request_is_always_drawn() {
        let entries: Vec<Entry> = (0..20_000)
            .map(|number| {
                let slow = if number == 12_345 { 500_000_000 } else { 200_000 };
                entry(number, number * 1_000_000, slow, Ack::Acknowledged)
            })
            .collect();
        let course = course(&entries);
        assert_eq!(course.width_ns, 100_000_000);
        assert!(course.bins.iter().all(|bin| bin.p50_ns.unwrap().abs_diff(200_000) < 2_000));
        let slowest = course.points.iter().max_by_key(|point| point.service_ns).unwrap();
        assert_eq!(slowest.service_ns, 500_000_000);
        assert_eq!(course.bins.iter().filter_map(|bin| bin.max_ns).max(), Some(500_000_000));
    }

    #[test]
    fn widths_are_round_and_bins_few() {
        for (last_ns, width_ns) in [
            (200_000_000, 1_000_000),
            (300_000_000, 2_000_000),
            (1_000_000_000, 5_000_000),
            (2_000_000_000, 10_000_000),
            (3_600_000_000_000, 20_000_000_000),
        ] {
            let course = course(&[entry(0, last_ns, 1_000, Ack::Acknowledged)]);
            assert_eq!(course.width_ns, width_ns, "{last_ns}");
            assert!(course.bins.len() <= BINS);
        }
    }

    #[test]
    fn nothing_makes_an_empty_course() {
        let course = course(&[]);
        assert!(course.bins.is_empty() && course.points.is_empty());
    }

    proptest! {
        #[test]
        fn the_course_does_not_depend_on_the_order_of_reading(
            seed in prop::collection::vec((0u64..5_000_000_000, 1u64..400_000_000, 0u8..4), 1..300),
            turn in 0usize..300,
        ) {
            let entries: Vec<Entry> = seed
                .iter()
                .enumerate()
                .map(|(number, (at, service, code))| {
                    entry(number as u64, *at, *service, Ack::from_code(*code).unwrap())
                })
                .collect();
            let mut turned = entries.clone();
            turned.rotate_left(turn % entries.len());
            let (one, other) = (course(&entries), course(&turned));
            prop_assert_eq!(&one.points, &other.points);
            for (one, other) in one.bins.iter().zip(&other.bins) {
                prop_assert_eq!(&one.outcomes, &other.outcomes);
                prop_assert_eq!(one.p99_ns, other.p99_ns);
            }
            let counted: u64 = one.bins.iter().flat_map(|bin| bin.outcomes.values()).sum();
            prop_assert_eq!(counted, entries.len() as u64);
        }
    }
}
