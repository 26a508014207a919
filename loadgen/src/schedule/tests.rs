use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

fn commands(count: i64) -> impl Iterator<Item = Result<Command, Infallible>> {
    (0..count).map(|id| {
        let user = format!("user {}", id % 7);
        let action = match id {
            0..7 => Action::Register { user, email: "a@b".into(), password: "p".into() },
            _ => Action::Tweet { user, text: id.to_string() },
        };
        Ok(Command { id, at_ms: 5_000 + id * 1_000, action })
    })
}

fn manner(pace: &str, reads: &[&str], seed: u64) -> Manner {
    Manner {
        pace: pace.parse().unwrap(),
        reads: reads.iter().map(|read| read.parse().unwrap()).collect(),
        seed,
        ..Manner::default()
    }
}

fn scheduled(count: i64, manner: &Manner) -> Vec<ScheduledRequest> {
    let ours = |step| match step {
        Ok(Step::Send(request)) => Some(request),
        Ok(Step::Elsewhere { .. }) => None,
    };
    Schedule::new(commands(count), manner).filter_map(ours).collect()
}

fn is_command(request: &&ScheduledRequest) -> bool {
    matches!(request.payload, Payload::Command(_))
}

#[test]
fn every_command_is_scheduled_once_and_in_order() {
    let scheduled = scheduled(1000, &manner("max", &["latest=0.3"], 7));
    let ids: Vec<i64> =
        scheduled.iter().filter(is_command).map(|request| request.command_id).collect();
    assert_eq!(ids, (0..1000).collect::<Vec<_>>());
    assert!(scheduled.iter().enumerate().all(|(at, request)| request.sequence == at as u64));
    assert!(scheduled.iter().all(|request| request.intended_ns.is_none()));
    let reads = scheduled.len() - 1000;
    assert!((230..370).contains(&reads), "{reads}");
}

#[test]
fn a_read_follows_its_command() {
    let scheduled = scheduled(100, &manner("max", &["latest=1"], 7));
    for pair in scheduled.chunks(2) {
        assert_eq!(pair[0].command_id, pair[1].command_id);
        assert_eq!(pair[1].payload, Payload::Read { operation: Operation::Latest, user: None });
    }
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    let run = |seed| scheduled(200, &manner("poisson:100", &["latest=0.5", "messages=20/s"], seed));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn instants_are_absolute_and_scaled_from_the_first_command() {
    let instants: Vec<_> = scheduled(1000, &manner("speed:100", &[], 7))
        .iter()
        .map(|request| request.intended_ns.unwrap())
        .collect();
    assert_eq!(instants[0], 0);
    assert_eq!(instants[1], 10_000_000);
    assert_eq!(instants[999], 9_990_000_000);
}

#[test]
fn requests_come_in_the_order_of_their_instants() {
    let reads = ["latest=0.7", "messages=30/s", "user_messages=2"];
    let scheduled = scheduled(500, &manner("poisson:50", &reads, 3));
    assert!(scheduled.is_sorted_by_key(|request| request.intended_ns));
    let by_rate = scheduled.iter().filter(|request| {
        matches!(request.payload, Payload::Read { operation: Operation::Messages, .. })
    });
    // About 10 s: a Poisson variable with mean 300 and four standard deviations of 70.
    assert!((200..400).contains(&by_rate.count()));
}

#[test]
fn nothing_is_due_at_the_end_or_after_it() {
    let mut manner = manner("rate:100", &["latest=1"], 7);
    manner.until_ns = Some(2_000_000_000);
    let scheduled = scheduled(1000, &manner);
    assert_eq!(scheduled.iter().filter(is_command).count(), 200);
    assert!(scheduled.iter().all(|request| request.intended_ns.unwrap() < 2_000_000_000));
}

#[test]
fn an_error_of_the_trace_comes_after_what_was_before_it() {
    let lines = [Ok(1), Ok(2), Err("line 3")].into_iter().map(|id| {
        id.map(|id| Command {
            id,
            at_ms: 0,
            action: Action::Tweet { user: "a".into(), text: String::new() },
        })
    });
    let mut schedule = Schedule::new(lines, &manner("max", &[], 7));
    for id in [1, 2] {
        let Some(Ok(Step::Send(request))) = schedule.next() else { panic!("it sends {id}") };
        assert_eq!(request.command_id, id);
    }
    assert_eq!(schedule.next(), Some(Err("line 3")));
    assert_eq!(schedule.next(), None);
}

proptest! {
    #[test]
    fn shards_make_up_the_whole(of in 1..6_u16, seed: u64, targets in 1..4_usize) {
        let mut manner = manner("poisson:100", &["latest=0.5", "user_messages=1", "messages=20/s"], seed);
        (manner.route, manner.targets) = (Route::Random, targets);
        let whole = scheduled(150, &manner);
        let mut united = Vec::new();
        for index in 1..=of {
            manner.shard = Some(Shard { index, of });
            united.extend(scheduled(150, &manner));
        }
        united.sort_by_key(|request| request.sequence);
        prop_assert_eq!(united, whole);
    }
}

#[test]
fn a_shard_hears_of_the_registers_that_others_send() {
    let manner = Manner { shard: Some(Shard { index: 1, of: 2 }), ..manner("max", &[], 7) };
    let steps: Vec<Step> = Schedule::new(commands(7), &manner).map(Result::unwrap).collect();
    let (sent, elsewhere): (Vec<_>, Vec<_>) =
        steps.into_iter().partition(|step| matches!(step, Step::Send(_)));
    assert!(!sent.is_empty() && !elsewhere.is_empty());
    assert_eq!(sent.len() + elsewhere.len(), 7);
}
