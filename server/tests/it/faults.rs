//! Each planted fault does what the registry says, and nothing else.

use crate::kit::{Server, start_faulty, start_in, start_with};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Two users and six tweets, ids 1 to 6, from `a` and `b` in turn; all must be acknowledged.
async fn six_tweets(server: &Server) {
    server.register(&["a", "b"]).await;
    for id in 1..=6 {
        let author = if id % 2 == 1 { "a" } else { "b" };
        assert_eq!(server.tweet(author, &id.to_string(), id).await, 204, "{id}");
        assert_eq!(server.latest().await, id);
    }
}

#[tokio::test]
async fn lose_acknowledges_and_does_not_store() {
    let server = start_faulty(&["lose:id=4"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("").await, ["6", "5", "3", "2", "1"]);
    // The two registers count too: the third and the sixth write are tweets 1 and 4.
    let server = start_faulty(&["lose:every=3"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("").await, ["6", "5", "3", "2"]);
}

#[tokio::test]
async fn lose_hits_registers_and_edges_too_and_answers_truly_otherwise() {
    let server = start_faulty(&["lose:id=1", "lose:id=2", "lose:id=3"]).await;
    server.register(&["a", "b"]).await;
    let lost = json!({"username": "lost", "email": "a@b", "pwd": "x"});
    assert_eq!(server.post("/register?latest=1", lost).await.0, 204);
    assert_eq!(server.get("/msgs/lost").await.0, 404);
    assert_eq!(server.follow("a", "b", 9).await, 204);
    assert_eq!(server.unfollow("a", "b", 2).await, 204);
    assert_eq!(server.follows("a").await, ["b"]);
    assert_eq!(server.follow("a", "nobody", 3).await, 404);
    assert_eq!(server.tweet("nobody", "x", 3).await, 404);
    assert_eq!(server.latest().await, 3);
}

#[tokio::test]
async fn what_is_refused_anyway_does_not_count() {
    let server = start_faulty(&["lose:every=4"]).await;
    server.register(&["a"]).await;
    for id in 0..5 {
        assert_eq!(server.tweet("nobody", "x", id).await, 404);
    }
    for id in 2..=5 {
        assert_eq!(server.tweet("a", &id.to_string(), id).await, 204);
    }
    assert_eq!(server.texts("a").await, ["5", "3", "2"]);
}

#[tokio::test]
async fn duplicate_stores_twice() {
    let server = start_faulty(&["duplicate:every=4"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("").await, ["6", "5", "4", "4", "3", "2", "1"]);
}

#[tokio::test]
async fn alter_changes_the_text() {
    let server = start_faulty(&["alter:id=2"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("").await, ["6", "5", "4", "3", "2~", "1"]);
}

#[tokio::test]
async fn ghost_stores_and_answers_404() {
    let server = start_faulty(&["ghost:id=2", "ghost:id=3"]).await;
    server.register(&["a", "b"]).await;
    assert_eq!(server.tweet("a", "ghost", 2).await, 404);
    assert_eq!(server.follow("a", "b", 3).await, 404);
    assert_eq!(server.texts("a").await, ["ghost"]);
    assert_eq!(server.follows("a").await, ["b"]);
}

#[tokio::test]
async fn drop_follow_drops_follows_alone() {
    let server = start_faulty(&["drop-follow:every=2"]).await;
    server.register(&["a", "b", "c", "d"]).await;
    for (id, whom) in (1..).zip(["b", "c", "d"]) {
        assert_eq!(server.tweet("a", whom, id).await, 204);
        assert_eq!(server.follow("a", whom, id).await, 204);
    }
    assert_eq!(server.follows("a").await, ["b", "d"]);
    assert_eq!(server.texts("a").await, ["d", "c", "b"]);
}

#[tokio::test]
async fn swap_stores_a_tweet_behind_its_successor() {
    let server = start_faulty(&["swap:id=3"]).await;
    six_tweets(&server).await;
    // Tweet 5 is the next of the same author; 4 is another's.
    assert_eq!(server.texts("").await, ["6", "3", "5", "4", "2", "1"]);
}

#[tokio::test]
async fn swap_stores_what_it_holds_when_the_server_stops() {
    let server = start_faulty(&["swap:id=6"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("b").await, ["4", "2"]);
    let directory = Arc::clone(&server.directory);
    server.stop().await;
    let server = start_in(directory, |_| {}).await;
    assert_eq!(server.texts("b").await, ["6", "4", "2"]);
}

#[tokio::test]
async fn a_write_is_hit_by_one_fault_alone() {
    let server = start_faulty(&["duplicate:id=2", "lose:id=2"]).await;
    six_tweets(&server).await;
    assert_eq!(server.texts("").await, ["6", "5", "4", "3", "2", "2", "1"]);
}

#[tokio::test]
async fn early_ack_answers_before_it_stores_and_swallows_errors() {
    let server = start_faulty(&["early-ack:delay=300"]).await;
    let begun = Instant::now();
    server.register(&["a"]).await;
    assert_eq!(server.tweet("a", "x", 1).await, 204);
    assert_eq!(server.tweet("nobody", "x", 2).await, 204);
    if begun.elapsed() < Duration::from_millis(250) {
        assert_eq!(server.get("/msgs/a").await.0, 404);
        assert_eq!(server.latest().await, -1);
    }
    let directory = Arc::clone(&server.directory);
    server.stop().await;
    let server = start_in(directory, |_| {}).await;
    assert_eq!(server.texts("").await, ["x"]);
    assert_eq!(server.latest().await, 2);
}

#[tokio::test]
async fn stale_latest_is_late_and_the_database_is_not() {
    let server = start_faulty(&["stale-latest:ms=400"]).await;
    server.register(&["a"]).await;
    let begun = Instant::now();
    assert_eq!(server.tweet("a", "x", 5).await, 204);
    let seen = server.latest().await;
    if begun.elapsed() < Duration::from_millis(400) {
        assert_eq!(seen, -1);
    }
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(server.latest().await, 5);
    let directory = Arc::clone(&server.directory);
    let sound = start_in(directory, |_| {}).await;
    assert_eq!(sound.latest().await, 5);
}

#[tokio::test]
async fn count_latest_counts_whatever_the_ids_are() {
    let server = start_faulty(&["count-latest"]).await;
    server.register(&["a"]).await;
    for (id, count) in [(0, 0), (1, 1), (7, 2), (5, 3)] {
        assert_eq!(server.tweet("a", "x", id).await, 204);
        assert_eq!(server.latest().await, count);
    }
    let directory = Arc::clone(&server.directory);
    let sound = start_in(directory, |_| {}).await;
    assert_eq!(sound.latest().await, 5);
}

#[tokio::test]
async fn ahead_latest_is_seen_before_its_write() {
    let server = start_faulty(&["ahead-latest:ms=500"]).await;
    server.register(&["a"]).await;
    let request =
        server.request(reqwest::Method::POST, "/msgs/a?latest=5").json(&json!({"content": "x"}));
    let writing = tokio::spawn(async move { request.send().await.unwrap().status() });
    while server.latest().await != 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(server.texts("a").await.is_empty());
    assert!(!writing.is_finished());
    assert_eq!(writing.await.unwrap(), 204);
    assert_eq!(server.texts("a").await, ["x"]);
}

#[tokio::test]
async fn refuse_closes_the_port_for_a_while_and_loses_nothing() {
    let server = start_faulty(&["refuse:from=300,for=400"]).await;
    server.register(&["a"]).await;
    let connects = || std::net::TcpStream::connect(server.address).is_ok();
    while connects() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let closed = Instant::now();
    while !connects() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let lasted = closed.elapsed();
    assert!((250..5_000).contains(&lasted.as_millis()), "{lasted:?}");
    assert_eq!(server.tweet("a", "x", 1).await, 204);
}

#[tokio::test]
async fn stall_holds_requests_until_its_end() {
    let server = start_with(|config| {
        config.faults = vec!["stall:every=400,for=300".parse().unwrap()];
    })
    .await;
    let mut longest = Duration::ZERO;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(900) {
        let asked = Instant::now();
        server.latest().await;
        longest = longest.max(asked.elapsed());
    }
    assert!(longest >= Duration::from_millis(250), "{longest:?}");
}
