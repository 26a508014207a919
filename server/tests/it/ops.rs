//! Health, metrics, and the API's own description.

use crate::kit::{start, start_with};
use reqwest::Method;
use std::collections::HashSet;

#[tokio::test]
async fn metrics_have_the_usual_names_and_bounded_labels() {
    let server = start().await;
    server.register(&["a", "b"]).await;
    for name in ["a", "b"] {
        assert_eq!(server.tweet(name, "x", 1).await, 204);
        server.get(&format!("/msgs/{name}x")).await;
        server.get(&format!("/{name}/nothing")).await;
        // A client may call its method as it likes.
        let method = Method::from_bytes(format!("MADE-UP-{name}").as_bytes()).unwrap();
        assert_eq!(server.request(method, "/latest").send().await.unwrap().status(), 405);
    }
    let response = server.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
    let text = response.text().await.unwrap();
    let counts = |line: &&str| line.contains("_count") || line.ends_with(" counter");
    let counts: Vec<_> = text.lines().filter(counts).collect();
    let expect = |line: &str| assert!(counts.contains(&line), "{line} is not in {counts:#?}");
    let requests = "http_server_request_duration_seconds_count";
    expect(&format!("{requests}{{method=\"POST\",route=\"/register\",status=\"204\"}} 2"));
    expect(&format!("{requests}{{method=\"POST\",route=\"/msgs/{{username}}\",status=\"204\"}} 2"));
    expect(&format!("{requests}{{method=\"GET\",route=\"/msgs/{{username}}\",status=\"404\"}} 2"));
    expect(&format!("{requests}{{method=\"GET\",route=\"none\",status=\"404\"}} 2"));
    expect(&format!("{requests}{{method=\"_OTHER\",route=\"/latest\",status=\"405\"}} 2"));
    assert!(!text.contains("MADE-UP"), "{text}");
    expect("commit_batch_size_count 4");
    expect("commit_duration_seconds_count 4");
    expect("password_hashing_duration_seconds_count 2");
    expect("# TYPE commit_refused_total counter");
    for line in [
        "http_server_active_requests 1",
        "http_server_open_connections 1",
        "http_server_accepted_connections_total 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn the_openapi_document_is_what_it_was() {
    let server = start().await;
    let (status, document) = server.get("/api-doc/openapi.json").await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn the_page_that_shows_it_needs_nobody_else() {
    let server = start().await;
    for path in ["/docs", "/docs/", "/docs/swagger-initializer.js"] {
        let response = server.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("https://"), "{path} points elsewhere: {text}");
    }
    let script = server.request(Method::GET, "/docs/swagger-ui-bundle.js").send().await.unwrap();
    assert!(script.text().await.unwrap().len() > 100_000);
}

#[tokio::test]
async fn the_replica_says_who_it_is() {
    let server = start_with(|config| config.replica = "blue-1".to_owned()).await;
    for path in ["/latest", "/nothing", "/readyz"] {
        let response = server.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.headers()["x-limosa-replica"], "blue-1", "{path}");
    }
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("limosa_build_info{{version=\"{version}\",replica=\"blue-1\"}} 1");
    assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
}

#[tokio::test]
async fn a_request_keeps_its_name_or_is_given_one() {
    let (one, other) = (start().await, start().await);
    let mut given = HashSet::new();
    for server in [&one, &other] {
        for named in [Some("from/the-client:7"), Some(""), Some("two words"), Some("x\t"), None] {
            let mut request = server.request(Method::GET, "/latest");
            if let Some(name) = named {
                request = request.header("X-Request-Id", name);
            }
            let response = request.send().await.unwrap();
            let name = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            match named {
                Some("from/the-client:7") => assert_eq!(name, "from/the-client:7"),
                // hyper trims what is around a value: `x` is a name.
                Some("x\t") => assert_eq!(name, "x"),
                _ => assert!(given.insert(name.clone()), "{name} was given twice"),
            }
        }
    }
}
