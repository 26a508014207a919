//! When requests are due.

use super::stage::{Stage, Staircase};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::fmt;
use std::str::FromStr;

const NS_PER_MS: f64 = 1e6;
const NS_PER_SECOND: f64 = 1e9;

/// How fast a schedule goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// As fast as the answers come: the closed model.
    Max,
    /// The trace's own times, this many times faster.
    Speed(f64),
    /// So many commands a second, whatever the answers: the open model.
    Rate {
        /// The rates, one after another; the last one's end is held.
        stages: Vec<Stage>,
        /// How the commands are spread.
        spread: Spread,
    },
}

/// How commands are spread over the time that a rate gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spread {
    /// At equal distances.
    Even,
    /// As a Poisson process.
    Poisson,
}

/// Why a pace was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pace: give `max`, `speed:K`, `rate:R` or `poisson:R` with a number above 0, or \
     stages such as `ramp:0:1000:30s,rate:1000`"
)]
pub struct PaceError(pub(super) String);

impl Pace {
    /// One rate, in commands a second.
    pub fn constant(rate: f64, spread: Spread) -> Self {
        Self::Rate { stages: vec![Stage::constant(rate, None)], spread }
    }

    /// Whether sends wait for answers alone, so that there are no intended instants.
    pub fn is_closed_model(&self) -> bool {
        *self == Self::Max
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let error = || PaceError(text.to_owned());
        if let Some(factor) = text.strip_prefix("speed:") {
            return positive(factor).map(Self::Speed).ok_or_else(error);
        }
        let (stages, spread) = match text.strip_prefix("poisson:") {
            // A lone rate needs no second word.
            Some(rate) if positive(rate).is_some() => {
                (vec![Stage::constant(positive(rate).ok_or_else(error)?, None)], Spread::Poisson)
            }
            Some(stages) => (Stage::parse_all(stages).ok_or_else(error)?, Spread::Poisson),
            None => (Stage::parse_all(text).ok_or_else(error)?, Spread::Even),
        };
        Ok(Self::Rate { stages, spread })
    }
}

/// A number above 0.
pub(super) fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Speed(factor) => write!(f, "speed:{factor}"),
            Self::Rate { stages, spread } => {
                if let ([stage], Spread::Poisson) = (&stages[..], spread)
                    && let Some(rate) = stage.endless_rate()
                {
                    return write!(f, "poisson:{rate}");
                }
                if *spread == Spread::Poisson {
                    f.write_str("poisson:")?;
                }
                for (index, stage) in stages.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{stage}")?;
                }
                Ok(())
            }
        }
    }
}

/// When a command is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// As soon as a connection is free: the closed model.
    WhenFree,
    /// So many nanoseconds after the start.
    At(u64),
    /// Not at all: the rate has come to 0, and stays there.
    Never,
}

/// The intended instants of a schedule, one after another. Each is computed from the start, so that
/// no delay adds up.
///
/// Where the rate changes, the instants are those at which its integral over time reaches the
/// number of the command or, for a Poisson process, the sum of so many unit exponentials (the time
/// change of Çinlar, *Introduction to Stochastic Processes*, 1975).
#[derive(Debug)]
pub struct Arrivals {
    kind: Kind,
    dice: ChaCha8Rng,
}

#[derive(Debug)]
enum Kind {
    WhenFree,
    Scaled { factor: f64, first_at_ms: Option<i64> },
    Rate { staircase: Staircase, spread: Spread, arrived: f64 },
}

