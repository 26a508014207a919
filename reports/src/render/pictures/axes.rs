//! Scales and their ticks.

/// How values become places along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// Evenly, from one value to another.
    Linear(f64, f64),
    /// By the logarithm.
    Log(f64, f64),
}

impl Scale {
    /// Where a value lies: 0 at the scale's beginning, 1 at its end.
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear(from, to) => (value - from) / (to - from),
            Self::Log(from, to) => (value.max(from) / from).ln() / (to / from).ln(),
        }
    }

    /// A linear scale from 0 that ends on a tick.
    pub(super) fn from_zero(max: f64, ticks: usize) -> Self {
        let step = step(max.max(1.0) / ticks as f64);
        Self::Linear(0.0, (max.max(1.0) / step).ceil() * step)
    }

    /// A logarithmic scale that holds both values and begins and ends at 1, 2 or 5 times a power
    /// of ten, and spans a decade at least, so that noise does not look like a mountain.
    pub(super) fn log_around(min: f64, max: f64) -> Self {
        let from = [5.0, 2.0, 1.0]
            .map(|leading| leading * decade(min))
            .into_iter()
            .find(|value| *value <= min)
            .unwrap_or(min);
        let to = [1.0, 2.0, 5.0, 10.0]
            .map(|leading| leading * decade(max))
            .into_iter()
            .find(|value| *value >= max)
            .unwrap_or(max);
        Self::Log(from, to.max(from * 10.0))
    }

    /// The values to name along it, about as many as asked for.
    pub(super) fn ticks(self, wanted: usize) -> Vec<f64> {
        match self {
            Self::Linear(from, to) => {
                let step = step((to - from) / wanted as f64);
                multiples(from, to, step)
            }
            Self::Log(from, to) => {
                let decades = (to / from).log10();
                let leading: &[f64] = if decades <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let mut ticks = Vec::new();
                let mut power = decade(from);
                while power <= to {
                    ticks.extend(
                        leading
                            .iter()
                            .map(|leading| leading * power)
                            .filter(|tick| (from * 0.999..=to * 1.001).contains(tick)),
                    );
                    power *= 10.0;
                }
                let every = ticks.len().div_ceil(wanted.max(1) + 2);
                ticks.into_iter().step_by(every.max(1)).collect()
            }
        }
    }
}

fn decade(value: f64) -> f64 {
    // Powers of ten up to 10^22 are exact; the small excess undoes a logarithm just below a whole.
    10_f64.powf((value.log10() + 1e-9).floor())
}

/// The first of 1, 2 and 5 times a power of ten that is no less.
fn step(least: f64) -> f64 {
    let power = decade(least);
    [1.0, 2.0, 5.0, 10.0]
        .map(|leading| leading * power)
        .into_iter()
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

fn multiples(from: f64, to: f64, step: f64) -> Vec<f64> {
    let first = (from / step).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// The seconds to name along an axis of time: steps that a clock has.
pub(super) fn time_ticks(seconds: f64, wanted: usize) -> Vec<f64> {
    const STEPS: [f64; 12] = [
        15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0,
        86_400.0,
    ];
    let least = seconds / wanted as f64;
    let step = if least <= 10.0 {
        step(least)
    } else {
        STEPS
            .into_iter()
            .find(|step| *step >= least)
            .unwrap_or_else(|| 86_400.0 * (least / 86_400.0).ceil())
    };
    multiples(0.0, seconds, step)
}

/// A tick of time from the start: `0 s`, `0.2 s`, `15 s`, `5 min`, `2 h`.
pub(super) fn time_label(seconds: f64, span: f64) -> String {
    if span > 7_200.0 {
        format!("{} h", trimmed(seconds / 3_600.0))
    } else if span > 120.0 {
        format!("{} min", trimmed(seconds / 60.0))
    } else {
        format!("{} s", trimmed(seconds))
    }
}

/// A tick of a latency: `50 µs`, `0.2 ms` is never needed, `1 ms`, `10 s`.
pub(super) fn latency_label(ns: f64) -> String {
    if ns == 0.0 {
        return "0".to_owned();
    }
    let (value, unit) = if ns < 999.5 {
        (ns, "ns")
    } else if ns < 999.5e3 {
        (ns / 1e3, "µs")
    } else if ns < 999.5e6 {
        (ns / 1e6, "ms")
    } else {
        (ns / 1e9, "s")
    };
    format!("{} {unit}", trimmed(value))
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn time_ticks_are_those_of_a_clock() {
        assert_eq!(time_ticks(1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(time_ticks(62.0, 5), [0.0, 15.0, 30.0, 45.0, 60.0]);
        assert_eq!(time_ticks(600.0, 5), [0.0, 120.0, 240.0, 360.0, 480.0, 600.0]);
        assert_eq!(time_label(0.6000000000000001, 1.0), "0.6 s");
        assert_eq!(time_label(300.0, 600.0), "5 min");
    }

    #[test]
    fn log_scales_begin_and_end_on_round_values() {
        assert_eq!(Scale::log_around(210_000.0, 41e6), Scale::Log(200_000.0, 50e6));
        assert_eq!(Scale::log_around(1e6, 1e6), Scale::Log(1e6, 1e7));
        assert_eq!(latency_label(200_000.0), "200 µs");
        assert_eq!(latency_label(0.0), "0");
    }

    proptest! {
        #[test]
        fn ticks_lie_on_their_scale(min in 1.0..1e9f64, factor in 1.0..1e6f64, wanted in 2usize..9) {
            for scale in [Scale::log_around(min, min * factor), Scale::from_zero(min, wanted)] {
                let ticks = scale.ticks(wanted);
                prop_assert!(ticks.len() >= 2 && ticks.len() <= wanted + 4, "{:?}", ticks);
                for tick in ticks {
                    prop_assert!((-0.001..=1.001).contains(&scale.place(tick)), "{tick} on {scale:?}");
                }
            }
        }

        #[test]
        fn time_has_few_ticks(seconds in 0.001..1e7f64, wanted in 2usize..9) {
            let ticks = time_ticks(seconds, wanted);
            prop_assert!(!ticks.is_empty() && ticks.len() <= wanted + 1, "{:?}", ticks);
        }
    }
}
