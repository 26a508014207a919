//! The smallest history that shows each anomaly, and what is said about it.

use super::*;
use crate::check::testing::Script;
use limosa_reports::run::verdict::latest::{Anomaly, Counting, Witness};

/// A second, so that the sentences have round figures.
const S: u64 = 1_000_000_000;

fn at_replica(operation: Operation, replica: u16) -> Operation {
    Operation { source: Source::Request(0, operation.call_ns, replica), ..operation }
}

/// The one wrong read of a history.
fn witness(operations: &[Operation], which: Contract) -> Witness {
    let details = details(Some(-1), operations);
    let judgement = contract(&details, which);
    assert_eq!((judgement.verdict, judgement.wrong), (Verdict::Fail, 1), "{judgement:?}");
    assert_eq!(judgement.anomalies.values().sum::<u64>(), 1);
    let [witness] = judgement.witnesses.as_slice() else { panic!("{judgement:?}") };
    assert_eq!(judgement.anomalies[&witness.anomaly], 1);
    witness.clone()
}

fn register(operations: &[Operation]) -> Witness {
    witness(operations, Contract::Register)
}

#[test]
fn a_phantom() {
    let found = register(&[write(1, S, 2 * S), read(7, 3 * S, 4 * S)]);
    assert_eq!(found.anomaly, Anomaly::Phantom);
    assert_eq!(found.sentence, "asked at 3.000 s, it named 7, which nobody had sent");
}

#[test]
fn an_aborted_read() {
    let failed = Operation { failed: true, ..write(1, S, OPEN_NS) };
    let found = register(&[failed, read(1, 3 * S, 4 * S)]);
    assert_eq!(found.anomaly, Anomaly::AbortedRead);
    assert_eq!(found.sentence, "asked at 3.000 s, it named 1, a command that never took effect");
}

#[test]
fn a_read_of_the_future() {
    let found = register(&[read(1, S, 2 * S), write(1, 3 * S, 4 * S), read(1, 5 * S, 6 * S)]);
    assert_eq!(found.anomaly, Anomaly::Future);
    assert_eq!(found.followed.map(|write| write.called_ns), Some(3 * S));
    assert_eq!(
        found.sentence,
        "asked at 1.000 s and answered at 2.000 s, it named 1, which was only sent at 3.000 s"
    );
}

#[test]
fn a_value_within_the_time_of_another() {
    let found = register(&[
        write(1, S, 2 * S),
        write(2, 3 * S, 4 * S),
        at_replica(read(1, 5 * S, 6 * S), 1),
        at_replica(read(2, 7 * S, 8 * S), 2),
    ]);
    assert_eq!(found.anomaly, Anomaly::Contained);
    assert_eq!(found.read.replica, Some(1));
    assert_eq!(found.finished.map(|first| first.value), Some(1));
    assert_eq!(found.followed, found.seen);
    assert_eq!(
        found.sentence,
        "asked at 5.000 s (replica 1), it named 1, which had been replaced by 2: 1 was answered at \
         2.000 s, then 2 was sent at 3.000 s, and 2 was answered at 4.000 s"
    );
}

#[test]
fn a_value_that_went_back() {
    let found = register(&[
        write(1, S, 20 * S),
        write(2, S, 20 * S),
        read(1, 2 * S, 3 * S),
        read(2, 4 * S, 5 * S),
        read(1, 6 * S, 7 * S),
    ]);
    assert_eq!(found.anomaly, Anomaly::Inversion);
    assert_eq!(
        found.sentence,
        "asked at 6.000 s, it named 1, which had been replaced by 2: 1 was named in an answer at \
         3.000 s, then a read sent at 4.000 s named 2, so 2 came later, and 2 was named in an answer at 5.000 s"
    );
}

#[test]
fn a_smaller_id_than_had_been_there() {
    let overtaken = [write(2, S, 2 * S), write(1, 3 * S, 4 * S), read(1, 5 * S, 6 * S)];
    let found = witness(&overtaken, Contract::MaxRegister);
    assert_eq!(found.anomaly, Anomaly::Smaller);
    assert_eq!(
        found.sentence,
        "asked at 5.000 s, it named 1, though 2, a larger id, was answered at 2.000 s"
    );
    assert_eq!(verdict_of(&details(Some(-1), &overtaken), Contract::Register), Verdict::Pass);
    let kept_the_largest = [overtaken[0], overtaken[1], read(2, 5 * S, 6 * S)];
    let details = details(Some(-1), &kept_the_largest);
    assert_eq!(verdict_of(&details, Contract::MaxRegister), Verdict::Pass);
    assert_eq!(
        contract(&details, Contract::Register).summary,
        "1 of 1 read of latest did not name the last command or one that was under way; a target that keeps \
         the largest id would answer so"
    );
}

#[test]
fn one_wrong_read_accuses_no_other() {
    let mut operations = vec![write(1, S, 2 * S), write(2, 3 * S, 4 * S)];
    operations.extend([5, 7, 9].map(|at| at_replica(read(2, at * S, at * S + 1), 0)));
    operations.extend([6, 8].map(|at| at_replica(read(1, at * S, at * S + 1), 1)));
    let details = details(Some(-1), &operations);
    assert_eq!(contract(&details, Contract::Register).wrong, 2);
    let by_replica: Vec<_> = details.replicas.iter().map(|by| (by.reads, by.wrong)).collect();
    assert_eq!(by_replica, [(3, 0), (2, 2)]);
    assert_eq!(details.replicas[1].max_ns, 4 * S);
    assert_eq!(details.delta.ns, 4 * S);
    let wrong: Vec<u64> = details.course.iter().map(|bin| bin.wrong).collect();
    assert_eq!(wrong.iter().sum::<u64>(), 2);
}

