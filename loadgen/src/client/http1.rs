//! One HTTP/1.1 connection that sends encoded requests and reads their answers.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No head of an answer is longer.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// No body that a command or `GET /latest` is answered with is longer.
const MAX_BODY_BYTES: usize = 4 << 20;
const MAX_HEADERS: usize = 96;

/// A connection to the target.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
}

/// Why there was no whole answer. Whatever was sent may have taken effect.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The connection was closed or reset.
    #[error("the connection was closed before the answer was whole")]
    Closed(#[source] io::Error),
    /// What came was not HTTP/1.1, or broke its own framing.
    #[error("the answer is not well-formed HTTP/1.1: {0}")]
    Malformed(&'static str),
    /// Nothing came for too long.
    #[error("no answer within the timeout")]
    Timeout,
}

/// How long to wait while a request is written and its answer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// At most this long from the first byte sent to the last one read.
    Whole(std::time::Duration),
    /// At most this long for each single write and read, as the simulator's library counts.
    EachRead(std::time::Duration),
}

impl Connection {
    /// Takes over a connected stream.
    ///
    /// # Errors
    /// The operating system's, where Nagle's algorithm cannot be turned off.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4 << 10) })
    }

    /// Whether nothing has arrived since the last answer: neither the end of the connection nor
    /// bytes that belong to no answer (a body after a 204, for one).
    pub fn is_quiet(&self) -> bool {
        let mut byte = [0];
        self.buffer.is_empty()
            && matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// [`ExchangeError`]; the connection must not be used again after one.
    pub async fn exchange(
        &mut self,
        request: &[u8],
        patience: Patience,
    ) -> Result<Answer, ExchangeError> {
        match patience {
            Patience::Whole(limit) => {
                tokio::time::timeout(limit, self.unhurried_exchange(request, None))
                    .await
                    .unwrap_or(Err(ExchangeError::Timeout))
            }
            Patience::EachRead(limit) => self.unhurried_exchange(request, Some(limit)).await,
        }
    }

    async fn unhurried_exchange(
        &mut self,
        request: &[u8],
        each: Option<std::time::Duration>,
    ) -> Result<Answer, ExchangeError> {
        within(each, self.stream.write_all(request)).await?;
        loop {
            let head = self.read_head(each).await?;
            self.buffer.drain(..head.length);
            // 1xx announces; the answer follows.
            if !(100..200).contains(&head.status) {
                let body = self.read_body(&head, each).await?;
                let whole = !matches!(head.framing, Framing::UntilClose);
                return Ok(Answer {
                    status: head.status,
                    body,
                    keep_alive: whole && head.keep_alive,
                });
            }
        }
    }

    async fn read_head(
        &mut self,
        each: Option<std::time::Duration>,
    ) -> Result<Head, ExchangeError> {
        loop {
            if let Some(head) = parse_head(&self.buffer)? {
                return Ok(head);
            }
            if self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(ExchangeError::Malformed("its head is longer than 64 KiB"));
            }
            self.read_more(each).await?;
        }
    }

    async fn read_body(
        &mut self,
        head: &Head,
        each: Option<std::time::Duration>,
    ) -> Result<Vec<u8>, ExchangeError> {
        match head.framing {
            Framing::Empty => Ok(Vec::new()),
            Framing::Length(length) => {
                if length > MAX_BODY_BYTES {
                    return Err(ExchangeError::Malformed("its body is longer than 4 MiB"));
                }
                while self.buffer.len() < length {
                    self.read_more(each).await?;
                }
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::Chunked => self.read_chunks(each).await,
            Framing::UntilClose => loop {
                match self.read_more(each).await {
                    Ok(()) if self.buffer.len() > MAX_BODY_BYTES => {
                        return Err(ExchangeError::Malformed("its body is longer than 4 MiB"));
                    }
                    Ok(()) => {}
                    Err(ExchangeError::Closed(error))
                        if error.kind() == io::ErrorKind::UnexpectedEof =>
                    {
                        return Ok(std::mem::take(&mut self.buffer));
                    }
                    Err(error) => return Err(error),
                }
            },
        }
    }

    async fn read_chunks(
        &mut self,
        each: Option<std::time::Duration>,
    ) -> Result<Vec<u8>, ExchangeError> {
        let mut body = Vec::new();
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete((line, size))) => break (line, size),
                    Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD_BYTES => {
                        self.read_more(each).await?;
                    }
                    _ => return Err(ExchangeError::Malformed("a chunk has no size")),
                }
            };
            self.buffer.drain(..line);
            if size == 0 {
                return self.skip_trailers(each).await.map(|()| body);
            }
            let size = usize::try_from(size)
                .ok()
                .filter(|size| body.len().saturating_add(*size) <= MAX_BODY_BYTES)
                .ok_or(ExchangeError::Malformed("its body is longer than 4 MiB"))?;
            while self.buffer.len() < size + 2 {
                self.read_more(each).await?;
            }
            body.extend(self.buffer.drain(..size));
            if !self.buffer.starts_with(b"\r\n") {
                return Err(ExchangeError::Malformed("a chunk is longer than its size says"));
            }
            self.buffer.drain(..2);
        }
    }

    async fn skip_trailers(
        &mut self,
        each: Option<std::time::Duration>,
    ) -> Result<(), ExchangeError> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                self.buffer.drain(..end + 2);
                if end == 0 {
                    return Ok(());
                }
            }
            if self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(ExchangeError::Malformed("its trailers are longer than 64 KiB"));
            }
            self.read_more(each).await?;
        }
    }

    async fn read_more(&mut self, each: Option<std::time::Duration>) -> Result<(), ExchangeError> {
        self.buffer.reserve(4 << 10);
        match within(each, self.stream.read_buf(&mut self.buffer)).await? {
            0 => Err(ExchangeError::Closed(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }
}

async fn within<T>(
    limit: Option<std::time::Duration>,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, ExchangeError> {
    let result = match limit {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.map_err(|_| ExchangeError::Timeout)?
        }
        None => work.await,
    };
    result.map_err(ExchangeError::Closed)
}

#[derive(Debug)]
struct Head {
    length: usize,
    status: u16,
    framing: Framing,
    keep_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Empty,
    Length(usize),
    Chunked,
    UntilClose,
}

/// RFC 9112, section 6.3: how long a body is.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, ExchangeError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
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
    let mut keep_alive = minor == 1;
    let mut content_length = None;
    let mut chunked = false;
    for header in response.headers.iter() {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            let parsed = std::str::from_utf8(value)
                .ok()
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|text| text.parse().ok())
                .ok_or(ExchangeError::Malformed("its Content-Length is no number"))?;
            if content_length.replace(parsed).is_some_and(|other: usize| other != parsed) {
                return Err(ExchangeError::Malformed("it has two different Content-Lengths"));
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.to_ascii_lowercase().ends_with(b"chunked");
        } else if header.name.eq_ignore_ascii_case("connection") {
            if value.eq_ignore_ascii_case(b"close") {
                keep_alive = false;
            } else if value.eq_ignore_ascii_case(b"keep-alive") {
                keep_alive = true;
            }
        }
    }
    let framing = match status {
        100..200 => Framing::Empty,
        // A body is forbidden here; one that is announced all the same would corrupt the next
        // answer, so the connection ends.
        204 | 304 => {
            keep_alive &= content_length.unwrap_or(0) == 0 && !chunked;
            Framing::Empty
        }
        _ if chunked => Framing::Chunked,
        _ => content_length.map_or(Framing::UntilClose, Framing::Length),
    };
    Ok(Some(Head { length, status, framing, keep_alive }))
}
