//! What the connections of a run share: the schedule, the lanes, the records, and how it ends.

use super::pool::Pool;
use super::{Ending, EngineError, StopRule};
use crate::client::RequestEncoder;
use crate::record::Recorder;
use crate::schedule::{Lanes, Ready, Router, ScheduledRequest, SlotId, Step};
use limosa_reports::run::ledger::{Intent, Outcome};
use limosa_reports::run::operation::Ack;
use limosa_scenarios::TraceError;

/// How many requests are read ahead of those that may be sent: enough to find what the order
/// allows, and a bound of the memory that they take.
const WINDOW: usize = 1 << 14;

/// What the connections share.
pub(super) struct Shared<I> {
    schedule: I,
    /// The next request of the schedule and its bytes, made ready while another was under way.
    next: Option<ScheduledRequest>,
    next_bytes: Vec<u8>,
    /// Whose bytes they are, and for which target.
    next_is: Option<(u64, usize)>,
    exhausted: bool,
    lanes: Lanes,
    /// Knows which target is to be used where one has failed.
    router: Router,
    recorder: Recorder,
    stop: StopRule,
    /// The first command of the last that were not sent in a row, and how many there are.
    unsent: Option<(i64, u32)>,
    ended: Option<Result<Ending, EngineError>>,
}

