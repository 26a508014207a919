//! Many clients at once, and a server that ends without a word.

use crate::kit::{client, config, start, start_in, start_with};
use limosa_server::run;
use reqwest::Method;
use serde_json::json;
use std::{collections::HashSet, sync::Arc};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_lose_nothing() {
    const CLIENTS: usize = 64;
    const EACH: usize = 20;
    let server = start().await;
    server.register(&["a"]).await;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let post = |n: usize| {
            let id = client * EACH + n;
            let path = format!("/msgs/a?latest={id}");
            server.request(Method::POST, &path).json(&json!({"content": id.to_string()}))
        };
        let requests: Vec<_> = (0..EACH).map(post).collect();
        clients.spawn(async move {
            for request in requests {
                assert_eq!(request.send().await.unwrap().status(), 204);
            }
        });
    }
    clients.join_all().await;
    let texts = server.texts("a").await;
    let distinct: HashSet<_> = texts.iter().map(|text| text.parse::<usize>().unwrap()).collect();
    assert_eq!((texts.len(), distinct.len()), (CLIENTS * EACH, CLIENTS * EACH));
    // `latest` is that of the newest message: both were committed together, in one order.
    assert_eq!(server.latest().await.to_string(), texts[0]);
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let batches = metrics.lines().find_map(|l| l.strip_prefix("commit_batch_size_count ")).unwrap();
    assert!(batches.parse::<usize>().unwrap() < CLIENTS * EACH, "no two requests shared a commit");
}

#[tokio::test]
async fn a_queue_that_is_full_is_503_and_says_when_to_come_again() {
    let server = start_with(|config| {
        config.commit.queue = 1;
        config.commit.max_batch = 1;
        config.faults = vec!["ahead-latest:ms=200".parse().unwrap()];
    })
    .await;
    server.register(&["a"]).await;
    let mut requests = JoinSet::new();
    for id in 0..8 {
        let path = format!("/msgs/a?latest={id}");
        let request = server.request(Method::POST, &path).json(&json!({"content": "x"}));
        requests.spawn(async move { request.send().await.unwrap() });
    }
    let answers = requests.join_all().await;
    let stored = answers.iter().filter(|answer| answer.status() == 204).count();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status() == 503).collect();
    assert_eq!(stored + refused.len(), 8);
    assert!(stored >= 1 && !refused.is_empty(), "{stored} stored");
    assert!(refused.iter().all(|answer| answer.headers()["retry-after"] == "1"));
    assert_eq!(server.texts("a").await.len(), stored);
}

/// The runtime is torn down in mid-load: no drain, no flush, no close.
#[test]
fn what_was_acknowledged_is_there_after_a_sudden_end() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let server = Runtime::new().unwrap();
    let config = config(directory.path());
    let address = server.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(run(listener, config, std::future::pending()));
        address
    });
    let clients = Runtime::new().unwrap();
    let acknowledged: Vec<i64> = clients.block_on(async {
        let client = client();
        let user = json!({"username": "a", "email": "a@b", "pwd": "x"});
        let url = format!("http://{address}/register");
        assert_eq!(client.post(url).json(&user).send().await.unwrap().status(), 204);
        let mut writers = JoinSet::new();
        for writer in 0..8_i64 {
            let client = client.clone();
            writers.spawn(async move {
                let mut acknowledged = Vec::new();
                for id in (writer..).step_by(8) {
                    let url = format!("http://{address}/msgs/a?latest={id}");
                    let request = client
                        .post(url)
                        .header("Authorization", crate::kit::AUTHORIZATION)
                        .json(&json!({"content": id.to_string()}));
                    match request.send().await {
                        Ok(answer) if answer.status() == 204 => acknowledged.push(id),
                        _ => break,
                    }
                }
                acknowledged
            });
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        server.shutdown_background();
        writers.join_all().await.into_iter().flatten().collect()
    });
    assert!(acknowledged.len() > 8, "{}", acknowledged.len());
    clients.block_on(async {
        let server = start_in(directory, |_| {}).await;
        let stored: HashSet<String> = server.texts("a").await.into_iter().collect();
        let lost: Vec<_> =
            acknowledged.iter().filter(|id| !stored.contains(&id.to_string())).collect();
        assert!(lost.is_empty(), "lost {lost:?}");
        assert!(stored.contains(&server.latest().await.to_string()), "latest ran ahead");
    });
}
