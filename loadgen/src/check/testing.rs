//! Histories for the tests of the checkers, written as a script.

use limosa_reports::run::ledger::{Entry, Intent, Outcome};
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_reports::run::readback::{Header, Message, ReadBack, UserState};
use std::collections::BTreeMap;

/// A sequence of commands, a millisecond each, with ids from 0.
pub(crate) struct Script {
    entries: Vec<Entry>,
    next_id: i64,
    now_ns: u64,
}

const STEP_NS: u64 = 1_000_000;

impl Script {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), next_id: 0, now_ns: 0 }
    }

    pub(crate) fn register(&mut self, user: &str) -> Pending<'_> {
        self.command(Operation::Register, user, "a@b")
    }

    /// A register without an e-mail address that could be accepted.
    pub(crate) fn invalid_register(&mut self, user: &str) -> Pending<'_> {
        self.command(Operation::Register, user, "")
    }

    pub(crate) fn tweet(&mut self, user: &str, text: &str) -> Pending<'_> {
        self.command(Operation::Tweet, user, text)
    }

    pub(crate) fn follow(&mut self, user: &str, whom: &str) -> Pending<'_> {
        self.command(Operation::Follow, user, whom)
    }

    pub(crate) fn unfollow(&mut self, user: &str, whom: &str) -> Pending<'_> {
        self.command(Operation::Unfollow, user, whom)
    }

    /// A read of `latest` that reports `value`.
    pub(crate) fn read(&mut self, value: i64) {
        let id = self.next_id - 1;
        let intent = self.intent(Operation::Latest, id, "", "");
        Pending { script: self, intent }.end(200, Ack::Acknowledged, None, Some(value));
    }

    /// A read of something else than `latest`.
    pub(crate) fn read_of(&mut self, operation: Operation, user: &str) -> Pending<'_> {
        self.command(operation, user, "")
    }

    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.now_ns += ms * STEP_NS;
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    fn command(&mut self, operation: Operation, user: &str, detail: &str) -> Pending<'_> {
        let id = self.next_id;
        self.next_id += 1;
        let intent = self.intent(operation, id, user, detail);
        Pending { script: self, intent }
    }

    fn intent(&mut self, operation: Operation, id: i64, user: &str, detail: &str) -> Intent {
        self.now_ns += STEP_NS;
        Intent {
            sequence: self.entries.len() as u64,
            command_id: id,
            operation,
            lane: 0,
            intended_ns: None,
            ready_ns: self.now_ns,
            called_ns: self.now_ns,
            user: user.into(),
            detail: detail.into(),
        }
    }
}

/// A command whose outcome is still to be told.
pub(crate) struct Pending<'a> {
    script: &'a mut Script,
    intent: Intent,
}

impl Pending<'_> {
    pub(crate) fn ok(self) -> i64 {
        self.end(204, Ack::Acknowledged, None, None)
    }

    pub(crate) fn refused(self, status: u16) -> i64 {
        let ack = if status < 500 { Ack::Rejected } else { Ack::Indeterminate };
        self.end(status, ack, Some(Failure::Status), None)
    }

    pub(crate) fn timed_out(self) -> i64 {
        self.end(0, Ack::Indeterminate, Some(Failure::ResponseTimeout), None)
    }

    pub(crate) fn not_sent(self) -> i64 {
        self.end(0, Ack::NotSent, Some(Failure::ConnectRefused), None)
    }

    pub(crate) fn abandoned(self) -> i64 {
        let id = self.intent.command_id;
        self.script.entries.push(Entry { part: 0, intent: self.intent, outcome: None });
        id
    }

    fn end(self, status: u16, ack: Ack, failure: Option<Failure>, latest: Option<i64>) -> i64 {
        let id = self.intent.command_id;
        let sent_ns = self.intent.called_ns;
        let outcome = Outcome {
            sequence: self.intent.sequence,
            sent_ns,
            done_ns: sent_ns + STEP_NS / 2,
            replica: 0,
            status,
            ack,
            failure,
            latest,
        };
        self.script.entries.push(Entry { part: 0, intent: self.intent, outcome: Some(outcome) });
        id
    }
}

/// A target's state, written down: `messages` oldest first.
pub(crate) struct State(BTreeMap<String, UserState>, Option<i64>);

impl State {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new(), None)
    }

    pub(crate) fn user(mut self, name: &str, messages: &[&str], follows: &[&str]) -> Self {
        let state = UserState {
            user: name.into(),
            exists: Some(true),
            messages: messages
                .iter()
                .rev()
                .map(|text| Message { content: (*text).into(), pub_date: Some(0) })
                .collect(),
            follows: follows.iter().map(|name| (*name).into()).collect(),
            in_public: None,
        };
        self.0.insert(name.into(), state);
        self
    }

    pub(crate) fn missing(mut self, name: &str) -> Self {
        let state = UserState { user: name.into(), exists: Some(false), ..UserState::default() };
        self.0.insert(name.into(), state);
        self
    }

    /// The listing of all messages is read too, and shows no more than the newest `most`, which are
    /// those of the last users.
    pub(crate) fn public(mut self, most: usize) -> Self {
        let mut room = most;
        for state in self.0.values_mut().rev() {
            let shown = state.messages.len().min(room);
            room -= shown;
            state.in_public = Some(shown as u32);
        }
        self
    }

    pub(crate) fn latest(mut self, id: i64) -> Self {
        self.1 = Some(id);
        self
    }

    pub(crate) fn read_back(self) -> ReadBack {
        let header = Header {
            format_version: 1,
            method: "api".into(),
            taken_ns: 0,
            latest: self.1,
            gaps: Vec::new(),
            limits: Vec::new(),
        };
        ReadBack { header, users: self.0 }
    }
}
