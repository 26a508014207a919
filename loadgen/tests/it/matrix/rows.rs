//! What is planted in each row, and what must come of it.

use super::*;
use limosa::engine::StopRule;
use limosa::schedule::{Order, Route};
use limosa_reports::run::verdict::latest::Counting;
use std::collections::BTreeMap;

/// The row of the server that has no fault.
pub(super) const CLEAN: &str = "none";

/// One fault.
pub(super) struct Row {
    /// Its name on the page.
    pub(super) name: &'static str,
    /// The faults of the server's registry that it plants.
    pub(super) registered: &'static [&'static str],
    /// How the server is started.
    pub(super) flags: &'static str,
    /// What must be reported.
    pub(super) reports: &'static str,
    /// What is counted in the last column.
    pub(super) counted: &'static str,
    /// Plants it, holds the report against the truth, and says what was found.
    pub(super) run: fn(&Trial) -> String,
}

pub(super) fn rows() -> Vec<Row> {
    let row = |name, registered, flags, reports, counted, run| Row {
        name,
        registered,
        flags,
        reports,
        counted,
        run,
    };
    vec![
        row(
            "an acknowledged write is lost",
            &["lose"],
            "`--fault lose:every=K`",
            "LOST for each write that was hit, no other class; a lost register is the root of a cascade",
            "lost",
            |trial| all_hits_are(trial, "lose", Class::Lost),
        ),
        row(
            "a message is stored twice",
            &["duplicate"],
            "`--fault duplicate:every=K`",
            "DUPLICATED for each message that was hit, no other class",
            "duplicated",
            |trial| all_hits_are(trial, "duplicate", Class::Duplicated),
        ),
        row(
            "a message is altered",
            &["alter"],
            "`--fault alter:every=K`",
            "ALTERED for each message that was hit, no other class",
            "altered",
            |trial| all_hits_are(trial, "alter", Class::Altered),
        ),
        row(
            "a refused write is stored",
            &["ghost"],
            "`--fault ghost:every=K`",
            "GHOST for each write that was hit, no other class",
            "ghosts",
            |trial| all_hits_are(trial, "ghost", Class::Ghost),
        ),
        row(
            "a follow is dropped",
            &["drop-follow"],
            "`--fault drop-follow:every=K`",
            "LOST for each follow that was hit, no other class",
            "lost",
            |trial| all_hits_are(trial, "drop-follow", Class::Lost),
        ),
        row(
            "two commits are swapped",
            &["swap"],
            "`--fault swap:every=K`",
            "MISORDERED for each message that was stored behind its author's next one, as long as nine \
             of ten are in order; LOST for one whose author wrote no other",
            "misordered + lost",
            swapped,
        ),
        row(
            "acknowledged before the commit, then a crash",
            &["early-ack"],
            "`--fault early-ack:delay=60000`, SIGKILL",
            "LOST for each acknowledged write, no other class",
            "found",
            acknowledged_early,
        ),
        row(
            "`latest` in the memory of each replica",
            &[],
            "three times `--latest memory`, `--route random`",
            "the strict contract broken by as many reads as went to another replica than the last \
             command; nothing lost",
            "wrong reads",
            in_memory,
        ),
        row(
            "`latest` is stale",
            &["stale-latest"],
            "`--fault stale-latest:ms=D`",
            "the strict contract broken by every read that was behind, never by more than D ms; \
             nothing lost",
            "found",
            stale,
        ),
        row(
            "`latest` is a mere count",
            &["count-latest"],
            "`--fault count-latest`, a trace with gaps between its ids",
            "that the target counts commands, and as many wrong reads as there were; nothing lost",
            "wrong reads",
            counted,
        ),
        row(
            "`latest` is ahead of the data, then a crash",
            &["ahead-latest"],
            "`--fault ahead-latest:ms=400`, SIGKILL",
            "LATEST-AHEAD for the one command that was under way, no other class",
            "ahead",
            ahead,
        ),
        row(
            "no connection for a while",
            &["refuse"],
            "`--fault refuse:from=1500,for=500`",
            "one outage, and bounds that hold its true length; nothing lost",
            "outages",
            refused,
        ),
        row(
            "requests are held for a while",
            &["stall"],
            "`--fault stall:every=1000,for=250`",
            "a limit on the slowest answer that does not hold; nothing lost",
            "found",
            stalled,
        ),
        row(
            CLEAN,
            &[],
            "no fault: strict and 16 requests at once, on one server and on three",
            "nothing: no check fails, no class but KEPT, no outage, no wrong read",
            "accusations",
            clean,
        ),
    ]
}

