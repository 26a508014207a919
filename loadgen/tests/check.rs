//! `limosa check`, from its arguments to its exit codes, over every transport; and what is replayed
//! and read back over TLS.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

use assert_cmd::Command;
use limosa_server::{Config, passwords::PasswordCost};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

fn limosa(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limosa"));
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn check(arguments: &[&str]) -> (i32, String, String) {
    limosa(&[&["check"], arguments].concat())
}

/// Starts the reference server in this process, with a fault where one is named.
fn server(directory: &Path, fault: Option<&str>) -> String {
    format!("http://{}", server_at("127.0.0.1:0", directory, fault))
}

/// The same, at an address of one's own.
fn server_at(address: &'static str, directory: &Path, fault: Option<&str>) -> SocketAddr {
    let database = format!("sqlite:{}", directory.join("check.db").display());
    let mut config = Config::new(database.parse().unwrap());
    config.password_cost = PasswordCost::Test;
    config.faults = fault.into_iter().map(|fault| fault.parse().unwrap()).collect();
    let (bound, bound_to) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            limosa_server::run(listener, config, std::future::pending()).await.unwrap();
        });
    });
    bound_to.recv().unwrap()
}

/// Runs a server of one's own on a thread of its own.
fn run(server: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(server);
    });
}

/// Passes what a client says on to the server at `address`, and back what that answers.
async fn pass_on(mut client: impl AsyncRead + AsyncWrite + Unpin, address: SocketAddr) {
    let mut server = TcpStream::connect(address).await.unwrap();
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

#[test]
fn a_server_that_conforms_passes() {
    let directory = tempfile::tempdir().unwrap();
    let url = server(directory.path(), None);
    let (code, out, err) = check(&[&url]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(" conforms\n"), "{out}");

    let (code, out, err) = check(&[&url, "--json"]);
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["findings"][0]["verdict"], "conforms");
    assert!(err.contains(" conforms\n"), "{err}");
}

#[test]
fn a_server_conforms_on_ipv6_and_at_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let address = server_at("[::1]:0", directory.path(), None);
    let socket = directory.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    run(async move {
        let listener = tokio::net::UnixListener::from_std(listener).unwrap();
        loop {
            tokio::spawn(pass_on(listener.accept().await.unwrap().0, address));
        }
    });
    for target in [format!("http://{address}"), format!("unix:{}", socket.display())] {
        let (code, out, err) = check(&[&target, "--json"]);
        assert_eq!(code, 0, "{out}{err}");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["target"], target);
    }
}

/// The reference server behind TLS, and the file with the certificate that it shows.
#[cfg(feature = "tls")]
fn server_behind_tls(directory: &Path) -> (String, String) {
    let address = server_at("127.0.0.1:0", directory, None);
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = directory.join("own.pem");
    std::fs::write(&file, own.cert.pem()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.into()], own.signing_key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("https://{}", listener.local_addr().unwrap());
    run(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let handshake = acceptor.accept(listener.accept().await.unwrap().0);
            tokio::spawn(async move {
                // One that the client refuses is none.
                if let Ok(client) = handshake.await {
                    pass_on(client, address).await;
                }
            });
        }
    });
    (target, file.to_str().unwrap().to_owned())
}

#[cfg(feature = "tls")]
#[test]
fn a_server_behind_tls_conforms_where_its_certificate_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (target, file) = server_behind_tls(directory.path());
    let (code, out, err) = check(&[&target, "--ca-cert", &file]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(" conforms\n"), "{out}");

    let (code, out, err) = check(&[&target]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    for fragment in
        [&target, "its certificate is not accepted (nobody who is trusted", "--ca-cert FILE"]
    {
        assert!(err.contains(fragment), "{err}");
    }
    assert!(!err.contains("running"), "it is running: {err}");
    let (code, _, err) = check(&[&target, "--ca-cert", "/nowhere/own.pem"]);
    assert_eq!(code, 2);
    assert!(err.contains("--ca-cert /nowhere/own.pem: No such file"), "{err}");
}

#[cfg(feature = "tls")]
#[test]
fn a_run_behind_tls_is_read_back_where_the_certificate_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (target, file) = server_behind_tls(directory.path());
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (trace, run) = (path("trace.tsv"), path("run"));
    let (code, _, err) = limosa(&["trace", "generate", "--commands", "40", "--output", &trace]);
    assert_eq!(code, 0, "{err}");

    let replay = ["replay", &trace, "--target", &target, "--run-dir", &run, "--settle", "0.1"];
    let judge = ["judge", &run, "--read-back"];
    let trusting = |arguments: &[&str]| limosa(&[arguments, &["--ca-cert", &file]].concat());
    let distrusted = "its certificate is not accepted (nobody who is trusted";
    let (code, _, err) = limosa(&replay);
    assert_eq!(code, 2, "{err}");
    for fragment in [&target, distrusted, "nothing was sent: mend that, or correct --target"] {
        assert!(err.contains(fragment), "{err}");
    }
    assert!(!err.contains("running"), "it is running: {err}");
    let (code, out, err) = trusting(&replay);
    assert_eq!(code, 0, "{out}{err}");

    let (code, _, err) = limosa(&judge);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains(distrusted), "{err}");
    let (code, out, err) = trusting(&judge);
    assert_eq!(code, 0, "{out}{err}");
    // As where the environment names them for every command.
    let (code, out, err) = trusting(&["judge", &run, "--target", "http://127.0.0.1:1"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_server_that_drops_follows_fails_until_that_is_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let url = server(directory.path(), Some("drop-follow:every=1"));
    let profile = directory.path().join("profile.toml");
    let file = profile.to_str().unwrap();
    let (code, out, err) = check(&[&url, "--write-profile", file]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("error     follow.listed"), "{out}");

    let (code, _, err) = check(&[&url, "--write-profile", file]);
    assert_eq!(code, 2);
    assert!(err.contains("give --profile"), "{err}");

    let written = std::fs::read_to_string(&profile).unwrap();
    assert_eq!(check(&[&url, "--profile", file]).0, 1, "an error is not accepted by itself");
    std::fs::write(&profile, written.replace("# \"follow.listed\"", "\"follow.listed\"")).unwrap();
    let (code, out, err) = check(&[&url, "--profile", file]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("waived    follow.listed"), "{out}");
}

#[test]
fn what_is_not_the_api_is_exit_code_2_and_said() {
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", page.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in page.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n";
            let _ = write!(stream, "{head}Content-Length: 6\r\n\r\n<html>");
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    for (arguments, text) in [
        (vec![url.as_str()], "answered 200 text/html <html>: is "),
        (vec![closed.as_str()], "connection refused"),
        (vec![url.as_str(), "--profile", "/nowhere/p.toml"], "/nowhere/p.toml"),
        (vec![url.as_str(), "--prefix", "api"], "begins with `/`"),
    ] {
        let (code, out, err) = check(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(text), "{err}");
    }
}
