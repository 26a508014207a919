//! Exhaustive search: a history is linearizable if some order of its operations respects real time
//! and gives every read the value that the register holds.

use super::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Small enough for every order to be tried.
const SMALL: Shape =
    Shape { operations: 7, values: 5, last_call_ns: 12, longest_ns: 6, unique: true };
const HISTORIES_A_CASE: usize = 16;

/// What a write leaves in the register.
type Store = fn(i64, i64) -> i64;

fn last_wins(_held: i64, written: i64) -> i64 {
    written
}

fn largest_wins(held: i64, written: i64) -> i64 {
    held.max(written)
}

/// Whether the operations that are left have an order. An open write may be left out.
fn has_order(left: &[Operation], held: i64, store: Store) -> bool {
    if left.iter().all(Operation::is_open) {
        return true;
    }
    (0..left.len()).any(|at| {
        let next = left[at];
        let is_first = left.iter().all(|other| other.return_ns >= next.call_ns);
        if !is_first || (next.kind == Kind::Read && next.value != held) {
            return false;
        }
        let held = if next.kind == Kind::Write { store(held, next.value) } else { held };
        let mut rest = left.to_vec();
        rest.remove(at);
        has_order(&rest, held, store)
    })
}

fn is_linearizable(history: &[Operation], initial: i64, store: Store) -> bool {
    let happened: Vec<_> = history.iter().copied().filter(|operation| !operation.failed).collect();
    has_order(&happened, initial, store)
}

/// Without a read there is nothing to judge.
fn has_read(history: &[Operation]) -> bool {
    history.iter().any(|operation| operation.kind == Kind::Read)
}

fn expected(is_linearizable: bool) -> Verdict {
    if is_linearizable { Verdict::Pass } else { Verdict::Fail }
}

fn batches(shape: Shape) -> impl Strategy<Value = Vec<Vec<Operation>>> {
    prop::collection::vec(histories(shape), HISTORIES_A_CASE)
}

proptest! {
    #[test]
    fn the_checkers_say_what_the_search_says(batch in batches(SMALL)) {
        for history in batch.iter().filter(|history| has_read(history)) {
            let details = details(Some(-1), history);
            let register = expected(is_linearizable(history, -1, last_wins));
            let maximum = expected(is_linearizable(history, -1, largest_wins));
            prop_assert_eq!(verdict_of(&details, Contract::Register), register, "{:?}", history);
            prop_assert_eq!(verdict_of(&details, Contract::MaxRegister), maximum, "{:?}", history);
        }
    }

    #[test]
    fn where_ids_repeat_nobody_is_accused_or_cleared_wrongly(
        batch in batches(Shape { values: 3, unique: false, ..SMALL }),
    ) {
        for history in batch.iter().filter(|history| has_read(history)) {
            let details = judged(Some(-1), history, Order::None, 1).details.unwrap();
            for (which, store) in
                [(Contract::Register, last_wins as Store), (Contract::MaxRegister, largest_wins)]
            {
                let verdict = verdict_of(&details, which);
                let right = expected(is_linearizable(history, -1, store));
                prop_assert!(verdict == Verdict::Unknown || verdict == right, "{:?}", history);
            }
            // A larger id is the same whoever wrote it.
            prop_assert_ne!(verdict_of(&details, Contract::MaxRegister), Verdict::Unknown);
        }
    }

    #[test]
    fn where_the_start_is_unknown_any_start_is_an_excuse(batch in batches(SMALL)) {
        for history in batch.iter().filter(|history| has_read(history)) {
            let register = verdict_of(&details(None, history), Contract::Register);
            let mut starts = -1..=largest(history);
            let has_excuse = starts.any(|start| is_linearizable(history, start, last_wins));
            prop_assert!(register == Verdict::Unknown || register == expected(has_excuse), "{:?}", history);
        }
    }
}

fn largest(history: &[Operation]) -> i64 {
    history.iter().map(|operation| operation.value).max().unwrap_or(-1)
}

#[test]
fn the_random_histories_are_of_both_kinds() {
    let mut runner = TestRunner::deterministic();
    let mut right = [0; 2];
    const HISTORIES: usize = 2000;
    for _ in 0..HISTORIES {
        let history = histories(SMALL).new_tree(&mut runner).unwrap().current();
        right[0] += usize::from(is_linearizable(&history, -1, last_wins));
        right[1] += usize::from(is_linearizable(&history, -1, largest_wins));
    }
    for right in right {
        assert!((HISTORIES / 5..HISTORIES * 4 / 5).contains(&right), "{right}");
    }
}

#[test]
fn the_search_knows_a_register_when_it_sees_one() {
    let right = [write(1, 1, 3), read(-1, 2, 4), read(1, 3, 5)];
    assert!(is_linearizable(&right, -1, last_wins));
    let went_back = [write(1, 1, 9), read(1, 2, 3), read(-1, 4, 5)];
    assert!(!is_linearizable(&went_back, -1, last_wins));
    let overtaken = [write(2, 1, 2), write(1, 3, 4), read(2, 5, 6)];
    assert!(!is_linearizable(&overtaken, -1, last_wins));
    assert!(is_linearizable(&overtaken, -1, largest_wins));
}
