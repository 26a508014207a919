//! The sender against peers that behave and peers that do not.

use super::super::testing::{Peer, Step};
use super::*;
use std::time::Instant;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const CLOSE: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
const LATEST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
/// Long enough to tell from a timeout that is not kept, short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn sender(target: &str, kind: ClientKind, connect: Duration, response: Duration) -> Sender {
    let timeouts = Timeouts { connect, response };
    let keep_alive = KeepAlive::new(&Profile::default());
    Sender::new(target.parse().unwrap(), kind, timeouts, Clock::start(), keep_alive)
}

fn to(peer: &Peer) -> Sender {
    sender(&format!("http://{}", peer.address), ClientKind::Limosa, LONG, LONG)
}

/// The request with this number.
fn request(number: usize) -> String {
    format!("POST /msgs/a?latest={number} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}")
}

async fn send(sender: &mut Sender, number: usize) -> Attempt {
    sender.send(request(number).as_bytes()).await
}

fn judged(attempt: &Attempt) -> (Ack, Option<Failure>) {
    attempt.judge(|status| status == 204)
}

/// Sends one request to a peer with this script.
async fn one(script: Vec<Step>) -> Attempt {
    let peer = Peer::start(vec![script]);
    let attempt = send(&mut to(&peer), 0).await;
    assert!(attempt.sent_ns <= attempt.done_ns);
    attempt
}

#[tokio::test]
async fn a_connection_is_kept_and_each_request_arrives_once() {
    let peer = Peer::start(vec![[Step::Take, Step::Give(OK)].repeat(50)]);
    let mut sender = to(&peer);
    for number in 0..50 {
        assert_eq!(judged(&send(&mut sender, number).await), (Ack::Acknowledged, None));
    }
    drop(sender);
    let expected: Vec<_> = (0..50).map(|number| (0, request(number))).collect();
    assert_eq!(peer.taken(), expected);
}

/// The client's runtime never waits between the close and the next request, so only the kernel
/// knows of the close.
#[tokio::test]
async fn a_kept_connection_that_the_peer_closed_loses_no_request_and_repeats_none() {
    for ends in [vec![], vec![Step::Reset]] {
        let script = [vec![Step::Take, Step::Give(OK)], ends].concat();
        let peer = Peer::start(vec![script; 20]);
        let mut sender = to(&peer);
        for number in 0..20 {
            assert_eq!(judged(&send(&mut sender, number).await), (Ack::Acknowledged, None));
            peer.wait_for_close(number);
        }
    }
    let peer = Peer::start(vec![vec![Step::Take, Step::Give(OK)]; 20]);
    let mut sender = to(&peer);
    let mut indeterminate = 0;
    for number in 0..20 {
        let (ack, failure) = judged(&send(&mut sender, number).await);
        match ack {
            Ack::Acknowledged => {}
            // The close crossed the request on its way, and nobody can know.
            Ack::Indeterminate => {
                assert_eq!(failure, Some(Failure::ConnectionClosed));
                indeterminate += 1;
            }
            _ => panic!("{ack:?}"),
        }
    }
    drop(sender);
    // The last scripts wait for connections that the crossed requests would have made.
    for _ in 0..indeterminate {
        drop(std::net::TcpStream::connect(peer.address).unwrap());
    }
    let taken: Vec<String> = peer.taken().into_iter().map(|(_, request)| request).collect();
    assert_eq!(taken.len(), 20 - indeterminate);
    assert!(taken.windows(2).all(|pair| pair[0] != pair[1]), "{taken:?}");
}

/// A kept connection that takes a request and ends without an answer.
fn breaks_its_promise() -> Vec<Step> {
    vec![Step::Take, Step::Give(OK), Step::Take]
}

