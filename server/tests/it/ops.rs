//! Health, metrics, and the API's own description.

use crate::kit::start;
use reqwest::Method;

#[tokio::test]
async fn metrics_have_the_usual_names_and_bounded_labels() {
    let server = start().await;
    server.register(&["a", "b"]).await;
    for name in ["a", "b"] {
        assert_eq!(server.tweet(name, "x", 1).await, 204);
        server.get(&format!("/msgs/{name}x")).await;
        server.get(&format!("/{name}/nothing")).await;
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
    expect("commit_batch_size_count 4");
    expect("commit_duration_seconds_count 4");
    expect("password_hashing_duration_seconds_count 2");
    expect("# TYPE commit_refused_total counter");
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
