//! The same over every transport: TCP on IPv4 and IPv6, Unix domain sockets, and TLS.

use super::http1::{Connection, Patience};
use super::readback::Reader;
use super::testing::{Line, Peer, Step};
use super::*;
use crate::clock::Clock;
use crate::profile::Profile;
use limosa_reports::run::operation::{Ack, Failure};
use std::os::unix::net::UnixListener;
use std::time::Duration;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const LATEST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"latest\":7}";
const REQUEST: &str = "POST /register?latest=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
const PATIENCE: Patience = Patience::Whole(Duration::from_secs(20));

fn sender(target: &BaseUrl) -> Sender {
    let keep_alive = KeepAlive::new(&Profile::default());
    let timeouts = Timeouts::PATIENT;
    Sender::new(target.clone(), ClientKind::Limosa, timeouts, Clock::start(), keep_alive)
}

fn reader(target: &BaseUrl) -> Reader {
    Reader::new(target.clone(), Profile::default(), Timeouts::PATIENT)
}

/// A peer at a Unix domain socket in `folder`.
fn unix(folder: &tempfile::TempDir, scripts: Vec<Vec<Step>>) -> (BaseUrl, Peer<BaseUrl>) {
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let target: BaseUrl = format!("unix:{}:/api", path.display()).parse().unwrap();
    let accept = move || Line::Unix(listener.accept().unwrap().0);
    (target.clone(), Peer::accepting(target, accept, scripts))
}

/// A peer at the loopback address of IPv6.
fn v6(scripts: Vec<Vec<Step>>) -> (BaseUrl, Peer) {
    let listener = std::net::TcpListener::bind("[::1]:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (target, Peer::start_on(listener, scripts))
}

/// Three requests on one connection that is then closed, one on another, and one that is read back.
fn scripts() -> Vec<Vec<Step>> {
    let exchange = [Step::Take, Step::Give(OK)];
    vec![exchange.repeat(3), exchange.to_vec(), vec![Step::Take, Step::Give(LATEST)]]
}

/// Plays the client to [`scripts`]. Nothing but the kernel knows of the close after three requests.
async fn is_spoken_to<A>(target: &BaseUrl, peer: Peer<A>) {
    let mut sender = sender(target);
    for number in 0..4 {
        let attempt = sender.send(REQUEST.as_bytes()).await;
        assert_eq!(attempt.status(), 204, "{attempt:?}");
        if number == 2 {
            peer.wait_for_close(0);
        }
    }
    drop(sender);
    assert_eq!(reader(target).latest().await.unwrap(), 7);
    let taken = peer.taken();
    assert_eq!(taken[0], (1, REQUEST.to_owned()));
    let (authority, prefix) = (target.authority(), target.prefix());
    let line = format!("GET {prefix}/latest HTTP/1.1\r\nhost: {authority}\r\n");
    assert!(taken[1].1.starts_with(&line), "{taken:?}");
}

#[tokio::test]
async fn unix_sockets_are_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let (target, peer) = unix(&folder, scripts());
    is_spoken_to(&target, peer).await;
}

#[tokio::test]
async fn ipv6_is_spoken_to() {
    let (target, peer) = v6(scripts());
    is_spoken_to(&target, peer).await;
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_a_target_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("unix:{}", folder.path().join("app.sock").display()).parse().unwrap();
    let attempt = sender(&target).send(REQUEST.as_bytes()).await;
    let expected = (Ack::NotSent, Some(Failure::ConnectRefused));
    assert_eq!(attempt.judge(|_| true), expected);
    let error = reader(&target).latest().await.unwrap_err().to_string();
    assert!(error.contains("No such file"), "{error}");
}

/// `localhost` is one address of IPv4 and one of IPv6, and a server may listen on either.
#[tokio::test]
async fn each_address_of_a_host_is_tried() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (target, peer) = v6(vec![vec![Step::Take, Step::Give(OK)]]);
    let mut dialer = Dialer::new(target);
    dialer.addresses = vec![nobody, peer.address];
    let mut connection = Connection::new(dialer.dial().await.unwrap());
    let answer = connection.exchange(REQUEST.as_bytes(), PATIENCE).await.unwrap();
    assert_eq!(answer.status, 204);
}

/// Ten exchanges, and after a word of the client's `end`.
fn ends_by(end: &[Step]) -> Vec<Vec<Step>> {
    vec![[&[Step::Take, Step::Give(OK)].repeat(10), &[Step::Await][..], end].concat()]
}

