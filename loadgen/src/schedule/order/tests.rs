use super::*;
use limosa_reports::run::operation::Operation;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

fn request(sequence: u64, payload: Payload) -> ScheduledRequest {
    ScheduledRequest { sequence, command_id: 0, intended_ns: None, target: 0, payload }
}

fn tweet(user: &str) -> Payload {
    Payload::Command(Action::Tweet { user: user.to_owned(), text: String::new() })
}

/// Runs a schedule on `connections` connections whose answers come in an order drawn by the
/// seed. Returns each request's start and end, in steps, by its sequence.
fn run(order: Order, actions: &[Action], connections: usize, seed: u64) -> Vec<(usize, usize)> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut lanes = Lanes::new(order);
    let mut waiting = actions.iter().cloned().enumerate();
    let mut under_way: Vec<(SlotId, u64)> = Vec::new();
    let mut times = vec![(0, 0); actions.len()];
    let mut step = 0;
    loop {
        // Admission runs ahead of sending by a drawn number of requests.
        for (at, action) in waiting.by_ref().take(dice.random_range(0..8)) {
            let sequence = at as u64;
            let payload = Payload::Command(action);
            lanes.admit(request(sequence, payload), 0);
        }
        while under_way.len() < connections
            && let Some(ready) = lanes.take()
        {
            step += 1;
            times[ready.request.sequence as usize].0 = step;
            under_way.push((ready.slot, ready.request.sequence));
        }
        if !under_way.is_empty() {
            let (slot, sequence) = under_way.swap_remove(dice.random_range(0..under_way.len()));
            step += 1;
            times[sequence as usize].1 = step;
            lanes.finish(slot, 0);
        } else if lanes.is_empty() && waiting.len() == 0 {
            return times;
        }
    }
}

fn arbitrary_actions() -> impl Strategy<Value = Vec<Action>> {
    let name = || (0..6u8).prop_map(|n| format!("user {n}"));
    let action = (0..4u8, name(), name()).prop_map(|(kind, user, whom)| match kind {
        0 => Action::Register { user, email: String::new(), password: String::new() },
        1 => Action::Tweet { user, text: String::new() },
        2 => Action::Follow { user, whom },
        _ => Action::Unfollow { user, whom },
    });
    prop::collection::vec(action, 0..60)
}

