//! Run directories for tests: a run of some hundred requests, many under way at once, of which the
//! target lost some; whole, or as its shards.

use crate::check::scope::Scope;
use crate::schedule::Shard;
use limosa_reports::run::ledger::{Entry, Intent, LedgerWriter, Outcome};
use limosa_reports::run::manifest::{Manifest, Part, Phase};
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_reports::run::readback::{Header, Message, ReadBack, UserState};
use limosa_reports::run::{FORMAT_VERSION, RunDir};
use std::collections::BTreeMap;
use std::path::Path;

const MS: u64 = 1_000_000;
const USERS: u64 = 23;

/// What was sent, and what the target held.
pub(crate) struct Recording {
    pub(crate) entries: Vec<Entry>,
    pub(crate) before: ReadBack,
    pub(crate) after: ReadBack,
}

impl Recording {
    /// A run of `count` requests, the same each time.
    pub(crate) fn new(count: u64) -> Self {
        let mut entries = Vec::new();
        let mut users: BTreeMap<String, UserState> = BTreeMap::new();
        let noise = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        for sequence in 0..count {
            let draw = noise(sequence + 1);
            let user = format!("user {}", if sequence < USERS { sequence } else { draw % USERS });
            let whom = format!("user {}", draw / 100 % USERS);
            let operation = match draw / 7 % 10 {
                _ if sequence < USERS => Operation::Register,
                0 => Operation::Latest,
                1 => Operation::Follow,
                2 => Operation::Unfollow,
                _ => Operation::Tweet,
            };
            let (user, detail) = match operation {
                Operation::Register => (user, "a@b".to_owned()),
                Operation::Latest => (String::new(), String::new()),
                Operation::Tweet => (user, format!("message {sequence}")),
                _ => (user, whom),
            };
            let called_ns = MS + sequence * MS + draw % 1_000;
            let (status, ack, failure) = match draw / 13 % 40 {
                _ if sequence < USERS || operation == Operation::Latest => {
                    (204, Ack::Acknowledged, None)
                }
                0 => (0, Ack::Indeterminate, Some(Failure::ResponseTimeout)),
                1 => (500, Ack::Indeterminate, Some(Failure::Status)),
                2 => (0, Ack::NotSent, Some(Failure::ConnectRefused)),
                _ => (204, Ack::Acknowledged, None),
            };
            let outcome = Outcome {
                sequence,
                sent_ns: called_ns + 100,
                done_ns: called_ns + 100_000 + draw % (30 * MS),
                replica: (draw / 3 % 2) as u16,
                status,
                ack,
                failure,
                latest: (operation == Operation::Latest).then_some(sequence as i64 - 3),
            };
            let state = users.entry(user.clone()).or_insert_with(|| UserState {
                user: user.clone(),
                exists: Some(true),
                ..UserState::default()
            });
            let is_lost = sequence % 31 == 30;
            match operation {
                Operation::Tweet if ack == Ack::Acknowledged && !is_lost => {
                    let pub_date = Some((called_ns / (200 * MS)) as i64);
                    state.messages.insert(0, Message { content: detail.clone(), pub_date });
                }
                Operation::Follow if !is_lost && !state.follows.contains(&detail) => {
                    state.follows.push(detail.clone());
                }
                Operation::Unfollow => state.follows.retain(|name| *name != detail),
                _ => {}
            }
            let intent = Intent {
                sequence,
                command_id: sequence as i64,
                operation,
                lane: 0,
                intended_ns: Some(called_ns - 50),
                ready_ns: called_ns - 40,
                called_ns,
                user,
                detail,
            };
            // The generator was killed before it knew the outcome of these two.
            let outcome = (sequence + 2 < count).then_some(outcome);
            entries.push(Entry { part: 0, intent, outcome });
        }
        users.remove("");
        let last = entries.last().map_or(0, |entry| entry.intent.called_ns);
        let read_back = |taken_ns, latest, users| ReadBack {
            header: Header {
                format_version: FORMAT_VERSION,
                method: "api".into(),
                taken_ns,
                latest,
                gaps: Vec::new(),
                limits: Vec::new(),
            },
            users,
        };
        let before = read_back(0, Some(-1), BTreeMap::new());
        let after = read_back(last + 7 * MS, Some(count as i64 - 1), users);
        Self { entries, before, after }
    }

