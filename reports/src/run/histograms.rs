//! `latency.hlog`: latencies as an HdrHistogram interval log (format V2, compressed), which the
//! standard HdrHistogram tools read.
//!
//! Values are nanoseconds with three significant digits; the log's "interval max" column is in
//! milliseconds, as is usual. One line per second and tag; a tag is `<figure>.<operation>`:
//! `service.tweet`, `response.tweet`, `lateness.tweet`.

use super::operation::Operation;
use fs_err as fs;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// Which time.
    pub figure: Figure,
    /// Of which requests.
    pub operation: Operation,
}

impl Series {
    fn tag(self) -> String {
        format!("{}.{}", self.figure.name(), self.operation.name())
    }

    fn parse(tag: &str) -> Option<Self> {
        let (figure, operation) = tag.split_once('.')?;
        Some(Self {
            figure: Figure::ALL.into_iter().find(|known| known.name() == figure)?,
            operation: Operation::ALL.into_iter().find(|known| known.name() == operation)?,
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
            for (series, histogram) in histograms {
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

/// Reads the log `path` and hands each interval to `each`.
///
/// # Errors
/// [`LatencyLogError`] where the file cannot be read or is not of the format.
pub fn read(path: &Path, mut each: impl FnMut(Interval)) -> Result<(), LatencyLogError> {
    let bytes = fs::read(path)?;
    let mut deserializer = Deserializer::new();
    for (index, entry) in IntervalLogIterator::new(&bytes).enumerate() {
        let malformed =
            || LatencyLogError::Malformed { path: path.to_path_buf(), entry: index + 1 };
        let LogEntry::Interval(line) = entry.map_err(|_| malformed())? else {
            continue;
        };
        each(decode(&line, &mut deserializer).ok_or_else(malformed)?);
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

/// All intervals of a log summed up.
///
/// # Errors
/// As [`read`].
pub fn totals(path: &Path) -> Result<Histograms, LatencyLogError> {
    let mut sum = Histograms::new();
    read(path, |interval| {
        *sum.entry(interval.series).or_insert_with(empty) += interval.histogram;
    })?;
    Ok(sum)
}

/// The histograms of one figure over the given operations, added up.
pub fn merged(
    histograms: &Histograms,
    figure: Figure,
    include: impl Fn(Operation) -> bool,
) -> Histogram<u64> {
    let mut sum = empty();
    for (series, histogram) in histograms {
        if series.figure == figure && include(series.operation) {
            sum += histogram;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_hang_is_not_cut_short() {
        let series = Series { figure: Figure::Service, operation: Operation::Tweet };
        let mut histograms = Histograms::new();
        let ten_minutes = 600_000_000_000;
        record(&mut histograms, series, ten_minutes);
        let max = merged(&histograms, Figure::Service, |_| true).max();
        assert!(max >= ten_minutes && max - ten_minutes < ten_minutes / 500, "{max}");
    }
}