/// Which writes are hit: each K-th, where K goes with the seed.
fn every(trial: &Trial) -> u64 {
    5 + trial.seed % 7
}

fn nothing_is_lost(judgement: &Judgement) {
    assert_eq!(violations(judgement), []);
    assert_eq!(verdict_of(judgement, "audit"), Verdict::Pass);
}

fn all_hits_are(trial: &Trial, fault: &str, class: Class) -> String {
    let fault = format!("{fault}:every={}", every(trial));
    let server = trial.serve(0, &["--fault", &fault]);
    let judgement = trial.replay(&trial.plan(trial.visible_trace(), &[&server]));
    let hits = trial.hit_commands();
    assert!(!hits.is_empty(), "{fault} has hit nothing");
    let expected: Vec<_> = hits.iter().map(|id| (class, Some(*id))).collect();
    assert_eq!(violations(&judgement), expected, "{fault}");
    assert_eq!(judgement.audit.as_ref().unwrap().count(class), hits.len() as u64);
    assert!(judgement.cascades.iter().all(|cascade| hits.contains(&cascade.root_id)));
    assert_eq!(verdict_of(&judgement, "latest"), Verdict::Pass);
    assert_eq!(judgement.verdict, Verdict::Fail);
    hits.len().to_string()
}

fn swapped(trial: &Trial) -> String {
    // Where more than one pair in ten stands the wrong way around, the target may sort by something
    // else, and nobody is accused.
    let fault = format!("swap:every={}", 5 * every(trial));
    let server = trial.serve(0, &["--fault", &fault]);
    let judgement = trial.replay(&trial.plan(trial.visible_trace(), &[&server]));
    let hits = trial.hits();
    let is_late =
        |id: i64| hits.iter().any(|hit| hit.message == "stored late" && hit.command == Some(id));
    let expected: Vec<_> = trial
        .hit_commands()
        .into_iter()
        .map(|id| (if is_late(id) { Class::Misordered } else { Class::Lost }, Some(id)))
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(violations(&judgement), expected, "{fault}");
    let of = |class| expected.iter().filter(|(found, _)| *found == class).count();
    format!("{}+{}", of(Class::Misordered), of(Class::Lost))
}

fn acknowledged_early(trial: &Trial) -> String {
    let judgement = trial.replay_and_kill(&[], "early-ack:delay=60000", 40 + trial.seed as usize);
    let hits = trial.hit_commands();
    let acknowledged = trial.acknowledged();
    // Of the one that was under way at the kill, nothing is known.
    assert!(hits.len() - acknowledged.len() <= 1, "{hits:?} {acknowledged:?}");
    let expected: Vec<_> = acknowledged.iter().map(|id| (Class::Lost, Some(*id))).collect();
    assert_eq!(violations(&judgement), expected);
    "all".to_owned()
}

fn in_memory(trial: &Trial) -> String {
    let servers = [0, 1, 2].map(|number| trial.serve(number, &["--latest", "memory"]));
    let plan = limosa::replay::Plan {
        route: Route::Random,
        ..trial.plan(trial.visible_trace(), &servers.each_ref())
    };
    let judgement = trial.replay(&plan);
    let mut held: BTreeMap<u16, i64> = BTreeMap::new();
    for entry in trial.calls() {
        let outcome = entry.outcome.unwrap();
        if entry.intent.operation.is_write() {
            held.insert(outcome.replica, entry.intent.command_id);
        } else {
            let expected = held.get(&outcome.replica).copied().unwrap_or(-1);
            assert_eq!(outcome.latest, Some(expected));
        }
    }
    nothing_is_lost(&judgement);
    wrong_reads(trial, &judgement).to_string()
}

/// As many as the ledger shows, and at least one.
fn wrong_reads(trial: &Trial, judgement: &Judgement) -> u64 {
    let after = judgement.audit.as_ref().unwrap().state.latest;
    let wrong = trial.reads_beside_the_last_command(after);
    let latest = judgement.latest.as_ref().unwrap();
    assert!(wrong > 0, "no read was wrong");
    assert_eq!((latest.wrong, latest.verdict), (wrong, Verdict::Fail));
    wrong
}

