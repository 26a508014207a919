//! Users audited a share at a time are found guilty of the same as all at once.

use super::*;
use limosa_reports::run::operation::Operation;
use limosa_reports::run::readback::Message;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

const USERS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
const CASES: u32 = 600;

/// One command, how it ended, and what the target made of it.
#[derive(Debug, Clone)]
struct Step {
    operation: u8,
    user: usize,
    other: usize,
    end: u8,
    fault: u8,
}

/// What the target does besides.
#[derive(Debug, Clone)]
struct Manner {
    /// Lists so many messages at most.
    limit: Option<usize>,
    /// Whether messages carry the second in which they were sent.
    dates: bool,
    /// Two neighbours in a listing that change places: whose, and where.
    swap: Option<(usize, usize)>,
    /// Whose existence it denies, or will not tell.
    denied: Option<usize>,
    silent: Option<usize>,
    baseline: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..14u8, 0..USERS.len(), 0..USERS.len(), 0..12u8, 0..40u8).prop_map(
        |(operation, user, other, end, fault)| Step { operation, user, other, end, fault },
    );
    prop::collection::vec(step, 0..120)
}

fn manners() -> impl Strategy<Value = Manner> {
    let sometimes = |range: std::ops::Range<usize>| prop::option::weighted(0.2, range);
    (
        sometimes(3..12),
        any::<bool>(),
        prop::option::weighted(0.3, (0..USERS.len(), 0..8_usize)),
        sometimes(0..USERS.len()),
        sometimes(0..USERS.len()),
        prop::bool::weighted(0.9),
    )
        .prop_map(|(limit, dates, swap, denied, silent, baseline)| Manner {
            limit,
            dates,
            swap,
            denied,
            silent,
            baseline,
        })
}

/// The run, and what the target holds after it.
fn carried_out(steps: &[Step], manner: &Manner) -> (Vec<Entry>, ReadBack) {
    let mut script = Script::new();
    let mut users: BTreeMap<String, UserState> = BTreeMap::new();
    let mut latest = -1;
    for (at, step) in steps.iter().enumerate() {
        let (user, other) = (USERS[step.user], USERS[step.other]);
        // A few texts are sent more than once.
        let text = format!("message number {} of {user}", at % 50);
        let pending = match step.operation {
            0 | 1 => script.register(user),
            2..9 => script.tweet(user, &text),
            9..11 => script.follow(user, other),
            11 | 12 => script.unfollow(user, other),
            _ => {
                script.read(latest);
                continue;
            }
        };
        let (id, lands) = match step.end {
            0..7 => (pending.ok(), true),
            7 => (pending.refused(404), false),
            8 => (pending.refused(500), at % 2 == 0),
            9 => (pending.timed_out(), at % 2 == 0),
            10 => (pending.not_sent(), false),
            _ => (pending.abandoned(), at % 2 == 0),
        };
        latest = id;
        let state = users.entry(user.to_owned()).or_default();
        state.user = user.to_owned();
        let copies = match step.fault {
            0 => 0,
            1 => 2,
            2 => 1,
            _ => usize::from(lands),
        };
        for _ in 0..copies {
            let content = if step.fault == 3 { text.to_uppercase() } else { text.clone() };
            match step.operation {
                0 | 1 => state.exists = Some(true),
                2..9 => state.messages.push(Message { content, pub_date: Some(at as i64 / 40) }),
                9..11 => state.follows.push(other.to_owned()),
                _ => state.follows.retain(|name| name != other),
            }
        }
        match step.fault {
            4 => state.messages.push(Message { content: "who wrote this".into(), pub_date: None }),
            5 => state.follows.push(other.to_owned()),
            6 => state.exists = Some(true),
            7 => _ = users.insert("stranger".into(), exists("stranger")),
            _ => {}
        }
    }
    if let Some((user, at)) = manner.swap
        && let Some(state) = users.get_mut(USERS[user])
        && at + 1 < state.messages.len()
    {
        state.messages.swap(at, at + 1);
    }
    for (index, name) in USERS.iter().enumerate() {
        let Some(state) = users.get_mut(*name) else { continue };
        state.exists = state.exists.or(Some(false));
        if manner.denied == Some(index) {
            state.exists = Some(false);
        }
        if manner.silent == Some(index) {
            state.exists = None;
        }
        state.messages.reverse();
        state.messages.truncate(manner.limit.unwrap_or(usize::MAX));
        if !manner.dates {
            state.messages.iter_mut().for_each(|message| message.pub_date = Some(0));
        }
    }
    let mut after = Store::new().latest(latest).read_back();
    after.users = users;
    (script.entries(), after)
}

