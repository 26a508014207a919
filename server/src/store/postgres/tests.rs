mod proxy;

use super::{OpenError, Options, PostgresStore, PostgresUrl, PostgresWriter, open};
use crate::store::{
    Batch, CommitError, Entry, Limit, Outcome, Store, Write, Writer,
    conformance::{Subject, conformance},
    conformance_pages::page_conformance,
};
use limosa_kit::{Database, Postgres, Shutdown};
use proxy::{Break, Proxy};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Barrier, task::JoinSet};

fn database() -> Database {
    Postgres::shared().unwrap().database().unwrap()
}

async fn open_url(url: &str) -> Result<(PostgresStore, PostgresWriter), OpenError> {
    open(&PostgresUrl::recognise(url).unwrap(), Options::default()).await
}

async fn empty() -> (Subject, Database) {
    let database = database();
    let (store, writer) = open_url(&database.url).await.unwrap();
    (Subject { store: Arc::new(store), writer: Box::new(writer) }, database)
}

conformance!(
    empty,
    #[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
);
page_conformance!(
    empty,
    #[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
);

fn register(name: &str) -> Entry {
    let write = Write::Register {
        username: name.to_owned(),
        email: "a@b".to_owned(),
        password_hash: "hash".to_owned(),
    };
    Entry { latest: None, write: Some(write) }
}

fn tweet(author: &str, id: i64) -> Entry {
    let write = Write::Tweet { author: author.to_owned(), text: id.to_string(), pub_date: id };
    Entry { latest: Some(id), write: Some(write) }
}

/// Gives the database another default for the sessions to come.
fn set_default(setting: &str) -> String {
    format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$"
    )
}

async fn refused(url: &str) -> String {
    match open_url(url).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn several_servers_may_start_at_the_same_time_on_an_empty_database() {
    for _ in 0..5 {
        let database = database();
        // Whatever the database's default is.
        database.sql(&set_default("default_transaction_isolation = serializable")).unwrap();
        let mut starting = JoinSet::new();
        for _ in 0..5 {
            let url = database.url.clone();
            starting.spawn(async move { open_url(&url).await });
        }
        for opened in starting.join_all().await {
            let (store, mut writer) = opened.unwrap();
            writer.commit(&Batch::new(vec![tweet("nobody", 3)])).await.unwrap();
            assert_eq!(store.latest().await.unwrap(), 3);
        }
        let twice = "SELECT count(*) - count(DISTINCT version) FROM _sqlx_migrations";
        assert_eq!(database.sql(twice).unwrap(), "0");
    }
}

/// Batches of several writers that name the same users in opposite orders, and the same new name at
/// the same time: no deadlock, one owner of each name, and one order for all that is numbered.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn batches_of_several_servers_execute_one_after_the_other() {
    const SERVERS: i64 = 3;
    const BATCHES: i64 = 10;
    let (_subject, database) = empty().await;
    // So that batches meet while they are at it.
    database
        .sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END $$;
             CREATE TRIGGER slow AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .unwrap();
    let barrier = Arc::new(Barrier::new(SERVERS as usize));
    let mut servers = JoinSet::new();
    for server in 0..SERVERS {
        let (url, barrier) = (database.url.clone(), Arc::clone(&barrier));
        servers.spawn(async move {
            let (store, mut writer) = open_url(&url).await.unwrap();
            let mut registered = 0;
            for n in 0..BATCHES {
                let id = n * SERVERS + server;
                let mut names = [format!("a{n}"), format!("b{n}"), format!("c{n}")];
                names.rotate_left(server as usize);
                let mut entries: Vec<Entry> = names.iter().map(|name| register(name)).collect();
                entries.extend(names.iter().map(|name| tweet(name, id)));
                barrier.wait().await;
                let outcomes = writer.commit(&Batch::new(entries)).await.unwrap();
                registered += outcomes[..3].iter().filter(|one| **one == Outcome::Done).count();
                assert_eq!(outcomes[3..], [Outcome::Done; 3]);
                // Whoever reads behind a commit sees it, and nothing older above it.
                assert!(store.messages(Limit::AtMost(100)).await.unwrap().len() >= 3);
            }
            registered
        });
    }
    let registered: usize = servers.join_all().await.into_iter().sum();
    assert_eq!(registered, BATCHES as usize * 3);
    let (store, _writer) = open_url(&database.url).await.unwrap();
    let messages = store.messages(Limit::All).await.unwrap();
    assert_eq!(messages.len(), (SERVERS * BATCHES * 3) as usize);
    // The messages of a batch lie together, and the newest are those of `latest`.
    let batches = messages.chunks(3).map(|chunk| chunk.iter().map(|m| m.pub_date).collect());
    assert!(batches.clone().all(|batch: BTreeSet<i64>| batch.len() == 1));
    assert_eq!(store.latest().await.unwrap(), messages[0].pub_date);
}

