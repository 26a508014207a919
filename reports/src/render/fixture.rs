//! Run directories for tests, made by the same writers as real ones.

use crate::run::ledger::{Entry, Intent, LedgerWriter, Outcome};
use crate::run::manifest::{Machine, Manifest, Mode, Part, Phase, TraceInfo};
use crate::run::operation::{Ack, Failure, Operation};
use crate::run::verdict::{
    Audit, Cascade, Check, Class, Entity, Finding, Judgement, LatestJudgement, LossWindow, Outage,
    State, Totals, Trust, Verdict,
};
use crate::run::{FORMAT_VERSION, RunDir, derive};
use std::path::Path;

mod forgetful;

pub(super) use forgetful::forgetful;

pub(super) const MS: u64 = 1_000_000;

/// A tweet whose outcome came at `done_ns`, after `service_ns`.
pub(super) fn entry(number: u64, done_ns: u64, service_ns: u64, ack: Ack) -> Entry {
    let sent_ns = done_ns.saturating_sub(service_ns);
    Entry {
        part: 0,
        intent: Intent {
            sequence: number,
            command_id: number as i64,
            operation: match number % 20 {
                0 => Operation::Register,
                1..=8 => Operation::Follow,
                9 => Operation::Unfollow,
                _ => Operation::Tweet,
            },
            lane: 0,
            intended_ns: None,
            ready_ns: sent_ns.saturating_sub(40_000),
            called_ns: sent_ns,
            user: "Roger Histand".into(),
            detail: "There is nothing more deceptive than an obvious fact.".into(),
        },
        outcome: Some(Outcome {
            sequence: number,
            sent_ns,
            done_ns,
            replica: 0,
            status: match ack {
                Ack::Acknowledged => 204,
                Ack::Rejected => 400,
                Ack::NotSent | Ack::Indeterminate => 0,
            },
            ack,
            failure: match ack {
                Ack::Acknowledged => None,
                Ack::Rejected => Some(Failure::Status),
                Ack::NotSent => Some(Failure::ConnectRefused),
                Ack::Indeterminate => Some(Failure::ResponseTimeout),
            },
            latest: None,
        }),
    }
}

/// A `GET /latest` that reported `latest`.
pub(super) fn latest_read(number: u64, done_ns: u64, latest: i64) -> Entry {
    let mut entry = entry(number, done_ns, MS / 8, Ack::Acknowledged);
    entry.intent.operation = Operation::Latest;
    entry.intent.command_id = latest;
    if let Some(outcome) = &mut entry.outcome {
        outcome.status = 200;
        outcome.latest = Some(latest);
    }
    entry
}

pub(super) fn manifest() -> Manifest {
    Manifest {
        format_version: FORMAT_VERSION,
        limosa: "0.1.0".into(),
        name: "minitwit_scenario".into(),
        kind: "replay".into(),
        started: "2026-11-22T12:04:01Z".parse().unwrap(),
        finished: Some("2026-11-22T12:04:32Z".parse().unwrap()),
        mode: Mode {
            connections: 1,
            order: "strict".into(),
            client: "limosa".into(),
            keep_alive: true,
            route: "round-robin".into(),
            pace: "max".into(),
            reads: Vec::new(),
            connect_timeout_ms: 300,
            response_timeout_ms: 300,
        },
        targets: vec!["http://127.0.0.1:5001".into()],
        planned_ids: Some(25_922),
        trace: TraceInfo {
            source: "minitwit_scenario.csv".into(),
            sha256: "2f1c".repeat(16),
            commands: 0,
            ids: None,
        },
        seed: 7,
        profile: serde_json::Value::Null,
        machine: Machine {
            os: "Linux 6.1.0".into(),
            cpu: "A processor".into(),
            cores: 2,
            memory_mib: 23_900,
        },
        limits: Vec::new(),
        parts: vec![Part {
            part: 0,
            started: "2026-11-22T12:04:01Z".parse().unwrap(),
            offset_ns: 0,
            from_id: None,
            command_line: ["limosa", "replay", "my trace.csv", "--target", "http://127.0.0.1:5001"]
                .map(str::to_owned)
                .to_vec(),
            shard: None,
            phases: Phase::whole(),
            gave_up_keep_alive: false,
        }],
    }
}