/// What a busy connection is asked costs no system call: only once the runtime has waited, it knows
/// of the close. An idle one is asked for what the kernel knows.
async fn is_watched<A>(target: &BaseUrl, peer: &Peer<A>) {
    let stream = Dialer::new(target.clone()).dial().await.unwrap();
    let mut connection = Connection::new(stream);
    for _ in 0..10 {
        assert!(connection.is_quiet(Duration::ZERO));
        connection.exchange(REQUEST.as_bytes(), PATIENCE).await.unwrap();
    }
    peer.go_on();
    peer.wait_for_close(0);
    assert!(connection.is_quiet(Duration::ZERO), "the runtime has not waited yet");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(!connection.is_quiet(Duration::ZERO), "the runtime knows");
    assert!(!connection.is_quiet(Duration::from_millis(2)), "the kernel knows");
}

#[tokio::test]
async fn a_busy_connection_is_watched_by_the_runtime() {
    for end in [&[][..], &[Step::Give("late")]] {
        let folder = tempfile::tempdir().unwrap();
        let (target, peer) = unix(&folder, ends_by(end));
        is_watched(&target, &peer).await;
        let (target, peer) = v6(ends_by(end));
        is_watched(&target, &peer).await;
    }
}

/// Without a wait in between, and yet before the request is written.
#[tokio::test]
async fn a_connection_that_is_closed_while_idle_loses_no_request() {
    let exchange = [Step::Take, Step::Give(OK)];
    let (target, peer) = v6(vec![exchange.repeat(10), exchange.to_vec()]);
    let mut sender = sender(&target);
    for number in 0..11 {
        if number == 10 {
            peer.wait_for_close(0);
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(sender.send(REQUEST.as_bytes()).await.status(), 204, "{number}");
    }
}

#[cfg(feature = "tls")]
mod over_tls {
    use super::super::stream::Look;
    use super::super::testing::{Event, tls::Authority};
    use super::*;

    fn target<A>(peer: &Peer<A>, trust: Option<&Authority>) -> BaseUrl
    where
        A: std::fmt::Display,
    {
        let target: BaseUrl = format!("https://{}", peer.address).parse().unwrap();
        match trust {
            Some(authority) => target.trusting(Trust::with_ca_cert(&authority.file()).unwrap()),
            None => target,
        }
    }

    #[tokio::test]
    async fn tls_is_spoken_to_whom_an_authority_of_ones_own_has_signed() {
        let authority = Authority::new("one");
        for protocols in [&[][..], &["h2", "http/1.1"]] {
            let peer = authority.peer("127.0.0.1", protocols, scripts());
            is_spoken_to(&target(&peer, Some(&authority)), peer).await;
        }
    }

    #[tokio::test]
    async fn whom_nobody_trusted_has_signed_is_sent_nothing_and_the_reason_is_named() {
        let (authority, other) = (Authority::new("one"), Authority::new("another"));
        for (name, trust, reason) in [
            ("127.0.0.1", None, "nobody who is trusted"),
            ("127.0.0.1", Some(&other), "nobody who is trusted"),
            ("example.org", Some(&authority), "not valid for name"),
        ] {
            // A request would be taken, and nothing is.
            let peer = authority.peer(name, &[], vec![vec![Step::Take]; 4]);
            let target = target(&peer, trust);
            let attempt = sender(&target).send(REQUEST.as_bytes()).await;
            let expected = (Ack::NotSent, Some(Failure::ConnectRefused));
            assert_eq!(attempt.judge(|_| true), expected);
            let error = reader(&target).latest().await.unwrap_err().to_string();
            for fragment in ["its certificate is not accepted", reason, "--ca-cert FILE"] {
                assert!(error.contains(fragment), "{name}: {error}");
            }
            assert_eq!(peer.taken(), []);
        }
    }

    /// As `openssl req -x509` makes them: an authority's certificate, shown by a server.
    #[tokio::test]
    async fn a_server_that_signed_for_itself_is_known_by_its_own_certificate() {
        let authority = Authority::new("one");
        let peer = authority.itself("127.0.0.1", scripts());
        is_spoken_to(&target(&peer, Some(&authority)), peer).await;
        for (name, trust, reason) in [
            ("127.0.0.1", None, "CaUsedAsEndEntity"),
            ("example.org", Some(&authority), "for name"),
        ] {
            let peer = authority.itself(name, vec![vec![]]);
            let error = Dialer::new(target(&peer, trust)).dial().await.unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[tokio::test]
    async fn what_speaks_no_tls_or_no_http_1_is_said_so() {
        let authority = Authority::new("one");
        let plain = Peer::start(vec![vec![Step::Give("HTTP/1.1 400 No\r\n\r\n")]]);
        let h2 = authority.peer("127.0.0.1", &["h2"], vec![vec![]]);
        for (peer, reason) in [(plain, "InvalidContentType"), (h2, "NoApplicationProtocol")] {
            let target = target(&peer, Some(&authority));
            let error = Dialer::new(target).dial().await.unwrap_err().to_string();
            assert!(error.contains("does the target speak https"), "{error}");
            assert!(error.contains(reason), "{error}");
        }
    }

    /// The socket stays open, so that only the session knows.
    #[tokio::test]
    async fn a_close_notify_between_two_requests_is_seen_before_the_second() {
        let authority = Authority::new("one");
        let end = vec![Step::Take, Step::Give(OK), Step::Notify];
        let peer = authority.peer("127.0.0.1", &[], vec![end; 5]);
        let target = target(&peer, Some(&authority));
        let mut sender = sender(&target);
        for number in 0..5 {
            let attempt = sender.send(REQUEST.as_bytes()).await;
            let judged = attempt.judge(|status| status == 204);
            assert_eq!(judged, (Ack::Acknowledged, None), "{number}: {attempt:?}");
            peer.wait_for_close(number);
        }
        assert_eq!(peer.taken().len(), 0, "each has been taken, and none again");
    }

    #[tokio::test]
    async fn a_busy_connection_is_watched_by_the_runtime() {
        let authority = Authority::new("one");
        for end in [&[][..], &[Step::Give("late")], &[Step::Notify]] {
            let peer = authority.peer("127.0.0.1", &[], ends_by(end));
            is_watched(&target(&peer, Some(&authority)), &peer).await;
        }
    }

    /// The handshake is over for the client before the tickets are sent.
    #[tokio::test]
    async fn tickets_that_come_late_do_not_cost_the_connection() {
        let authority = Authority::new("one");
        let script = vec![Step::Tell, Step::Take, Step::Give(OK)];
        let peer = authority.peer("127.0.0.1", &[], vec![script]);
        let mut stream = Dialer::new(target(&peer, Some(&authority))).dial().await.unwrap();
        peer.wait_for(&Event::Told(0));
        let Stream::Tls(tls) = &stream else { panic!("no TLS: {stream:?}") };
        let waiting = tls.get_ref().0.peek(&mut [0; 8]).await.unwrap();
        assert!(waiting > 0, "the tickets are to wait at the socket");
        assert!(stream.is_quiet(Look::Kernel));
        assert!(stream.is_quiet(Look::Runtime));
        let mut connection = Connection::new(stream);
        let answer = connection.exchange(REQUEST.as_bytes(), PATIENCE).await.unwrap();
        assert_eq!(answer.status, 204);
    }

    #[tokio::test]
    async fn new_keys_do_not_cost_the_connection() {
        let authority = Authority::new("one");
        let exchange = [Step::Take, Step::Give(OK), Step::Rekey, Step::Tell];
        let peer = authority.peer("127.0.0.1", &[], vec![exchange.repeat(10)]);
        let mut sender = sender(&target(&peer, Some(&authority)));
        for _ in 0..10 {
            assert_eq!(sender.send(REQUEST.as_bytes()).await.status(), 204);
            peer.wait_for(&Event::Told(0));
        }
    }

    #[test]
    fn a_file_that_holds_no_authority_is_named() {
        let authority = Authority::new("one");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.pem");
        let good = std::fs::read_to_string(authority.file()).unwrap();
        let block = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        for (text, reason) in [
            (None, "No such file"),
            (Some(String::new()), "holds no certificate"),
            (
                Some("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n".into()),
                "holds no certificate",
            ),
            (Some(format!("{good}{}", block("!"))), "its certificate 2 cannot be used"),
            (Some(block("AAAA")), "its certificate 1 cannot be used"),
        ] {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            let error = Trust::with_ca_cert(&file).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--ca-cert {}", file.display())), "{error}");
            assert!(error.contains(reason), "{error}");
        }
        std::fs::write(&file, good.repeat(2)).unwrap();
        assert_ne!(Trust::with_ca_cert(&file).unwrap(), Trust::default());
    }
}
