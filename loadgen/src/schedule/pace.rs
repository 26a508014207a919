//! How fast a schedule goes.

use std::fmt;
use std::str::FromStr;

const NS_PER_MS: f64 = 1e6;

/// How fast a schedule goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as the answers come: the closed model.
    Max,
    /// The trace's own times, this many times faster.
    Speed(f64),
}

/// Why a pace was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pace: give `max`, or `speed:K` with a number K above 0")]
pub struct PaceError(String);

impl Pace {
    /// The intended instant, in nanoseconds from the start, of a command that is `since_first_ms`
    /// after the first one in the trace. Computed from the trace alone, so that no delay adds up.
    pub fn intended_ns(self, since_first_ms: i64) -> Option<u64> {
        match self {
            Self::Max => None,
            // A trace that goes back in time is sent without a wait.
            Self::Speed(factor) => {
                Some((since_first_ms as f64 * NS_PER_MS / factor).max(0.0) as u64)
            }
        }
    }

    /// A pace of `factor` times the trace's own times.
    ///
    /// # Errors
    /// [`PaceError`] where the factor is no finite number above 0.
    pub fn speed(factor: f64) -> Result<Self, PaceError> {
        if factor.is_finite() && factor > 0.0 {
            Ok(Self::Speed(factor))
        } else {
            Err(PaceError(format!("speed:{factor}")))
        }
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let error = || PaceError(text.to_owned());
        match text.strip_prefix("speed:") {
            None if text == "max" => Ok(Self::Max),
            None => Err(error()),
            Some(factor) => Self::speed(factor.parse().map_err(|_| error())?).map_err(|_| error()),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Speed(factor) => write!(f, "speed:{factor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_as_it_is_written() {
        for text in ["max", "speed:1", "speed:100", "speed:0.5"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        for text in ["", "fast", "speed:", "speed:0", "speed:-1", "speed:inf", "speed:NaN", "100"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }

    #[test]
    fn time_that_goes_back_is_now() {
        assert_eq!(Pace::Speed(2.0).intended_ns(-5), Some(0));
        assert_eq!(Pace::Speed(2.0).intended_ns(3), Some(1_500_000));
        assert_eq!(Pace::Max.intended_ns(3), None);
    }
}
