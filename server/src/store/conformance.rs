//! What every store must do, written against the seam; each implementation runs all of it.

use super::{Batch, Entry, Limit, Message, Outcome, Store, Write, Writer};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{runtime::Handle, sync::Mutex, task::block_in_place};

/// A store under test, empty.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) writer: Box<dyn Writer>,
}

/// Makes one test of each function below; `$empty` is an async function that gives a [`Subject`]
/// and a guard to be held until the test ends, and what follows an attribute of each test.
macro_rules! conformance {
    ($empty:path, $(#[$attribute:meta])?) => {
        $crate::store::conformance::conformance!($empty, $(#[$attribute])?;
            an_empty_store_has_nothing
            a_user_is_registered_once
            names_are_told_apart_byte_by_byte
            a_message_keeps_every_character
            messages_come_newest_first
            only_so_many_rows_are_returned
            an_unknown_author_stores_nothing
            an_edge_is_one_edge
            an_unknown_user_is_neither_follower_nor_followed
            each_entry_of_a_batch_sees_those_before_it
            the_last_latest_of_a_batch_wins
            latest_is_recorded_for_a_write_that_is_refused
            a_name_with_nul_is_nobodys
            batches_do_what_their_entries_do_one_by_one
        );
    };
    ($empty:path, #[$attribute:meta]; $($name:ident)*) => {
        $crate::store::conformance::conformance!(@ $empty; $(#[$attribute] $name)*);
    };
    ($empty:path,; $($name:ident)*) => {
        $crate::store::conformance::conformance!(@ $empty; $($name)*);
    };
    (@ $empty:path; $($(#[$attribute:meta])? $name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            $(#[$attribute])?
            async fn $name() {
                let (subject, _guard) = $empty().await;
                $crate::store::conformance::$name(subject).await;
            }
        )*
    };
}
pub(crate) use conformance;

impl Subject {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Outcome> {
        let entries = writes.into_iter().map(|w| Entry { latest: None, write: Some(w) }).collect();
        self.writer.commit(&Batch::new(entries)).await.unwrap()
    }

    async fn texts(&self, author: &str, limit: Limit) -> Vec<String> {
        let messages = self.store.messages_by(author, limit).await.unwrap().unwrap();
        messages.into_iter().map(|message| message.text).collect()
    }

    async fn follows(&self, who: &str) -> Vec<String> {
        self.store.followed_by(who, Limit::All).await.unwrap().unwrap()
    }
}

fn register(name: &str) -> Write {
    Write::Register {
        username: name.to_owned(),
        email: "somebody@example.org".to_owned(),
        password_hash: "$argon2id$".to_owned(),
    }
}

fn tweet(author: &str, text: &str) -> Write {
    Write::Tweet { author: author.to_owned(), text: text.to_owned(), pub_date: 1_700_000_000 }
}

fn follow(who: &str, whom: &str) -> Write {
    Write::Follow { who: who.to_owned(), whom: whom.to_owned() }
}

fn unfollow(who: &str, whom: &str) -> Write {
    Write::Unfollow { who: who.to_owned(), whom: whom.to_owned() }
}

pub(crate) async fn an_empty_store_has_nothing(subject: Subject) {
    assert_eq!(subject.store.latest().await.unwrap(), -1);
    assert_eq!(subject.store.messages(Limit::All).await.unwrap(), []);
    assert_eq!(subject.store.messages_by("a", Limit::All).await.unwrap(), None);
    assert_eq!(subject.store.followed_by("a", Limit::All).await.unwrap(), None);
    assert!(!subject.store.user_exists("a").await.unwrap());
}

pub(crate) async fn a_user_is_registered_once(mut subject: Subject) {
    let twice = subject.commit(vec![register("a"), register("a")]).await;
    assert_eq!(twice, [Outcome::Done, Outcome::NameTaken]);
    assert_eq!(subject.commit(vec![register("a")]).await, [Outcome::NameTaken]);
    assert!(subject.store.user_exists("a").await.unwrap());
}

pub(crate) async fn names_are_told_apart_byte_by_byte(mut subject: Subject) {
    let names = ["a", "A", "a ", "æ", "Æ", "007", "7", "1e5", "100000", "e\u{301}", "é"];
    let outcomes = subject.commit(names.map(register).to_vec()).await;
    assert_eq!(outcomes, [Outcome::Done; 11]);
    subject.commit(names.map(|name| tweet(name, name)).to_vec()).await;
    for name in names {
        assert_eq!(subject.texts(name, Limit::All).await, [name]);
    }
}

pub(crate) async fn a_message_keeps_every_character(mut subject: Subject) {
    let texts =
        ["007", "1e5", "", " ", "0x10", "NULL", "it's \"quoted\" \\ --", "æøå 漢字 🦀", "a\r\nb\t"];
    subject.commit(vec![register("a")]).await;
    subject.commit(texts.map(|text| tweet("a", text)).to_vec()).await;
    let mut stored = subject.texts("a", Limit::All).await;
    stored.reverse();
    assert_eq!(stored, texts);
}

pub(crate) async fn messages_come_newest_first(mut subject: Subject) {
    subject.commit(vec![register("a"), register("b")]).await;
    // The times say otherwise on purpose: the order is that of the commits.
    let at = |author: &str, pub_date: i64| Write::Tweet {
        author: author.to_owned(),
        text: pub_date.to_string(),
        pub_date,
    };
    subject.commit(vec![at("a", 3), at("b", 2)]).await;
    subject.commit(vec![at("a", 1)]).await;
    let expected = [("a", 1), ("b", 2), ("a", 3)].map(|(author, pub_date)| Message {
        author: author.to_owned(),
        text: pub_date.to_string(),
        pub_date,
    });
    assert_eq!(subject.store.messages(Limit::All).await.unwrap(), expected);
    assert_eq!(subject.texts("a", Limit::All).await, ["1", "3"]);
}

pub(crate) async fn only_so_many_rows_are_returned(mut subject: Subject) {
    subject.commit(["a", "b", "c"].map(register).to_vec()).await;
    subject
        .commit(vec![tweet("a", "1"), tweet("a", "2"), follow("a", "b"), follow("a", "c")])
        .await;
    for (limit, rows) in [
        (Limit::AtMost(0), 0),
        (Limit::AtMost(1), 1),
        (Limit::AtMost(2), 2),
        (Limit::AtMost(u64::MAX), 2),
        (Limit::All, 2),
    ] {
        assert_eq!(subject.store.messages(limit).await.unwrap().len(), rows, "{limit:?}");
        assert_eq!(subject.texts("a", limit).await.len(), rows, "{limit:?}");
        let followed = subject.store.followed_by("a", limit).await.unwrap().unwrap();
        assert_eq!(followed.len(), rows, "{limit:?}");
    }
    assert_eq!(subject.texts("a", Limit::AtMost(1)).await, ["2"]);
}

pub(crate) async fn an_unknown_author_stores_nothing(mut subject: Subject) {
    assert_eq!(subject.commit(vec![tweet("nobody", "hello")]).await, [Outcome::UnknownUser]);
    assert_eq!(subject.store.messages(Limit::All).await.unwrap(), []);
}

pub(crate) async fn an_edge_is_one_edge(mut subject: Subject) {
    subject.commit(vec![register("a"), register("b")]).await;
    let outcomes = subject
        .commit(vec![unfollow("a", "b"), follow("a", "b"), follow("a", "b"), follow("a", "a")])
        .await;
    assert_eq!(outcomes, [Outcome::Done; 4]);
    assert_eq!(subject.follows("a").await, ["a", "b"]);
    assert_eq!(subject.follows("b").await, [""; 0]);
    assert_eq!(subject.commit(vec![unfollow("a", "b")]).await, [Outcome::Done]);
    assert_eq!(subject.follows("a").await, ["a"]);
}

pub(crate) async fn an_unknown_user_is_neither_follower_nor_followed(mut subject: Subject) {
    subject.commit(vec![register("a")]).await;
    for (who, whom) in [("a", "nobody"), ("nobody", "a"), ("nobody", "no one")] {
        let outcomes = subject.commit(vec![follow(who, whom), unfollow(who, whom)]).await;
        assert_eq!(outcomes, [Outcome::UnknownUser; 2], "{who} {whom}");
    }
    assert_eq!(subject.follows("a").await, [""; 0]);
}

pub(crate) async fn each_entry_of_a_batch_sees_those_before_it(mut subject: Subject) {
    let outcomes = subject
        .commit(vec![
            tweet("a", "too early"),
            register("a"),
            tweet("a", "in time"),
            follow("a", "b"),
            register("b"),
            follow("a", "b"),
        ])
        .await;
    use Outcome::{Done, UnknownUser};
    assert_eq!(outcomes, [UnknownUser, Done, Done, UnknownUser, Done, Done]);
    assert_eq!(subject.texts("a", Limit::All).await, ["in time"]);
    assert_eq!(subject.follows("a").await, ["b"]);
}

pub(crate) async fn the_last_latest_of_a_batch_wins(mut subject: Subject) {
    let entry = |latest| Entry { latest, write: None };
    for (values, expected) in [
        (vec![Some(7), Some(3), None], 3),
        (vec![None], 3),
        (vec![Some(i64::MAX)], i64::MAX),
        (vec![Some(i64::MIN), Some(0)], 0),
    ] {
        let batch = Batch::new(values.into_iter().map(entry).collect());
        subject.writer.commit(&batch).await.unwrap();
        assert_eq!(subject.store.latest().await.unwrap(), expected);
    }
}

pub(crate) async fn latest_is_recorded_for_a_write_that_is_refused(mut subject: Subject) {
    let entry = Entry { latest: Some(9), write: Some(tweet("nobody", "x")) };
    let outcomes = subject.writer.commit(&Batch::new(vec![entry])).await.unwrap();
    assert_eq!(outcomes, [Outcome::UnknownUser]);
    assert_eq!(subject.store.latest().await.unwrap(), 9);
}

pub(crate) async fn a_name_with_nul_is_nobodys(mut subject: Subject) {
    subject.commit(vec![register("a")]).await;
    for name in ["\0", "a\0", "a\0b"] {
        assert!(!subject.store.user_exists(name).await.unwrap());
        assert_eq!(subject.store.messages_by(name, Limit::All).await.unwrap(), None);
        assert_eq!(subject.store.followed_by(name, Limit::All).await.unwrap(), None);
    }
}

/// Who there is, in the order of registration.
const NAMES: usize = 4;

/// A write by and about users that are numbers.
#[derive(Debug, Clone, Copy)]
enum Step {
    Register(usize),
    Tweet(usize),
    Follow(usize, usize),
    Unfollow(usize, usize),
    Nothing,
}

fn step() -> impl Strategy<Value = (Step, Option<i64>)> {
    let name = || 0..NAMES;
    let step = prop_oneof![
        2 => name().prop_map(Step::Register),
        3 => name().prop_map(Step::Tweet),
        3 => (name(), name()).prop_map(|(who, whom)| Step::Follow(who, whom)),
        2 => (name(), name()).prop_map(|(who, whom)| Step::Unfollow(who, whom)),
        1 => Just(Step::Nothing),
    ];
    (step, any::<Option<i64>>())
}

/// What a store should hold after steps that were executed one by one.
#[derive(Debug, Default)]
struct Model {
    registered: Vec<usize>,
    /// Author and number, oldest first.
    messages: Vec<(usize, usize)>,
    edges: BTreeSet<(usize, usize)>,
    steps: usize,
}

impl Model {
    fn execute(&mut self, step: Step) -> Outcome {
        self.steps += 1;
        let known = |name: &usize| self.registered.contains(name);
        match step {
            Step::Nothing => {}
            Step::Register(name) if known(&name) => return Outcome::NameTaken,
            Step::Register(name) => self.registered.push(name),
            Step::Tweet(name) if known(&name) => self.messages.push((name, self.steps)),
            Step::Follow(who, whom) if known(&who) && known(&whom) => {
                self.edges.insert((who, whom));
            }
            Step::Unfollow(who, whom) if known(&who) && known(&whom) => {
                self.edges.remove(&(who, whom));
            }
            Step::Tweet(_) | Step::Follow(..) | Step::Unfollow(..) => return Outcome::UnknownUser,
        }
        Outcome::Done
    }
}

pub(crate) async fn batches_do_what_their_entries_do_one_by_one(subject: Subject) {
    let subject = Mutex::new(subject);
    let cases = AtomicU64::new(0);
    let mut runner =
        TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    block_in_place(|| {
        runner.run(&vec(vec(step(), 0..12), 1..6), |batches| {
            // Each case has users of its own; the store is the same.
            let case = cases.fetch_add(1, Ordering::Relaxed);
            Handle::current().block_on(compare(&mut subject.blocking_lock(), case, batches))
        })
    })
    .unwrap();
}

async fn compare(
    subject: &mut Subject,
    case: u64,
    batches: Vec<Vec<(Step, Option<i64>)>>,
) -> Result<(), TestCaseError> {
    let name = |number: usize| format!("{case}-{number}");
    let mut model = Model::default();
    for batch in batches {
        let before = subject.store.latest().await.unwrap();
        let (mut entries, mut expected) = (Vec::new(), Vec::new());
        for &(step, latest) in &batch {
            expected.push(model.execute(step));
            let write = match step {
                Step::Register(user) => Some(register(&name(user))),
                Step::Tweet(user) => Some(tweet(&name(user), &model.steps.to_string())),
                Step::Follow(who, whom) => Some(follow(&name(who), &name(whom))),
                Step::Unfollow(who, whom) => Some(unfollow(&name(who), &name(whom))),
                Step::Nothing => None,
            };
            entries.push(Entry { latest, write });
        }
        let outcomes = subject.writer.commit(&Batch::new(entries)).await.unwrap();
        prop_assert_eq!(outcomes, expected);
        let latest = batch.iter().rev().find_map(|(_, latest)| *latest).unwrap_or(before);
        prop_assert_eq!(subject.store.latest().await.unwrap(), latest);
    }
    for user in 0..NAMES {
        let is_known = model.registered.contains(&user);
        let texts = model.messages.iter().rev().filter(|(author, _)| *author == user);
        let texts: Vec<String> = texts.map(|(_, text)| text.to_string()).collect();
        let found = subject.store.messages_by(&name(user), Limit::All).await.unwrap();
        let found = found.map(|all| all.into_iter().map(|one| one.text).collect());
        prop_assert_eq!(found, is_known.then_some(texts));
        let whom = model.registered.iter().filter(|whom| model.edges.contains(&(user, **whom)));
        let whom: Vec<String> = whom.map(|whom| name(*whom)).collect();
        let found = subject.store.followed_by(&name(user), Limit::All).await.unwrap();
        prop_assert_eq!(found, is_known.then_some(whom));
    }
    let everybody = subject.store.messages(Limit::AtMost(model.messages.len() as u64));
    let everybody: Vec<String> =
        everybody.await.unwrap().into_iter().map(|message| message.author).collect();
    let expected: Vec<String> =
        model.messages.iter().rev().map(|(author, _)| name(*author)).collect();
    prop_assert_eq!(everybody, expected);
    Ok(())
}
