//! Replicas behind a real HAProxy, by the very configuration that the compose file mounts.

use crate::kit::{AUTHORIZATION, Server, client, read, start_on};
use limosa_kit::Haproxy;
use limosa_server::listen;
use reqwest::Response;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::net::{TcpListener, UdpSocket};

const REPLICAS: u8 = 3;

fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number + 1)
}

/// Sockets at one port of as many addresses, as replicas in containers have.
fn one_port() -> Vec<TcpListener> {
    for _ in 0..20 {
        let first = listen((address(0), 0).into()).unwrap();
        let port = first.local_addr().unwrap().port();
        let others = (1..REPLICAS).map(|number| listen((address(number), port).into()));
        if let Ok(others) = others.collect::<Result<Vec<_>, _>>() {
            return [first].into_iter().chain(others).collect();
        }
    }
    panic!("no port is free at all of the addresses");
}

/// A name server that knows one name: that of all replicas (RFC 1035, section 4).
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let own = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((_, client)) = socket.recv_from(&mut query).await {
            let mut end = 12;
            while query[end] > 0 {
                end += usize::from(query[end]) + 1;
            }
            let [high, low] = [query[end + 1], query[end + 2]];
            let count = if [high, low] == [0, 1] { REPLICAS } else { 0 };
            let mut answer = query[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
            answer.extend(&query[12..end + 5]);
            for number in 0..count {
                // The name of the question, A, IN, a second, four bytes.
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
                answer.extend(address(number).octets());
            }
            socket.send_to(&answer, client).await.unwrap();
        }
    });
    own
}

/// Replicas of one database, and HAProxy before them.
async fn behind_haproxy(drain_delay: Duration) -> (Vec<Server>, Haproxy) {
    let directory = Arc::new(TempDir::new().unwrap());
    let mut replicas = Vec::new();
    for (number, listener) in one_port().into_iter().enumerate() {
        replicas.push(start_on(listener, Arc::clone(&directory), |config| {
            config.replica = number.to_string();
            config.drain_delay = drain_delay;
        }));
    }
    let names = name_server().await.to_string();
    let servers = format!("server.test:{}", replicas[0].address.port());
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/haproxy.cfg");
    let variables = [("LIMOSA_DNS", names.as_str()), ("LIMOSA_REPLICAS", servers.as_str())];
    (replicas, Haproxy::start(&configuration, &variables).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_haproxy), ignore = "needs Debian's package haproxy")]
async fn a_replay_through_haproxy_survives_a_replica_that_goes_down() {
    let (mut replicas, haproxy) = behind_haproxy(Duration::from_secs(1)).await;
    let client = client();
    let url = |path: &str| format!("http://{}{path}", haproxy.address);
    let post = |path: &str, body| {
        let request = client.post(url(path)).header("Authorization", AUTHORIZATION);
        request.json(&body).send()
    };
    // Until the names are known and all replicas were found ready.
    let begun = Instant::now();
    let mut known = HashSet::new();
    while known.len() < usize::from(REPLICAS) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{known:?} {}", haproxy.log());
        let answer = client.get(url("/latest")).send().await.unwrap();
        known.extend(answer.headers().get("x-limosa-replica").cloned());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let user = json!({"username": "a", "email": "a@b", "pwd": "x"});
    assert_eq!(post("/register?latest=0", user).await.unwrap().status(), 204);
    let mut served: HashMap<String, u32> = HashMap::new();
    let mut count = |answer: &Response| {
        let replica = answer.headers()["x-limosa-replica"].to_str().unwrap().to_owned();
        *served.entry(replica).or_default() += 1;
    };
    for id in 1..=600 {
        if id == 200 {
            replicas[1].begin_stop();
        }
        let body = json!({"content": id.to_string()});
        let answer = post(&format!("/msgs/a?latest={id}"), body).await.unwrap();
        count(&answer);
        assert_eq!(read(answer).await, (204, serde_json::Value::Null), "{id} {}", haproxy.log());
        // Whoever is asked next is another replica.
        let latest = client.get(url("/latest")).send().await.unwrap();
        count(&latest);
        assert_eq!(latest.json::<serde_json::Value>().await.unwrap(), json!({"latest": id}));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    replicas.remove(1).stopped().await;
    assert_eq!(served.len(), usize::from(REPLICAS), "{served:?}");
    assert!(served["0"] > 200 && served["2"] > 200, "{served:?}");
    let expected: Vec<_> = (1..=600).rev().map(|id| id.to_string()).collect();
    assert_eq!(replicas[0].texts("a").await, expected, "each once, in order");
}
