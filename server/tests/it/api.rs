//! The simulator API: what the course's own test of it asks, and what the protocol adds.

use crate::kit::{client, error, read, start};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const DONE: (u16, Value) = (204, Value::Null);

#[tokio::test]
async fn latest_is_that_of_the_last_request() {
    let server = start().await;
    assert_eq!(server.get("/latest").await, (200, json!({"latest": -1})));
    let body = json!({"username": "test", "email": "test@test", "pwd": "foo"});
    assert_eq!(server.post("/register?latest=1337", body).await, DONE);
    assert_eq!(server.latest().await, 1337);
}

#[tokio::test]
async fn the_walk_of_the_courses_own_test() {
    let server = start().await;
    let user = |name: &str| json!({"username": name, "email": "a@a.a", "pwd": "a"});
    assert_eq!(server.post("/register?latest=1", user("a")).await, DONE);
    assert_eq!(server.latest().await, 1);

    let message = json!({"content": "Blub!"});
    assert_eq!(server.post("/msgs/a?latest=2", message).await, DONE);
    assert_eq!(server.latest().await, 2);
    for path in ["/msgs/a?no=20&latest=3", "/msgs?no=20&latest=4"] {
        let (status, body) = server.get(path).await;
        assert_eq!(status, 200);
        assert_eq!((&body[0]["content"], &body[0]["user"]), (&json!("Blub!"), &json!("a")));
    }
    assert_eq!(server.latest().await, 4);

    assert_eq!(server.post("/register?latest=5", user("b")).await, DONE);
    assert_eq!(server.post("/register?latest=6", user("c")).await, DONE);
    assert_eq!(server.follow("a", "b", 7).await, 204);
    assert_eq!(server.follow("a", "c", 8).await, 204);
    let (status, body) = server.get("/fllws/a?no=20&latest=9").await;
    assert_eq!((status, body), (200, json!({"follows": ["b", "c"]})));
    assert_eq!(server.unfollow("a", "b", 10).await, 204);
    assert_eq!(server.follows("a").await, ["c"]);
    assert_eq!(server.latest().await, 10);
}

#[tokio::test]
async fn register_names_the_first_thing_that_is_wrong() {
    let server = start().await;
    server.register(&["taken"]).await;
    let cases = [
        (json!({}), "You have to enter a username"),
        (json!({"username": "", "email": "", "pwd": ""}), "You have to enter a username"),
        (json!({"username": null, "email": "a@b"}), "You have to enter a username"),
        (json!({"username": "a", "pwd": "x"}), "You have to enter a valid email address"),
        (
            json!({"username": "a", "email": "ab", "pwd": ""}),
            "You have to enter a valid email address",
        ),
        (json!({"username": "a", "email": "a@b", "pwd": ""}), "You have to enter a password"),
        (json!({"username": "a", "email": "a@b"}), "You have to enter a password"),
        (json!({"username": "taken", "email": "a@b", "pwd": "x"}), "The username is already taken"),
    ];
    for (id, (body, message)) in (1..).zip(cases) {
        let path = format!("/register?latest={id}");
        assert_eq!(server.post(&path, body).await, error(400, message));
        assert_eq!(server.latest().await, id, "{message}");
    }
}

#[tokio::test]
async fn of_many_who_register_one_name_one_succeeds() {
    let server = start().await;
    let body = json!({"username": "a", "email": "a@b", "pwd": "x"});
    let mut sending = Vec::new();
    for _ in 0..16 {
        let request = server.request(Method::POST, "/register").json(&body);
        sending.push(tokio::spawn(async move { read(request.send().await.unwrap()).await.0 }));
    }
    let mut statuses = Vec::new();
    for one in sending {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204);
    assert!(statuses[1..].iter().all(|&status| status == 400), "{statuses:?}");
}