impl<I> Shared<I>
where
    I: Iterator<Item = Result<Step, TraceError>>,
{
    pub(super) fn new(
        schedule: I,
        lanes: Lanes,
        router: Router,
        recorder: Recorder,
        stop: StopRule,
    ) -> Self {
        Self {
            schedule,
            next: None,
            next_bytes: Vec::new(),
            next_is: None,
            exhausted: false,
            lanes,
            router,
            recorder,
            stop,
            unsent: None,
            ended: None,
        }
    }

    /// The next request of the schedule, not admitted yet; `None` at its end.
    pub(super) fn pull(&mut self) -> Option<ScheduledRequest> {
        if let Some(request) = self.next.take() {
            return Some(request);
        }
        loop {
            match self.schedule.next() {
                Some(Ok(Step::Send(request))) => return Some(request),
                Some(Ok(Step::Elsewhere { user })) => self.lanes.elsewhere(user),
                Some(Err(error)) => {
                    self.end(Err(error.into()));
                    break;
                }
                None => break,
            }
        }
        self.exhausted = true;
        None
    }

    /// When the next request of the schedule is due; it stays there. `None` at the end.
    pub(super) fn next_instant_ns(&mut self) -> Option<u64> {
        self.next = self.pull();
        self.next.as_ref().map(|request| request.intended_ns.unwrap_or(0))
    }

    /// Makes the next request ready while another is under way, so that it is not done between
    /// that one's answer and this one's send.
    pub(super) fn prepare(&mut self, pool: &Pool) {
        if self.next.is_some() || self.exhausted {
            return;
        }
        self.next = self.pull();
        if let Some(request) = &self.next {
            pool.encoder(request.target).request(request, &mut self.next_bytes);
            self.next_is = Some((request.sequence, request.target));
        }
    }

    /// Writes the request's bytes into `out`.
    pub(super) fn encode(
        &mut self,
        request: &ScheduledRequest,
        encoder: &RequestEncoder,
        out: &mut Vec<u8>,
    ) {
        if self.next_is == Some((request.sequence, request.target)) {
            std::mem::swap(&mut self.next_bytes, out);
            self.next_is = None;
        } else {
            encoder.request(request, out);
        }
    }

    pub(super) fn admit(&mut self, request: ScheduledRequest, now_ns: u64) {
        self.lanes.admit(request, now_ns);
    }

    /// Reads ahead until a request may be sent.
    pub(super) fn read_ahead(&mut self, now_ns: u64) {
        while !self.exhausted && self.lanes.ready() == 0 && self.lanes.len() < WINDOW {
            if let Some(request) = self.pull() {
                self.admit(request, now_ns);
            }
        }
    }

    pub(super) fn ready(&self) -> usize {
        self.lanes.ready()
    }

    /// Whether another connection may find something to send.
    pub(super) fn has_more(&self) -> bool {
        self.lanes.ready() > 0 || !self.exhausted
    }

    /// How many reads of `latest` may be sent apart from the load.
    pub(super) fn observing(&self) -> usize {
        self.lanes.observing()
    }

    /// A request to send now: one of the load, or a read of `latest` apart from it.
    pub(super) fn take(&mut self, observes: bool) -> Option<Ready> {
        if self.ended.is_some() {
            return None;
        }
        let mut ready = if observes { self.lanes.observe() } else { self.lanes.take() }?;
        if let Some(target) = self.router.instead_of(ready.request.target) {
            ready.request.target = target;
        }
        Some(ready)
    }

    /// Tells that a target did not answer; returns the one to use instead, where there is one.
    pub(super) fn failed(&mut self, target: usize) -> Option<usize> {
        self.router.failed(target)
    }

    /// The users of other shards whom requests wait for, each with the instant since when.
    pub(super) fn wanted(&self) -> Vec<(String, u64)> {
        let mut wanted: Vec<(String, u64)> =
            self.lanes.wanted().map(|(user, since_ns)| (user.to_owned(), since_ns)).collect();
        wanted.sort();
        wanted.dedup_by(|later, first| later.0 == first.0);
        wanted
    }

    /// Tells that nothing needs to wait for a user of another shard any longer.
    pub(super) fn found(&mut self, user: &str, now_ns: u64) {
        self.lanes.found(user, now_ns);
    }

    /// Ends the run, which cannot go on.
    pub(super) fn fail(&mut self, error: EngineError) {
        self.end(Err(error));
    }

    /// Ends the run: its time is over.
    pub(super) fn complete(&mut self) {
        self.end(Ok(Ending::Complete));
    }

    /// Whether nothing is left to send, now or later.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_some() || (self.exhausted && self.lanes.is_empty())
    }

    /// Records a request that is about to be sent; `None` where that is not possible, which ends
    /// the run.
    pub(super) fn intent(
        &mut self,
        ready: Ready,
        ready_ns: u64,
        called_ns: u64,
    ) -> Option<(SlotId, Intent)> {
        match self.recorder.intent(ready.request, ready.lane, ready_ns, called_ns) {
            Ok(intent) => Some((ready.slot, intent)),
            Err(error) => {
                self.end(Err(error.into()));
                None
            }
        }
    }

    /// Records what came of a request.
    pub(super) fn outcome(&mut self, slot: SlotId, intent: &Intent, outcome: &Outcome) {
        if let Err(error) = self.recorder.outcome(intent, outcome) {
            self.end(Err(error.into()));
        }
        self.lanes.finish(slot, outcome.done_ns);
        if intent.operation.is_write() {
            self.count_unsent(intent.command_id, outcome.ack);
        }
    }

    fn count_unsent(&mut self, id: i64, ack: Ack) {
        self.unsent = match (ack, self.unsent) {
            (Ack::NotSent, None) => Some((id, 1)),
            (Ack::NotSent, Some((first, count))) => Some((first.min(id), count + 1)),
            _ => None,
        };
        if let (Some((resume_at, count)), Some(limit)) = (self.unsent, self.stop.unreachable)
            && count >= limit
        {
            let resume_at = self.lanes.held_ids().fold(resume_at, i64::min);
            self.end(Ok(Ending::Unreachable { resume_at }));
        }
    }

    /// Ends the run on the user's word.
    pub(super) fn interrupt(&mut self) {
        // A read stands under the id of the command before it, which was sent.
        let next = std::iter::from_fn(|| self.pull()).find(|next| next.payload.is_command());
        let next = next.map(|request| request.command_id);
        let resume_at = self.lanes.held_ids().chain(next).min();
        self.end(Ok(Ending::Interrupted { resume_at }));
    }

    /// The first reason to end a run is the one that counts.
    fn end(&mut self, how: Result<Ending, EngineError>) {
        self.ended.get_or_insert(how);
    }

    pub(super) fn finish(self) -> Result<Ending, EngineError> {
        self.recorder.finish()?;
        self.ended.unwrap_or(Ok(Ending::Complete))
    }
}
