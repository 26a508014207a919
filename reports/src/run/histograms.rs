//! `latency.hlog`: latencies as an HdrHistogram interval log (format V2, compressed), which the
//! standard HdrHistogram tools read.
//!
//! Values are nanoseconds with three significant digits; the log's "interval max" column is in
//! milliseconds, as is usual. One line per second and tag; a tag is
//! `<phase>.<figure>.<operation>.<replica>`: `main.service.tweet.0`, `warm-up.lateness.register.2`.
//! Without phase and replica (`service.tweet`), it is of phase `main` and replica 0.

use super::manifest::Phase;
use super::operation::Operation;
use fs_err as fs;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const SIGNIFICANT_DIGITS: u8 = 3;
const NS_PER_MS: f64 = 1e6;

/// Which of a request's times a histogram holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// From the first byte sent (or the connect) to the whole answer.
    Service,
    /// From the intended instant to the whole answer. Absent in the closed model.
    Response,
    /// From the instant at which the schedule and the order allowed the request to its send: the
    /// generator's own delay.
    Lateness,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 3] = [Self::Service, Self::Response, Self::Lateness];

    /// The figure's name in tags and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Response => "response",
            Self::Lateness => "lateness",
        }
    }
}

/// What a histogram is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// In which phase of the run.
    pub phase: Arc<str>,
    /// Which time.
    pub figure: Figure,
    /// Of which requests.
    pub operation: Operation,
    /// Sent to which replica, a number of the manifest's targets.
    pub replica: u16,
}

impl Series {
    fn tag(&self) -> String {
        let Self { phase, figure, operation, replica } = self;
        format!("{phase}.{}.{}.{replica}", figure.name(), operation.name())
    }

    fn parse(tag: &str) -> Option<Self> {
        let words: Vec<&str> = tag.split('.').collect();
        let (phase, figure, operation, replica) = match words[..] {
            [phase, figure, operation, replica] => {
                (phase, figure, operation, replica.parse().ok()?)
            }
            [figure, operation] => (Phase::MAIN, figure, operation, 0),
            _ => return None,
        };
        Some(Self {
            phase: phase.into(),
            figure: Figure::ALL.into_iter().find(|known| known.name() == figure)?,
            operation: Operation::ALL.into_iter().find(|known| known.name() == operation)?,
            replica,
        })
    }
}

/// An empty histogram of nanoseconds, as every histogram of Limosa is made.
pub fn empty() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 1 << 32, SIGNIFICANT_DIGITS)
        .unwrap_or_else(|_| unreachable!("the bounds are constants within the type's limits"));
    histogram.auto(true);
    histogram
}

/// The histograms of one second, or of a whole run.
pub type Histograms = BTreeMap<Series, Histogram<u64>>;

/// Records one value.
pub fn record(histograms: &mut Histograms, series: Series, ns: u64) {
    let histogram = histograms.entry(series).or_insert_with(empty);
    // Only this way of recording lets the histogram grow; the other one clamps.
    if histogram.record(ns).is_err() {
        histogram.saturating_record(ns);
    }
}

/// Why a latency log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LatencyLogError {
    /// The operating system refused; the message names the path.
    #[error("latency log: {0}")]
    Io(#[from] io::Error),
    /// A line is not of the format.
    #[error("{path}: entry {entry} is no line of an HdrHistogram interval log", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The number of the entry, from 1.
        entry: usize,
    },
}

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Interval {
    /// From the run's start.
    pub start: Duration,
    /// Its length.
    pub length: Duration,
    /// What was measured.
    pub series: Series,
    /// The values, in nanoseconds.
    pub histogram: Histogram<u64>,
}

/// Writes the log `path`, interval by interval.
///
/// `intervals` yields the second's number from the run's start and its histograms.
///
/// # Errors
/// [`LatencyLogError::Io`] where the file system refuses.
pub fn write<E: From<LatencyLogError>>(
    path: &Path,
    started: SystemTime,
    mut fill: impl FnMut(&mut dyn FnMut(u64, &Histograms) -> Result<(), E>) -> Result<(), E>,
) -> Result<(), E> {
    let io = |error: io::Error| E::from(LatencyLogError::Io(error));
    let mut out = BufWriter::new(fs::File::create(path).map_err(io)?);
    {
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        let mut log = builder
            .add_comment("limosa latency log, nanoseconds; format_version 1")
            .with_start_time(started)
            .with_base_time(started)
            .with_max_value_divisor(NS_PER_MS)
            .begin_log_with(&mut out, &mut serializer)
            .map_err(io)?;
        fill(&mut |second, histograms| {
            for (series, histogram) in histograms.iter().filter(|(_, one)| !one.is_empty()) {
                let tag = series.tag();
                log.write_histogram(
                    histogram,
                    Duration::from_secs(second),
                    Duration::from_secs(1),
                    Tag::new(&tag),
                )
                .map_err(|error| io(io::Error::other(format!("{error:?}"))))?;
            }
            Ok(())
        })?;
    }
    out.flush().map_err(io)
}

