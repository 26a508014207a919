//! A distribution as a table of quantiles, and popularity by rank.

use super::ProfileError;
use serde::{Deserialize, Serialize};

/// A distribution given by some of its quantiles: pairs of a level (0 to 1) and the value that this
/// share of all values does not exceed. Between two levels values are spread evenly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantiles(Vec<(f64, f64)>);

impl Quantiles {
    /// A table of `value(level)` at each of the levels, rounded to `unit`.
    pub(super) fn tabulate(levels: &[f64], unit: f64, value: impl Fn(f64) -> f64) -> Self {
        let row = |&level: &f64| (level, round(value(level), unit));
        Self(levels.iter().map(row).collect())
    }

    /// A table of these rows.
    #[cfg(test)]
    pub(crate) fn from_rows(rows: &[(f64, f64)]) -> Self {
        Self(rows.to_vec())
    }

    /// The value at a level.
    pub(crate) fn at(&self, level: f64) -> f64 {
        let above = self.0.partition_point(|&(known, _)| known < level);
        let Some(&(high, high_value)) = self.0.get(above) else {
            return self.0.last().map_or(0.0, |&(_, value)| value);
        };
        let Some(&(low, low_value)) = above.checked_sub(1).and_then(|below| self.0.get(below))
        else {
            return high_value;
        };
        low_value + (high_value - low_value) * (level - low) / (high - low)
    }

    /// The mean of the distribution.
    pub(crate) fn mean(&self) -> f64 {
        let area = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
        self.0.windows(2).map(area).sum()
    }

    pub(super) fn check(&self, setting: &'static str) -> Result<(), ProfileError> {
        let levels_span = self.0.first().is_some_and(|row| row.0 == 0.0)
            && self.0.last().is_some_and(|row| row.0 == 1.0)
            && self.0.is_sorted_by(|a, b| a.0 < b.0);
        let values_fit = self.0.iter().all(|row| row.1.is_finite() && row.1 >= 0.0);
        if levels_span && values_fit {
            return Ok(());
        }
        Err(ProfileError::Setting {
            setting,
            rule: "a list of [level, value] with levels rising from 0 to 1 and values of at least 0",
        })
    }
}

/// How unevenly something is shared among users: a weight for each rank, the first the greatest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skew {
    /// Zipf's law with this exponent: the weight of rank r is 1 / r^exponent.
    Zipf(f64),
    /// The weight at each share of the ranks, as was counted in a trace.
    ByRank(Quantiles),
}

impl Skew {
    /// The weight of the rank, from 0, among `ranks`.
    pub(crate) fn weight(&self, rank: usize, ranks: usize) -> f64 {
        match self {
            Self::Zipf(exponent) => (rank as f64 + 1.0).powf(-exponent),
            Self::ByRank(weights) => weights.at((rank as f64 + 0.5) / ranks as f64),
        }
    }

    /// The skew that was counted: one count a user, in any order.
    pub(super) fn of_counts(mut counts: Vec<u64>) -> Self {
        // The head is told apart rank by rank for some hundred users: few users do much.
        const LEVELS: [f64; 18] = [
            0.0, 0.0025, 0.0075, 0.0125, 0.0175, 0.0225, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7,
            0.8, 0.9, 0.95, 1.0,
        ];
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let mean = counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
        let weight = |level: f64| {
            let place = (level * counts.len() as f64 - 0.5).max(0.0);
            let at = |index: usize| counts.get(index).or(counts.last()).map_or(0, |&n| n) as f64;
            let (low, high) = (at(place as usize), at(place as usize + 1));
            (low + (high - low) * place.fract()) / mean.max(f64::MIN_POSITIVE)
        };
        Self::ByRank(Quantiles::tabulate(&LEVELS, 0.001, weight))
    }

    pub(super) fn check(&self, setting: &'static str) -> Result<(), ProfileError> {
        match self {
            Self::ByRank(weights) => weights.check(setting),
            Self::Zipf(exponent) if exponent.is_finite() && *exponent >= 0.0 => Ok(()),
            Self::Zipf(_) => {
                Err(ProfileError::Setting { setting, rule: "an exponent of at least 0" })
            }
        }
    }
}

/// Rounds to a multiple of `unit`, of which 1 is a multiple: so that a profile reads well.
pub(super) fn round(value: f64, unit: f64) -> f64 {
    let per_one = (1.0 / unit).round();
    (value * per_one).round() / per_one
}

/// Divides `total` among weights, in whole numbers that add up to it: the largest-remainder method
/// (Hamilton's). Equal where all weights are 0.
pub(crate) fn apportion(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    let share = |weight: f64| match sum > 0.0 {
        true => total as f64 * weight / sum,
        false => total as f64 / weights.len() as f64,
    };
    let exact: Vec<f64> = weights.iter().map(|&weight| share(weight)).collect();
    let mut whole: Vec<u64> = exact.iter().map(|&part| part as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = total.saturating_sub(whole.iter().sum());
    for &index in order.iter().cycle().take(missing as usize) {
        whole[index] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_between_levels_lie_on_a_line() {
        let table = Quantiles(vec![(0.0, 10.0), (0.5, 20.0), (1.0, 120.0)]);
        let at = [0.0, 0.25, 0.5, 0.75, 1.0].map(|level| table.at(level));
        assert_eq!(at, [10.0, 15.0, 20.0, 70.0, 120.0]);
        assert_eq!(table.mean(), 42.5);
    }

    #[test]
    fn a_table_that_is_none_is_refused() {
        for rows in [
            vec![],
            vec![(0.0, 1.0)],
            vec![(0.0, 1.0), (0.9, 1.0)],
            vec![(0.0, 1.0), (0.5, 1.0), (0.5, 1.0), (1.0, 1.0)],
            vec![(0.0, -1.0), (1.0, 1.0)],
            vec![(0.0, f64::NAN), (1.0, 1.0)],
        ] {
            assert!(Quantiles(rows.clone()).check("gaps").is_err(), "{rows:?}");
        }
    }

    #[test]
    fn counts_come_back_from_the_skew_that_they_made() {
        let counts: Vec<u64> = (0..200).map(|rank| 400 - 2 * rank).collect();
        let skew = Skew::of_counts(counts.clone());
        let weights: Vec<f64> = (0..200).map(|rank| skew.weight(rank, 200)).collect();
        let again = apportion(counts.iter().sum(), &weights);
        for (before, after) in counts.iter().zip(&again) {
            assert!(before.abs_diff(*after) <= 2, "{before} became {after}");
        }
    }

    proptest! {
        #[test]
        fn apportioned_parts_add_up_and_are_fair(
            total in 0u64..100_000,
            weights in prop::collection::vec(0.0f64..10.0, 1..50),
        ) {
            let parts = apportion(total, &weights);
            prop_assert_eq!(parts.iter().sum::<u64>(), total);
            let sum: f64 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                if sum > 0.0 {
                    prop_assert!((*part as f64 - total as f64 * weight / sum).abs() <= 1.0);
                }
            }
        }
    }
}