proptest! {
    #[test]
    fn no_schedule_breaks_causality(actions in arbitrary_actions(), connections in 1..9usize, seed: u64) {
        let times = run(Order::User, &actions, connections, seed);
        for (later, action) in actions.iter().enumerate() {
            for (earlier, cause) in actions[..later].iter().enumerate() {
                let same_user = cause.user() == action.user();
                let names = matches!(cause, Action::Register { .. })
                    && action.whom() == Some(cause.user());
                if same_user || names {
                    prop_assert!(times[earlier].1 < times[later].0, "{} {}", earlier, later);
                }
            }
        }
    }

    #[test]
    fn strict_is_one_at_a_time_in_order(actions in arbitrary_actions(), seed: u64) {
        let times = run(Order::Strict, &actions, 8, seed);
        prop_assert!(times.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}

#[test]
fn without_an_order_nothing_waits() {
    let mut lanes = Lanes::new(Order::None);
    (0..100).for_each(|n| lanes.admit(request(n, tweet("a")), 0));
    let taken: Vec<u64> =
        std::iter::from_fn(|| lanes.take()).map(|ready| ready.request.sequence).collect();
    assert_eq!(taken, (0..100).collect::<Vec<_>>());
}

#[test]
fn what_is_independent_does_not_wait() {
    let mut lanes = Lanes::new(Order::User);
    lanes.admit(request(0, tweet("a")), 5);
    lanes.admit(request(1, tweet("a")), 5);
    lanes.admit(request(2, tweet("b")), 5);
    let first = lanes.take().unwrap();
    let second = lanes.take().unwrap();
    assert_eq!((first.request.sequence, second.request.sequence), (0, 2));
    assert_ne!(first.lane, second.lane);
    assert_eq!(lanes.take(), None);
    lanes.finish(first.slot, 9);
    let third = lanes.take().unwrap();
    assert_eq!((third.request.sequence, third.lane, third.ready_ns), (1, first.lane, 9));
}

#[test]
fn what_names_a_user_of_another_shard_waits_until_the_target_knows_that_user() {
    let follow =
        |whom: &str| Payload::Command(Action::Follow { user: "a".into(), whom: whom.into() });
    let mut lanes = Lanes::new(Order::User);
    lanes.elsewhere("far".to_owned());
    lanes.admit(request(1, follow("near")), 2);
    lanes.admit(request(2, follow("far")), 3);
    let first = lanes.take().unwrap();
    assert_eq!((first.request.sequence, lanes.wanted().count()), (1, 0));
    lanes.finish(first.slot, 9);
    assert_eq!(lanes.take(), None);
    assert_eq!(lanes.wanted().collect::<Vec<_>>(), [("far", 9)]);
    lanes.found("far", 20);
    let second = lanes.take().unwrap();
    assert_eq!((second.request.sequence, second.ready_ns), (2, 20));
    lanes.finish(second.slot, 21);
    lanes.admit(request(3, follow("far")), 22);
    assert!(lanes.take().is_some(), "once found, always there");
}

#[test]
fn a_read_of_a_user_waits_for_the_register_alone() {
    let register =
        Action::Register { user: "a".into(), email: String::new(), password: String::new() };
    let mut lanes = Lanes::new(Order::User);
    lanes.admit(request(0, Payload::Command(register)), 0);
    lanes.admit(request(1, tweet("a")), 0);
    let read = Payload::Read { operation: Operation::UserMessages, user: Some("a".to_owned()) };
    lanes.admit(request(2, read), 0);
    let register = lanes.take().unwrap();
    assert_eq!(lanes.take(), None);
    lanes.finish(register.slot, 1);
    let ready: Vec<u64> =
        std::iter::from_fn(|| lanes.take()).map(|ready| ready.request.sequence).collect();
    assert_eq!(ready, [1, 2]);
}

#[test]
fn slots_are_used_again() {
    let mut lanes = Lanes::new(Order::User);
    for sequence in 0..1000 {
        lanes.admit(request(sequence, tweet("a")), 0);
        let ready = lanes.take().unwrap();
        lanes.finish(ready.slot, 0);
    }
    assert!(lanes.is_empty());
    assert_eq!(lanes.slots.len(), 1);
}

#[test]
fn reads_of_latest_are_taken_apart_unless_all_goes_in_one_line() {
    let latest = || Payload::Read { operation: Operation::Latest, user: None };
    for order in [Order::User, Order::None] {
        let mut lanes = Lanes::new(order);
        lanes.admit(request(0, tweet("a")), 0);
        lanes.admit(request(1, latest()), 5);
        assert_eq!((lanes.ready(), lanes.observing(), lanes.len()), (1, 1, 2));
        let observation = lanes.observe().unwrap();
        assert_eq!((observation.request.sequence, observation.lane), (1, 0));
        assert_eq!(observation.ready_ns, 5);
        assert_eq!(lanes.take().unwrap().request.sequence, 0);
        lanes.finish(observation.slot, 9);
        assert!(lanes.observe().is_none() && lanes.len() == 1);
    }
    let mut lanes = Lanes::new(Order::Strict);
    lanes.admit(request(0, latest()), 0);
    lanes.admit(request(1, tweet("a")), 0);
    assert_eq!((lanes.ready(), lanes.observing()), (1, 0));
    assert_eq!(lanes.take().unwrap().request.sequence, 0);
    assert!(lanes.take().is_none(), "it waits for the read");
}

#[test]
fn a_read_that_is_held_is_no_command_to_go_on_from() {
    let mut lanes = Lanes::new(Order::Strict);
    let of = |command_id, payload| ScheduledRequest { command_id, ..request(0, payload) };
    lanes.admit(of(7, Payload::Read { operation: Operation::Public, user: None }), 0);
    assert_eq!(lanes.held_ids().next(), None);
    lanes.admit(of(8, tweet("a")), 0);
    assert_eq!(lanes.held_ids().collect::<Vec<_>>(), [8]);
}