impl Arrivals {
    /// Instants at the given pace; the seed draws those of a Poisson process.
    pub fn new(pace: &Pace, seed: u64) -> Self {
        let kind = match pace {
            Pace::Max => Kind::WhenFree,
            Pace::Speed(factor) => Kind::Scaled { factor: *factor, first_at_ms: None },
            Pace::Rate { stages, spread } => {
                Kind::Rate { staircase: Staircase::new(stages), spread: *spread, arrived: 0.0 }
            }
        };
        Self { kind, dice: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The instant of the next command, which the trace issued at `at_ms`.
    pub fn next(&mut self, at_ms: i64) -> Due {
        match &mut self.kind {
            Kind::WhenFree => Due::WhenFree,
            Kind::Scaled { factor, first_at_ms } => {
                let first_at_ms = *first_at_ms.get_or_insert(at_ms);
                let elapsed_ms = at_ms.saturating_sub(first_at_ms) as f64;
                // A trace that goes back in time is sent without a wait.
                Due::At((elapsed_ms * NS_PER_MS / *factor).max(0.0) as u64)
            }
            Kind::Rate { staircase, spread, arrived } => {
                let count = match spread {
                    Spread::Even => {
                        let count = *arrived;
                        *arrived += 1.0;
                        count
                    }
                    Spread::Poisson => {
                        *arrived += unit_exponential(&mut self.dice);
                        *arrived
                    }
                };
                staircase
                    .seconds_until(count)
                    .map_or(Due::Never, |seconds| Due::At((seconds * NS_PER_SECOND).round() as u64))
            }
        }
    }
}

/// Draws from the exponential distribution with mean 1, by inverse transform.
pub(super) fn unit_exponential(dice: &mut ChaCha8Rng) -> f64 {
    let uniform: f64 = dice.random();
    -(1.0 - uniform).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants(pace: &str, at_ms: &[i64]) -> Vec<u64> {
        let mut arrivals = Arrivals::new(&pace.parse().unwrap(), 7);
        at_ms
            .iter()
            .map_while(|at_ms| match arrivals.next(*at_ms) {
                Due::At(ns) => Some(ns),
                Due::Never => None,
                Due::WhenFree => panic!("{pace} has instants"),
            })
            .collect()
    }

    #[test]
    fn a_pace_is_read_as_it_is_written() {
        for text in [
            "max",
            "speed:1",
            "speed:100",
            "speed:0.5",
            "rate:2000",
            "poisson:0.5",
            "rate:100:10s,ramp:100:1000:1.5s,rate:1000",
            "ramp:0:5:200ms",
            "poisson:ramp:0:1000:30s,rate:1000",
            "poisson:rate:5:10s",
        ] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "fast",
            "speed:",
            "speed:0",
            "rate:-1",
            "rate:inf",
            "speed:NaN",
            "100",
            "rate:0",
            "ramp:0:0:5s",
            "ramp:5:10",
            "ramp:1:2:0s",
            "rate:5,rate:6",
            "rate:5:10s,",
            "ramp:-1:2:3s",
            "poisson:",
            "poisson:max",
        ] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_traces_times_are_scaled_and_never_go_back_before_the_start() {
        assert_eq!(instants("speed:2", &[100, 103, 95]), [0, 1_500_000, 0]);
        assert_eq!(Arrivals::new(&Pace::Max, 1).next(5), Due::WhenFree);
    }

    #[test]
    fn a_rate_is_even_and_does_not_drift() {
        let instants = instants("rate:3", &[0; 3001]);
        assert_eq!(instants[..4], [0, 333_333_333, 666_666_667, 1_000_000_000]);
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

    #[test]
    fn a_ramp_sends_as_much_as_the_area_under_it() {
        // 0 to 1000 a second in 30 s: 15,000 in all, a quarter of them in the first half.
        let instants = instants("ramp:0:1000:30s,rate:1000", &[0; 16_001]);
        let before = |seconds: u64| instants.partition_point(|ns| *ns < seconds * 1_000_000_000);
        assert_eq!(before(30), 15_000);
        assert_eq!(before(15), 3_750);
        assert_eq!(instants[16_000], 31_000_000_000);
        assert!(instants.is_sorted());
    }

    #[test]
    fn steps_change_the_rate_at_once_and_a_rate_of_nothing_ends() {
        let even = instants("rate:10:1s,rate:100:1s,ramp:100:0:1s", &[0; 1000]);
        let within = |from: u64, until: u64| {
            even.iter().filter(|ns| (from..until).contains(&(**ns / 1_000_000_000))).count()
        };
        assert_eq!((within(0, 1), within(1, 2), within(2, 3)), (10, 100, 50));
        assert_eq!(even.len(), 161, "the end of the ramp is the last instant");
    }

    #[test]
    fn a_ramped_poisson_process_has_the_ramps_rate() {
        let instants = instants("poisson:ramp:0:2000:20s", &[0; 20_000]);
        let half = instants.partition_point(|ns| *ns < 10_000_000_000);
        // A Poisson variable with mean 5,000: four standard deviations are 283.
        assert!((4_717..=5_283).contains(&half), "{half}");
    }
}