    /// Writes the run, or one of its shards, which began `later_ns` after it and has the two targets
    /// the other way round.
    pub(crate) fn write(&self, path: &Path, shard: Option<Shard>, later_ns: u64) -> RunDir {
        let scope = Scope::of([shard]);
        let is_ours = |entry: &&Entry| match (shard, entry.intent.operation) {
            (Some(shard), Operation::Latest) => {
                entry.intent.sequence % u64::from(shard.of) + 1 == u64::from(shard.index)
            }
            _ => scope.holds(&entry.intent.user),
        };
        let ours: Vec<&Entry> = self.entries.iter().filter(is_ours).collect();
        let run = RunDir::create_at(path).unwrap();
        append(&run, &ours, later_ns);
        for (name, state) in [("before", &self.before), ("after-1", &self.after)] {
            let mut state = state.clone();
            state.users.retain(|user, _| scope.holds(user));
            state.header.taken_ns = state.header.taken_ns.saturating_sub(later_ns);
            state.write(&run.readback(name)).unwrap();
        }
        let planned = ours.iter().filter(|entry| entry.intent.operation.is_write()).count() as u64;
        let mut manifest = manifest(self.entries.len() as u64, planned, later_ns);
        manifest.parts[0].shard = shard;
        if later_ns > 0 {
            manifest.targets.reverse();
        }
        run.write_manifest(&manifest).unwrap();
        run
    }
}

/// Appends as a recorder does: what happens first comes first.
fn append(run: &RunDir, entries: &[&Entry], later_ns: u64) {
    let mut events = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        events.push((entry.intent.called_ns, 0, at));
        events.extend(entry.outcome.as_ref().map(|outcome| (outcome.done_ns, 1, at)));
    }
    events.sort_unstable();
    let mut ledger = LedgerWriter::create(&run.ledger(), 0, 0);
    for (_, kind, at) in events {
        let Entry { mut intent, outcome, .. } = entries[at].clone();
        if kind == 0 {
            intent.intended_ns = intent.intended_ns.map(|ns| ns - later_ns);
            intent.ready_ns -= later_ns;
            intent.called_ns -= later_ns;
            ledger.append(&intent).unwrap();
        } else {
            let mut outcome = outcome.unwrap();
            outcome.sent_ns -= later_ns;
            outcome.done_ns -= later_ns;
            if later_ns > 0 {
                outcome.replica = 1 - outcome.replica;
            }
            ledger.append(&outcome).unwrap();
        }
    }
    ledger.finish().unwrap();
}

fn manifest(commands: u64, planned: u64, later_ns: u64) -> Manifest {
    let mut manifest: Manifest = serde_json::from_value(serde_json::json!({
        "format_version": FORMAT_VERSION, "limosa": "test", "name": "test", "kind": "replay",
        "started": "2026-11-22T12:00:00Z", "finished": "2026-11-22T12:00:10Z",
        "mode": {
            "order": "user", "connections": 64, "client": "limosa", "pace": "rate:1000",
            "connect_timeout_ms": 1000, "response_timeout_ms": 1000,
        },
        "targets": ["http://127.0.0.1:5001", "http://127.0.0.1:5002"],
        "trace": {"source": "t.tsv", "sha256": "ab", "commands": commands, "ids": [0, commands]},
        "planned_ids": planned, "seed": 1, "profile": {},
        "machine": {"os": "", "cpu": "", "cores": 1, "memory_mib": 1},
        "parts": [],
    }))
    .unwrap();
    manifest.started += std::time::Duration::from_nanos(later_ns);
    let phase = |name: &str, from_ns, warm_up| Phase { name: name.into(), from_ns, warm_up };
    manifest.parts.push(Part {
        part: 0,
        started: manifest.started,
        offset_ns: 0,
        from_id: None,
        command_line: Vec::new(),
        shard: None,
        // Nothing is due within a quarter of a millisecond of the boundary.
        phases: vec![phase("warm-up", 0, true), phase(Phase::MAIN, 50 * MS + MS / 2, false)],
        gave_up_keep_alive: false,
    });
    manifest
}
