//! Connections at work.

use super::shared::Shared;
use super::{Ending, EngineError, StopRule};
use crate::client::{Attempt, BaseUrl, ClientKind, KeepAlive, RequestEncoder, Sender, Timeouts};
use crate::clock::{Alarm, Clock};
use crate::profile::Profile;
use crate::record::Recorder;
use crate::schedule::{Lanes, Order, Pace, ScheduledRequest};
use limosa_reports::run::ledger::Outcome;
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_scenarios::TraceError;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};

/// How often a wait looks whether the user has ended the run.
const GLANCE: Duration = Duration::from_millis(100);

/// Sends a schedule.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The clock of the run's current part.
    pub clock: Clock,
    /// What the target is known to do otherwise.
    pub profile: Profile,
    /// The target.
    pub target: BaseUrl,
    /// The target's number in the manifest.
    pub replica: u16,
    /// Whose requests are sent.
    pub client: ClientKind,
    /// How long to wait for connections and answers.
    pub timeouts: Timeouts,
    /// Which requests may be under way together.
    pub order: Order,
    /// When requests are due.
    pub pace: Pace,
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
        I: Iterator<Item = Result<ScheduledRequest, TraceError>> + 'static,
    {
        allow_open_files(self.connections);
        let lanes = Lanes::new(self.order);
        let shared = Rc::new(RefCell::new(Shared::new(schedule, lanes, recorder, self.stop)));
        let crew = Crew {
            keep_alive: KeepAlive::new(&self.profile),
            engine: Rc::new(self),
            shared: Rc::clone(&shared),
            idle: Rc::default(),
            waiting: Rc::default(),
        };
        LocalSet::new().run_until(crew.work()).await;
        match Rc::try_unwrap(shared) {
            Ok(shared) => shared.into_inner().finish(),
            Err(_) => unreachable!("every connection has ended and given its share back"),
        }
    }

    fn outcome(&self, sequence: u64, operation: Operation, attempt: &Attempt) -> Outcome {
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
            sequence,
            sent_ns: attempt.sent_ns,
            done_ns: attempt.done_ns,
            replica: self.replica,
            status: attempt.status(),
            ack,
            failure,
            latest,
        }
    }
}

/// Each connection is an open file, and reads have one more: raises this process's limit as far as
/// it may. Where that is not enough, connections fail and are recorded as not sent.
fn allow_open_files(connections: usize) {
    let wanted = 2 * connections as u64 + 256;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        let _kept_where_refused = setrlimit(Resource::Nofile, limit);
    }
}

/// The connections of one run.
struct Crew<I> {
    engine: Rc<Engine>,
    shared: State<I>,
    /// What they have learnt of the target's connections.
    keep_alive: KeepAlive,
    /// Wakes connections that found nothing to send.
    idle: Rc<Notify>,
    /// How many of them there are.
    waiting: Rc<Cell<usize>>,
}

impl<I> Clone for Crew<I> {
    fn clone(&self) -> Self {
        Self {
            engine: Rc::clone(&self.engine),
            shared: Rc::clone(&self.shared),
            keep_alive: self.keep_alive.clone(),
            idle: Rc::clone(&self.idle),
            waiting: Rc::clone(&self.waiting),
        }
    }
}

impl<I> Crew<I>
where
    I: Iterator<Item = Result<ScheduledRequest, TraceError>> + 'static,
{
    async fn work(self) {
        let watch = tokio::task::spawn_local(self.clone().watch());
        let mut connections = JoinSet::new();
        if self.engine.pace.is_closed_model() {
            for _ in 0..self.engine.connections {
                connections.spawn_local(self.clone().connection());
            }
        } else {
            self.dispatch(&mut connections).await;
        }
        while let Some(ended) = connections.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        watch.abort();
        let _aborted = watch.await;
    }

    /// Looks whether the user ends the run.
    async fn watch(self) {
        while !self.engine.interrupted.load(Ordering::Relaxed) {
            tokio::time::sleep(GLANCE).await;
        }
        self.shared.borrow_mut().interrupt();
        self.idle.notify_waiters();
    }

    /// Admits each request at its instant, and sees to it that a connection takes it.
    async fn dispatch(&self, connections: &mut JoinSet<()>) {
        let clock = self.engine.clock;
        let mut alarm = Alarm::new(clock);
        loop {
            let Some(instant_ns) = self.shared.borrow_mut().next_instant_ns() else { break };
            while !self.shared.borrow().is_over() && clock.now_ns() < instant_ns {
                alarm.wait_until(instant_ns.min(clock.now_ns() + GLANCE.as_nanos() as u64)).await;
            }
            let mut shared = self.shared.borrow_mut();
            if shared.is_over() {
                break;
            }
            if let Some(request) = shared.pull() {
                shared.admit(request, clock.now_ns());
            }
            let is_wanted = shared.ready() > 0;
            drop(shared);
            if is_wanted && self.waiting.get() > 0 {
                self.idle.notify_one();
            } else if is_wanted && connections.len() < self.engine.connections {
                connections.spawn_local(self.clone().connection());
            }
        }
        self.idle.notify_waiters();
    }

    /// One connection: takes a request, sends it, records what came of it, until nothing is left.
    async fn connection(self) {
        let Engine { clock, client, timeouts, .. } = *self.engine;
        let encoder = RequestEncoder::new(client, &self.engine.target, &self.engine.profile);
        let sender = |kind| {
            let target = self.engine.target.clone();
            Sender::new(target, kind, timeouts, clock, self.keep_alive.clone())
        };
        let mut commands = sender(client);
        // The simulator never reads: reads have a connection of their own.
        let mut reads = sender(ClientKind::Limosa);
        let mut bytes = Vec::new();
        let mut free_ns = clock.now_ns();
        let closed = self.engine.pace.is_closed_model();
        loop {
            let woken = self.idle.notified();
            let taken = {
                let mut shared = self.shared.borrow_mut();
                if closed {
                    shared.read_ahead(clock.now_ns());
                }
                if shared.is_over() {
                    return self.idle.notify_waiters();
                }
                let taken = shared.take();
                if taken.is_some() && shared.has_more() {
                    self.idle.notify_one();
                }
                taken
            };
            let Some(ready) = taken else {
                self.waiting.set(self.waiting.get() + 1);
                woken.await;
                self.waiting.set(self.waiting.get() - 1);
                free_ns = clock.now_ns();
                continue;
            };
            self.shared.borrow_mut().encode(&ready.request, &encoder, &mut bytes);
            let ready_ns = if closed { ready.ready_ns.max(free_ns) } else { ready.ready_ns };
            let recorded = self.shared.borrow_mut().intent(ready, ready_ns, clock.now_ns());
            let Some((slot, intent)) = recorded else { return self.idle.notify_waiters() };
            let is_read = intent.operation == Operation::Latest;
            let sender = if is_read { &mut reads } else { &mut commands };
            let (attempt, ()) = tokio::join!(biased; sender.send(&bytes), async {
                if closed {
                    self.shared.borrow_mut().prepare(&encoder);
                }
            });
            free_ns = attempt.done_ns;
            let outcome = self.engine.outcome(intent.sequence, intent.operation, &attempt);
            self.shared.borrow_mut().outcome(slot, &intent, &outcome);
        }
    }
}
