use super::*;
use crate::check::latest::Checker;
use crate::check::latest::history::{OPEN_NS, Operation, Source};
use crate::judge::judge;
use crate::judge::testing::Recording;
use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::run::verdict::LatestJudgement;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One event of a history, read strictly: nothing may stand there that [`edn`] does not promise.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    is: String,
    f: String,
    value: Option<i64>,
    time: u64,
    process: u64,
    index: u64,
    extra: BTreeMap<String, u64>,
}

/// An EDN reader for a flat map of keywords to keywords, integers and nil.
fn event(line: &str) -> Event {
    let inside = line.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap();
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in inside.split(", ") {
        let (key, value) = pair.split_once(' ').unwrap();
        let key = key.strip_prefix(':').unwrap();
        assert!(fields.insert(key, value).is_none(), "EDN refuses a key twice: {line}");
    }
    let mut take = |key| fields.remove(key).unwrap_or_else(|| panic!("no :{key}: {line}"));
    let keyword = |text: &str| text.strip_prefix(':').unwrap().to_owned();
    let (is, f) = (keyword(take("type")), keyword(take("f")));
    let value = Some(take("value")).filter(|value| *value != "nil");
    let value = value.map(|value| value.parse().unwrap());
    let mut number = |key| take(key).parse().unwrap();
    let (time, process, index) = (number("time"), number("process"), number("index"));
    let extra = fields.into_iter().map(|(key, text)| (key.to_owned(), text.parse().unwrap()));
    Event { is, f, value, time, process, index, extra: extra.collect() }
}

fn events(records: &[Record]) -> Vec<Event> {
    let mut out = Vec::new();
    let mut events = Events::new(&mut out);
    records.iter().for_each(|record| events.push(record).unwrap());
    events.finish().unwrap();
    String::from_utf8(out).unwrap().lines().map(event).collect()
}

/// The pairs of call and completion, as places in the history; fails where a tool that keeps to the
/// rules of Jepsen's histories would.
fn pairs(events: &[Event]) -> Vec<(usize, usize)> {
    let mut under_way: BTreeMap<u64, usize> = BTreeMap::new();
    let mut retired = BTreeSet::new();
    let mut pairs = Vec::new();
    let mut now = 0;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event.index, at as u64);
        assert!(event.time >= now, "time goes back: {event:?}");
        now = event.time;
        if event.is == "invoke" {
            assert!(!retired.contains(&event.process), "it had crashed: {event:?}");
            assert_eq!(under_way.insert(event.process, at), None, "two at once: {event:?}");
            assert_eq!(event.value.is_none(), event.f == "read");
            assert!(event.extra.is_empty());
            continue;
        }
        let call = under_way.remove(&event.process).unwrap();
        assert_eq!(events[call].f, event.f);
        match event.is.as_str() {
            "ok" => assert!(event.value.is_some()),
            "fail" => {}
            "info" => assert!(retired.insert(event.process)),
            other => panic!("no type :{other}"),
        }
        if event.f == "write" {
            assert_eq!(events[call].value, event.value);
        }
        pairs.push((call, at));
    }
    assert!(under_way.is_empty(), "Jepsen completes everything");
    pairs
}

/// Histories of a few clients and of nobody, in which instants coincide often.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let operation = (0..5_u64, 0..3_u64, 0..6_u64, 0..8_u8, 0..3_u16, any::<bool>());
    prop::collection::vec(operation, 0..60).prop_map(|drawn| {
        let mut now_ns = 0;
        let mut free_ns = [0_u64; 5];
        let mut records = Vec::new();
        for (value, (client, pause, length, fate, replica, reads)) in drawn.into_iter().enumerate()
        {
            let its = client as usize;
            now_ns = now_ns.max(if client == 0 { 0 } else { free_ns[its] }) + pause;
            let ended_ns = (fate != 0).then_some(now_ns + length);
            free_ns[its] = ended_ns.unwrap_or(now_ns);
            let outcome = match fate {
                0 | 1 => Outcome::Info,
                2 => Outcome::Fail,
                _ => Outcome::Ok,
            };
            let is_open = outcome == Outcome::Info;
            records.push(Record {
                client: (client != 0).then_some(client),
                kind: if reads { Kind::Read } else { Kind::Write },
                value: (!reads || outcome == Outcome::Ok).then_some(value as i64 - 1),
                call_ns: now_ns,
                return_ns: ended_ns.filter(|_| !is_open),
                outcome,
                status: (!is_open).then_some(204),
                replica: Some(replica),
                gave_up_ns: ended_ns.filter(|_| is_open),
            });
        }
        records
    })
}