#[tokio::test]
async fn who_is_not_the_simulator_is_refused_and_still_recorded() {
    let server = start().await;
    let refused = error(403, "You are not authorized to use this resource!");
    let paths = ["/msgs", "/msgs/a", "/fllws/a"];
    let gets = paths.map(|path| (Method::GET, path));
    let posts = paths[1..].iter().map(|path| (Method::POST, *path));
    for (id, (method, path)) in (1..).zip(gets.into_iter().chain(posts)) {
        for authorization in [None, Some("Basic bm90OnJpZ2h0"), Some("Bearer x")] {
            let url = format!("http://{}{path}?latest={id}", server.address);
            let mut request = client().request(method.clone(), url);
            if let Some(value) = authorization {
                request = request.header("Authorization", value);
            }
            assert_eq!(read(request.send().await.unwrap()).await, refused, "{method} {path}");
            assert_eq!(server.latest().await, id, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn unknown_users_are_404_and_still_recorded() {
    let server = start().await;
    server.register(&["a"]).await;
    let unknown = error(404, "there is no such user");
    for (id, path) in (1..).zip(["/msgs/nobody", "/fllws/nobody"]) {
        assert_eq!(server.get(&format!("{path}?latest={id}")).await, unknown);
        assert_eq!(server.latest().await, id);
    }
    let posts = [
        ("/msgs/nobody?latest=11", json!({"content": "x"})),
        ("/fllws/nobody?latest=12", json!({"follow": "a"})),
        ("/fllws/a?latest=13", json!({"follow": "nobody"})),
        ("/fllws/a?latest=14", json!({"unfollow": "nobody"})),
        ("/msgs/A?latest=15", json!({"content": "names are case-sensitive"})),
    ];
    for (id, (path, body)) in (11..).zip(posts) {
        assert_eq!(server.post(path, body).await, unknown, "{path}");
        assert_eq!(server.latest().await, id);
    }
    assert_eq!(server.texts("").await, [""; 0]);
}

#[tokio::test]
async fn latest_takes_any_number_and_ignores_the_rest() {
    let server = start().await;
    server.register(&["a"]).await;
    assert_eq!(server.latest().await, -1);
    for (query, expected) in [
        ("latest=7", 7),
        ("latest=3", 3),
        ("latest=-1", 3),
        ("latest=x", 3),
        ("latest=", 3),
        ("", 3),
        ("latest=-9", -9),
        ("latest=9223372036854775807", i64::MAX),
        ("latest=9223372036854775808", i64::MAX),
    ] {
        for path in ["/msgs/a", "/fllws/a"] {
            server.get(&format!("{path}?{query}")).await;
            assert_eq!(server.latest().await, expected, "GET {path}?{query}");
        }
        let status = server.post(&format!("/msgs/a?{query}"), json!({"content": "x"})).await.0;
        assert_eq!((status, server.latest().await), (204, expected), "POST ?{query}");
    }
}

#[tokio::test]
async fn asking_for_latest_does_not_change_it() {
    let server = start().await;
    assert_eq!(server.get("/latest?latest=5").await, (200, json!({"latest": -1})));
    assert_eq!(server.latest().await, -1);
}

#[tokio::test]
async fn no_limits_the_rows() {
    let server = start().await;
    server.register(&["a"]).await;
    for i in 0..103 {
        assert_eq!(server.tweet("a", &i.to_string(), i).await, 204);
    }
    for (query, rows) in
        [("", 100), ("?no=", 100), ("?no=x", 100), ("?no=0", 0), ("?no=1", 1), ("?no=-1", 103)]
    {
        for path in ["/msgs", "/msgs/a"] {
            let (status, body) = server.get(&format!("{path}{query}")).await;
            assert_eq!((status, body.as_array().unwrap().len()), (200, rows), "{path}{query}");
        }
    }
    assert_eq!(server.get("/msgs?no=1").await.1[0]["content"], "102");
}

#[tokio::test]
async fn names_are_percent_decoded_and_a_plus_is_a_plus() {
    let server = start().await;
    let names = [
        ("Roger Histand", "Roger%20Histand"),
        ("a+b", "a+b"),
        ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
        ("Ærøskøbing", "%C3%86r%C3%B8sk%C3%B8bing"),
        ("漢字🦀", "%E6%BC%A2%E5%AD%97%F0%9F%A6%80"),
        ("007", "007"),
    ];
    for (name, _) in names {
        server.register(&[name]).await;
    }
    for (id, (name, encoded)) in (1..).zip(names) {
        assert_eq!(server.tweet(encoded, name, id).await, 204, "{name}");
        assert_eq!(server.texts(encoded).await, [name]);
        assert_eq!(server.follow("007", name, id).await, 204);
    }
    assert_eq!(server.follows("007").await.len(), names.len());
    assert_eq!(server.tweet("a%20b", "no plus", 9).await, 404);
}

#[tokio::test]
async fn a_message_comes_back_as_it_was_sent() {
    let server = start().await;
    server.register(&["a"]).await;
    for text in ["007", "1e5", "", "\u{feff}x", "</script>\"'\\", "\u{7f}\u{1}\r\n", "🦀 æøå"]
    {
        assert_eq!(server.tweet("a", text, 1).await, 204);
        let (_, body) = server.get("/msgs?no=1").await;
        assert_eq!(body[0]["content"], text);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let posted = server.get("/msgs?no=1").await.1[0]["pub_date"].as_u64().unwrap();
    assert!((now - 60..=now).contains(&posted), "{posted} at {now}");
}

#[tokio::test]
async fn follow_wins_over_unfollow_and_either_may_be_repeated() {
    let server = start().await;
    server.register(&["a", "b", "c"]).await;
    assert_eq!(server.unfollow("a", "b", 1).await, 204);
    for _ in 0..2 {
        let both = json!({"unfollow": "c", "follow": "b"});
        assert_eq!(server.post("/fllws/a", both).await, DONE);
    }
    assert_eq!(server.follows("a").await, ["b"]);
    for _ in 0..2 {
        assert_eq!(server.unfollow("a", "b", 1).await, 204);
    }
    assert_eq!(server.follows("a").await, [""; 0]);
}

#[tokio::test]
async fn a_204_has_no_body() {
    let server = start().await;
    server.register(&["a"]).await;
    let body = r#"{"content":"x"}"#;
    let answer = server
        .raw(
            format!(
                "POST /msgs/a HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                crate::kit::AUTHORIZATION,
                body.len()
            )
            .as_bytes(),
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(!answer.to_lowercase().contains("content-length"), "{answer}");
}