fn exists(name: &str) -> UserState {
    UserState { user: name.into(), exists: Some(true), ..UserState::default() }
}

/// The audit of the same evidence in so many shares, the last one first.
fn in_shares(evidence: &Evidence<'_>, count: usize) -> (Audit, Check, Vec<String>) {
    let survey = evidence.survey();
    let mut auditor = Auditor::new(&survey, evidence.profile);
    let is_of =
        |share: usize, user: &str| user.bytes().map(usize::from).sum::<usize>() % count == share;
    let part = |share: usize, states: &BTreeMap<String, UserState>| -> BTreeMap<_, _> {
        let own = states.iter().filter(|(user, _)| is_of(share, user));
        own.map(|(user, state)| (user.clone(), state.clone())).collect()
    };
    for share in (0..count).rev() {
        let entries: Vec<Entry> = evidence
            .entries
            .iter()
            .filter(|entry| entry.intent.operation != Operation::Latest)
            .filter(|entry| is_of(share, &entry.intent.user))
            .cloned()
            .collect();
        auditor.audit(&Users {
            entries: &entries,
            before: &evidence.before.map(|state| part(share, &state.users)).unwrap_or_default(),
            after: &part(share, &evidence.after.users),
        });
    }
    let windows = evidence.loss_windows(auditor.lost());
    auditor.finish(&evidence.after.header, evidence.passes, windows)
}

#[test]
fn the_number_of_shares_changes_nothing() {
    let mut runner = TestRunner::deterministic();
    let strategy = (steps(), steps(), manners());
    let mut classes = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for _ in 0..CASES {
        let (earlier, steps, manner) = strategy.new_tree(&mut runner).unwrap().current();
        let before = carried_out(&earlier[..earlier.len() / 4], &manner).1;
        let (entries, mut after) = carried_out(&steps, &manner);
        for (name, old) in &before.users {
            let now = after.users.entry(name.clone()).or_insert_with(|| old.clone());
            if manner.limit.is_none() {
                now.messages.extend(old.messages.iter().cloned());
            }
        }
        let profile = Profile::default();
        let evidence = Evidence {
            entries: &entries,
            before: manner.baseline.then_some(&before),
            after: &after,
            passes: 1,
            profile: &profile,
        };
        let whole = audit(&evidence);
        for count in [1, 2, 3, 7] {
            assert_eq!(
                in_shares(&evidence, count),
                whole,
                "{count} shares of {steps:#?} {manner:?}"
            );
        }
        classes.extend(whole.0.counts.values().flat_map(BTreeMap::keys).copied());
        let reason = |text: &String| text.split(' ').take(3).collect::<Vec<_>>().join(" ");
        reasons.extend(whole.2.iter().map(reason));
    }
    assert_eq!(classes, BTreeSet::from(Class::ALL), "the cases show too little");
    for reason in ["the order of", "what the target", "the target seems"] {
        assert!(reasons.contains(reason), "the cases show too little: {reasons:?}");
    }
}

#[test]
fn of_many_findings_the_first_commands_are_listed_however_the_users_are_shared() {
    let mut script = Script::new();
    for number in 0..2 * Audit::MAX_FINDINGS {
        script.tweet(USERS[number % 3], &format!("text {number}")).ok();
    }
    let after =
        Store::new().user("a", &[], &[]).user("b", &[], &[]).user("c", &[], &[]).read_back();
    let entries = script.entries();
    let profile = Profile::default();
    let evidence =
        Evidence { entries: &entries, before: None, after: &after, passes: 1, profile: &profile };
    for count in [1, 2, 3] {
        let (audit, ..) = in_shares(&evidence, count);
        let lost = audit.findings.iter().filter(|finding| finding.class == Class::Lost);
        let ids: Vec<i64> = lost.filter_map(|finding| finding.command_id).collect();
        assert_eq!(ids, (0..Audit::MAX_FINDINGS as i64).collect::<Vec<_>>(), "{count}");
        assert_eq!(audit.counts[&Entity::Message][&Class::Lost], 2 * Audit::MAX_FINDINGS as u64);
    }
}
