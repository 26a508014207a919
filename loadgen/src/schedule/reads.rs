//! The reads in the mix.

use super::Route;
use super::pace::unit_exponential;
use limosa_reports::run::operation::Operation;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

const NS_PER_SECOND: f64 = 1e9;
/// More reads than this between two commands, or in a second, are a slip of the hand.
const MOST: f64 = 1e6;

/// How often something is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// What: one of the operations that do not write.
    pub operation: Operation,
    /// How often.
    pub often: Often,
    /// Each goes to a target drawn by the seed, whatever the route: for reads of `latest` that
    /// observe.
    pub by_draw: bool,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Often {
    /// So many reads for each command, on average; 0 is never.
    PerCommand(f64),
    /// So many reads a second, as a Poisson process; 0 is never. Only in the open model.
    PerSecond(f64),
}

/// How often `latest` is read where it is observed: for one command in five. Enough that a replica
/// which is behind for the time of a few commands is met, at a cost below that of the commands.
const OBSERVED: f64 = 0.2;
/// How often it is read in passing.
const IN_PASSING: f64 = 0.05;

impl Read {
    /// `GET /latest`, so many times for each command.
    pub fn latest(share: f64) -> Self {
        Self { operation: Operation::Latest, often: Often::PerCommand(share), by_draw: false }
    }

    /// `GET /latest` of any target, as often as it takes to judge it.
    fn observing() -> Self {
        Self { by_draw: true, ..Self::latest(OBSERVED) }
    }

    /// The given reads, with those of `latest` as they observe: of any target, and as often as it
    /// takes where it is not given how often.
    pub fn observed(given: &[Self]) -> Vec<Self> {
        let mut reads = given.to_vec();
        if !reads.iter().any(|read| read.operation == Operation::Latest) {
            reads.push(Self::observing());
        }
        for read in reads.iter_mut().filter(|read| read.operation == Operation::Latest) {
            read.by_draw = true;
        }
        reads
    }

    /// `GET /latest` where nobody says how often: in passing; and where several targets answer at
    /// once, which may disagree, as often as it takes to judge it.
    pub fn usual(targets: usize, route: Route) -> Self {
        match route {
            Route::RoundRobin | Route::Random | Route::User if targets > 1 => Self::observing(),
            _ => Self::latest(IN_PASSING),
        }
    }

    /// The whole mix: what is given, and `latest` as usual where it is not.
    pub fn mix(given: &[Self], targets: usize, route: Route) -> Vec<Self> {
        let is_given = given.iter().any(|read| read.operation == Operation::Latest);
        let usual = (!is_given).then(|| Self::usual(targets, route));
        usual.into_iter().chain(given.iter().copied()).filter(|read| !read.is_never()).collect()
    }

    /// Whether it is said that it does not happen.
    pub fn is_never(&self) -> bool {
        let (Often::PerCommand(times) | Often::PerSecond(times)) = self.often;
        times == 0.0
    }

    /// Whether it comes by time alone.
    pub fn is_by_rate(&self) -> bool {
        matches!(self.often, Often::PerSecond(_))
    }
}

/// Why a read was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no read: give what and how often, such as `latest=0.05`, `messages=5%` (for each \
     command) or `user_messages=20/s`, from 0 for never to a million; what is one of latest, \
     messages, user_messages, follows, public"
)]
pub struct ReadError(String);

impl FromStr for Read {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        let error = || ReadError(text.to_owned());
        let (what, often) = text.split_once('=').ok_or_else(error)?;
        let operation = Operation::ALL
            .into_iter()
            .find(|operation| !operation.is_write() && operation.name() == what.trim())
            .ok_or_else(error)?;
        let often = often.trim();
        let often = if let Some(rate) = often.strip_suffix("/s") {
            Often::PerSecond(times(rate).ok_or_else(error)?)
        } else if let Some(percent) = often.strip_suffix('%') {
            Often::PerCommand(times(percent).ok_or_else(error)? / 100.0)
        } else {
            Often::PerCommand(times(often).ok_or_else(error)?)
        };
        Ok(Self { operation, often, by_draw: false })
    }
}

fn times(text: &str) -> Option<f64> {
    text.parse().ok().filter(|times| (0.0..=MOST).contains(times))
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.often {
            Often::PerCommand(share) => write!(f, "{}={share}", self.operation.name()),
            Often::PerSecond(rate) => write!(f, "{}={rate}/s", self.operation.name()),
        }?;
        f.write_str(if self.by_draw { " by draw" } else { "" })
    }
}

/// One read, and when it is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) operation: Operation,
    /// Whose, where it is of a user.
    pub(super) user: Option<String>,
    pub(super) intended_ns: Option<u64>,
}

/// Draws the reads between one command and the next.
#[derive(Debug)]
pub(super) struct Reads {
    mix: Vec<Read>,
    /// When the next read of each that comes by rate is due, in nanoseconds.
    next_ns: Vec<f64>,
    dice: ChaCha8Rng,
    /// The users registered so far, where reads are of users.
    users: Vec<String>,
    known: HashSet<String>,
}

impl Reads {
    pub(super) fn new(mix: &[Read], seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let next_ns = mix.iter().map(|read| gap_ns(read.often, &mut dice)).collect();
        Self { mix: mix.to_vec(), next_ns, dice, users: Vec::new(), known: HashSet::new() }
    }

    /// Tells of a register, so that its user can be read.
    pub(super) fn registered(&mut self, user: &str) {
        let is_wanted = self.mix.iter().any(|read| is_of_a_user(read.operation));
        if is_wanted && self.known.insert(user.to_owned()) {
            self.users.push(user.to_owned());
        }
    }