/// Writes manifest, ledger and derived files.
pub(super) fn write(
    path: &Path,
    mut manifest: Manifest,
    entries: impl Iterator<Item = Entry>,
) -> (RunDir, Totals) {
    let run = RunDir::create_at(path).unwrap();
    let mut ledger = LedgerWriter::create(&run.ledger(), 0, 0);
    let mut totals = Totals::default();
    let mut ids: Option<(i64, i64)> = None;
    for entry in entries {
        ledger.append(&entry.intent).unwrap();
        *totals
            .operations
            .entry(entry.intent.operation)
            .or_default()
            .entry(entry.ack())
            .or_default() += 1;
        if entry.intent.operation.is_write() {
            totals.planned += 1;
            let id = entry.intent.command_id;
            ids = Some((ids.map_or(id, |(first, _)| first), id));
        }
        let Some(outcome) = entry.outcome else { continue };
        ledger.append(&outcome).unwrap();
        totals.duration_ns = totals.duration_ns.max(outcome.done_ns);
        *totals.replicas.entry(outcome.replica).or_default().entry(outcome.ack).or_default() += 1;
        if outcome.status != 0 {
            *totals.statuses.entry(outcome.status).or_default() += 1;
        }
    }
    ledger.finish().unwrap();
    manifest.trace.commands = manifest.trace.commands.max(totals.planned);
    manifest.trace.ids = ids;
    run.write_manifest(&manifest).unwrap();
    derive::derive(&run, &manifest).unwrap();
    (run, totals)
}

fn check(name: &str, verdict: Verdict, summary: &str) -> Check {
    Check { name: name.into(), verdict, summary: summary.into() }
}

/// A judgement that found nothing.
pub(super) fn passed(totals: Totals) -> Judgement {
    let acknowledged = totals.commands(Ack::Acknowledged);
    let tried = totals.tried();
    let mut audit = Audit {
        method: "api".into(),
        passes: 1,
        state: State { users: 200, messages: 11_306, follows: 6_265, latest: Some(25_921) },
        ..Audit::default()
    };
    audit.counts.entry(Entity::Message).or_default().insert(Class::Kept, acknowledged);
    Judgement {
        format_version: FORMAT_VERSION,
        limosa: "0.1.0".into(),
        judged: "2026-11-22T12:05:00Z".parse().unwrap(),
        verdict: Verdict::Pass,
        headline: "Every command was acknowledged, and the target holds all of them.".into(),
        checks: vec![
            check("answers", Verdict::Pass, "every command was answered as the protocol says"),
            check("audit", Verdict::Pass, "everything acknowledged is there, once, as sent"),
            check("latest", Verdict::Pass, "every read named the last command"),
            check("generator", Verdict::Pass, "closed model: nothing to be late for"),
            check("ledger", Verdict::Pass, "whole"),
        ],
        audit: Some(audit),
        latest: Some(LatestJudgement {
            contract: "strict".into(),
            verdict: Verdict::Pass,
            reads: 1_296,
            wrong: 0,
            mean_legal: Some(1.0),
            last_sent: Some(25_921),
            last_reported: Some(25_921),
            witnesses: vec![],
            details: None,
        }),
        outages: vec![],
        cascades: vec![],
        trust: Trust {
            lateness_bound_ns: MS,
            requests: tried,
            failure_rate_bound: Some(3.0 / tried.max(1) as f64),
            not_checked: vec![
                "order of messages within one second: pub_date has no finer resolution".into(),
            ],
            ..Trust::default()
        },
        totals,
    }
}

/// Noise with a long tail, the same each time, in nanoseconds.
fn noise(number: u64) -> u64 {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let share = scattered as f64 / (1u64 << 24) as f64;
    (180_000.0 + 90_000.0 * share + 60_000.0 * (1.0 / (1.0 - share)).ln().powi(2)) as u64
}

