//! Exact distributions of whole numbers, kept as a count per value.

use serde::Serialize;
use std::collections::BTreeMap;

/// How often each value occurred. Memory grows with the number of distinct values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Distribution {
    counts: BTreeMap<i64, u64>,
    total: u64,
}

/// A distribution in a few figures, in the unit of its values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The smallest value.
    pub min: i64,
    /// The median.
    pub p50: i64,
    /// Nine of ten are at most this.
    pub p90: i64,
    /// All but one in a hundred are at most this.
    pub p99: i64,
    /// The largest value.
    pub max: i64,
}

impl Distribution {
    pub(crate) fn add(&mut self, value: i64) {
        *self.counts.entry(value).or_default() += 1;
        self.total += 1;
    }

    /// The mean; 0 of nothing.
    pub(crate) fn mean(&self) -> f64 {
        let sum: f64 = self.counts.iter().map(|(&value, &count)| value as f64 * count as f64).sum();
        sum / self.total.max(1) as f64
    }

    /// The smallest value that at least `level` (0 to 1) of all are at most; 0 of nothing.
    pub(crate) fn quantile(&self, level: f64) -> i64 {
        let rank = ((level * self.total as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (&value, &count) in &self.counts {
            below += count;
            if below >= rank {
                return value;
            }
        }
        self.counts.last_key_value().map_or(0, |(&value, _)| value)
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            mean: self.mean(),
            min: self.quantile(0.0),
            p50: self.quantile(0.5),
            p90: self.quantile(0.9),
            p99: self.quantile(0.99),
            max: self.quantile(1.0),
        }
    }
}

impl FromIterator<i64> for Distribution {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Self {
        let mut distribution = Self::default();
        for value in values {
            distribution.add(value);
        }
        distribution
    }
}

/// The exponent `s` of Zipf's law, count ~ 1 / rank^s, by least squares of ln count on ln rank over
/// all ranks (Zipf, *Human Behavior and the Principle of Least Effort*, 1949). 0 for fewer than two
/// counts; counts of 0 are left out.
pub(crate) fn zipf_exponent(counts: impl IntoIterator<Item = u64>) -> f64 {
    let mut counts: Vec<u64> = counts.into_iter().filter(|&count| count > 0).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let points: Vec<(f64, f64)> = (1..)
        .zip(&counts)
        .map(|(rank, &count)| (f64::from(rank).ln(), (count as f64).ln()))
        .collect();
    let n = points.len() as f64;
    if points.len() < 2 {
        return 0.0;
    }
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / n;
    let xy: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let xx: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    -xy / xx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let summary = (1..=1000).collect::<Distribution>().summary();
        assert_eq!(
            (summary.min, summary.p50, summary.p90, summary.p99, summary.max),
            (1, 500, 900, 990, 1000)
        );
        assert!((summary.mean - 500.5).abs() < 1e-9);
        assert_eq!(Distribution::default().summary(), Summary::default());
    }

    #[test]
    fn a_planted_exponent_is_found() {
        for exponent in [0.5, 1.0, 1.7] {
            let counts = (1..=500).map(|rank| (1e9 / f64::from(rank).powf(exponent)) as u64);
            assert!((zipf_exponent(counts) - exponent).abs() < 1e-3);
        }
        assert_eq!(zipf_exponent([]), 0.0);
        assert_eq!(zipf_exponent([7]), 0.0);
    }
}