proptest! {
    #[test]
    fn the_events_are_a_history_by_the_rules_and_say_what_the_records_say(records in records()) {
        let events = events(&records);
        prop_assert_eq!(events.len(), 2 * records.len());
        let pairs = pairs(&events);
        let calls: Vec<usize> = (0..events.len()).filter(|at| events[*at].is == "invoke").collect();
        // The calls are those of the records, in their order.
        let mut ends = Vec::new();
        for (record, call) in records.iter().zip(&calls) {
            let end = pairs.iter().find(|(its, _)| its == call).unwrap().1;
            let (called, ended) = (&events[*call], &events[end]);
            prop_assert_eq!(called.time, record.call_ns);
            if let Some(ended_ns) = record.ended_ns() {
                prop_assert_eq!(ended.time, ended_ns);
            }
            let is = match record.outcome {
                Outcome::Ok => "ok",
                Outcome::Fail => "fail",
                Outcome::Info => "info",
            };
            prop_assert_eq!(&ended.is, is);
            prop_assert_eq!(ended.value, record.value);
            prop_assert_eq!(ended.extra.get("replica").copied(), record.replica.map(u64::from));
            ends.push(end);
        }
        // What was before what stays so, and what was not does not become so.
        for (one, end) in records.iter().zip(&ends) {
            for (other, call) in records.iter().zip(&calls) {
                let Some(ended_ns) = one.ended_ns() else { continue };
                // In one instant a client's next operation ends the one before it.
                let ends_when_it_may = one.client.is_none() || ended_ns > other.call_ns;
                if ended_ns < other.call_ns {
                    prop_assert!(end < call);
                } else if ends_when_it_may {
                    prop_assert!(call < end);
                }
            }
        }
    }

    #[test]
    fn a_client_keeps_its_process_until_that_crashes(records in records()) {
        let events = events(&records);
        let calls = events.iter().filter(|event| event.is == "invoke");
        let mut its: BTreeMap<u64, u64> = BTreeMap::new();
        for (record, call) in records.iter().zip(calls) {
            let Some(client) = record.client else { continue };
            if let Some(process) = its.insert(client, call.process) {
                prop_assert_eq!(process, call.process);
            }
            if record.outcome == Outcome::Info {
                its.remove(&client);
            }
        }
    }

    #[test]
    fn a_line_of_ndjson_is_its_record(records in records()) {
        for record in records {
            let line = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
        }
    }
}

/// A recorded run, and its history as NDJSON.
fn recorded(folder: &std::path::Path) -> (RunDir, Vec<Record>) {
    let run = Recording::new(900).write(folder, None, 0);
    let mut out = Vec::new();
    let exported = export(&run, Format::Ndjson, &mut out).unwrap();
    let records: Vec<Record> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((exported.operations, exported.damage.len()), (records.len() as u64, 0));
    (run, records)
}

/// What another tool, which knows nothing but the lines, makes of them.
fn judged(records: &[Record]) -> LatestJudgement {
    let profile = Profile::default();
    let mut checker = Checker::new(None, &profile, Order::None);
    for (at, record) in records.iter().enumerate() {
        let Some(value) = record.value else { continue };
        checker.take(Operation {
            kind: match record.kind {
                Kind::Write => crate::check::latest::history::Kind::Write,
                Kind::Read => crate::check::latest::history::Kind::Read,
            },
            value,
            call_ns: record.call_ns,
            return_ns: record.return_ns.unwrap_or(OPEN_NS),
            failed: record.outcome == Outcome::Fail,
            client: record.client.unwrap_or(0),
            source: Source::Request(0, at as u64, record.replica.unwrap_or(0)),
        });
    }
    checker.finish(None).unwrap()
}

#[test]
fn whoever_reads_the_lines_alone_finds_the_same_wrong_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (run, records) = recorded(folder.path());
    let ours = judge(&run).unwrap().latest.unwrap();
    let theirs = judged(&records);
    let wrong = |judgement: &LatestJudgement| {
        judgement.details.as_ref().unwrap().contracts.first().unwrap().wrong
    };
    assert!(wrong(&ours) > 0, "a history in which something is found");
    assert_eq!(wrong(&theirs), wrong(&ours));
    let register = records.iter().filter(|record| record.kind == Kind::Write);
    let (first, last) = (records.first().unwrap(), records.last().unwrap());
    assert!(register.count() > 500);
    assert_eq!((first.kind, first.call_ns, first.replica), (Kind::Write, 0, None));
    assert_eq!((last.kind, last.replica), (Kind::Read, None));
    assert!(records.is_sorted_by_key(|record| record.call_ns));
    pairs(&events(&records));
}

#[test]
fn a_shard_is_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let shard = limosa_reports::run::manifest::Shard { index: 1, of: 2 };
    let run = Recording::new(200).write(folder.path(), Some(shard), 0);
    let said = export(&run, Format::Edn, Vec::new()).unwrap_err().to_string();
    assert!(said.starts_with("the run holds only shard 1 of 2: "), "{said}");
}
