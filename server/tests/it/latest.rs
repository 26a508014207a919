//! Where `latest` lives, and what becomes of it there.

use crate::kit::{Server, config, start, start_in, start_with};
use limosa_kit::Redis;
use limosa_server::{ServeError, latest::LatestStore, run};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// More than a request may wait for a Redis that is gone.
const LONG: Duration = Duration::from_secs(20);

/// Redis with a key that nobody else uses.
fn shelf(redis: &Redis) -> LatestStore {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let url = redis.url.trim_end_matches('/');
    format!("{url}?key=limosa:test:{}:{number}", std::process::id()).parse().unwrap()
}

async fn start_on(latest: &LatestStore) -> Server {
    start_with(|config| config.latest = latest.clone()).await
}

/// Another server on the same data and the same `latest`.
async fn beside(server: &Server, latest: &LatestStore) -> Server {
    start_in(Arc::clone(&server.directory), |config| config.latest = latest.clone()).await
}

#[tokio::test]
async fn in_memory_it_does_not_outlive_the_process_and_no_replica_sees_it() {
    let server = start_on(&LatestStore::Memory).await;
    let other = beside(&server, &LatestStore::Memory).await;
    server.register(&["a"]).await;
    assert_eq!(server.tweet("a", "x", 5).await, 204);
    assert_eq!((server.latest().await, other.latest().await), (5, -1));
    assert_eq!(server.tweet("nobody", "x", 6).await, 404);
    assert_eq!(server.get("/msgs/a?latest=7").await.0, 200);
    assert_eq!(server.latest().await, 7);
    let directory = Arc::clone(&server.directory);
    server.stop().await;
    let server = start_in(directory, |_| {}).await;
    assert_eq!(server.latest().await, -1, "the database never saw it");
    assert_eq!(server.texts("a").await, ["x"]);
}

#[tokio::test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server, or REDIS_URL")]
async fn in_redis_all_replicas_see_it_and_so_do_their_next_lives() {
    let redis = Redis::any().unwrap();
    let latest = shelf(&redis);
    let one = start_on(&latest).await;
    let other = beside(&one, &latest).await;
    assert_eq!(one.latest().await, -1);
    one.register(&["a"]).await;
    for id in 0..20 {
        let writer = if id % 2 == 0 { &one } else { &other };
        assert_eq!(writer.tweet("a", &id.to_string(), id).await, 204);
        assert_eq!((one.latest().await, other.latest().await), (id, id));
    }
    assert_eq!(one.tweet("nobody", "x", 30).await, 404);
    assert_eq!(other.latest().await, 30);
    one.stop().await;
    let again = beside(&other, &latest).await;
    assert_eq!(again.latest().await, 30);
    let elsewhere = start_on(&shelf(&redis)).await;
    assert_eq!(elsewhere.latest().await, -1, "another key is another latest");
}

#[tokio::test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
async fn without_redis_writes_wait_and_with_it_all_goes_on() {
    let redis = Redis::start().unwrap();
    let latest = shelf(&redis);
    let server = start_with(|config| {
        config.latest = latest.clone();
        config.commit.retry_for = Duration::from_millis(200);
    })
    .await;
    server.register(&["a"]).await;
    assert_eq!(server.tweet("a", "1", 1).await, 204);
    redis.kill().unwrap();

    let begun = Instant::now();
    let answers = [server.tweet("a", "2", 2).await, server.tweet("a", "3", 3).await];
    assert_eq!(answers, [500, 503]);
    assert_eq!(server.get("/latest").await.0, 503);
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    // What was under way when it was found out is stored and not named; nothing after it is.
    assert_eq!(server.texts("a").await, ["2", "1"]);

    redis.resume_service().unwrap();
    let begun = Instant::now();
    while server.tweet("a", "4", 4).await != 204 {
        assert!(begun.elapsed() < LONG, "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.latest().await, 4);
    assert_eq!(server.texts("a").await, ["4", "2", "1"]);
}

#[tokio::test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
async fn what_redis_forgets_is_forgotten() {
    let redis = Redis::start().unwrap();
    let latest = shelf(&redis);
    let server = start_on(&latest).await;
    server.register(&["a"]).await;
    assert_eq!(server.tweet("a", "1", 1).await, 204);
    server.stop().await;
    redis.kill().unwrap();
    redis.forget().unwrap();
    redis.resume_service().unwrap();
    assert_eq!(start_on(&latest).await.latest().await, -1);
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_named_at_the_start() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.latest = format!("redis://127.0.0.1:{port}").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = run(listener, config, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, ServeError::Redis(_)), "{error}");
    assert!(error.to_string().starts_with("--latest redis://...: connecting: "), "{error}");
}

#[tokio::test]
async fn a_fault_of_latest_is_put_around_wherever_it_lives() {
    let server = start_with(|config| {
        config.latest = LatestStore::Memory;
        config.faults = vec!["count-latest".parse().unwrap()];
    })
    .await;
    server.register(&["a"]).await;
    assert_eq!(server.tweet("a", "x", 70).await, 204);
    assert_eq!(server.latest().await, 0);
    assert_eq!(start().await.latest().await, -1);
}