#[tokio::test]
async fn a_target_that_breaks_a_kept_connection_gets_no_other_one_to_keep() {
    let late_body = [breaks_its_promise(), vec![Step::Give("OK"), Step::Give(OK)]].concat();
    for first in [breaks_its_promise(), late_body] {
        let peer = Peer::start([vec![first], vec![vec![Step::Take, Step::Give(OK)]; 4]].concat());
        let mut one = to(&peer);
        let mut other = to(&peer);
        other.keep_alive = one.keep_alive.clone();
        for (number, expected) in
            [Ack::Acknowledged, Ack::Indeterminate, Ack::Acknowledged, Ack::Acknowledged]
                .into_iter()
                .enumerate()
        {
            assert_eq!(judged(&send(&mut one, number).await).0, expected);
        }
        for number in 4..6 {
            assert_eq!(judged(&send(&mut other, number).await).0, Ack::Acknowledged);
        }
        let connections: Vec<usize> = peer.taken().into_iter().map(|(at, _)| at).collect();
        assert_eq!(connections, [0, 0, 1, 2, 3, 4]);
        assert!(other.keep_alive.given_up().is_some_and(|at_ns| at_ns <= one.clock.now_ns()));
    }
}

#[tokio::test]
async fn a_target_that_was_down_may_keep_connections_again() {
    let peer = Peer::start(vec![breaks_its_promise()]);
    let address = peer.address;
    let mut sender = to(&peer);
    for (number, expected) in
        [Ack::Acknowledged, Ack::Indeterminate, Ack::NotSent].into_iter().enumerate()
    {
        if expected == Ack::NotSent {
            peer.wait_for_close(0);
            assert_eq!(peer.events.iter().count(), 0);
        }
        assert_eq!(judged(&send(&mut sender, number).await).0, expected);
    }
    let again = std::net::TcpListener::bind(address).unwrap();
    let peer = Peer::start_on(again, vec![[Step::Take, Step::Give(OK)].repeat(2)]);
    for number in 3..5 {
        assert_eq!(judged(&send(&mut sender, number).await).0, Ack::Acknowledged);
    }
    assert_eq!(sender.keep_alive.given_up(), None);
    drop(sender);
    assert_eq!(peer.taken(), [(0, request(3)), (0, request(4))]);
}

#[tokio::test]
async fn without_keep_alive_each_request_has_its_connection() {
    let peer = Peer::start(vec![vec![Step::Take, Step::Give(LATEST)]; 3]);
    let mut sender = to(&peer);
    sender.keep_alive = KeepAlive::off();
    for number in 0..3 {
        assert_eq!(send(&mut sender, number).await.status(), 200);
    }
    assert_eq!(sender.keep_alive.given_up(), None);
    let expected: Vec<_> = (0..3).map(|number| (number, request(number))).collect();
    assert_eq!(peer.taken(), expected);
}

#[tokio::test]
async fn where_bodies_follow_a_204_only_other_answers_keep_their_connection() {
    let scripts = vec![
        vec![Step::Take, Step::Give(OK)],
        vec![Step::Take, Step::Give(LATEST), Step::Take, Step::Give(OK)],
        vec![Step::Take, Step::Give(OK)],
    ];
    let peer = Peer::start(scripts);
    let mut sender = to(&peer);
    sender.keep_alive = KeepAlive::new(&Profile { body_on_204: true, ..Profile::default() });
    for number in 0..4 {
        send(&mut sender, number).await;
    }
    let connections: Vec<usize> = peer.taken().into_iter().map(|(at, _)| at).collect();
    assert_eq!(connections, [0, 1, 1, 2]);
}

