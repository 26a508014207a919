//! What a plan is where nobody says otherwise.

use super::Plan;
use crate::client::{BaseUrl, ClientKind, Timeouts};
use crate::engine::StopRule;
use crate::profile::Profile;
use crate::schedule::{Order, Pace, Route};
use std::path::PathBuf;
use std::time::Duration;

impl Plan {
    /// A strict replay of `trace` against `targets`, as fast as the answers come, without reads.
    pub fn new(trace: PathBuf, targets: Vec<BaseUrl>) -> Self {
        let client = ClientKind::Limosa;
        Self {
            name: None,
            scenario: None,
            trace,
            targets,
            route: Route::RoundRobin,
            profile: Profile::default(),
            client,
            order: Order::Strict,
            connections: 1,
            keep_alive: true,
            pace: Pace::Max,
            phases: Vec::new(),
            duration: None,
            reads: Vec::new(),
            from_id: None,
            shard: None,
            start_at: None,
            seed: 1,
            limits: Vec::new(),
            timeouts: Timeouts::usual(client),
            stop: StopRule::usual(client),
            settle: Duration::from_secs(2),
            run_dir: None,
            runs: PathBuf::from("runs"),
            command_line: Vec::new(),
        }
    }
}

/// How many requests are under way at most: one in the strict order; in the open model, where a
/// request must not wait for a connection, so many that only a long stall uses them up.
pub fn usual_connections(order: Order, pace: &Pace) -> usize {
    match order {
        Order::Strict => 1,
        _ if pace.is_closed_model() => 64,
        _ => 1000,
    }
}

impl Timeouts {
    /// A client's own.
    pub fn usual(client: ClientKind) -> Self {
        match client {
            ClientKind::Limosa => Self::PATIENT,
            ClientKind::Simulator => Self::SIMULATOR,
        }
    }
}

impl StopRule {
    /// Stops after so many commands in a row without a connection; 0 never does.
    pub fn after(unreachable: u32) -> Self {
        Self { unreachable: (unreachable > 0).then_some(unreachable) }
    }

    /// A client's own: the course's simulator goes on whatever happens.
    pub fn usual(client: ClientKind) -> Self {
        match client {
            ClientKind::Limosa => Self::after(10),
            ClientKind::Simulator => Self::after(0),
        }
    }
}
