//! Rates that change over time.

use super::pace::positive;
use std::fmt;
use std::time::Duration;

/// A stretch of time in which the rate is constant or changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The rate at its start, in commands a second.
    pub from: f64,
    /// The rate at its end.
    pub to: f64,
    /// How long it lasts; `None`: to the end of the run, at the rate of its end.
    pub length: Option<Duration>,
}

impl Stage {
    /// A constant rate, in commands a second.
    pub fn constant(rate: f64, length: Option<Duration>) -> Self {
        Self { from: rate, to: rate, length }
    }

    /// The rate of a stage that is constant and lasts to the end.
    pub(super) fn endless_rate(&self) -> Option<f64> {
        (self.length.is_none() && self.from == self.to).then_some(self.from)
    }

    /// Reads stages: `ramp:0:1000:30s,rate:1000:10s,rate:500`. Only the last one may have no end.
    pub(super) fn parse_all(text: &str) -> Option<Vec<Self>> {
        let stages: Vec<Self> = text.split(',').map(Self::parse).collect::<Option<_>>()?;
        let (_, before_last) = stages.split_last()?;
        before_last.iter().all(|stage| stage.length.is_some()).then_some(stages)
    }

    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(':').collect();
        match words[..] {
            ["rate", rate] => Some(Self::constant(positive(rate)?, None)),
            ["rate", rate, length] => Some(Self::constant(positive(rate)?, Some(span(length)?))),
            ["ramp", from, to, length] => Self::ramp(from, to, length),
            _ => None,
        }
    }

    /// Reads the three parts of a ramp, as `0`, `1000` and `30s`; one of the rates may be 0.
    pub fn ramp(from: &str, to: &str, length: &str) -> Option<Self> {
        let rate =
            |text: &str| text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.0);
        let stage = Self { from: rate(from)?, to: rate(to)?, length: Some(span(length)?) };
        (stage.from + stage.to > 0.0).then_some(stage)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "rate:{}", self.from)?;
        } else {
            write!(f, "ramp:{}:{}", self.from, self.to)?;
        }
        match self.length {
            Some(length) => write!(f, ":{}", written_span(length)),
            None => Ok(()),
        }
    }
}

/// Reads a length of time as people write it: `500ms`, `30s`, `1.5s`, `2m`, `1h`; not zero.
pub fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(positive(number)? * seconds).ok().filter(|span| !span.is_zero())
}

/// Writes a length of time so that [`span`] reads it again.
pub fn written_span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 1.0 { format!("{}ms", seconds * 1e3) } else { format!("{seconds}s") }
}

/// The integral of the rate over time, and its inverse.
#[derive(Debug)]
pub(super) struct Staircase {
    stages: Vec<Stage>,
    /// The stage that the last count fell into; counts only grow.
    current: usize,
    /// Seconds and commands before it.
    seconds_before: f64,
    count_before: f64,
}

impl Staircase {
    pub(super) fn new(stages: &[Stage]) -> Self {
        let mut stages = stages.to_vec();
        if let Some(last) = stages.last()
            && last.length.is_some()
        {
            stages.push(Stage::constant(last.to, None));
        }
        Self { stages, current: 0, seconds_before: 0.0, count_before: 0.0 }
    }

    /// The seconds until so many commands are due; `None` where they never are. Counts must not
    /// decrease from call to call.
    pub(super) fn seconds_until(&mut self, count: f64) -> Option<f64> {
        loop {
            let stage = self.stages.get(self.current)?;
            let left = count - self.count_before;
            let Some(length) = stage.length.map(|length| length.as_secs_f64()) else {
                return (stage.to > 0.0).then(|| self.seconds_before + left / stage.to);
            };
            let area = (stage.from + stage.to) / 2.0 * length;
            // A stage holds its last instant only where nothing comes after it.
            let is_last_rate = stage.to == 0.0 && self.current + 2 == self.stages.len();
            if left < area || (is_last_rate && left <= area) {
                let slope = (stage.to - stage.from) / length;
                // from * t + slope / 2 * t^2 = left, solved without cancellation.
                let root = (stage.from * stage.from + 2.0 * slope * left).max(0.0).sqrt();
                let seconds = if left > 0.0 { 2.0 * left / (stage.from + root) } else { 0.0 };
                return Some(self.seconds_before + seconds);
            }
            self.seconds_before += length;
            self.count_before += area;
            self.current += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, ms) in
            [("500ms", 500), ("30s", 30_000), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(span(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(span(&written_span(Duration::from_millis(ms))), span(text));
        }
        for text in ["", "5", "s", "0s", "-1s", "5x", "1e400s", "1.2.3s"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    fn arbitrary_stages() -> impl Strategy<Value = Vec<Stage>> {
        let stage = (0.0..100.0f64, 0.0..100.0f64, 1..5_000u64).prop_map(|(from, to, ms)| Stage {
            from,
            to,
            length: Some(Duration::from_millis(ms)),
        });
        prop::collection::vec(stage, 1..5)
    }

    /// The integral, summed up in small steps.
    fn count_at(stages: &[Stage], seconds: f64) -> f64 {
        let mut begin = 0.0;
        let mut count = 0.0;
        for stage in stages {
            let length = stage.length.unwrap().as_secs_f64();
            let inside = (seconds - begin).clamp(0.0, length);
            let rate_there = stage.from + (stage.to - stage.from) * inside / length;
            count += (stage.from + rate_there) / 2.0 * inside;
            begin += length;
        }
        count
    }

    proptest! {
        #[test]
        fn the_inverse_undoes_the_integral(stages in arbitrary_stages(), share in 0.0..0.999f64) {
            let total: f64 = stages.iter().map(|stage| stage.length.unwrap().as_secs_f64()).sum();
            let count = count_at(&stages, total) * share;
            if let Some(seconds) = Staircase::new(&stages).seconds_until(count) {
                prop_assert!(seconds <= total + 1e-9);
                prop_assert!((count_at(&stages, seconds) - count).abs() < 1e-6 * count.max(1.0));
            }
        }
    }
}