#[tokio::test]
async fn what_follows_a_204_never_reaches_the_next_answer() {
    let head = "HTTP/1.1 204 No Content\r\nContent-Length: 24\r\n\r\n";
    let stray = "HTTP/1.1 500 Stray\r\n\r\n";
    let wait = Step::Rest(Duration::from_millis(50));
    for script in [
        // In the same segment, announced or not.
        vec![Step::Take, Step::Give("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Stray\r\n\r\n")],
        vec![Step::Take, Step::Give(head), Step::Give(stray)],
        // Announced, and later.
        vec![Step::Take, Step::Give(head), wait, Step::Give(stray)],
    ] {
        let peer = Peer::start(vec![script, vec![Step::Take, Step::Give(OK)]]);
        let mut sender = to(&peer);
        for number in 0..2 {
            let attempt = send(&mut sender, number).await;
            assert_eq!(judged(&attempt), (Ack::Acknowledged, None), "{attempt:?}");
        }
        assert_eq!(peer.taken(), [(0, request(0)), (1, request(1))]);
    }
    // Unannounced, and between two requests.
    let late = vec![Step::Take, Step::Give(OK), wait, Step::Give(stray)];
    let peer = Peer::start(vec![late, vec![Step::Take, Step::Give(OK)]]);
    let mut sender = to(&peer);
    assert_eq!(send(&mut sender, 0).await.status(), 204);
    peer.wait_for_close(0);
    assert_eq!(send(&mut sender, 1).await.status(), 204);
}

#[tokio::test]
async fn an_answer_that_ends_its_connection_is_followed_by_a_new_one() {
    for first in [
        CLOSE,
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let scripts = vec![vec![Step::Take, Step::Give(first)], vec![Step::Take, Step::Give(OK)]];
        let peer = Peer::start(scripts);
        let mut sender = to(&peer);
        for number in 0..2 {
            assert_eq!(judged(&send(&mut sender, number).await), (Ack::Acknowledged, None));
        }
        assert_eq!(peer.taken(), [(0, request(0)), (1, request(1))], "{first}");
    }
}

