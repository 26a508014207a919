//! Connections at work.

use super::pool::Pool;
use super::scout::Scout;
use super::shared::Shared;
use super::{Ending, EngineError, StopRule};
use crate::client::{Attempt, BaseUrl, ClientKind, KeepAlive, Timeouts};
use crate::clock::{Alarm, Clock};
use crate::machine::allow_open_files;
use crate::profile::Profile;
use crate::record::Recorder;
use crate::schedule::{Lanes, Order, Route, Router, ScheduledRequest, Step};
use limosa_reports::run::ledger::{Intent, Outcome};
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_scenarios::TraceError;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet};

/// How often a wait looks whether the user has ended the run.
const GLANCE: Duration = Duration::from_millis(100);
/// How many reads of `latest` are under way at most, apart from the load. Some hundreds of them wait
/// for a replica that hangs before the others are observed no more.
const OBSERVERS: usize = 256;

/// Sends a schedule.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The clock of the run's current part.
    pub clock: Clock,
    /// What the target is known to do otherwise.
    pub profile: Profile,
    /// The targets.
    pub targets: Vec<BaseUrl>,
    /// The number of each target in the manifest.
    pub replicas: Vec<u16>,
    /// What to do where a target fails.
    pub route: Route,
    /// Whose requests are sent.
    pub client: ClientKind,
    /// Whether each target's connections are used again, and what was learnt of that.
    pub keep_alive: Vec<KeepAlive>,
    /// How long to wait for connections and answers.
    pub timeouts: Timeouts,
    /// Which requests may be under way together.
    pub order: Order,
    /// Whether requests are sent as soon as a connection is free: the closed model.
    pub is_closed_model: bool,
    /// In the closed model: when to stop, in nanoseconds from the start.
    pub until_ns: Option<u64>,
    /// How many requests are under way at most.
    pub connections: usize,
    /// When to give up.
    pub stop: StopRule,
    /// Set to end the run after the requests that are under way.
    pub interrupted: Arc<AtomicBool>,
}

type State<I> = Rc<RefCell<Shared<I>>>;

impl Engine {
    /// Sends the whole schedule, or until it is to stop.
    ///
    /// # Errors
    /// [`EngineError`]; what was sent before is recorded.
    pub async fn run<I>(self, schedule: I, recorder: Recorder) -> Result<Ending, EngineError>
    where
        I: Iterator<Item = Result<Step, TraceError>> + 'static,
    {
        // Each connection is an open file, and some may wait for another target's turn. Where the
        // limit is not enough, connections fail and are recorded as not sent.
        allow_open_files(2 * (self.connections + OBSERVERS) as u64 + 256);
        let router = Router::new(self.route, self.targets.len(), 0);
        let lanes = Lanes::new(self.order);
        let shared = Shared::new(schedule, lanes, router, recorder, self.stop);
        let shared = Rc::new(RefCell::new(shared));
        let crew = Crew {
            pool: Rc::new(RefCell::new(Pool::new(&self))),
            engine: Rc::new(self),
            shared: Rc::clone(&shared),
            load: Rc::default(),
            observers: Rc::default(),
            connections: Rc::default(),
        };
        LocalSet::new().run_until(crew.work()).await;
        match Rc::try_unwrap(shared) {
            Ok(shared) => shared.into_inner().finish(),
            Err(_) => unreachable!("every connection has ended and given its share back"),
        }
    }

    fn outcome(&self, intent: &Intent, target: usize, attempt: &Attempt) -> Outcome {
        let operation = intent.operation;
        let (mut ack, mut failure) =
            attempt.judge(|status| self.profile.is_success(operation, status));
        let mut latest = None;
        if operation == Operation::Latest
            && let (Ack::Acknowledged, Ok(answer)) = (ack, &attempt.result)
        {
            latest = serde_json::from_slice(&answer.body)
                .ok()
                .and_then(|json| self.profile.parse_latest(&json));
            if latest.is_none() {
                (ack, failure) = (Ack::Indeterminate, Some(Failure::MalformedAnswer));
            }
        }
        Outcome {
            sequence: intent.sequence,
            sent_ns: attempt.sent_ns,
            done_ns: attempt.done_ns,
            replica: self.replicas[target],
            status: attempt.status(),
            ack,
            failure,
            latest,
        }
    }
}

