//! Which target gets which request.
//!
//! Reads of `latest` that observe go to a target of their own draw. By turns, writes and reads that
//! alternate would always meet the same targets, so that some mistakes could never show; and the
//! commands go where they would go without them.

use super::{Payload, ScheduledRequest};
use limosa_reports::run::operation::Operation;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How requests are spread over several targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Route {
    /// To one target after another.
    RoundRobin,
    /// To a target drawn by the seed.
    Random,
    /// All of a user's to the same target; reads that are of no user to one after another.
    User,
    /// All to the first target, and to the next one once that one fails.
    Failover,
}

impl Route {
    /// The name in manifests and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::Random => "random",
            Self::User => "user",
            Self::Failover => "failover",
        }
    }
}

/// Chooses targets.
#[derive(Debug)]
pub struct Router {
    route: Route,
    targets: usize,
    next: usize,
    dice: ChaCha8Rng,
    /// Draws the targets of the reads of `latest`, where they go by no route.
    observer: Option<ChaCha8Rng>,
}

/// The stream of the seed's random numbers that observing has for itself.
const OBSERVING: u64 = 1;

impl Router {
    /// A router over so many targets, at least one; the seed draws the random ones.
    pub fn new(route: Route, targets: usize, seed: u64) -> Self {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        Self { route, targets: targets.max(1), next: 0, dice, observer: None }
    }

    /// The same, but that each read of `latest` goes to a target drawn by the seed. A failover has one
    /// target in use, which is the one to observe.
    pub fn observing(mut self) -> Self {
        if self.route != Route::Failover {
            let mut observer = self.dice.clone();
            observer.set_stream(OBSERVING);
            self.observer = Some(observer);
        }
        self
    }

    /// The target of a request, as its index.
    pub fn target(&mut self, request: &ScheduledRequest) -> usize {
        if let Some(observer) = self.observer.as_mut().filter(|_| request.payload.observes()) {
            return observer.random_range(0..self.targets);
        }
        match self.route {
            _ if self.targets == 1 => 0,
            Route::RoundRobin => self.take_turns(),
            Route::Random => self.dice.random_range(0..self.targets),
            Route::User => match request.payload.user() {
                Some(user) => share_of(user, self.targets),
                None => self.take_turns(),
            },
            Route::Failover => self.next,
        }
    }

    /// The target to use instead of the given one, where that one has failed.
    pub fn instead_of(&self, target: usize) -> Option<usize> {
        (self.route == Route::Failover && self.next != target).then_some(self.next)
    }

    fn take_turns(&mut self) -> usize {
        let turn = self.next;
        self.next = (turn + 1) % self.targets;
        turn
    }

    /// Tells that a target did not answer. Returns the one to try instead, where the route has one.
    pub fn failed(&mut self, target: usize) -> Option<usize> {
        if self.route != Route::Failover || self.targets == 1 {
            return None;
        }
        // Others may have told of it already.
        if self.next == target {
            self.next = (target + 1) % self.targets;
        }
        Some(self.next)
    }
}

impl Payload {
    /// The user who acts or is read; `None` for reads of no user.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Command(action) => Some(action.user()),
            Self::Read { user, .. } => user.as_deref(),
        }
    }

    /// Whether it is a command of the trace.
    pub fn is_command(&self) -> bool {
        matches!(self, Self::Command(_))
    }

    /// Whether it looks at `latest`.
    pub fn observes(&self) -> bool {
        matches!(self, Self::Read { operation: Operation::Latest, .. })
    }
}

