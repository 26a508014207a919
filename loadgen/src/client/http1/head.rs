//! The head of an answer, and what it says of the body after it.

use super::ExchangeError;
use std::mem::MaybeUninit;

const MAX_HEADERS: usize = 96;

/// A head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// How many bytes it takes.
    pub(super) length: usize,
    /// The status code.
    pub(super) status: u16,
    /// Where the body ends.
    pub(super) framing: Framing,
    /// Whether the connection may be used again after the body.
    pub(super) keep_alive: bool,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes.
    Length(usize),
    /// After the empty chunk and the trailers.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What the headers say of the body and of the connection.
#[derive(Debug, Default)]
struct Said {
    content_length: Option<usize>,
    /// Whether `chunked` is the last transfer coding, where there is any.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
}

/// Reads the head that `bytes` begin with; `None` where it is not whole yet.
///
/// # Errors
/// [`ExchangeError::Malformed`].
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, ExchangeError> {
    // Not set beforehand: that would cost more than the parsing.
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
    {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(ExchangeError::Malformed("it has more than 96 headers"));
        }
        Err(_) => return Err(ExchangeError::Malformed("its head cannot be parsed")),
    };
    let (Some(status), Some(minor)) = (response.code, response.version) else {
        return Err(ExchangeError::Malformed("its head cannot be parsed"));
    };
    let said = Said::by(response.headers)?;
    let (framing, reusable) = said.framing(status, minor)?;
    let keep_alive = reusable && !said.close && (minor == 1 || said.keep_alive);
    Ok(Some(Head { length, status, framing, keep_alive }))
}

impl Said {
    fn by(headers: &[httparse::Header<'_>]) -> Result<Self, ExchangeError> {
        let mut said = Self::default();
        for header in headers {
            let mut options = header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = content_length(header.value)?;
                if said.content_length.replace(length).is_some_and(|other| other != length) {
                    return Err(ExchangeError::Malformed("it has two different Content-Lengths"));
                }
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                said.chunked =
                    options.next_back().map(|last| last.eq_ignore_ascii_case(b"chunked"));
            } else if header.name.eq_ignore_ascii_case("connection") {
                for option in options {
                    said.close |= option.eq_ignore_ascii_case(b"close");
                    said.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        Ok(said)
    }

    /// RFC 9112, section 6.3: where the body ends, and whether the connection can outlive it.
    fn framing(&self, status: u16, minor: u8) -> Result<(Framing, bool), ExchangeError> {
        Ok(match (status, self.chunked, self.content_length) {
            (101, ..) => {
                return Err(ExchangeError::Malformed("it changes to a protocol not asked for"));
            }
            (100..200, ..) => (Framing::Empty, true),
            // A body is forbidden here; one that is announced all the same would corrupt the next
            // answer, so the connection ends.
            (204 | 304, chunked, length) => {
                (Framing::Empty, chunked.is_none() && length.unwrap_or(0) == 0)
            }
            // With a length beside it, or from HTTP/1.0, two readers may find two different ends.
            (_, Some(true), length) => (Framing::Chunked, length.is_none() && minor == 1),
            (_, None, Some(length)) => (Framing::Length(length), true),
            (_, Some(false), _) | (_, None, None) => (Framing::UntilClose, false),
        })
    }
}

fn content_length(value: &[u8]) -> Result<usize, ExchangeError> {
    std::str::from_utf8(value.trim_ascii())
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(ExchangeError::Malformed("its Content-Length is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head, String> {
        let bytes = format!("HTTP/1.{text}\r\n\r\n");
        match parse(bytes.as_bytes()) {
            Ok(head) => head.ok_or_else(|| "partial".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_body_ends_where_the_head_says() {
        use Framing::{Chunked, Empty, Length, UntilClose};
        for (text, framing, keep_alive) in [
            ("1 200 OK\r\nContent-Length: 5", Length(5), true),
            ("1 200 OK\r\ncontent-length:5 \r\nContent-Length: 5", Length(5), true),
            ("1 200 OK\r\nContent-Length: 5\r\nConnection: Close", Length(5), false),
            ("1 200 OK\r\nContent-Length: 5\r\nConnection: x, close", Length(5), false),
            ("1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, close", Length(5), false),
            ("0 200 OK\r\nContent-Length: 5", Length(5), false),
            ("0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive", Length(5), true),
            ("1 200 OK", UntilClose, false),
            ("0 200 OK\r\nConnection: keep-alive", UntilClose, false),
            ("1 200 OK\r\nTransfer-Encoding: chunked", Chunked, true),
            ("1 200 OK\r\nTransfer-Encoding: gzip, Chunked", Chunked, true),
            ("1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", Chunked, true),
            ("1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", Chunked, false),
            ("0 200 OK\r\nTransfer-Encoding: chunked", Chunked, false),
            ("1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 3", UntilClose, false),
            ("1 200 OK\r\nTransfer-Encoding: notchunked", UntilClose, false),
            ("1 204 No Content", Empty, true),
            ("1 204 No Content\r\nContent-Length: 0", Empty, true),
            ("1 204 No Content\r\nContent-Length: 7", Empty, false),
            ("1 204 No Content\r\nTransfer-Encoding: chunked", Empty, false),
            ("0 204 No Content", Empty, false),
            ("1 304 Not Modified\r\nContent-Length: 7", Empty, false),
            ("1 103 Early Hints\r\nContent-Length: 7", Empty, true),
        ] {
            let head = head(text).unwrap();
            assert_eq!((head.framing, head.keep_alive), (framing, keep_alive), "{text}");
            assert_eq!(head.length, text.len() + 11, "{text}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let many = format!("1 200 OK{}", "\r\na: b".repeat(97));
        for (text, why) in [
            ("1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6", "two different"),
            ("1 200 OK\r\nContent-Length: -5", "no number"),
            ("1 200 OK\r\nContent-Length: +5", "no number"),
            ("1 200 OK\r\nContent-Length: ", "no number"),
            ("1 200 OK\r\nContent-Length: 5, 5", "no number"),
            ("1 200 OK\r\nContent-Length: 99999999999999999999", "no number"),
            ("1 101 Switching Protocols", "a protocol not asked for"),
            ("1 20 OK", "cannot be parsed"),
            ("7 200 OK", "cannot be parsed"),
            (&many, "more than 96 headers"),
        ] {
            let error = head(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
