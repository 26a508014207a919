use super::*;
use crate::check::answers::Answers;
use crate::check::testing::Script;
use jiff::Timestamp;
use limosa_reports::run::manifest::{Machine, Mode, TraceInfo};
use limosa_reports::run::operation::{Failure, Operation};
use limosa_reports::run::verdict::latest::{Contract, ContractJudgement, LatestDetails};
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::BTreeMap;

const PHASES: [&str; 2] = ["warm-up", "steady"];
const MS: u64 = 1_000_000;

#[test]
fn what_people_write_is_read() {
    for text in [
        "p99 < 50ms",
        "p50<=0.5ms",
        "steady.p999 < 1s",
        "tweet.p99 < 30ms",
        "steady.tweet.service.max < 2s",
        "lateness.p99 < 1ms",
        "latest.mean < 5 ms",
        "errors < 0.1%",
        "errors <= 0.001",
        "errors = 0",
        "public.errors < 1 %",
        "steady.throughput >= 500/s",
        "outage < 1s",
        "lost = 0",
        "latest_ahead = 0",
        "kept > 100",
        "latest = linearizable",
        "latest=strict",
        "latest = max",
    ] {
        Limit::parse(text, &PHASES, false).unwrap();
    }
    assert_eq!(Limit::parse(" p99 <  50ms ", &[], true).unwrap().text, "p99 < 50ms");
}

#[test]
fn what_is_no_limit_is_explained() {
    for (text, why) in [
        ("", "such as `p99 < 50ms`"),
        ("p99 50ms", "compare a figure with a bound"),
        ("p98 < 5ms", "nothing that is measured is called `p98`; the nearest is `p9"),
        ("eror < 5ms", "the nearest is `errors`"),
        ("stedy.p99 < 5ms", "is called `stedy`; the nearest is `steady`"),
        ("twet.p99 < 5ms", "the nearest is `tweet`"),
        ("steady.steady.p99 < 5ms", "`steady.` has no place in it"),
        ("response.errors < 1%", "`response.` has no place in it"),
        ("steady.outage < 1s", "it is of the whole run: leave out `steady.`"),
        ("tweet.lost = 0", "leave out `tweet.`"),
        ("p99 < 50", "`50` is not a time, such as 50ms"),
        ("p99 = 50ms", "only what is counted can be equal"),
        ("errors < 200%", "`200%` is not a share"),
        ("errors < -1%", "is not a share"),
        ("throughput > 500", "`500` is not a rate, such as 500/s"),
        ("lost = 0.5", "is not a whole number"),
        ("lost == 0", "is not a whole number"),
        ("latest < 5", "a contract is demanded"),
        ("latest = linear", "such as `latest = linearizable`"),
    ] {
        let error = Limit::parse(text, &PHASES, false).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(text.trim()), "{text}: {error}");
    }
    let error = Limit::parse("response.p99 < 5ms", &[], true).unwrap_err();
    assert!(error.to_string().contains("no response time: use `service`"), "{error}");
}

#[test]
fn every_name_that_a_limit_knows_is_no_name_for_a_phase() {
    for word in ["p99", "errors", "lost", "latest", "latest_ahead", "tweet", "service", "outage"] {
        assert!(is_reserved(word), "{word}");
    }
    assert!(!is_reserved("steady"));
}