fn stale(trial: &Trial) -> String {
    let by_ms = 20 + 10 * (trial.seed % 5);
    let server = trial.serve(0, &["--fault", &format!("stale-latest:ms={by_ms}")]);
    let judgement = trial.replay(&trial.plan(trial.visible_trace(), &[&server]));
    nothing_is_lost(&judgement);
    let wrong = wrong_reads(trial, &judgement);
    let staleness = judgement.latest.unwrap().details.unwrap().staleness;
    assert!(staleness.stale <= wrong, "{staleness:?}");
    assert!((1..=by_ms * 1_000_000).contains(&staleness.ns.max), "{staleness:?}");
    "all".to_owned()
}

fn counted(trial: &Trial) -> String {
    let server = trial.serve(0, &["--fault", "count-latest"]);
    let judgement = trial.replay(&trial.plan(trial.visible_trace(), &[&server]));
    nothing_is_lost(&judgement);
    let wrong = wrong_reads(trial, &judgement);
    let counting = judgement.latest.unwrap().details.unwrap().counting;
    assert_eq!(counting, Some(Counting::Commands));
    wrong.to_string()
}

fn ahead(trial: &Trial) -> String {
    let judgement = trial.replay_and_kill(&[], "ahead-latest:ms=400", (trial.seed % 4) as usize);
    let doomed = trial.hit_commands().pop();
    assert_eq!(violations(&judgement), [(Class::LatestAhead, doomed)]);
    "1".to_owned()
}

fn refused(trial: &Trial) -> String {
    let server = trial.serve(0, &["--fault", "refuse:from=1500,for=500"]);
    let plan = limosa::replay::Plan {
        pace: "rate:100".parse().unwrap(),
        stop: StopRule::after(0),
        ..trial.plan(trial.visible_trace(), &[&server])
    };
    let judgement = trial.replay(&plan);
    nothing_is_lost(&judgement);
    let hits = trial.hits();
    let [closed, open] = &hits[..] else { panic!("{hits:?}") };
    let truth = open.at.duration_since(closed.at).as_nanos() as u64;
    let [outage] = &judgement.outages[..] else { panic!("{:?}", judgement.outages) };
    // The port closes, and opens, a moment before the server says so.
    let margin = 100_000_000;
    let (least, most) = (outage.least_ns(), outage.most_ns().unwrap());
    assert!(least <= truth + margin && truth <= most + margin, "{least} {truth} {most}");
    "1".to_owned()
}

fn stalled(trial: &Trial) -> String {
    const LIMIT: &str = "service.max < 125ms";
    let server = trial.serve(0, &["--fault", "stall:every=1000,for=250"]);
    let plan = limosa::replay::Plan {
        pace: "rate:100".parse().unwrap(),
        limits: vec![LIMIT.to_owned()],
        ..trial.plan(trial.visible_trace(), &[&server])
    };
    let judgement = trial.replay(&plan);
    nothing_is_lost(&judgement);
    let times = trial.calls().into_iter().map(|entry| {
        let outcome = entry.outcome.unwrap();
        outcome.done_ns - outcome.sent_ns
    });
    let slowest = times.max().unwrap();
    assert!(slowest >= 125_000_000, "{slowest} ns in spite of {:?}", trial.hits());
    // It is unknown where the machine was too busy to send in time.
    let verdict = verdict_of(&judgement, &format!("limit {LIMIT}"));
    assert_ne!(verdict, Verdict::Pass, "{slowest} ns");
    assert!(!trial.hits().is_empty());
    "all".to_owned()
}

fn clean(trial: &Trial) -> String {
    let replicas = if trial.seed.is_multiple_of(2) { 1 } else { 3 };
    let servers: Vec<Server> = (0..replicas).map(|number| trial.serve(number, &[])).collect();
    let mut plan = trial.plan(trial.trace(|_| true), &servers.iter().collect::<Vec<_>>());
    plan.route = Route::Random;
    if trial.seed % 4 >= 2 {
        (plan.order, plan.connections) = (Order::User, 16);
    }
    let judgement = trial.replay(&plan);
    let failed: Vec<_> =
        judgement.checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    assert!(failed.is_empty(), "{failed:?}");
    nothing_is_lost(&judgement);
    assert_eq!((judgement.outages.len(), judgement.cascades.len()), (0, 0));
    let latest = judgement.latest.unwrap();
    assert_eq!((latest.wrong, latest.verdict), (0, Verdict::Pass));
    assert!(latest.reads > 20, "{}", latest.reads);
    "0".to_owned()
}