#[test]
fn what_the_target_named_before_the_run_may_be_read_until_it_is_replaced() {
    let before = [write(1, S, 3 * S), read(-1, 2 * S, 4 * S)];
    assert_eq!(verdict_of(&details(Some(-1), &before), Contract::Register), Verdict::Pass);
    let found = register(&[write(1, S, 3 * S), read(-1, 4 * S, 5 * S)]);
    assert_eq!(
        found.sentence,
        "asked at 4.000 s, it named -1, which had been replaced by 1: -1 was there before the run, \
         then 1 was sent at 1.000 s, and 1 was answered at 3.000 s"
    );
}

#[test]
fn what_it_names_after_the_run_is_the_last_read() {
    let profile = Profile::default();
    let judged = |last| {
        let mut checker = Checker::new(Some(-1), &profile, Order::None);
        checker.take(write(1, S, 2 * S));
        checker.take(write(2, 3 * S, 4 * S));
        checker.finish(Some(last)).unwrap()
    };
    assert_eq!((judged(2).verdict, judged(2).reads), (Verdict::Pass, 1));
    assert_eq!(judged(1).verdict, Verdict::Fail);
    assert_eq!(
        judged(1).witnesses,
        [
            "asked after the run, it named 1, which had been replaced by 2: 1 was answered at 2.000 s, \
          then 2 was sent at 3.000 s, and 2 was answered at 4.000 s"
        ]
    );
}

#[test]
fn a_trace_that_is_sent_twice_can_be_judged() {
    let twice: Vec<_> = (0..20)
        .flat_map(|at| {
            let ns = S * (at + 1);
            let id = (at % 10) as i64;
            [write(id, ns, ns + 1), read(id, ns + 2, ns + 3)]
        })
        .collect();
    let twice_details = details(Some(9), &twice);
    assert_eq!(twice_details.repeated, 11);
    assert_eq!(verdict_of(&twice_details, Contract::Register), Verdict::Pass);
    let mut stale = twice;
    stale.push(read(8, 21 * S, 22 * S));
    assert_eq!(verdict_of(&details(Some(9), &stale), Contract::Register), Verdict::Fail);
}

#[test]
fn an_id_that_two_open_writes_may_have_written_leaves_the_question_open() {
    let open = [write(1, S, OPEN_NS), write(1, 2 * S, OPEN_NS), write(2, 3 * S, 4 * S)];
    let history = [open.as_slice(), &[read(1, 5 * S, 6 * S)]].concat();
    let details = details(Some(-1), &history);
    let judgement = contract(&details, Contract::Register);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert_eq!(
        judgement.summary,
        "1 write repeated an id that could still be read of an earlier one, so that nobody can tell \
         which of the two a read named"
    );
}

#[test]
fn where_a_read_is_under_way_while_its_id_is_sent_again_nobody_is_accused() {
    let history = [
        write(1, S, 2 * S),
        write(2, 3 * S, 20 * S),
        read(1, 7 * S, 11 * S),
        read(2, 4 * S, 5 * S),
        write(1, 8 * S, 9 * S),
        read(2, 12 * S, 13 * S),
        read(77, 14 * S, 15 * S),
    ];
    let details = details(Some(-1), &history);
    let judgement = contract(&details, Contract::Register);
    assert_eq!((judgement.verdict, judgement.wrong), (Verdict::Unknown, 0));
    assert!(judgement.witnesses.is_empty() && judgement.anomalies.is_empty());
    assert!(judgement.summary.starts_with("an id was sent again while a read"));
}

#[test]
fn requests_out_of_order_are_not_judged() {
    let profile = Profile::default();
    let mut checker = Checker::new(Some(-1), &profile, Order::None);
    checker.take(write(1, 3 * S, 4 * S));
    checker.take(read(-1, 2 * S, 5 * S));
    let judgement = checker.finish(Some(7)).unwrap();
    assert_eq!((judgement.verdict, judgement.wrong), (Verdict::Unknown, 0));
}

/// A target that answers `of(requests, commands, id)` after each command.
fn counted_by(of: fn(i64, i64, i64) -> i64) -> Option<Counting> {
    let mut script = Script::new();
    for command in 0..100 {
        let id = if command % 3 == 0 {
            script.tweet("a", "x").ok()
        } else {
            script.tweet("a", "x").refused(404)
        };
        if command % 2 == 0 {
            script.read(of(command + command / 2 + 1, command, id));
        }
        if command % 10 == 9 {
            script.tweet("a", "x").not_sent();
        }
    }
    let judgement =
        super::super::judge(script.entries(), Some(-1), None, &Profile::default(), Order::None);
    judgement.unwrap().details.unwrap().counting
}

#[test]
fn a_target_that_only_counts_is_named_as_that() {
    assert_eq!(counted_by(|_, commands, _| commands), Some(Counting::Commands));
    assert_eq!(counted_by(|requests, _, _| requests), Some(Counting::Requests));
    assert_eq!(counted_by(|_, _, id| id), None);
    assert_eq!(counted_by(|_, _, id| id - 1), None);
    assert_eq!(counted_by(|_, _, _| 7), None);
}