/// While others write, a reader never sees a message appear behind one that it has seen.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn no_message_appears_in_the_past() {
    let database = database();
    let (store, mut writer) = open_url(&database.url).await.unwrap();
    writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    let mut writers = JoinSet::new();
    for server in 0..3 {
        let url = database.url.clone();
        writers.spawn(async move {
            let (_store, mut writer) = open_url(&url).await.unwrap();
            for n in 0..100 {
                let id = n * 3 + server;
                writer.commit(&Batch::new(vec![tweet("a", id), tweet("a", id)])).await.unwrap();
            }
        });
    }
    let mut seen = 0;
    while !writers.is_empty() {
        let mut messages = store.messages(Limit::All).await.unwrap();
        messages.reverse();
        assert!(messages.len() >= seen, "messages have gone");
        let latest = store.latest().await.unwrap();
        let again = store.messages(Limit::All).await.unwrap();
        assert!(again.iter().rev().zip(&messages).all(|(now, then)| now == then));
        // -1 before any.
        assert!(latest == -1 || again.iter().any(|message| message.pub_date == latest));
        seen = messages.len();
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
    assert_eq!(store.messages(Limit::All).await.unwrap().len(), 600);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn durability_and_isolation_do_not_depend_on_the_databases_defaults() {
    let database = database();
    for (default, expected) in [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")] {
        database.sql(&set_default(&format!("synchronous_commit = {default}"))).unwrap();
        database.sql(&set_default("default_transaction_isolation = serializable")).unwrap();
        let (store, mut writer) = open_url(&database.url).await.unwrap();
        writer.commit(&Batch::new(vec![tweet("nobody", 1)])).await.unwrap();
        let found = writer.settings().await;
        assert_eq!(found, (expected.to_owned(), "read committed".to_owned(), "5s".to_owned()));
        store.close().await;
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_batch_that_fails_half_way_leaves_nothing_and_the_next_one_works() {
    let (mut subject, database) = empty().await;
    database
        .sql(
            "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN IF NEW.username = 'poison' THEN RAISE 'planted'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER planted BEFORE INSERT ON users
                 FOR EACH ROW EXECUTE FUNCTION planted()",
        )
        .unwrap();
    let poisoned = Batch::new(vec![register("a"), tweet("a", 7), register("poison")]);
    let error = subject.writer.commit(&poisoned).await.unwrap_err();
    assert!(matches!(&error, CommitError::RolledBack(why) if !why.is_unreachable()), "{error}");
    assert!(!subject.store.user_exists("a").await.unwrap());
    assert_eq!(subject.store.latest().await.unwrap(), -1);
    let outcomes = subject.writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done]);
}

/// PostgreSQL sends the rows before it commits: an error at the commit must not go unseen.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_commit_that_fails_behind_the_result_is_no_success() {
    let (mut subject, database) = empty().await;
    database
        .sql(
            "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE 'planted'; END $$;
             CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON users
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION planted()",
        )
        .unwrap();
    let error = subject.writer.commit(&Batch::new(vec![register("a")])).await.unwrap_err();
    assert!(matches!(error, CommitError::RolledBack(_)), "{error}");
    assert!(!subject.store.user_exists("a").await.unwrap());
    subject.writer.commit(&Batch::new(vec![tweet("a", 7)])).await.unwrap();
    assert_eq!(subject.store.latest().await.unwrap(), 7);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn flagged_messages_are_left_out() {
    let (mut subject, database) = empty().await;
    let batch = Batch::new(vec![register("a"), tweet("a", 1), tweet("a", 2)]);
    subject.writer.commit(&batch).await.unwrap();
    database.sql("UPDATE messages SET flagged = TRUE WHERE text = '2'").unwrap();
    let texts = |messages: Vec<crate::store::Message>| -> Vec<String> {
        messages.into_iter().map(|message| message.text).collect()
    };
    assert_eq!(texts(subject.store.messages(Limit::All).await.unwrap()), ["1"]);
    let by_author = subject.store.messages_by("a", Limit::AtMost(1)).await.unwrap().unwrap();
    assert_eq!(texts(by_author), ["1"]);
}

/// The record of a server that has not written for a month is taken away; it is there for all that.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn commit_records_are_pruned_and_a_writer_outlives_its_own() {
    let (mut subject, database) = empty().await;
    subject.writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    database.sql("UPDATE writers SET seen_at = now() - interval '31 days'").unwrap();
    let (_store, _writer) = open_url(&database.url).await.unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM writers").unwrap(), "1");
    let batch = Batch::new(vec![tweet("a", 1)]);
    let error = subject.writer.commit(&batch).await.unwrap_err();
    assert!(matches!(&error, CommitError::RolledBack(why) if why.is_unreachable()), "{error}");
    assert_eq!(subject.writer.commit(&batch).await.unwrap(), [Outcome::Done]);
    assert_eq!(database.sql("SELECT count(*) FROM writers").unwrap(), "2");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn what_is_wrong_with_a_database_is_named_and_its_password_is_not() {
    let database = database();
    let (before, name) = database.url.rsplit_once('/').unwrap();
    let (scheme_and_user, host) = before.split_once('@').unwrap();
    let (_, password) = scheme_and_user.rsplit_once(':').unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    database
        .sql(&format!(
            "CREATE ROLE guest_{name} LOGIN PASSWORD '{password}';
             CREATE ROLE reader_{name} LOGIN PASSWORD '{password}';
             ALTER ROLE reader_{name} SET default_transaction_read_only = on"
        ))
        .unwrap();
    for (url, expected) in [
        (format!("postgres://limosa:wrong@{host}/{name}"), "refuses the user"),
        (format!("postgres://nobody:{password}@{host}/{name}"), "refuses the user"),
        (format!("{before}/missing"), "does not exist; create it"),
        (format!("postgres://limosa:{password}@{silent}/{name}"), "cannot be reached"),
        (format!("postgres://guest_{name}:{password}@{host}/{name}"), "may not create the tables"),
        (format!("postgres://reader_{name}:{password}@{host}/{name}"), "takes no writes"),
    ] {
        let said = refused(&url).await;
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(password) && !said.contains("wrong"), "{said}");
    }
    database.sql(&format!("DROP ROLE guest_{name}; DROP ROLE reader_{name}")).unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_user_who_owns_the_database_needs_no_other_right() {
    let database = database();
    let (before, name) = database.url.rsplit_once('/').unwrap();
    let host = before.split_once('@').unwrap().1;
    database
        .sql(&format!(
            "CREATE ROLE owner_{name} LOGIN PASSWORD 'x'; ALTER DATABASE {name} OWNER TO owner_{name}"
        ))
        .unwrap();
    let url = format!("postgres://owner_{name}:x@{host}/{name}");
    let (store, mut writer) = open_url(&url).await.unwrap();
    writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    assert!(store.user_exists("a").await.unwrap());
    Box::new(writer).close().await;
    store.close().await;
    database
        .sql(&format!("REASSIGN OWNED BY owner_{name} TO limosa; DROP ROLE owner_{name}"))
        .unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_newer_schema_and_another_encoding_are_refused() {
    let (_subject, database) = empty().await;
    database
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, '', 0)",
        )
        .unwrap();
    assert!(refused(&database.url).await.contains("schema version 9999"));
    let name = database.url.rsplit_once('/').unwrap().1;
    let latin = format!("latin_{name}");
    let create = format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    database.sql(&create).unwrap();
    let said = refused(&database.url.replace(name, &latin)).await;
    assert!(said.contains("has the encoding LATIN1"), "{said}");
    database.sql(&format!("DROP DATABASE {latin}")).unwrap();
}

