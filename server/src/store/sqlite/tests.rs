use super::{OpenError, Options, open};
use crate::store::{
    Batch, CommitError, Entry, Limit, Outcome, Store, Write, Writer,
    conformance::{Subject, conformance},
    conformance_pages::page_conformance,
    pages::{PageReads, Timeline},
};
use sqlx::{Connection, SqliteConnection};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

async fn empty() -> (Subject, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let (store, writer) = open(&path, Options::default()).await.unwrap();
    (Subject { store: Arc::new(store), writer: Box::new(writer) }, directory)
}

conformance!(empty,);
page_conformance!(empty,);

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap()
}

async fn refused(path: &Path) -> OpenError {
    let options = Options { busy_timeout: Duration::from_millis(50), ..Options::default() };
    match open(path, options).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn latest(id: i64) -> Entry {
    Entry { latest: Some(id), write: None }
}

fn register(name: &str) -> Entry {
    let write = Write::Register {
        username: name.to_owned(),
        email: "a@b".to_owned(),
        password_hash: "hash".to_owned(),
    };
    Entry { latest: None, write: Some(write) }
}

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let (_, mut writer) = open(&path, Options::default()).await.unwrap();
    writer.commit(&Batch::new(vec![register("a"), latest(5)])).await.unwrap();
    // Not closed on purpose: the write-ahead log alone must hold it.
    let (store, _writer) = open(&path, Options::default()).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), 5);
    assert!(store.user_exists("a").await.unwrap());
}

#[tokio::test]
async fn durability_is_not_traded_away() {
    let directory = tempfile::tempdir().unwrap();
    let (_store, mut writer) =
        open(&directory.path().join("test.db"), Options::default()).await.unwrap();
    let pragma = writer.pragmas().await;
    // synchronous 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    assert_eq!(pragma, ("wal".to_owned(), 2, 1));
}

#[tokio::test]
async fn flagged_messages_are_left_out() {
    let (mut subject, directory) = empty().await;
    let tweet = |text: &str| {
        let write = Write::Tweet { author: "a".to_owned(), text: text.to_owned(), pub_date: 1 };
        Entry { latest: None, write: Some(write) }
    };
    let batch = Batch::new(vec![register("a"), tweet("fine"), tweet("rude")]);
    subject.writer.commit(&batch).await.unwrap();
    let mut other = connect(&directory.path().join("test.db")).await;
    sqlx::query("UPDATE messages SET flagged = 1 WHERE text = 'rude'")
        .execute(&mut other)
        .await
        .unwrap();
    let texts = |messages: Vec<crate::store::Message>| -> Vec<String> {
        messages.into_iter().map(|message| message.text).collect()
    };
    assert_eq!(texts(subject.store.messages(Limit::All).await.unwrap()), ["fine"]);
    let by_author = subject.store.messages_by("a", Limit::AtMost(1)).await.unwrap().unwrap();
    assert_eq!(texts(by_author), ["fine"]);
    for timeline in [Timeline::Public, Timeline::By("a"), Timeline::Home("a")] {
        let page = subject.store.timeline(timeline, None, 1).await.unwrap().unwrap();
        assert_eq!(page[0].text, "fine", "{timeline:?}");
    }
}

#[tokio::test]
async fn every_file_has_a_session_key_of_its_own_and_every_server_on_it_the_same() {
    let key = async |path: &Path| {
        let (store, _writer) = open(path, Options::default()).await.unwrap();
        store.session_key().await.unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("1.db"), directory.path().join("2.db"));
    assert_eq!(key(&first).await, key(&first).await);
    assert_ne!(key(&first).await, key(&second).await);
}

#[tokio::test]
async fn a_batch_that_fails_half_way_leaves_nothing_and_the_next_one_works() {
    let (mut subject, directory) = empty().await;
    let mut other = connect(&directory.path().join("test.db")).await;
    let trigger = "CREATE TRIGGER planted BEFORE INSERT ON users WHEN NEW.username = 'poison'
                   BEGIN SELECT RAISE(ABORT, 'planted'); END";
    sqlx::query(trigger).execute(&mut other).await.unwrap();
    let poisoned = Batch::new(vec![register("a"), latest(7), register("poison")]);
    let error = subject.writer.commit(&poisoned).await.unwrap_err();
    assert!(matches!(error, CommitError::RolledBack(_)), "{error}");
    assert!(!subject.store.user_exists("a").await.unwrap());
    assert_eq!(subject.store.latest().await.unwrap(), -1);
    let outcomes = subject.writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done]);
}

#[tokio::test]
async fn a_batch_whose_commit_record_fails_is_looked_up_and_found_missing() {
    let (mut subject, directory) = empty().await;
    let mut other = connect(&directory.path().join("test.db")).await;
    let trigger = "CREATE TRIGGER planted BEFORE INSERT ON commits
                   BEGIN SELECT RAISE(ABORT, 'planted'); END";
    sqlx::query(trigger).execute(&mut other).await.unwrap();
    let batch = Batch::new(vec![register("a")]);
    let error = subject.writer.commit(&batch).await.unwrap_err();
    assert!(matches!(error, CommitError::RolledBack(_)), "{error}");
    assert!(!subject.store.user_exists("a").await.unwrap());
    sqlx::query("DROP TRIGGER planted").execute(&mut other).await.unwrap();
    let outcomes = subject.writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done]);
}

#[tokio::test]
async fn old_commit_records_are_pruned() {
    let (mut subject, directory) = empty().await;
    let mut other = connect(&directory.path().join("test.db")).await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                INSERT INTO commits (batch_id) SELECT randomblob(16) FROM n";
    sqlx::query(fill).execute(&mut other).await.unwrap();
    let mut last = Batch::new(vec![]);
    for id in 0..300 {
        last = Batch::new(vec![latest(id)]);
        subject.writer.commit(&last).await.unwrap();
    }
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM commits").fetch_one(&mut other).await.unwrap();
    assert!((1024..1024 + 300).contains(&kept), "{kept}");
    let newest: Vec<u8> =
        sqlx::query_scalar("SELECT batch_id FROM commits ORDER BY commit_id DESC LIMIT 1")
            .fetch_one(&mut other)
            .await
            .unwrap();
    assert_eq!(newest, last.id.0);
}

#[tokio::test]
async fn several_servers_may_start_at_the_same_time_on_a_new_file() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let path = path.clone();
            starting.spawn(async move { open(&path, Options::default()).await });
        }
        for opened in starting.join_all().await {
            let (store, mut writer) = opened.unwrap();
            writer.commit(&Batch::new(vec![latest(3)])).await.unwrap();
            assert_eq!(store.latest().await.unwrap(), 3);
        }
    }
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = refused(&directory.path().join("missing").join("a.db")).await;
    assert!(matches!(&error, OpenError::DirectoryMissing(path) if path.ends_with("missing")));
    assert!(matches!(refused(directory.path()).await, OpenError::IsDirectory(_)));
}

#[tokio::test]
async fn another_kind_of_file_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    let letter = "Dear Roger, this is not a database. ".repeat(100);
    std::fs::write(&path, &letter).unwrap();
    assert!(matches!(refused(&path).await, OpenError::NotADatabase(_)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
}

#[tokio::test]
async fn a_lock_of_another_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let mut other =
        SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Locked(_)), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (subject, directory) = empty().await;
    let path = directory.path().join("test.db");
    let mut other = connect(&path).await;
    let later =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'later', TRUE, x'00', 0)";
    sqlx::query(later).execute(&mut other).await.unwrap();
    drop(subject);
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::NewerSchema { version: 9999, .. }), "{error}");
}
