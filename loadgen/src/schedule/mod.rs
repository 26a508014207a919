//! What is sent when: pure, without a clock and without a target.
//!
//! - [`Schedule`] turns commands into [`ScheduledRequest`]s, with intended instants where the
//!   [`Pace`] sets them, and draws the places of reads.
//! - [`Lanes`] holds them back until what they wait for by their [`Order`] has ended.

mod order;
mod pace;

pub use order::{Lanes, Order, Ready, SlotId};
pub use pace::{Arrivals, Pace, PaceError};

use limosa_scenarios::{Action, Command};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// One request, and when it should be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledRequest {
    /// Counts the requests from 0.
    pub sequence: u64,
    /// The id of the command; for a read, of the last command before it.
    pub command_id: i64,
    /// When to send it, in nanoseconds from the start; `None`: as soon as the order allows.
    pub intended_ns: Option<u64>,
    /// What to send.
    pub payload: Payload,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A command of the trace.
    Command(Action),
    /// `GET /latest`, after a command.
    ReadLatest,
}

/// Every command of the trace in its order, and after some of them, drawn by the seed, a
/// `GET /latest`.
#[derive(Debug)]
pub struct Schedule<I> {
    commands: I,
    arrivals: Arrivals,
    read_share: f64,
    dice: ChaCha8Rng,
    read_next: Option<(i64, Option<u64>)>,
    sequence: u64,
}

impl<I> Schedule<I> {
    /// Schedules `commands`; after a command, `latest` is read with probability `read_share`.
    pub fn new(commands: I, pace: Pace, read_share: f64, seed: u64) -> Self {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        let arrivals = Arrivals::new(pace, seed);
        Self { commands, arrivals, read_share, dice, read_next: None, sequence: 0 }
    }

    fn schedule(
        &mut self,
        command_id: i64,
        intended_ns: Option<u64>,
        payload: Payload,
    ) -> ScheduledRequest {
        let sequence = self.sequence;
        self.sequence += 1;
        ScheduledRequest { sequence, command_id, intended_ns, payload }
    }
}

impl<I, E> Iterator for Schedule<I>
where
    I: Iterator<Item = Result<Command, E>>,
{
    type Item = Result<ScheduledRequest, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((id, intended_ns)) = self.read_next.take() {
            return Some(Ok(self.schedule(id, intended_ns, Payload::ReadLatest)));
        }
        let command = match self.commands.next()? {
            Ok(command) => command,
            Err(error) => return Some(Err(error)),
        };
        let intended_ns = self.arrivals.next_ns(command.at_ms);
        if self.dice.random_bool(self.read_share) {
            self.read_next = Some((command.id, intended_ns));
        }
        Some(Ok(self.schedule(command.id, intended_ns, Payload::Command(command.action))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn commands(count: i64) -> impl Iterator<Item = Result<Command, Infallible>> {
        (0..count).map(|id| {
            let action = Action::Tweet { user: "a".into(), text: id.to_string() };
            Ok(Command { id, at_ms: 5_000 + id * 1_000, action })
        })
    }

    #[test]
    fn every_command_is_scheduled_once_and_in_order() {
        let scheduled: Vec<_> =
            Schedule::new(commands(1000), Pace::Max, 0.3, 7).map(Result::unwrap).collect();
        let ids: Vec<i64> = scheduled
            .iter()
            .filter(|request| matches!(request.payload, Payload::Command(_)))
            .map(|request| request.command_id)
            .collect();
        assert_eq!(ids, (0..1000).collect::<Vec<_>>());
        assert!(scheduled.iter().enumerate().all(|(at, request)| request.sequence == at as u64));
        assert!(scheduled.iter().all(|request| request.intended_ns.is_none()));
        let reads = scheduled.len() - 1000;
        assert!((230..370).contains(&reads), "{reads}");
    }

    #[test]
    fn a_read_follows_its_command() {
        let scheduled: Vec<_> =
            Schedule::new(commands(100), Pace::Max, 1.0, 7).map(Result::unwrap).collect();
        for pair in scheduled.chunks(2) {
            assert_eq!(pair[0].command_id, pair[1].command_id);
            assert_eq!(pair[1].payload, Payload::ReadLatest);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let run = |seed| -> Vec<_> {
            Schedule::new(commands(200), Pace::Max, 0.5, seed).map(Result::unwrap).collect()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn instants_are_absolute_and_scaled_from_the_first_command() {
        let pace: Pace = "speed:100".parse().unwrap();
        let instants: Vec<_> = Schedule::new(commands(1000), pace, 0.0, 7)
            .map(|request| request.unwrap().intended_ns.unwrap())
            .collect();
        assert_eq!(instants[0], 0);
        assert_eq!(instants[1], 10_000_000);
        assert_eq!(instants[999], 9_990_000_000);
    }
}
