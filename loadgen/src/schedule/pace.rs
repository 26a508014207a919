//! When requests are due.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::fmt;
use std::str::FromStr;

const NS_PER_MS: f64 = 1e6;
const NS_PER_SECOND: f64 = 1e9;

/// How fast a schedule goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as the answers come: the closed model.
    Max,
    /// The trace's own times, this many times faster.
    Speed(f64),
    /// This many commands a second, evenly.
    Rate(f64),
    /// This many commands a second on average, as a Poisson process.
    Poisson(f64),
}

/// Why a pace was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pace: give `max`, `speed:K`, `rate:R` or `poisson:R` with a number above 0")]
pub struct PaceError(String);

impl Pace {
    /// Whether sends wait for answers alone, so that there are no intended instants.
    pub fn is_closed_model(self) -> bool {
        self == Self::Max
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let error = || PaceError(text.to_owned());
        let (kind, number) = text.split_once(':').ok_or_else(error)?;
        let number = number.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
        let number = number.ok_or_else(error)?;
        match kind {
            "speed" => Ok(Self::Speed(number)),
            "rate" => Ok(Self::Rate(number)),
            "poisson" => Ok(Self::Poisson(number)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Speed(factor) => write!(f, "speed:{factor}"),
            Self::Rate(rate) => write!(f, "rate:{rate}"),
            Self::Poisson(rate) => write!(f, "poisson:{rate}"),
        }
    }
}

/// The intended instants of a schedule, one after another. Each is computed from the start, so that
/// no delay adds up.
#[derive(Debug)]
pub struct Arrivals {
    pace: Pace,
    dice: ChaCha8Rng,
    first_at_ms: Option<i64>,
    arrived: u64,
    /// The sum of the gaps drawn so far, in nanoseconds.
    drawn_ns: f64,
}

impl Arrivals {
    /// Instants at the given pace; the seed draws those of a Poisson process.
    pub fn new(pace: Pace, seed: u64) -> Self {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        Self { pace, dice, first_at_ms: None, arrived: 0, drawn_ns: 0.0 }
    }

    /// The instant of the next command, in nanoseconds from the start, which the trace issued at
    /// `at_ms`; `None` in the closed model.
    pub fn next_ns(&mut self, at_ms: i64) -> Option<u64> {
        let first_at_ms = *self.first_at_ms.get_or_insert(at_ms);
        let before = self.arrived as f64;
        self.arrived += 1;
        let ns = match self.pace {
            Pace::Max => return None,
            // A trace that goes back in time is sent without a wait.
            Pace::Speed(factor) => {
                (at_ms.saturating_sub(first_at_ms) as f64 * NS_PER_MS / factor).max(0.0)
            }
            Pace::Rate(rate) => before * NS_PER_SECOND / rate,
            Pace::Poisson(rate) => {
                // Gaps of a Poisson process are exponential (inverse transform).
                let uniform: f64 = self.dice.random();
                self.drawn_ns -= (1.0 - uniform).ln() * NS_PER_SECOND / rate;
                self.drawn_ns
            }
        };
        Some(ns as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants(pace: &str, at_ms: &[i64]) -> Vec<u64> {
        let mut arrivals = Arrivals::new(pace.parse().unwrap(), 7);
        at_ms.iter().map(|at_ms| arrivals.next_ns(*at_ms).unwrap()).collect()
    }

    #[test]
    fn a_pace_is_read_as_it_is_written() {
        for text in ["max", "speed:1", "speed:100", "speed:0.5", "rate:2000", "poisson:0.5"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        for text in ["", "fast", "speed:", "speed:0", "rate:-1", "rate:inf", "speed:NaN", "100"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_traces_times_are_scaled_and_never_go_back_before_the_start() {
        assert_eq!(instants("speed:2", &[100, 103, 95]), [0, 1_500_000, 0]);
        assert_eq!(Arrivals::new(Pace::Max, 1).next_ns(5), None);
    }

    #[test]
    fn a_rate_is_even_and_does_not_drift() {
        let instants = instants("rate:3", &[0; 3001]);
        assert_eq!(instants[..4], [0, 333_333_333, 666_666_666, 1_000_000_000]);
        assert_eq!(instants[3000], 1_000_000_000_000);
    }

    #[test]
    fn a_poisson_process_has_the_rate_and_the_spread_of_one() {
        let instants = instants("poisson:1000", &[0; 20_000]);
        let gaps: Vec<f64> = instants.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean / 1e6 - 1.0).abs() < 0.03, "{mean}");
        // Mean and standard deviation of an exponential distribution are equal.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{variance}");
    }
}
