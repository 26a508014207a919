//! Servers on PostgreSQL, and PostgreSQL going down under them.

use crate::kit::{Server, error, start, start_with};
use limosa_kit::{Postgres, Shutdown};
use limosa_server::{Config, commit::SubmitError, store::LONGEST_NAME};
use serde_json::json;
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::{JoinSet, block_in_place};

const CLIENTS: usize = 12;

fn on(url: &str) -> impl FnOnce(&mut Config) + use<> {
    let url = url.parse().unwrap();
    move |config| config.database = url
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn several_servers_on_one_database_are_one_service() {
    let database = Postgres::shared().unwrap().database().unwrap();
    let servers = [
        start_with(on(&database.url)).await,
        start_with(on(&database.url)).await,
        start_with(on(&database.url)).await,
    ];
    servers[0].register(&["a", "b"]).await;
    for id in 0..30 {
        let [writer, reader] = [&servers[id % 3], &servers[(id + 1) % 3]];
        let id = id as i64;
        assert_eq!(writer.tweet("a", &id.to_string(), id).await, 204);
        assert_eq!(reader.latest().await, id);
        assert_eq!(reader.texts("a").await[0], id.to_string());
    }
    assert_eq!(servers[1].follow("a", "b", 31).await, 204);
    assert_eq!(servers[2].follows("a").await, ["b"]);
    assert_eq!(servers[2].tweet("nobody", "x", 32).await, 404);
    assert_eq!(servers[0].latest().await, 32);
    for server in servers {
        server.stop().await;
    }
}

/// Three servers, and what their clients know.
struct Swarm {
    servers: [Server; 3],
    acknowledged: AtomicUsize,
    is_over: AtomicBool,
}

impl Swarm {
    /// Posts one message after the other, and returns the ids. Nobody is answered but with 204.
    async fn write(&self, client: usize) -> Vec<i64> {
        let mut sent = Vec::new();
        for id in (client as i64..).step_by(CLIENTS) {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let status = self.servers[client % 3].tweet("a", &id.to_string(), id).await;
            assert_eq!(status, 204, "{id}");
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            sent.push(id);
        }
        sent
    }

    /// Whether `latest` is ever ahead of the data.
    async fn watch(&self) {
        while !self.is_over.load(Ordering::SeqCst) {
            let latest = self.servers[0].latest().await;
            let texts = self.servers[1].texts("a").await;
            assert!(latest == -1 || texts.contains(&latest.to_string()), "{latest} ran ahead");
        }
    }

    /// Returns once so many more writes were acknowledged.
    async fn acknowledges(&self, more: usize) {
        let enough = self.acknowledged.load(Ordering::SeqCst) + more;
        while self.acknowledged.load(Ordering::SeqCst) < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Of what was acknowledged nothing is missing and nothing is there twice, however PostgreSQL ends.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
async fn five_restarts_of_the_database_cost_latency_alone() {
    use Shutdown::{Fast, Immediate, Kill};
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let patient = || {
        let on = on(&database.url);
        // How long a recovery takes depends on what else the machine does.
        start_with(|config| {
            on(config);
            config.commit.retry_for = Duration::from_secs(120);
        })
    };
    let servers = [patient().await, patient().await, patient().await];
    servers[0].register(&["a"]).await;
    let swarm = Arc::new(Swarm {
        servers,
        acknowledged: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let swarm = Arc::clone(&swarm);
        clients.spawn(async move { swarm.write(client).await });
    }
    let watching = Arc::clone(&swarm);
    let watching = tokio::spawn(async move { watching.watch().await });
    for shutdown in [Fast, Immediate, Kill, Fast, Immediate] {
        swarm.acknowledges(100).await;
        block_in_place(|| {
            postgres.stop(shutdown).unwrap();
            postgres.resume_service().unwrap();
        });
    }
    swarm.acknowledges(100).await;
    swarm.is_over.store(true, Ordering::SeqCst);
    watching.await.unwrap();
    let sent: Vec<i64> = clients.join_all().await.into_iter().flatten().collect();
    let texts = swarm.servers[2].texts("a").await;
    let stored: HashSet<&String> = texts.iter().collect();
    let lost: Vec<_> = sent.iter().filter(|id| !stored.contains(&id.to_string())).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    assert_eq!((texts.len(), stored.len()), (sent.len(), sent.len()));
    assert_eq!(swarm.servers[0].latest().await.to_string(), texts[0]);
}

/// Once an outage has lasted too long, everybody is told so in time; and afterwards all is well.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
async fn an_outage_is_503_and_not_ready() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let server = start_with(|config| {
        on(&database.url)(config);
        config.commit.retry_for = Duration::from_millis(300);
    })
    .await;
    server.register(&["a"]).await;
    assert_eq!(server.get("/readyz").await.0, 200);
    postgres.stop(Shutdown::Immediate).unwrap();
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/healthz").await.0, 200);
    assert_eq!(server.get("/msgs").await, error(503, "the database cannot be reached"));
    let body = json!({"content": "x"});
    // The connection broke before anything could be sent on it, or it is not there any more.
    let stored = server.post("/msgs/a?latest=1", body.clone()).await;
    let unknown = error(500, &SubmitError::Unknown.to_string());
    let unreachable = error(503, &SubmitError::Unreachable.to_string());
    assert!(stored == unknown || stored == unreachable, "{stored:?}");
    assert_eq!(server.post("/msgs/a?latest=2", body.clone()).await, unreachable);
    postgres.resume_service().unwrap();
    assert_eq!(server.get("/readyz").await.0, 200);
    assert_eq!(server.post("/msgs/a?latest=3", body).await.0, 204);
    assert_eq!(server.latest().await, 3);
    assert_eq!(server.texts("a").await, ["x"]);
}

/// What PostgreSQL cannot store is refused alike on both stores, and alone.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
async fn both_databases_answer_alike() {
    let database = Postgres::shared().unwrap().database().unwrap();
    let mut answers = Vec::new();
    for server in [start().await, start_with(on(&database.url)).await] {
        server.register(&["a"]).await;
        let user = |name: &str| json!({"username": name, "email": "a@b.c", "pwd": "x"});
        let long = "n".repeat(LONGEST_NAME);
        let (reserved, odd) = ("a%27%22%5C%00", "%F0%9F%A6%80");
        let mut own = vec![
            server.post("/register", user("a\0")).await,
            server.post("/register", user(&long)).await,
            server.post("/register", user(&format!("{long}n"))).await,
            server.post("/register", user("🦀'\"\\")).await,
            server.post("/msgs/a?latest=1", json!({"content": "\0"})).await,
            server.post("/msgs/a?latest=2", json!({"content": "\u{1}\u{7f}\u{fffe}🦀"})).await,
            server.post("/fllws/a?latest=3", json!({"follow": "b\0"})).await,
            server.post("/fllws/a?latest=4", json!({"follow": format!("{long}n")})).await,
            server.get("/msgs/a?no=9223372036854775807").await,
            server.get("/msgs/a?no=99999999999999999999").await,
        ];
        for path in [reserved, odd, "%00", "a"] {
            own.push(server.get(&format!("/fllws/{path}")).await);
        }
        own.push(server.get("/latest?latest=-9223372036854775808").await);
        for (_, body) in &mut own {
            for message in body.as_array_mut().into_iter().flatten() {
                message["pub_date"].take();
            }
        }
        answers.push(own);
    }
    assert_eq!(answers[0], answers[1]);
    let statuses: Vec<u16> = answers[0].iter().map(|(status, _)| *status).collect();
    let expected = [400, 204, 400, 204, 400, 204, 400, 404, 200, 200, 400, 404, 400, 200, 200];
    assert_eq!(statuses, expected);
}