#[tokio::test]
async fn a_status_says_what_is_known() {
    for (answer, ack, failure) in [
        (OK, Ack::Acknowledged, None),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", Ack::Acknowledged, None),
        (LATEST, Ack::Indeterminate, Some(Failure::Status)),
        (
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            Ack::Indeterminate,
            Some(Failure::Status),
        ),
        ("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", Ack::Rejected, Some(Failure::Status)),
        ("HTTP/1.1 404 Not Found\r\n\r\nuntil close", Ack::Rejected, Some(Failure::Status)),
        (
            "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx",
            Ack::Indeterminate,
            Some(Failure::Status),
        ),
    ] {
        let attempt = one(vec![Step::Take, Step::Give(answer)]).await;
        assert_eq!(judged(&attempt), (ack, failure), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_early_leaves_the_effect_open() {
    let partial = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    let until_close = "HTTP/1.1 400 Bad\r\n\r\nabc";
    let brief = Step::Rest(Duration::from_millis(20));
    for script in [
        vec![Step::Take],
        vec![Step::Take, Step::Reset],
        vec![Step::Take, Step::Give("HTTP/1.1 20")],
        vec![Step::Take, Step::Give(partial)],
        vec![Step::Take, Step::Give(partial), brief, Step::Reset],
        vec![Step::Take, Step::Give(until_close), brief, Step::Reset],
        vec![
            Step::Take,
            Step::Give("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        ],
        // Closed before the request was read: it may have been read by someone behind.
        vec![],
    ] {
        let said = format!("{script:?}");
        let attempt = one(script).await;
        let expected = (Ack::Indeterminate, Some(Failure::ConnectionClosed));
        assert_eq!(judged(&attempt), expected, "{said}: {attempt:?}");
        assert_eq!(attempt.status(), 0);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_leaves_the_effect_open() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<!DOCTYPE html><html></html>",
        "HTTP/2.0 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    ] {
        let attempt = one(vec![Step::Take, Step::Give(answer)]).await;
        let expected = (Ack::Indeterminate, Some(Failure::MalformedAnswer));
        assert_eq!(judged(&attempt), expected, "{answer}: {attempt:?}");
    }
}

#[tokio::test]
async fn a_silent_peer_is_given_up_after_the_timeout() {
    for (kind, script) in [
        (ClientKind::Limosa, vec![Step::Take, Step::Rest(LONG)]),
        (ClientKind::Simulator, vec![Step::Take, Step::Rest(LONG)]),
        (ClientKind::Limosa, vec![Step::Take, Step::Give("HTTP/1.1 204 N"), Step::Rest(LONG)]),
        (ClientKind::Simulator, vec![Step::Take, Step::Give("HTTP/1.1 204 N"), Step::Rest(LONG)]),
    ] {
        let peer = Peer::start(vec![script]);
        let mut sender = sender(&format!("http://{}", peer.address), kind, LONG, SHORT);
        let begun = Instant::now();
        let attempt = send(&mut sender, 0).await;
        assert_eq!(judged(&attempt), (Ack::Indeterminate, Some(Failure::ResponseTimeout)));
        assert!(begun.elapsed() >= SHORT && begun.elapsed() < LONG / 2);
        assert!(attempt.done_ns - attempt.sent_ns >= SHORT.as_nanos() as u64);
    }
}

/// The simulator counts each read, Limosa the whole answer.
#[tokio::test]
async fn a_trickle_tires_limosa_and_not_the_simulator() {
    let slow = Step::Rest(Duration::from_millis(400));
    let mut script = vec![Step::Take];
    for piece in ["HTTP/1.1 20", "4 No Cont", "ent\r\n", "\r\n"] {
        script.extend([slow, Step::Give(piece)]);
    }
    let expected = [
        (ClientKind::Limosa, (Ack::Indeterminate, Some(Failure::ResponseTimeout))),
        (ClientKind::Simulator, (Ack::Acknowledged, None)),
    ];
    for (kind, expected) in expected {
        let peer = Peer::start(vec![script.clone()]);
        let patience = Duration::from_secs(1);
        let mut sender = sender(&format!("http://{}", peer.address), kind, LONG, patience);
        assert_eq!(judged(&send(&mut sender, 0).await), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn the_simulator_connects_anew_for_each_request() {
    let peer = Peer::start(vec![vec![Step::Take, Step::Give(OK)]; 5]);
    let target = format!("http://{}", peer.address);
    let mut sender = sender(&target, ClientKind::Simulator, LONG, LONG);
    for number in 0..5 {
        assert_eq!(judged(&send(&mut sender, number).await), (Ack::Acknowledged, None));
    }
    let expected: Vec<_> = (0..5).map(|number| (number, request(number))).collect();
    assert_eq!(peer.taken(), expected);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // No resolver is asked for a label of more than 63 characters: it is no name.
    let no_name = format!("http://{}:5001", "a".repeat(64));
    for target in [format!("http://{nobody}"), no_name] {
        for kind in [ClientKind::Limosa, ClientKind::Simulator] {
            let attempt = send(&mut sender(&target, kind, LONG, LONG), 0).await;
            let expected = (Ack::NotSent, Some(Failure::ConnectRefused));
            assert_eq!(judged(&attempt), expected, "{target}");
        }
    }
}

#[tokio::test]
async fn a_target_that_comes_back_is_found_again() {
    let peer = Peer::start(vec![vec![Step::Take, Step::Give(CLOSE)]]);
    let address = peer.address;
    let mut sender = to(&peer);
    assert_eq!(judged(&send(&mut sender, 0).await).0, Ack::Acknowledged);
    peer.wait_for_close(0);
    assert_eq!(peer.taken(), []);
    assert_eq!(judged(&send(&mut sender, 1).await).0, Ack::NotSent);
    let again = std::net::TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        use std::io::Write as _;
        again.accept().unwrap().0.write_all(CLOSE.as_bytes()).unwrap();
    });
    assert_eq!(judged(&send(&mut sender, 2).await).0, Ack::Acknowledged);
}

/// A listener that accepts nobody: once its queue is full, the kernel answers no further connect.
#[tokio::test]
async fn a_connect_that_is_not_answered_is_given_up_after_the_timeout() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(SHORT, tokio::net::TcpStream::connect(address)).await
    {
        queued.push(stream.unwrap());
        assert!(queued.len() < 100, "the queue is never full");
    }
    let mut sender = sender(&format!("http://{address}"), ClientKind::Simulator, SHORT, LONG);
    let begun = Instant::now();
    let attempt = send(&mut sender, 0).await;
    assert_eq!(judged(&attempt), (Ack::NotSent, Some(Failure::ConnectTimeout)));
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < LONG / 2);
}