/// Reads the log `path` and hands each interval to `each`. Holds one line at a time.
///
/// # Errors
/// [`LatencyLogError`] where the file cannot be read or is not of the format.
pub fn read(path: &Path, mut each: impl FnMut(Interval)) -> Result<(), LatencyLogError> {
    let mut lines = BufReader::new(fs::File::open(path)?);
    let mut deserializer = Deserializer::new();
    let mut entry = 0;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        for found in IntervalLogIterator::new(&line) {
            entry += 1;
            let malformed = || LatencyLogError::Malformed { path: path.to_path_buf(), entry };
            let LogEntry::Interval(interval) = found.map_err(|_| malformed())? else {
                continue;
            };
            each(decode(&interval, &mut deserializer).ok_or_else(malformed)?);
        }
        line.clear();
    }
    Ok(())
}

fn decode(line: &IntervalLogHistogram<'_>, deserializer: &mut Deserializer) -> Option<Interval> {
    use base64::Engine as _;
    let bytes = base64::prelude::BASE64_STANDARD.decode(line.encoded_histogram()).ok()?;
    Some(Interval {
        start: line.start_timestamp(),
        length: line.duration(),
        series: Series::parse(line.tag()?.as_str())?,
        histogram: deserializer.deserialize(&mut bytes.as_slice()).ok()?,
    })
}

/// All intervals of a log summed up, series by series.
///
/// # Errors
/// As [`read`].
pub fn totals(path: &Path) -> Result<Histograms, LatencyLogError> {
    sums(path, |series| Some(series.clone()))
}

/// All intervals of a log summed up by the group that each series is put into; those of no group
/// are left out. Takes memory for the groups alone.
///
/// # Errors
/// As [`read`].
pub fn sums<K: Ord>(
    path: &Path,
    group: impl Fn(&Series) -> Option<K>,
) -> Result<BTreeMap<K, Histogram<u64>>, LatencyLogError> {
    let mut sums = BTreeMap::new();
    read(path, |interval| {
        if let Some(key) = group(&interval.series) {
            *sums.entry(key).or_insert_with(empty) += interval.histogram;
        }
    })?;
    Ok(sums)
}

/// The histograms of one figure over the given series, added up.
pub fn merged(
    histograms: &Histograms,
    figure: Figure,
    include: impl Fn(&Series) -> bool,
) -> Histogram<u64> {
    let mut sum = empty();
    for (series, histogram) in histograms {
        if series.figure == figure && include(series) {
            sum += histogram;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(phase: &str, operation: Operation, replica: u16) -> Series {
        Series { phase: phase.into(), figure: Figure::Service, operation, replica }
    }

    #[test]
    fn a_long_hang_is_not_cut_short() {
        let mut histograms = Histograms::new();
        let ten_minutes = 600_000_000_000;
        record(&mut histograms, series(Phase::MAIN, Operation::Tweet, 0), ten_minutes);
        let max = merged(&histograms, Figure::Service, |_| true).max();
        assert!(max >= ten_minutes && max - ten_minutes < ten_minutes / 500, "{max}");
    }

    #[test]
    fn what_was_written_is_summed_up_by_any_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latency.hlog");
        let seconds: Vec<Histograms> = (0..3)
            .map(|second| {
                let mut one = Histograms::new();
                for (replica, operation) in [(0, Operation::Tweet), (7, Operation::UserMessages)] {
                    let phase = if second == 0 { "warm-up" } else { "spike-2" };
                    record(&mut one, series(phase, operation, replica), 1_000 << second);
                }
                one
            })
            .collect();
        write::<LatencyLogError>(&path, SystemTime::UNIX_EPOCH, |log| {
            (0..).zip(&seconds).try_for_each(|(second, one)| log(second, one))
        })
        .unwrap();

        let totals = totals(&path).unwrap();
        assert_eq!(totals.len(), 4);
        let spike = &totals[&series("spike-2", Operation::UserMessages, 7)];
        assert_eq!((spike.len(), spike.min()), (2, 2_000));
        let counts = |sums: BTreeMap<String, Histogram<u64>>| -> Vec<(String, u64)> {
            sums.into_iter().map(|(key, sum)| (key, sum.len())).collect()
        };
        let by_phase = sums(&path, |series| Some(series.phase.to_string())).unwrap();
        assert_eq!(counts(by_phase), [("spike-2".into(), 4), ("warm-up".into(), 2)]);
        let one = sums(&path, |series| (series.replica == 7).then(|| "7".to_owned())).unwrap();
        assert_eq!(counts(one), [("7".into(), 3)]);
    }

    #[test]
    fn a_tag_without_phase_and_replica_is_of_the_main_phase_and_the_first_replica() {
        let tweet = series(Phase::MAIN, Operation::Tweet, 0);
        assert_eq!(Series::parse("service.tweet"), Some(tweet.clone()));
        assert_eq!(tweet.tag(), "main.service.tweet.0");
        assert_eq!(Series::parse("main.service.tweet.0"), Some(tweet));
        for tag in
            ["", "tweet", "main.service.tweet", "main.service.tweet.x", "main.tweet.service.0"]
        {
            assert_eq!(Series::parse(tag), None, "{tag}");
        }
    }
}