/// The connections of one run.
struct Crew<I> {
    engine: Rc<Engine>,
    shared: State<I>,
    /// The connections that none of them uses.
    pool: Rc<RefCell<Pool>>,
    load: Rc<Team>,
    observers: Rc<Team>,
    /// All connections.
    connections: Rc<RefCell<Vec<JoinHandle<()>>>>,
}

/// What a connection sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Commands, and the reads among them.
    Load,
    /// Reads of `latest` apart from the load.
    Observer,
}

/// The connections of one role.
#[derive(Default)]
struct Team {
    /// Wakes those that found nothing to send.
    idle: Notify,
    /// How many of them there are, and of those that were just made.
    waiting: Cell<usize>,
    /// How many were made.
    made: Cell<usize>,
}

impl<I> Clone for Crew<I> {
    fn clone(&self) -> Self {
        Self {
            engine: Rc::clone(&self.engine),
            shared: Rc::clone(&self.shared),
            pool: Rc::clone(&self.pool),
            load: Rc::clone(&self.load),
            observers: Rc::clone(&self.observers),
            connections: Rc::clone(&self.connections),
        }
    }
}

impl<I> Crew<I>
where
    I: Iterator<Item = Result<Step, TraceError>> + 'static,
{
    async fn work(self) {
        let watch = tokio::task::spawn_local(self.clone().watch());
        let scout = tokio::task::spawn_local(self.clone().look_elsewhere());
        if self.engine.is_closed_model {
            for _ in 0..self.engine.connections {
                self.connect(Role::Load);
            }
        } else {
            self.dispatch().await;
        }
        loop {
            let Some(connection) = self.connections.borrow_mut().pop() else { break };
            if let Err(error) = connection.await
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        for task in [watch, scout] {
            task.abort();
            let _aborted = task.await;
        }
    }

    /// Finds out whether the target knows the users whom other shards register.
    async fn look_elsewhere(self) {
        let mut scout = Scout::new(&self.engine);
        loop {
            tokio::time::sleep(super::scout::PERIOD).await;
            let wanted = self.shared.borrow().wanted();
            for (user, since_ns) in wanted {
                if scout.settles(&user, since_ns, self.engine.clock.now_ns()).await {
                    self.shared.borrow_mut().found(&user, self.engine.clock.now_ns());
                    self.provide();
                }
            }
        }
    }

    fn team(&self, role: Role) -> &Team {
        match role {
            Role::Load => &self.load,
            Role::Observer => &self.observers,
        }
    }

    /// One connection more.
    fn connect(&self, role: Role) {
        let team = self.team(role);
        team.waiting.set(team.waiting.get() + 1);
        team.made.set(team.made.get() + 1);
        let connection = tokio::task::spawn_local(self.clone().connection(role));
        self.connections.borrow_mut().push(connection);
    }

    /// Sees to it that what may be sent is taken: by idle connections or by new ones. In the closed
    /// model all of the load's are there from the start.
    fn provide(&self) {
        let ready = self.shared.borrow().ready();
        self.call(Role::Load, ready, self.engine.connections);
        self.provide_observers();
    }

    fn provide_observers(&self) {
        let observing = self.shared.borrow().observing();
        self.call(Role::Observer, observing, OBSERVERS);
    }

    fn call(&self, role: Role, wanted: usize, most: usize) {
        let team = self.team(role);
        let waiting = team.waiting.get();
        for _ in 0..wanted.min(waiting) {
            team.idle.notify_one();
        }
        let more = wanted.saturating_sub(waiting);
        for _ in 0..more.min(most.saturating_sub(team.made.get())) {
            self.connect(role);
        }
    }

    /// Lets every connection see that the run is over.
    fn wake_all(&self) {
        self.load.idle.notify_waiters();
        self.observers.idle.notify_waiters();
    }

    /// Looks whether the user ends the run.
    async fn watch(self) {
        while !self.engine.interrupted.load(Ordering::Relaxed) {
            tokio::time::sleep(GLANCE).await;
        }
        self.shared.borrow_mut().interrupt();
        self.wake_all();
    }

    /// Admits each request at its instant, and sees to it that a connection takes it.
    async fn dispatch(&self) {
        let clock = self.engine.clock;
        let mut alarm = match Alarm::new(clock) {
            Ok(alarm) => alarm,
            Err(error) => return self.shared.borrow_mut().fail(error.into()),
        };
        loop {
            let Some(instant_ns) = self.shared.borrow_mut().next_instant_ns() else { break };
            while !self.shared.borrow().is_over() && clock.now_ns() < instant_ns {
                let glance_ns = clock.now_ns() + GLANCE.as_nanos() as u64;
                if let Err(error) = alarm.wait_until(instant_ns.min(glance_ns)).await {
                    self.shared.borrow_mut().fail(error.into());
                }
            }
            let mut shared = self.shared.borrow_mut();
            if shared.is_over() {
                break;
            }
            if let Some(request) = shared.pull() {
                shared.admit(request, clock.now_ns());
            }
            drop(shared);
            self.provide();
        }
        self.wake_all();
    }

    /// One connection: takes a request, sends it, records what came of it, until nothing is left.
    async fn connection(self, role: Role) {
        let clock = self.engine.clock;
        let observes = role == Role::Observer;
        let closed = self.engine.is_closed_model && !observes;
        let team = self.team(role);
        // One connection alone would be idle meanwhile, and knows what it sends next. Many keep the
        // generator busy, and what is next by the schedule may have to wait.
        let prepares = closed && self.engine.order == Order::Strict;
        let mut bytes = Vec::new();
        let mut free_ns = clock.now_ns();
        team.waiting.set(team.waiting.get() - 1);
        loop {
            let taken = {
                let mut shared = self.shared.borrow_mut();
                if closed {
                    shared.read_ahead(free_ns);
                    if self.engine.until_ns.is_some_and(|until_ns| free_ns >= until_ns) {
                        shared.complete();
                    }
                }
                if shared.is_over() {
                    return self.wake_all();
                }
                let taken = shared.take(observes);
                if closed && taken.is_some() && team.waiting.get() > 0 && shared.has_more() {
                    team.idle.notify_one();
                }
                taken
            };
            if closed {
                self.provide_observers();
            }
            let Some(ready) = taken else {
                team.waiting.set(team.waiting.get() + 1);
                team.idle.notified().await;
                team.waiting.set(team.waiting.get() - 1);
                free_ns = clock.now_ns();
                continue;
            };
            let target = ready.request.target;
            let ready_ns = match self.engine.is_closed_model {
                true => ready.ready_ns.max(free_ns),
                false => ready.ready_ns,
            };
            let spare = (self.engine.route == Route::Failover).then(|| ready.request.clone());
            let recorded = {
                let mut shared = self.shared.borrow_mut();
                shared.encode(&ready.request, self.pool.borrow().encoder(target), &mut bytes);
                shared.intent(ready, ready_ns, clock.now_ns())
            };
            let Some((slot, intent)) = recorded else { return self.wake_all() };
            let ((target, attempt), ()) = tokio::join!(biased; self.send(&intent, target, &mut bytes, spare), async {
                if prepares {
                    self.shared.borrow_mut().prepare(&self.pool.borrow());
                }
            });
            free_ns = attempt.done_ns;
            let outcome = self.engine.outcome(&intent, target, &attempt);
            self.shared.borrow_mut().outcome(slot, &intent, &outcome);
            if !closed {
                self.provide();
            }
            // A read of latest that has ended makes room to read ahead.
            if observes && self.engine.is_closed_model && self.load.waiting.get() > 0 {
                self.load.idle.notify_one();
            }
        }
    }

    /// Sends a request. One that could not be sent goes to the next target, where the route has
    /// one and the request is kept for it in `spare`; one that may have been carried out is never
    /// sent twice. Returns the target that was tried last.
    async fn send(
        &self,
        intent: &Intent,
        mut target: usize,
        bytes: &mut Vec<u8>,
        spare: Option<ScheduledRequest>,
    ) -> (usize, Attempt) {
        let mut first_sent_ns = None;
        let mut tries = 0;
        loop {
            tries += 1;
            let mut sender = self.pool.borrow_mut().take(&self.engine, target, intent.operation);
            let mut attempt = sender.send(bytes).await;
            self.pool.borrow_mut().put(target, intent.operation, sender);
            let next = match attempt.result {
                Ok(_) => None,
                Err(_) => self.shared.borrow_mut().failed(target),
            };
            attempt.sent_ns = *first_sent_ns.get_or_insert(attempt.sent_ns);
            match (next, &spare) {
                (Some(next), Some(request))
                    if attempt.was_not_sent() && tries < self.engine.targets.len() =>
                {
                    target = next;
                    self.pool.borrow().encoder(target).request(request, bytes);
                }
                _ => return (target, attempt),
            }
        }
    }
}
