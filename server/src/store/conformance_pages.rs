//! What every store must do for the web pages, written against the seam.

use super::{
    Batch, Entry, Outcome, Write,
    conformance::Subject,
    pages::{Posted, Timeline},
};

/// Makes one test of each function below, as the macro of `conformance` does.
macro_rules! page_conformance {
    ($empty:path, $(#[$attribute:meta])?) => {
        $crate::store::conformance_pages::page_conformance!($empty, $(#[$attribute])?;
            a_store_without_users_has_no_timelines_but_the_public_one
            each_timeline_shows_its_own
            a_timeline_is_read_page_by_page
            who_follows_whom_is_told_one_way
            a_password_hash_is_given_back_as_it_was
            a_name_with_nul_has_no_page
            the_session_key_stays_the_same
        );
    };
    ($empty:path, #[$attribute:meta]; $($name:ident)*) => {
        $crate::store::conformance_pages::page_conformance!(@ $empty; $(#[$attribute] $name)*);
    };
    ($empty:path,; $($name:ident)*) => {
        $crate::store::conformance_pages::page_conformance!(@ $empty; $($name)*);
    };
    (@ $empty:path; $($(#[$attribute:meta])? $name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            $(#[$attribute])?
            async fn $name() {
                let (subject, _guard) = $empty().await;
                $crate::store::conformance_pages::$name(subject).await;
            }
        )*
    };
}
pub(crate) use page_conformance;

const ALL: u32 = u32::MAX;

async fn commit(subject: &mut Subject, writes: impl IntoIterator<Item = Write>) {
    let entries = writes.into_iter().map(|w| Entry { latest: None, write: Some(w) }).collect();
    let outcomes = subject.writer.commit(&Batch::new(entries)).await.unwrap();
    assert!(outcomes.iter().all(|&outcome| outcome == Outcome::Done), "{outcomes:?}");
}

fn register(name: &str) -> Write {
    Write::Register {
        username: name.to_owned(),
        email: "somebody@example.org".to_owned(),
        password_hash: format!("$argon2id${name}"),
    }
}

fn tweet(author: &str, text: &str) -> Write {
    Write::Tweet { author: author.to_owned(), text: text.to_owned(), pub_date: 1_700_000_000 }
}

fn follow(who: &str, whom: &str) -> Write {
    Write::Follow { who: who.to_owned(), whom: whom.to_owned() }
}

async fn page(
    subject: &Subject,
    timeline: Timeline<'_>,
    before: Option<i64>,
    rows: u32,
) -> Vec<Posted> {
    subject.store.timeline(timeline, before, rows).await.unwrap().unwrap()
}

fn texts(page: &[Posted]) -> Vec<&str> {
    page.iter().map(|posted| posted.text.as_str()).collect()
}

pub(crate) async fn a_store_without_users_has_no_timelines_but_the_public_one(subject: Subject) {
    assert_eq!(page(&subject, Timeline::Public, None, ALL).await, []);
    for timeline in [Timeline::By("a"), Timeline::Home("a")] {
        assert_eq!(subject.store.timeline(timeline, None, ALL).await.unwrap(), None);
    }
    assert!(!subject.store.follows("a", "b").await.unwrap());
    assert_eq!(subject.store.password_hash("a").await.unwrap(), None);
}

pub(crate) async fn each_timeline_shows_its_own(mut subject: Subject) {
    commit(&mut subject, ["a", "b", "c"].map(register)).await;
    let tweets = [("a", "a1"), ("b", "b1"), ("c", "c1"), ("a", "a2"), ("b", "b2")];
    commit(&mut subject, tweets.map(|(author, text)| tweet(author, text))).await;
    // Oneself among those whom one follows is no reason to show anything twice.
    commit(&mut subject, [follow("a", "b"), follow("a", "a"), follow("c", "a")]).await;
    for (timeline, expected) in [
        (Timeline::Public, &["b2", "a2", "c1", "b1", "a1"][..]),
        (Timeline::By("a"), &["a2", "a1"]),
        (Timeline::By("c"), &["c1"]),
        (Timeline::Home("a"), &["b2", "a2", "b1", "a1"]),
        (Timeline::Home("b"), &["b2", "b1"]),
        (Timeline::Home("c"), &["a2", "c1", "a1"]),
    ] {
        let shown = page(&subject, timeline, None, ALL).await;
        assert_eq!(texts(&shown), expected, "{timeline:?}");
        assert!(shown.iter().all(|posted| posted.text.starts_with(&posted.author)), "{shown:?}");
        assert!(shown.iter().all(|posted| posted.pub_date == 1_700_000_000), "{shown:?}");
        assert!(shown.is_sorted_by(|newer, older| newer.id > older.id), "{shown:?}");
    }
}

pub(crate) async fn a_timeline_is_read_page_by_page(mut subject: Subject) {
    commit(&mut subject, ["a", "b"].map(register)).await;
    commit(&mut subject, [follow("a", "b")]).await;
    // Runs of one author longer than a page, so that no page is an equal share of each.
    let tweets = (0..7).flat_map(|n| [("a", n), ("b", n), ("b", n)]);
    let tweets: Vec<_> = tweets.map(|(author, n)| tweet(author, &format!("{author}{n}"))).collect();
    commit(&mut subject, tweets).await;
    for timeline in [Timeline::Public, Timeline::By("a"), Timeline::By("b"), Timeline::Home("a")] {
        let all = page(&subject, timeline, None, ALL).await;
        for rows in [1, 2, 5] {
            let mut read = Vec::new();
            loop {
                let before = read.last().map(|posted: &Posted| posted.id);
                let next = page(&subject, timeline, before, rows).await;
                assert!(next.len() <= rows as usize);
                if next.is_empty() {
                    break;
                }
                read.extend(next);
            }
            assert_eq!(read, all, "{timeline:?}, {rows} rows a page");
        }
        assert_eq!(page(&subject, timeline, None, 0).await, []);
        assert_eq!(page(&subject, timeline, Some(i64::MIN), ALL).await, []);
    }
}

pub(crate) async fn who_follows_whom_is_told_one_way(mut subject: Subject) {
    commit(&mut subject, ["a", "b"].map(register)).await;
    commit(&mut subject, [follow("a", "b")]).await;
    for (who, whom, expected) in
        [("a", "b", true), ("b", "a", false), ("a", "a", false), ("a", "nobody", false)]
    {
        assert_eq!(subject.store.follows(who, whom).await.unwrap(), expected, "{who} {whom}");
    }
    let unfollow = Write::Unfollow { who: "a".to_owned(), whom: "b".to_owned() };
    commit(&mut subject, [unfollow]).await;
    assert!(!subject.store.follows("a", "b").await.unwrap());
}

pub(crate) async fn a_password_hash_is_given_back_as_it_was(mut subject: Subject) {
    commit(&mut subject, ["a", "A"].map(register)).await;
    for name in ["a", "A"] {
        let hash = subject.store.password_hash(name).await.unwrap();
        assert_eq!(hash, Some(format!("$argon2id${name}")));
    }
}

pub(crate) async fn a_name_with_nul_has_no_page(subject: Subject) {
    let store = &subject.store;
    assert_eq!(store.timeline(Timeline::By("a\0"), None, ALL).await.unwrap(), None);
    assert_eq!(store.timeline(Timeline::Home("a\0"), None, ALL).await.unwrap(), None);
    assert!(!store.follows("a\0", "b\0").await.unwrap());
    assert_eq!(store.password_hash("a\0").await.unwrap(), None);
}

pub(crate) async fn the_session_key_stays_the_same(mut subject: Subject) {
    let key = subject.store.session_key().await.unwrap();
    assert_ne!(key, [0; 32]);
    commit(&mut subject, [register("a")]).await;
    assert_eq!(subject.store.session_key().await.unwrap(), key);
}