/// A server that neither answers nor hangs up: reads and writes end in time, and say what is known.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
async fn a_database_that_falls_silent_holds_nobody_for_ever() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let options = Options {
        statement_timeout: Duration::from_millis(200),
        retry_for: Duration::from_millis(300),
        ..Options::default()
    };
    let url = PostgresUrl::recognise(&database.url).unwrap();
    let (store, mut writer) = open(&url, options).await.unwrap();
    writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), -1);
    postgres.freeze(true).unwrap();
    let read = store.latest();
    let batch = Batch::new(vec![tweet("a", 5)]);
    let (read, written) = tokio::join!(read, writer.commit(&batch));
    assert!(read.unwrap_err().is_unreachable());
    assert!(matches!(written, Err(CommitError::Unknown(_))), "{written:?}");
    postgres.freeze(false).unwrap();
    // Whether the batch was stored is open; that the next one is told rightly is not.
    assert_eq!(writer.commit(&Batch::new(vec![tweet("a", 6)])).await.unwrap(), [Outcome::Done]);
    assert_eq!(store.latest().await.unwrap(), 6);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
async fn a_read_outlives_a_restart() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let (store, mut writer) = open_url(&database.url).await.unwrap();
    writer.commit(&Batch::new(vec![tweet("nobody", 5)])).await.unwrap();
    for shutdown in [Shutdown::Fast, Shutdown::Immediate, Shutdown::Kill] {
        assert_eq!(store.latest().await.unwrap(), 5);
        postgres.stop(shutdown).unwrap();
        let reading = async { store.latest().await.unwrap() };
        let starting = async { tokio::task::block_in_place(|| postgres.resume_service().unwrap()) };
        assert_eq!(tokio::join!(reading, starting).0, 5);
    }
}

