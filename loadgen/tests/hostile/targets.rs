//! Targets that are none, before a run and in the midst of it.

use super::*;
use limosa_reports::run::RunDir;
use limosa_reports::run::operation::{Ack, Failure};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// How a target answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Takes the request and says nothing.
    Hangs,
    /// A web page.
    Html,
    /// Promises more than comes before the connection ends.
    ClosesInMidBody,
    /// A body without an end.
    EndlessBody,
    /// Not HTTP.
    Nonsense,
}

const MANNERS: [Manner; 5] =
    [Manner::Hangs, Manner::Html, Manner::ClosesInMidBody, Manner::EndlessBody, Manner::Nonsense];

impl Manner {
    fn answer(self, stream: &mut TcpStream) -> std::io::Result<()> {
        let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
        match self {
            Self::Hangs => thread::sleep(IN_TIME * 2),
            Self::Html => write!(stream, "{html}Content-Length: 15\r\n\r\n<html>hi</html>")?,
            Self::ClosesInMidBody => write!(stream, "{html}Content-Length: 99\r\n\r\n<html>")?,
            Self::EndlessBody => {
                write!(stream, "{html}\r\n")?;
                loop {
                    stream.write_all(&[b'x'; 1000])?;
                }
            }
            Self::Nonsense => write!(stream, "220 mail.example.org ESMTP\r\n")?,
        }
        Ok(())
    }
}

/// A target that answers reads like an empty server where `reads` is `None`, and everything else in
/// its manner. Every connection takes one request.
fn target(reads: Option<Manner>, writes: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || match serve(stream, reads, writes) {
                Ok(()) => {}
                // The client has gone, as it should.
                Err(error) => assert_ne!(error.kind(), ErrorKind::InvalidData, "{error}"),
            });
        }
    });
    url
}

fn serve(mut stream: TcpStream, reads: Option<Manner>, writes: Manner) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    if first.starts_with("POST ") {
        return writes.answer(&mut stream);
    }
    let (status, body) = match (reads, first.split(['?', ' ']).nth(1)) {
        (Some(manner), _) => return manner.answer(&mut stream),
        (None, Some("/latest")) => ("200 OK", r#"{"latest":-1}"#),
        (None, Some("/msgs")) => ("200 OK", "[]"),
        (None, _) => ("404 Not Found", ""),
    };
    let length = body.len();
    let head = "Content-Type: application/json\r\nConnection: close";
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Nothing is sent to a target that cannot be judged afterwards.
#[test]
fn a_target_that_is_none_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), 20, 1);
    for manner in MANNERS {
        let url = target(Some(manner), manner);
        let arguments = ["replay", "trace-1.tsv", "--target", &url, "--response-timeout", "1"];
        let said = limosa(folder.path(), &[&arguments[..], &["--connect-timeout", "1"]].concat());
        let why = match manner {
            Manner::Hangs => "no answer within 2 s",
            Manner::Html => "answered 200 text/html, and not what the simulator API answers",
            Manner::ClosesInMidBody => "end of file before message length reached",
            Manner::EndlessBody => "GET /latest: ",
            Manner::Nonsense => "invalid HTTP version",
        };
        said.expect(2, &[&url, "GET /latest", why, "nothing was sent", "--target"]);
        assert!(!folder.path().join("runs").exists(), "a run was begun: {manner:?}");
    }
}

#[test]
fn a_target_that_refuses_is_named() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), 20, 1);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let said = limosa(folder.path(), &["replay", "trace-1.tsv", "--target", &url]);
    said.expect(2, &[&url, "Connection refused", "nothing was sent", "is it running?"]);
    let said = limosa(folder.path(), &["check", &url]);
    said.expect(2, &["onnection refused"]);
}

#[test]
fn a_url_that_is_none_is_refused_by_its_flag() {
    let folder = tempfile::tempdir().unwrap();
    for (url, why) in [
        ("ftp://127.0.0.1:5001", "does not begin with http://"),
        ("http//127.0.0.1:5001", "does not begin with http://"),
        ("127.0.0.1:5001", "does not begin with http://"),
        ("http://127.0.0.1:50001x", "a port is a number from 1 to 65535"),
        ("http://", "names no host"),
    ] {
        let said = limosa(folder.path(), &["replay", "t.tsv", "--target", url]);
        said.expect(2, &["'--target <URL>'", why]);
    }
}

/// Reads as an empty server would, so that every write is absent afterwards; none of them may be
/// called lost, since none was promised.
#[test]
fn a_target_that_fails_in_the_midst_leaves_every_effect_open() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), 6, 1);
    for manner in MANNERS {
        let url = target(None, manner);
        let run = folder.path().join(format!("{manner:?}"));
        let mut arguments = vec!["replay", "trace-1.tsv", "--target", &url, "--read-latest", "0"];
        arguments.extend(["--response-timeout", "0.4", "--settle", "0.1", "--run-dir"]);
        let said = limosa(folder.path(), &[&arguments[..], &[run.to_str().unwrap()]].concat());
        let judgement = RunDir::open(&run).unwrap().judgement().unwrap().unwrap();
        let commands = judgement.totals.commands(Ack::Indeterminate);
        assert!(commands >= 6, "{manner:?}: {judgement:#?}");
        assert_eq!(judgement.totals.commands(Ack::Acknowledged), 0, "{manner:?}");
        assert_eq!(said.code, 1, "{said:#?}");
        let why = match manner {
            Manner::Hangs => Failure::ResponseTimeout,
            Manner::Html => Failure::Status,
            Manner::ClosesInMidBody => Failure::ConnectionClosed,
            Manner::EndlessBody | Manner::Nonsense => Failure::MalformedAnswer,
        };
        let entries = RunDir::open(&run).unwrap().entries().unwrap();
        for entry in entries {
            let outcome = entry.unwrap().outcome.unwrap();
            assert_eq!(outcome.failure, Some(why), "{manner:?}");
        }
    }
}
