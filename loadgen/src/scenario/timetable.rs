//! When a scenario sends how much: its phases, one after another.

use crate::schedule::{Pace, Spread, Stage};
use limosa_reports::run::manifest::Phase;
use std::time::Duration;

/// The phases of a scenario, and what sets its pace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timetable {
    pub(super) tempo: Tempo,
    /// How commands are spread over the time that a rate gives them.
    pub(super) spread: Spread,
    pub(super) stretches: Vec<Stretch>,
    /// When the run ends, where the phases do not say it.
    pub(super) duration: Option<Duration>,
}

/// What sets the pace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tempo {
    /// The answers: the closed model.
    Answers,
    /// The trace's own times, so many times faster.
    Speed(f64),
    /// One rate, in commands a second.
    Rate(f64),
    /// Each phase its own.
    Phases,
}

/// A phase.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    pub(super) name: String,
    /// How long it lasts; the last one may last to the end of the trace.
    pub(super) length: Option<Duration>,
    /// The rates at its start and end, where it has its own.
    pub(super) rates: Option<(f64, f64)>,
    pub(super) warm_up: bool,
}

impl Timetable {
    pub(super) fn pace(&self) -> Pace {
        let stages = self.stretches.iter().filter_map(|stretch| {
            let (from, to) = stretch.rates?;
            Some(Stage { from, to, length: stretch.length })
        });
        match self.tempo {
            Tempo::Answers => Pace::Max,
            Tempo::Speed(factor) => Pace::Speed(factor),
            Tempo::Rate(rate) => Pace::constant(rate, self.spread),
            Tempo::Phases => Pace::Rate { stages: stages.collect(), spread: self.spread },
        }
    }

    /// The phases as the manifest has them; without any, all is one.
    pub(super) fn phases(&self) -> Vec<Phase> {
        let mut from_ns = 0;
        let phases: Vec<Phase> = self
            .stretches
            .iter()
            .map(|stretch| {
                let phase = Phase { name: stretch.name.clone(), from_ns, warm_up: stretch.warm_up };
                from_ns += stretch.length.map_or(0, |length| length.as_nanos() as u64);
                phase
            })
            .collect();
        if phases.is_empty() { Phase::whole() } else { phases }
    }

    /// How long the run lasts; `None` where its trace decides.
    pub(super) fn total(&self) -> Option<Duration> {
        let lengths: Option<Duration> = self.stretches.iter().map(|one| one.length).sum();
        lengths.filter(|_| !self.stretches.is_empty()).or(self.duration)
    }

    /// The same in another time: where it has an end of its own, every phase keeps its share of the
    /// whole; else it is cut off.
    pub(super) fn lasting(&self, time: Duration) -> Self {
        let mut other = self.clone();
        match self.total() {
            Some(total) => {
                let factor = time.as_secs_f64() / total.as_secs_f64();
                for length in other.stretches.iter_mut().filter_map(|one| one.length.as_mut()) {
                    *length = length.mul_f64(factor);
                }
                other.duration = other.duration.map(|_| time);
            }
            None => other.duration = Some(time),
        }
        other
    }

    /// How many commands fall due, at most; `None` where it has no end or no rate.
    pub(super) fn commands(&self) -> Option<u64> {
        let seconds = self.total()?.as_secs_f64();
        let due = match self.tempo {
            Tempo::Answers | Tempo::Speed(_) => return None,
            Tempo::Rate(rate) => rate * seconds,
            Tempo::Phases => self
                .stretches
                .iter()
                .filter_map(|one| {
                    let (from, to) = one.rates?;
                    Some((from + to) / 2.0 * one.length?.as_secs_f64())
                })
                .sum(),
        };
        let spare = match self.spread {
            Spread::Even => 0.0,
            // Six standard deviations.
            Spread::Poisson => 6.0 * due.sqrt(),
        };
        Some((due + spare).ceil().max(1.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stretch(seconds: u64, rates: (f64, f64)) -> Stretch {
        let length = Some(Duration::from_secs(seconds));
        Stretch { name: "x".into(), length, rates: Some(rates), warm_up: false }
    }

    fn timetable(stretches: Vec<Stretch>) -> Timetable {
        Timetable { tempo: Tempo::Phases, spread: Spread::Even, stretches, duration: None }
    }

    #[test]
    fn phases_follow_one_another() {
        let all = timetable(vec![stretch(5, (100.0, 100.0)), stretch(10, (100.0, 300.0))]);
        assert_eq!(all.pace().to_string(), "rate:100:5s,ramp:100:300:10s");
        assert_eq!(all.phases()[1].from_ns, 5_000_000_000);
        assert_eq!(all.total(), Some(Duration::from_secs(15)));
        assert_eq!(all.commands(), Some(500 + 2_000));
    }

    #[test]
    fn an_end_of_its_own_is_moved_and_no_end_is_cut() {
        let all = timetable(vec![stretch(5, (100.0, 100.0)), stretch(10, (100.0, 300.0))]);
        let short = all.lasting(Duration::from_secs(3));
        assert_eq!(short.phases()[1].from_ns, 1_000_000_000);
        assert_eq!(short.total(), Some(Duration::from_secs(3)));

        let mut endless = all;
        endless.stretches[1].length = None;
        assert_eq!((endless.total(), endless.commands()), (None, None));
        let cut = endless.lasting(Duration::from_secs(7));
        assert_eq!(cut.phases(), endless.phases());
        assert_eq!(cut.duration, Some(Duration::from_secs(7)));
    }

    proptest! {
        #[test]
        fn as_many_commands_as_fall_due(
            parts in prop::collection::vec((1..5_u64, 1.0..50.0_f64, 0.0..50.0_f64), 1..5),
        ) {
            let stretches = parts.iter().map(|(length, from, to)| stretch(*length, (*from, *to)));
            let all = timetable(stretches.collect());
            let until_ns = all.total().unwrap().as_nanos() as u64;
            let mut arrivals = crate::schedule::Arrivals::new(&all.pace(), 1);
            let mut due = 0;
            while let crate::schedule::Due::At(ns) = arrivals.next(0) {
                if ns >= until_ns {
                    break;
                }
                due += 1;
            }
            let planned = all.commands().unwrap();
            // The last instant may be rounded over the end.
            prop_assert!(planned == due || planned == due + 1, "{planned} for {due}");
        }
    }
}