/// A run of `commands` commands, one after another, with a read of latest after each twentieth.
pub(super) fn steady(commands: u64) -> impl Iterator<Item = Entry> {
    let mut now = 0;
    let mut sequence = 0;
    (0..commands).flat_map(move |number| {
        let service = noise(number) + if number % 9_000 == 8_500 { 38 * MS } else { 0 };
        now += service + 60_000;
        let mut command = entry(number, now, service, Ack::Acknowledged);
        command.intent.sequence = sequence;
        if let Some(outcome) = &mut command.outcome {
            outcome.sequence = sequence;
        }
        sequence += 1;
        let read = (number % 20 == 19).then(|| {
            now += MS / 4;
            sequence += 1;
            latest_read(sequence - 1, now, number as i64)
        });
        [Some(command), read].into_iter().flatten()
    })
}

pub(super) fn clean(path: &Path) -> RunDir {
    let (run, totals) = write(path, manifest(), steady(25_922));
    run.write_judgement(&passed(totals)).unwrap();
    run
}

/// In the open model, to two replicas of which the second is slow, after a warm-up.
pub(super) fn spread(path: &Path) -> RunDir {
    let mut manifest = manifest();
    manifest.targets.push("http://127.0.0.1:5002".into());
    manifest.mode.order = "user".into();
    manifest.mode.pace = "rate:2000".into();
    manifest.mode.route = "random".into();
    manifest.mode.reads = vec!["latest=0.05".into(), "messages=20/s".into()];
    let main = Phase { name: Phase::MAIN.into(), from_ns: 2_000 * MS, warm_up: false };
    let warm_up = Phase { name: "warm-up".into(), from_ns: 0, warm_up: true };
    manifest.parts[0].phases = vec![warm_up, main];
    manifest.parts[0].gave_up_keep_alive = true;
    let entries = steady(25_922).map(|mut entry| {
        if let Some(outcome) = &mut entry.outcome {
            entry.intent.intended_ns = Some(outcome.sent_ns.saturating_sub(MS));
            outcome.replica = (outcome.sequence % 2) as u16;
            outcome.done_ns += u64::from(outcome.replica) * 20 * MS;
        }
        entry
    });
    let (run, totals) = write(path, manifest, entries);
    run.write_judgement(&passed(totals)).unwrap();
    run
}

/// Nothing was sent.
pub(super) fn empty(path: &Path) -> RunDir {
    write(path, manifest(), std::iter::empty()).0
}

/// Killed on the way: no end, no judgement, no derived files, and a request in flight.
pub(super) fn unfinished(path: &Path) -> RunDir {
    let mut begun = manifest();
    begun.finished = None;
    begun.trace.commands = 25_922;
    let mut last = entry(3_150, 0, 0, Ack::Acknowledged);
    last.intent.command_id = 3_000;
    last.outcome = None;
    let (run, _) = write(path, begun, steady(3_000).chain([last]));
    std::fs::remove_file(run.latency_log()).unwrap();
    std::fs::remove_file(run.timeline()).unwrap();
    run
}

fn finding(class: Class, id: i64, user: &str, detail: &str, note: &str) -> Finding {
    Finding {
        class,
        entity: Entity::Message,
        command_id: Some(id),
        operation: Some(Operation::Tweet),
        user: user.into(),
        detail: detail.into(),
        called_ns: Some(4_000 * MS + id as u64 * 1_000),
        returned_ns: Some(4_001 * MS + id as u64 * 1_000),
        replica: Some(0),
        status: Some(204),
        note: note.into(),
    }
}

