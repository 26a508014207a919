//! What is sent when and to whom: pure, without a clock and without a target.
//!
//! - [`Schedule`] turns commands into [`Step`]s: [`ScheduledRequest`]s, with intended instants where the
//!   [`Pace`] sets them, puts [`Read`]s between them, and chooses targets by the [`Route`].
//! - [`Lanes`] holds them back until what they wait for by their [`Order`] has ended.
//!
//! Everything random is drawn from one seed, and a [`Shard`] of a schedule is what is left of the
//! whole when the other shards' requests are taken out: the same requests at the same instants.

mod order;
mod pace;
mod reads;
mod route;
mod stage;

pub use limosa_reports::run::manifest::Shard;
pub use order::{Lanes, Order, Ready, SlotId};
pub use pace::{Arrivals, Due, Pace, PaceError, Spread};
pub use reads::{Often, Read, ReadError};
pub use route::{Route, Router, share_of};
pub use stage::{Stage, span, written_span};

use limosa_reports::run::operation::Operation;
use limosa_scenarios::{Action, Command};
use reads::Reads;
use std::collections::VecDeque;

/// What comes next in a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A request of ours.
    Send(ScheduledRequest),
    /// Another shard sends this user's register.
    Elsewhere {
        /// The user.
        user: String,
    },
}

/// One request, and when it should be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledRequest {
    /// Counts the requests of the whole schedule from 0, those of other shards too.
    pub sequence: u64,
    /// The id of the command; for a read, of the last command before it.
    pub command_id: i64,
    /// When to send it, in nanoseconds from the start; `None`: as soon as the order allows.
    pub intended_ns: Option<u64>,
    /// The index of the target.
    pub target: usize,
    /// What to send.
    pub payload: Payload,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A command of the trace.
    Command(Action),
    /// A read.
    Read {
        /// What is read.
        operation: Operation,
        /// Whose, where it is of a user.
        user: Option<String>,
    },
}

/// How a trace is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Manner {
    /// How fast.
    pub pace: Pace,
    /// Nothing is due at or after this instant, in nanoseconds from the start. In the closed model
    /// the schedule does not end by it.
    pub until_ns: Option<u64>,
    /// What is read besides.
    pub reads: Vec<Read>,
    /// Which target gets which request.
    pub route: Route,
    /// How many targets there are.
    pub targets: usize,
    /// Which share of the users is sent; `None`: all of them.
    pub shard: Option<Shard>,
    /// The seed of everything random.
    pub seed: u64,
}

impl Default for Manner {
    /// As fast as the answers come, to one target, without reads.
    fn default() -> Self {
        Self {
            pace: Pace::Max,
            until_ns: None,
            reads: Vec::new(),
            route: Route::RoundRobin,
            targets: 1,
            shard: None,
            seed: 1,
        }
    }
}

/// Every command of the trace in its order, with reads between them.
#[derive(Debug)]
pub struct Schedule<I, E> {
    commands: I,
    arrivals: Arrivals,
    reads: Reads,
    router: Router,
    shard: Option<Shard>,
    until_ns: u64,
    held: Option<Result<(Command, Option<u64>), E>>,
    queue: VecDeque<Step>,
    sequence: u64,
}

impl<I, E> Schedule<I, E>
where
    I: Iterator<Item = Result<Command, E>>,
{
    /// Schedules `commands`.
    pub fn new(commands: I, manner: &Manner) -> Self {
        let router = Router::new(manner.route, manner.targets, manner.seed);
        let observes = manner.reads.iter().any(|read| read.by_draw);
        let mut schedule = Self {
            commands,
            arrivals: Arrivals::new(&manner.pace, manner.seed),
            reads: Reads::new(&manner.reads, manner.seed),
            router: if observes { router.observing() } else { router },
            shard: manner.shard,
            until_ns: manner.until_ns.unwrap_or(u64::MAX),
            held: None,
            queue: VecDeque::new(),
            sequence: 0,
        };
        schedule.held = schedule.next_command();
        schedule
    }

    /// Reads on where the schedule has ended before its commands: a bad one among those that are not
    /// due is an error all the same.
    ///
    /// # Errors
    /// The commands'.
    pub fn finish(mut self) -> Result<(), E> {
        self.commands.try_for_each(|command| command.map(|_| ()))
    }

    fn next_command(&mut self) -> Option<Result<(Command, Option<u64>), E>> {
        let command = match self.commands.next()? {
            Ok(command) => command,
            Err(error) => return Some(Err(error)),
        };
        let intended_ns = match self.arrivals.next(command.at_ms) {
            Due::WhenFree => None,
            Due::At(ns) if ns < self.until_ns => Some(ns),
            Due::At(_) | Due::Never => return None,
        };
        Some(Ok((command, intended_ns)))
    }

    /// Queues a command and the reads between it and the next one.
    fn queue_command(&mut self, command: Command, intended_ns: Option<u64>) {
        self.held = self.next_command();
        let until_ns = match &self.held {
            Some(Ok((_, next_ns))) => *next_ns,
            Some(Err(_)) | None => None,
        };
        let id = command.id;
        if let Action::Register { user, .. } = &command.action {
            self.reads.registered(user);
        }
        self.push(id, intended_ns, Payload::Command(command.action));
        for read in self.reads.between(intended_ns, until_ns) {
            let payload = Payload::Read { operation: read.operation, user: read.user };
            self.push(id, read.intended_ns, payload);
        }
    }

    fn push(&mut self, command_id: i64, intended_ns: Option<u64>, payload: Payload) {
        let mut request = ScheduledRequest {
            sequence: self.sequence,
            command_id,
            intended_ns,
            target: 0,
            payload,
        };
        self.sequence += 1;
        // The others' requests are routed too, so that each goes where it goes in one whole run.
        request.target = self.router.target(&request);
        if self.shard.is_none_or(|shard| shard.holds(&request)) {
            self.queue.push_back(Step::Send(request));
        } else if let Payload::Command(Action::Register { user, .. }) = request.payload {
            self.queue.push_back(Step::Elsewhere { user });
        }
    }
}

/// Whether a shard sends a request: those of its users, and of the reads that are of no user every
/// so-manieth.
trait Holds {
    fn holds(&self, request: &ScheduledRequest) -> bool;
}

impl Holds for Shard {
    fn holds(&self, request: &ScheduledRequest) -> bool {
        let of = usize::from(self.of);
        let share = match request.payload.user() {
            Some(user) => share_of(user, of),
            None => (request.sequence % of as u64) as usize,
        };
        share + 1 == usize::from(self.index)
    }
}

impl<I, E> Iterator for Schedule<I, E>
where
    I: Iterator<Item = Result<Command, E>>,
{
    type Item = Result<Step, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(step) = self.queue.pop_front() {
                return Some(Ok(step));
            }
            match self.held.take()? {
                Ok((command, intended_ns)) => self.queue_command(command, intended_ns),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