/// A run of two phases, 10 ms of warm-up and the rest, with a limit.
fn manifest(limits: &[&str]) -> Manifest {
    let phase = |name: &str, from_ns, warm_up| Phase { name: name.to_owned(), from_ns, warm_up };
    let part = Part {
        part: 0,
        started: Timestamp::UNIX_EPOCH,
        offset_ns: 0,
        from_id: None,
        command_line: Vec::new(),
        shard: None,
        phases: vec![phase("warm-up", 0, true), phase("steady", 10 * MS, false)],
        gave_up_keep_alive: false,
    };
    Manifest {
        format_version: 1,
        limosa: String::new(),
        name: String::new(),
        kind: String::new(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        mode: Mode {
            order: "user".to_owned(),
            connections: 1,
            client: "limosa".to_owned(),
            keep_alive: true,
            route: "round-robin".to_owned(),
            pace: "rate:1000".to_owned(),
            reads: Vec::new(),
            connect_timeout_ms: 1,
            response_timeout_ms: 1,
        },
        targets: Vec::new(),
        trace: TraceInfo { source: String::new(), sha256: String::new(), commands: 0, ids: None },
        planned_ids: None,
        seed: 1,
        profile: serde_json::json!({}),
        machine: Machine { os: String::new(), cpu: String::new(), cores: 1, memory_mib: 1 },
        limits: limits.iter().map(|limit| (*limit).to_owned()).collect(),
        parts: vec![part],
    }
}

/// Twenty tweets, one a millisecond, each due half a millisecond before its send, with a service
/// time of 0.5 ms; in the warm-up each tweet was answered 100 ms later. The fifteenth was refused.
fn entries() -> Vec<Entry> {
    let mut script = Script::new();
    script.register("a").ok();
    for number in 1..20 {
        let tweet = script.tweet("a", "x");
        if number == 15 {
            tweet.refused(404)
        } else {
            tweet.ok()
        };
    }
    let mut entries = script.entries();
    for (number, entry) in entries.iter_mut().enumerate() {
        entry.intent.intended_ns = Some(entry.intent.called_ns - MS / 2);
        if (1..10).contains(&number) {
            entry.outcome.as_mut().unwrap().done_ns += 100 * MS;
        }
    }
    entries
}

fn judged_with(
    limit: &str,
    entries: &[Entry],
    found: &Found<'_>,
    checks: &mut Vec<Check>,
) -> Check {
    let mut answers = Answers::default();
    let mut limits = Limits::new(&manifest(&[limit]));
    for entry in entries {
        limits.push(entry, answers.push(entry));
    }
    checks.push(answers.finish());
    limits.judge(found, checks);
    checks.last().unwrap().clone()
}

const NOTHING: Found<'_> = Found { audit: None, latest: None, outages: &[] };

fn verdict(limit: &str) -> (Verdict, String) {
    let check = judged_with(limit, &entries(), &NOTHING, &mut Vec::new());
    assert_eq!(check.name, format!("limit {limit}"));
    (check.verdict, check.summary)
}

#[test]
fn latencies_leave_the_warm_up_out_unless_it_is_asked_for() {
    assert_eq!(verdict("p99 < 1.1ms").0, Verdict::Pass);
    let (broken, summary) = verdict("p99 < 0.9ms");
    assert_eq!(broken, Verdict::Fail);
    assert_eq!(
        summary,
        "`p99 < 0.9ms` does not hold: p99 is 1.000 ms, the response time of 10 requests"
    );
    assert_eq!(verdict("service.max < 0.6ms").0, Verdict::Pass);
    assert_eq!(verdict("steady.p99 < 1.1ms").0, Verdict::Pass);
    assert_eq!(verdict("warm-up.max < 50ms").0, Verdict::Fail);
    assert_eq!(verdict("tweet.mean < 1.1ms").0, Verdict::Pass);
}

#[test]
fn a_figure_without_data_is_unknown() {
    for limit in ["register.p99 < 1s", "follow.errors < 1%", "public.throughput > 1/s", "lost = 0"]
    {
        assert_eq!(verdict(limit).0, Verdict::Unknown, "{limit}");
    }
    assert_eq!(verdict("latest = strict").0, Verdict::Unknown);
    let (unreadable, why) = verdict("p98 < 1s");
    assert_eq!(unreadable, Verdict::Unknown);
    assert!(why.contains("nothing that is measured is called"), "{why}");
}

#[test]
fn errors_are_those_of_the_answers_and_those_of_reads() {
    assert_eq!(verdict("errors <= 5%").0, Verdict::Pass);
    assert_eq!(verdict("errors < 5%").0, Verdict::Fail);
    assert_eq!(verdict("warm-up.errors <= 0%").0, Verdict::Pass);
    let (_, summary) = verdict("steady.errors < 1%");
    assert!(summary.contains("10.0000 %, 1 of 10 requests"), "{summary}");

    let mut entries = entries();
    let last = entries.last_mut().unwrap();
    last.intent.operation = Operation::Public;
    let outcome = last.outcome.as_mut().unwrap();
    (outcome.ack, outcome.failure) = (Ack::Indeterminate, Some(Failure::ResponseTimeout));
    let check = judged_with("public.errors < 1%", &entries, &NOTHING, &mut Vec::new());
    assert_eq!(check.verdict, Verdict::Fail);
}

#[test]
fn a_limit_on_errors_says_how_many_commands_may_fail() {
    for (limit, answers) in [
        ("errors <= 5%", Verdict::Pass),
        ("errors < 5%", Verdict::Fail),
        ("tweet.errors < 50%", Verdict::Fail),
        ("errors > 1%", Verdict::Fail),
    ] {
        let mut checks = Vec::new();
        judged_with(limit, &entries(), &NOTHING, &mut checks);
        assert_eq!(checks[0].verdict, answers, "{limit}: {}", checks[0].summary);
    }
}

#[test]
fn throughput_counts_what_was_acknowledged_outside_the_warm_up() {
    // Nine of ten tweets, from 10.5 ms to 20.5 ms.
    let (verdict_, summary) = verdict("throughput >= 900/s");
    assert_eq!(verdict_, Verdict::Pass, "{summary}");
    assert!(summary.contains("900.0/s, 9 acknowledged in 0.010 s"), "{summary}");
    assert_eq!(verdict("steady.throughput > 900/s").0, Verdict::Fail);
}

#[test]
fn a_class_is_what_the_audit_counted() {
    let counts = BTreeMap::from([(Entity::Message, BTreeMap::from([(Class::Lost, 2)]))]);
    let audit = Audit { counts, ..Audit::default() };
    let found = Found { audit: Some(&audit), ..NOTHING };
    let one = |limit: &str, mut checks: Vec<Check>| {
        judged_with(limit, &entries(), &found, &mut checks).verdict
    };
    assert_eq!(one("lost = 0", vec![]), Verdict::Fail);
    assert_eq!(one("lost <= 2", vec![]), Verdict::Pass);
    assert_eq!(one("duplicated = 0", vec![]), Verdict::Pass);
    let gaps = check("x", Verdict::Unknown, "not all could be looked for".into());
    let gaps = Check { name: "audit".into(), ..gaps };
    assert_eq!(one("duplicated = 0", vec![gaps]), Verdict::Unknown);
}

#[test]
fn an_outage_is_an_interval() {
    let outage = Outage {
        first_failed_call_ns: 100 * MS,
        last_failed_return_ns: 300 * MS,
        last_ok_call_ns: Some(90 * MS),
        next_ok_return_ns: Some(340 * MS),
        failed: 3,
        ids: (1, 3),
    };
    let one = |limit: &str, outages: &[Outage]| {
        let found = Found { outages, ..NOTHING };
        judged_with(limit, &entries(), &found, &mut Vec::new()).verdict
    };
    assert_eq!(one("outage < 1s", &[]), Verdict::Pass);
    assert_eq!(one("outage < 251ms", &[outage]), Verdict::Pass);
    assert_eq!(one("outage < 220ms", &[outage]), Verdict::Unknown);
    assert_eq!(one("outage < 200ms", &[outage]), Verdict::Fail);
    let endless = Outage { next_ok_return_ns: None, ..outage };
    assert_eq!(one("outage < 1h", &[endless]), Verdict::Unknown);
}

#[test]
fn latest_is_the_verdict_of_the_contract_that_is_asked_for() {
    let contract = |contract, verdict| ContractJudgement {
        contract,
        verdict,
        summary: "2 of 40 reads were wrong".into(),
        reads: 40,
        wrong: 2,
        anomalies: BTreeMap::new(),
        witnesses: Vec::new(),
    };
    let judgement = LatestJudgement {
        contract: "register".into(),
        verdict: Verdict::Fail,
        reads: 40,
        wrong: 2,
        mean_legal: None,
        last_sent: None,
        last_reported: None,
        witnesses: Vec::new(),
        details: Some(LatestDetails {
            contracts: vec![
                contract(Contract::Register, Verdict::Fail),
                contract(Contract::MaxRegister, Verdict::Pass),
            ],
            ..LatestDetails::default()
        }),
    };
    let found = Found { latest: Some(&judgement), ..NOTHING };
    let one = |limit: &str| judged_with(limit, &entries(), &found, &mut Vec::new());
    assert_eq!(one("latest = linearizable").verdict, Verdict::Fail);
    assert!(one("latest = linearizable").summary.contains("2 of 40 reads"));
    assert_eq!(one("latest = max").verdict, Verdict::Pass);
    let strict = one("latest = strict");
    assert_eq!(strict.verdict, Verdict::Unknown);
    assert!(strict.summary.contains("for runs in the strict order"), "{}", strict.summary);
}

#[test]
fn a_late_generator_accuses_nobody() {
    let late = || Check {
        name: "generator".into(),
        verdict: Verdict::Unknown,
        summary: "the generator was the bottleneck".into(),
    };
    for limit in ["p99 < 0.1ms", "p99 < 1h", "throughput > 1/s"] {
        let check = judged_with(limit, &entries(), &NOTHING, &mut vec![late()]);
        assert_eq!(check.verdict, Verdict::Unknown, "{limit}");
    }
    let check = judged_with("errors < 1%", &entries(), &NOTHING, &mut vec![late()]);
    assert_eq!(check.verdict, Verdict::Fail);
    let mut waiting = entries();
    waiting.iter_mut().for_each(|entry| entry.intent.ready_ns -= MS / 2);
    let check = judged_with("lateness.p99 < 0.1ms", &waiting, &NOTHING, &mut Vec::new());
    assert_eq!(check.verdict, Verdict::Unknown, "{}", check.summary);
}