/// A store by way of a proxy, with a user `a`, and its statements prepared.
async fn behind_proxy() -> (PostgresStore, PostgresWriter, Proxy, Database) {
    let database = database();
    let proxy = Proxy::start(&database.url).await;
    let (store, mut writer) = open_url(&proxy.url).await.unwrap();
    writer.commit(&Batch::new(vec![register("a")])).await.unwrap();
    (store, writer, proxy, database)
}

fn numbers(database: &Database) -> String {
    database.sql("SELECT string_agg(text, ',' ORDER BY message_id) FROM messages").unwrap()
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_batch_that_never_arrived_is_known_to_be_missing() {
    let (_store, mut writer, proxy, database) = behind_proxy().await;
    for (id, what) in [(1, Break::LoseRequest), (2, Break::HalveRequest)] {
        proxy.arm(what);
        let error = writer.commit(&Batch::new(vec![tweet("a", id)])).await.unwrap_err();
        assert!(proxy.is_spent());
        assert!(matches!(&error, CommitError::RolledBack(why) if why.is_unreachable()), "{error}");
        let outcomes = writer.commit(&Batch::new(vec![tweet("a", id + 10)])).await.unwrap();
        assert_eq!(outcomes, [Outcome::Done]);
    }
    assert_eq!(numbers(&database), "11,12");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_commit_whose_answer_was_lost_is_found_with_all_its_outcomes() {
    let (_store, mut writer, proxy, database) = behind_proxy().await;
    proxy.arm(Break::LoseAnswer);
    let nothing = Entry { latest: Some(8), write: None };
    let entries = vec![tweet("a", 1), tweet("nobody", 2), nothing, register("a"), register("b")];
    let outcomes = writer.commit(&Batch::new(entries)).await.unwrap();
    assert!(proxy.is_spent());
    use Outcome::{Done, NameTaken, UnknownUser};
    assert_eq!(outcomes, [Done, UnknownUser, Done, NameTaken, Done]);
    assert_eq!(numbers(&database), "1");
}

/// The commit takes its time: the old session is still at it when the new one asks.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_commit_that_is_still_under_way_is_waited_for() {
    let (_store, mut writer, proxy, database) = behind_proxy().await;
    database
        .sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON messages
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .unwrap();
    proxy.arm(Break::HangUp);
    let outcomes = writer.commit(&Batch::new(vec![tweet("a", 1)])).await.unwrap();
    assert!(proxy.is_spent());
    assert_eq!(outcomes, [Outcome::Done]);
    assert_eq!(numbers(&database), "1");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn a_batch_that_was_given_up_is_refused_when_it_arrives_late() {
    let (_store, mut writer, proxy, database) = behind_proxy().await;
    proxy.arm(Break::HoldRequest);
    let mut batch = Batch::new(vec![tweet("a", 1)]);
    let error = writer.commit(&batch).await.unwrap_err();
    assert!(matches!(&error, CommitError::RolledBack(why) if why.is_unreachable()), "{error}");
    batch.id = Batch::new(vec![]).id;
    assert_eq!(writer.commit(&batch).await.unwrap(), [Outcome::Done]);
    let answer = proxy.release().await;
    assert!(answer.contains("LM001"), "{answer}");
    assert_eq!(numbers(&database), "1");
    assert_eq!(writer.commit(&Batch::new(vec![tweet("a", 2)])).await.unwrap(), [Outcome::Done]);
}