    /// The reads after the command that is due at `from_ns`, before the next one at `until_ns`, in
    /// the order in which they are due.
    pub(super) fn between(&mut self, from_ns: Option<u64>, until_ns: Option<u64>) -> Vec<Placed> {
        let mut placed = Vec::new();
        for at in 0..self.mix.len() {
            let Read { operation, often, .. } = self.mix[at];
            match (often, from_ns, until_ns) {
                (Often::PerCommand(share), _, _) => {
                    for _ in 0..self.whole(share) {
                        let intended_ns = from_ns.map(|from_ns| {
                            let until_ns = until_ns.unwrap_or(from_ns).max(from_ns);
                            self.dice.random_range(from_ns..=until_ns)
                        });
                        self.place(operation, intended_ns, &mut placed);
                    }
                }
                (Often::PerSecond(_), Some(_), Some(until_ns)) => {
                    while self.next_ns[at] < until_ns as f64 {
                        let intended_ns = Some(self.next_ns[at] as u64);
                        self.place(operation, intended_ns, &mut placed);
                        self.next_ns[at] += gap_ns(often, &mut self.dice);
                    }
                }
                (Often::PerSecond(_), _, _) => {}
            }
        }
        placed.sort_by_key(|read| read.intended_ns);
        placed
    }

    /// A whole number with the given mean.
    fn whole(&mut self, mean: f64) -> u64 {
        mean as u64 + u64::from(self.dice.random_bool(mean.fract()))
    }

    fn place(&mut self, operation: Operation, intended_ns: Option<u64>, placed: &mut Vec<Placed>) {
        let user = if is_of_a_user(operation) {
            // Before the first register there is nobody to read.
            if self.users.is_empty() {
                return;
            }
            Some(self.users[self.dice.random_range(0..self.users.len())].clone())
        } else {
            None
        };
        placed.push(Placed { operation, user, intended_ns });
    }
}

fn is_of_a_user(operation: Operation) -> bool {
    matches!(operation, Operation::UserMessages | Operation::Follows)
}

fn gap_ns(often: Often, dice: &mut ChaCha8Rng) -> f64 {
    match often {
        Often::PerCommand(_) => f64::INFINITY,
        Often::PerSecond(rate) => unit_exponential(dice) * NS_PER_SECOND / rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(text: &str) -> Vec<Read> {
        text.split(' ').map(|read| read.parse().unwrap()).collect()
    }

    #[test]
    fn a_read_is_read_as_it_is_written() {
        for (text, written) in [
            ("latest=0.05", "latest=0.05"),
            ("messages=50%", "messages=0.5"),
            ("user_messages=20/s", "user_messages=20/s"),
            ("follows=3", "follows=3"),
            ("public=1", "public=1"),
            ("latest=0", "latest=0"),
        ] {
            assert_eq!(text.parse::<Read>().unwrap().to_string(), written);
        }
        for text in [
            "latest",
            "latest=",
            "latest=-1",
            "latest=nan",
            "tweet=1",
            "latest=1/min",
            "=1",
            "latest=1e9",
            "latest=1e9/s",
        ] {
            assert!(text.parse::<Read>().is_err(), "{text}");
        }
    }

    #[test]
    fn latest_is_read_unless_it_is_said_never() {
        let written = |given: &[&str], targets, route| {
            let given: Vec<Read> = given.iter().map(|read| read.parse().unwrap()).collect();
            let mix = Read::mix(&given, targets, route);
            mix.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(written(&[], 1, Route::RoundRobin), "latest=0.05");
        assert_eq!(written(&[], 2, Route::User), "latest=0.2 by draw", "they may disagree");
        assert_eq!(written(&[], 2, Route::Failover), "latest=0.05", "only one is in use");
        assert_eq!(written(&["public=1"], 1, Route::User), "latest=0.05 public=1");
        assert_eq!(written(&["latest=3/s", "public=0"], 2, Route::User), "latest=3/s");
        assert_eq!(written(&["latest=0"], 2, Route::User), "");
        let observed = |given: &[Read]| Read::observed(given)[0].to_string();
        assert_eq!(observed(&[]), "latest=0.2 by draw");
        assert_eq!(observed(&mix("latest=3/s")), "latest=3/s by draw");
    }

    #[test]
    fn shares_come_out_on_average_and_lie_between_the_commands() {
        let mut reads = Reads::new(&mix("latest=2.25 messages=0.5"), 7);
        let mut counts = [0_u32; 2];
        for command in 0..4_000_u64 {
            let (from, until) = (command * 1_000, command * 1_000 + 999);
            let placed = reads.between(Some(from), Some(until));
            assert!(placed.is_sorted_by_key(|read| read.intended_ns));
            for read in placed {
                assert!((from..=until).contains(&read.intended_ns.unwrap()));
                counts[usize::from(read.operation == Operation::Messages)] += 1;
            }
        }
        assert!((8_880..=9_120).contains(&counts[0]), "{counts:?}");
        assert!((1_870..=2_130).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn rates_come_out_however_the_commands_come() {
        let mut reads = Reads::new(&mix("latest=100/s"), 7);
        let mut count = 0;
        for second in 0..40_u64 {
            count += reads
                .between(Some(second * 1_000_000_000), Some((second + 1) * 1_000_000_000))
                .len();
        }
        // A Poisson variable with mean 4,000: four standard deviations are 253.
        assert!((3_747..=4_253).contains(&count), "{count}");
    }

    #[test]
    fn users_are_read_once_they_were_registered() {
        let mut reads = Reads::new(&mix("user_messages=1"), 7);
        assert_eq!(reads.between(None, None), []);
        reads.registered("a");
        reads.registered("a");
        reads.registered("b");
        let names: HashSet<String> =
            (0..50).flat_map(|_| reads.between(None, None)).filter_map(|read| read.user).collect();
        assert_eq!(names, HashSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(reads.users.len(), 2);
    }
}
