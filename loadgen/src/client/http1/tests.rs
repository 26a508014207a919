//! Answers in pieces: wherever they are cut, the same is read.

use super::ExchangeError;
use super::answer::{Answer, Incoming};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// A peer that sends these pieces, one a read, and then closes.
struct Pieces(VecDeque<Vec<u8>>);

impl Pieces {
    fn cut(bytes: &[u8], cuts: &[usize]) -> Self {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let pieces = starts.zip(ends).filter(|(start, end)| start < end);
        Self(pieces.map(|(start, end)| bytes[start..end].to_vec()).collect())
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let taken = piece.len().min(out.remaining());
            out.put_slice(&piece[..taken]);
            if taken < piece.len() {
                self.0.push_front(piece.split_off(taken));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Reads one answer; also what is left after it.
fn read(bytes: &[u8], cuts: &[usize]) -> (Result<Answer, ExchangeError>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut source = Pieces::cut(bytes, cuts);
    let mut buffer = Vec::new();
    let mut incoming = Incoming { source: &mut source, buffer: &mut buffer, each: None };
    let answer = runtime.block_on(incoming.answer());
    (answer, buffer.len() + source.0.iter().map(Vec::len).sum::<usize>())
}

fn answer(status: u16, body: &str, keep_alive: bool) -> Answer {
    Answer { status, body: body.as_bytes().to_vec(), keep_alive }
}

fn answers() -> Vec<(&'static str, Answer)> {
    vec![
        ("HTTP/1.1 204 No Content\r\n\r\n", answer(204, "", true)),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", answer(204, "", true)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"latest\":7}",
            answer(200, "{\"latest\":7}", true),
        ),
        ("HTTP/1.1 200 \r\ncontent-length:   2\r\nx: y\r\n\r\nab", answer(200, "ab", true)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3;name=\"v\"\r\nabc\r\n0A ; x\r\n0123456789\r\n000\r\nSum: 1\r\nMore: 2\r\n\r\n",
            answer(200, "abc0123456789", true),
        ),
        ("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", answer(500, "", true)),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", answer(200, "until the end", false)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", answer(200, "x", false)),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
             HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
            answer(400, "no", false),
        ),
    ]
}

#[test]
fn an_answer_may_be_cut_at_any_byte() {
    for (text, expected) in answers() {
        for cut in 0..=text.len() {
            let (read, left) = read(text.as_bytes(), &[cut]);
            assert_eq!((read.unwrap(), left), (expected.clone(), 0), "{text:?} cut at {cut}");
        }
        let everywhere: Vec<usize> = (0..text.len()).collect();
        assert_eq!(read(text.as_bytes(), &everywhere).0.unwrap(), expected, "{text:?}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_none() {
    for (text, expected) in answers() {
        let whole = if expected.body == b"until the end" { 19 } else { text.len() };
        for end in 0..whole {
            let (result, _) = read(&text.as_bytes()[..end], &[end / 2]);
            assert!(matches!(result, Err(ExchangeError::Closed(_))), "{text:?} up to {end}");
        }
    }
}

#[test]
fn what_follows_an_answer_is_left_alone() {
    for (text, expected) in answers() {
        if expected.keep_alive {
            let two = format!("{text}HTTP/1.1 200 OK\r\n");
            let (answer, left) = read(two.as_bytes(), &[]);
            assert_eq!((answer.unwrap(), left), (expected, 17), "{text:?}");
        }
    }
}

#[test]
fn what_never_ends_is_given_up() {
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}");
    let long = "x".repeat(70 << 10);
    let chunk = format!("100000\r\n{}\r\n", "z".repeat(1 << 20));
    let huge = "y".repeat(5 << 20);
    for (bytes, why) in [
        (head(&format!("a: {long}")), "head is longer than 64 KiB"),
        (head("Content-Length: 5000000\r\n\r\n"), "body is longer than 4 MiB"),
        (head(&format!("\r\n{huge}")), "body is longer than 4 MiB"),
        (head("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"), "longer than 4 MiB"),
        (
            head(&format!("Transfer-Encoding: chunked\r\n\r\n1;{long}\r\nx\r\n0\r\n\r\n")),
            "a chunk has no size",
        ),
        (
            head("Transfer-Encoding: chunked\r\n\r\n") + &chunk.repeat(5),
            "body is longer than 4 MiB",
        ),
        (
            head(&format!("Transfer-Encoding: chunked\r\n\r\n0\r\n{}", "a: b\r\n".repeat(20_000))),
            "trailers are longer than 64 KiB",
        ),
        (head("Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"), "longer than its size"),
        (head("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "a chunk has no size"),
        ("HTTP/1.1 100 Continue\r\n\r\n".repeat(40), "again and again"),
        ("<html>\r\n\r\n".to_owned(), "cannot be parsed"),
        ("\0\0\0\0".to_owned(), "cannot be parsed"),
    ] {
        let cuts: Vec<usize> = (0..bytes.len()).step_by(1400).collect();
        let error = read(bytes.as_bytes(), &cuts).0.unwrap_err().to_string();
        assert!(error.contains(why), "{}: {error}", &bytes[..bytes.len().min(60)]);
    }
}

fn in_chunks(body: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut rest = body;
    for size in sizes {
        let (chunk, after) = rest.split_at((*size).clamp(1, rest.len().max(1)).min(rest.len()));
        if !chunk.is_empty() {
            out.extend(format!("{:X};ext={size}\r\n", chunk.len()).bytes());
            out.extend([chunk, b"\r\n"].concat());
        }
        rest = after;
    }
    if !rest.is_empty() {
        out.extend(format!("{:x}\r\n", rest.len()).bytes());
        out.extend([rest, b"\r\n"].concat());
    }
    out.extend(b"0\r\nTrailer: 1\r\n\r\n");
    out
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_answer(which in 0..9_usize, cuts in prop::collection::vec(0..400_usize, 0..12)) {
        let (text, expected) = answers().swap_remove(which);
        let (read, left) = read(text.as_bytes(), &cuts);
        prop_assert_eq!((read.unwrap(), left), (expected, 0));
    }

    #[test]
    fn any_chunks_give_the_same_body(
        body in prop::collection::vec(any::<u8>(), 0..300),
        sizes in prop::collection::vec(1..40_usize, 0..12),
        cuts in prop::collection::vec(0..900_usize, 0..12),
    ) {
        let (answer, left) = read(&in_chunks(&body, &sizes), &cuts);
        prop_assert_eq!((answer.unwrap(), left), (Answer { status: 200, body, keep_alive: true }, 0));
    }

    #[test]
    fn garbage_is_an_error_or_an_answer_and_never_a_panic(
        start in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(0..300_usize, 0..6),
    ) {
        let bytes = [start.as_bytes(), &noise].concat();
        if let (Ok(answer), _) = read(&bytes, &cuts) {
            prop_assert!((200..1000).contains(&answer.status));
        }
    }
}
