//! `limosa check`, from its arguments to its exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

use assert_cmd::Command;
use limosa_server::{Config, passwords::PasswordCost};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

fn check(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limosa"));
    let output = command.arg("check").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Starts the reference server in this process, with a fault where one is named.
fn server(directory: &Path, fault: Option<&str>) -> String {
    let database = format!("sqlite:{}", directory.join("check.db").display());
    let mut config = Config::new(database.parse().unwrap());
    config.password_cost = PasswordCost::Test;
    config.faults = fault.into_iter().map(|fault| fault.parse().unwrap()).collect();
    let (bound, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            limosa_server::run(listener, config, std::future::pending()).await.unwrap();
        });
    });
    format!("http://{}", address.recv().unwrap())
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