/// A server that was away for four tenths of a second, lost and altered messages, and refused a
/// register that eighteen later commands needed; the texts are as hostile as texts get.
pub(super) fn troubled(path: &Path) -> RunDir {
    let away = 5_000 * MS..5_400 * MS;
    let entries = steady(25_922).map(|mut entry| {
        let id = entry.intent.command_id;
        let Some(outcome) = &mut entry.outcome else { return entry };
        let (ack, status, failure, service) = if entry.intent.operation == Operation::Latest {
            return entry;
        } else if away.contains(&outcome.done_ns) && id % 3 == 0 {
            (Ack::Indeterminate, 0, Failure::ResponseTimeout, 300 * MS)
        } else if away.contains(&outcome.done_ns) {
            (Ack::NotSent, 0, Failure::ConnectRefused, MS / 20)
        } else if id == 23 || (id > 9_000 && id % 900 == 0) {
            (Ack::Rejected, 400, Failure::Status, MS / 5)
        } else {
            return entry;
        };
        outcome.ack = ack;
        outcome.status = status;
        outcome.failure = Some(failure);
        outcome.sent_ns = outcome.done_ns.saturating_sub(service);
        entry
    });
    let (run, mut totals) = write(path, manifest(), entries);
    totals.errors.insert("ReadTimeout".into(), totals.commands(Ack::Indeterminate));
    totals.errors.insert("ConnectionError".into(), totals.commands(Ack::NotSent));
    totals.errors.insert("tweet".into(), totals.commands(Ack::Rejected));
    run.write_judgement(&troubled_judgement(totals)).unwrap();
    run
}

fn troubled_judgement(totals: Totals) -> Judgement {
    let failed = totals.tried() - totals.commands(Ack::Acknowledged);
    let mut judgement = passed(totals);
    judgement.verdict = Verdict::Fail;
    judgement.headline =
        "3 acknowledged messages are lost, 1 is altered; the target was away for 0.40 s.".into();
    judgement.checks[0] = check("answers", Verdict::Fail, "commands failed");
    judgement.checks[1] = check("audit", Verdict::Fail, "3 lost, 1 altered, 1 foreign");
    judgement.trust.failure_rate_bound = None;
    let audit = judgement.audit.as_mut().unwrap();
    audit.passes = 2;
    audit.findings = vec![
        finding(
            Class::Lost,
            4_711,
            "Roger Histand",
            "There is nothing more deceptive than an obvious fact.",
            "not in /msgs",
        ),
        finding(
            Class::Lost,
            4_712,
            "<script>alert(1)</script>",
            "<script>alert(1)</script><img src=x onerror=alert(2)>",
            "not in /msgs",
        ),
        finding(
            Class::Lost,
            4_713,
            "rtl \u{202e}txet\u{0} [x](http://example.org) @someone | `b`",
            &"Donaudampfschifffahrt".repeat(30),
            "not in /msgs",
        ),
        finding(Class::Altered, 4_720, "Ærøskøbing 鳥鳥鳥", "007", "stored as \"7\""),
        Finding {
            command_id: None,
            operation: None,
            called_ns: None,
            returned_ns: None,
            status: None,
            ..finding(
                Class::Foreign,
                0,
                "\u{1b}[31mred",
                "مرحبا بالعالم",
                "sent by nobody in this run",
            )
        },
    ];
    let counts = audit.counts.entry(Entity::Message).or_default();
    counts.extend([
        (Class::Lost, 3),
        (Class::Altered, 1),
        (Class::Foreign, 1),
        (Class::Recovered, 2),
        (Class::Absent, 40),
    ]);
    audit.loss_windows =
        vec![LossWindow { first_ns: 4_005 * MS, last_ns: 4_006 * MS, lost: 3, kept: 12 }];
    judgement.outages = vec![Outage {
        first_failed_call_ns: 5_000 * MS,
        last_failed_return_ns: 5_400 * MS,
        last_ok_call_ns: Some(4_999 * MS),
        next_ok_return_ns: Some(5_401 * MS),
        failed,
        ids: (17_001, 18_200),
    }];
    judgement.cascades = vec![Cascade {
        root_id: 23,
        user: "Mellie <b>Yost</b>".into(),
        at_ns: 8 * MS,
        cause: "register answered 400".into(),
        caused: 18,
        operations: [(Operation::Tweet, 12), (Operation::Follow, 6)].into(),
        examples: vec![9_900, 10_800, 11_700],
    }];
    judgement
}