/// The share of `of` that a user belongs to, from 0: the same in every process and every release,
/// by the FNV-1a hash (Fowler, Noll and Vo) of the name.
pub fn share_of(user: &str, of: usize) -> usize {
    let hash = user.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits of FNV are its weakest.
    ((hash ^ (hash >> 32)) % of as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use limosa_scenarios::Action;

    fn tweet(user: &str) -> ScheduledRequest {
        let action = Action::Tweet { user: user.to_owned(), text: String::new() };
        ScheduledRequest {
            sequence: 0,
            command_id: 0,
            intended_ns: None,
            target: 0,
            payload: Payload::Command(action),
        }
    }

    fn targets(router: &mut Router, count: usize) -> Vec<usize> {
        (0..count).map(|n| router.target(&tweet(&format!("user {n}")))).collect()
    }

    #[test]
    fn round_robin_takes_turns() {
        assert_eq!(targets(&mut Router::new(Route::RoundRobin, 3, 1), 7), [0, 1, 2, 0, 1, 2, 0]);
    }

    fn read(operation: Operation) -> ScheduledRequest {
        ScheduledRequest { payload: Payload::Read { operation, user: None }, ..tweet("") }
    }

    #[test]
    fn commands_go_where_they_would_go_without_the_reads_of_latest() {
        for route in [Route::RoundRobin, Route::Random, Route::User] {
            let alone = targets(&mut Router::new(route, 3, 1), 1_000);
            let mut router = Router::new(route, 3, 1).observing();
            let mut observed = [0; 3];
            let beside: Vec<usize> = (0..1_000)
                .map(|n| {
                    observed[router.target(&read(Operation::Latest))] += 1;
                    router.target(&tweet(&format!("user {n}")))
                })
                .collect();
            assert_eq!(beside, alone, "{route:?}");
            assert!(observed.iter().all(|count| (280..390).contains(count)), "{observed:?}");
        }
        let turns = |operation, mut router: Router| -> Vec<usize> {
            (0..4).map(|_| router.target(&read(operation))).collect()
        };
        let router = || Router::new(Route::RoundRobin, 3, 1);
        assert_eq!(turns(Operation::Public, router().observing()), [0, 1, 2, 0], "load");
        assert_eq!(turns(Operation::Latest, router()), [0, 1, 2, 0], "by the route");
    }

    #[test]
    fn a_failover_observes_the_target_in_use() {
        let mut router = Router::new(Route::Failover, 3, 1).observing();
        router.failed(0);
        assert!((0..20).all(|_| router.target(&read(Operation::Latest)) == 1));
    }

    #[test]
    fn random_is_even_and_repeats_by_its_seed() {
        let drawn = targets(&mut Router::new(Route::Random, 3, 1), 3_000);
        for target in 0..3 {
            let count = drawn.iter().filter(|drawn| **drawn == target).count();
            assert!((900..1_100).contains(&count), "{count}");
        }
        assert_eq!(drawn, targets(&mut Router::new(Route::Random, 3, 1), 3_000));
        assert_ne!(drawn, targets(&mut Router::new(Route::Random, 3, 2), 3_000));
    }

    #[test]
    fn a_user_stays_with_a_target_and_users_are_spread() {
        let mut router = Router::new(Route::User, 3, 1);
        let first = targets(&mut router, 3_000);
        assert_eq!(first, targets(&mut router, 3_000));
        for target in 0..3 {
            let count = first.iter().filter(|chosen| **chosen == target).count();
            assert!((850..1_150).contains(&count), "{count}");
        }
    }

    #[test]
    fn failover_goes_on_to_the_next_target_and_round() {
        let mut router = Router::new(Route::Failover, 3, 1);
        assert_eq!(targets(&mut router, 2), [0, 0]);
        assert_eq!(router.failed(0), Some(1));
        assert_eq!(router.failed(0), Some(1), "told twice, gone on once");
        assert_eq!(targets(&mut router, 2), [1, 1]);
        router.failed(1);
        assert_eq!(router.failed(2), Some(0));
        assert_eq!(Router::new(Route::RoundRobin, 3, 1).failed(0), None);
    }

    #[test]
    fn shares_never_change() {
        assert_eq!(
            ["", "a", "Roger Histand", "Zoë"].map(|user| share_of(user, 1000)),
            [945, 824, 734, 249]
        );
    }
}
