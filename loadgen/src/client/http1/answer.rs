//! Reading an answer, however it is cut into pieces.

use super::head::{self, Framing, Head};
use super::{ExchangeError, within};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// No head of an answer, no line before a chunk and no trailer is longer.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// No body that a command or `GET /latest` is answered with is longer.
const MAX_BODY_BYTES: usize = 4 << 20;
/// No server announces its answer (by a 1xx) more often.
const MAX_INTERIM: u32 = 16;

const TOO_LONG: ExchangeError = ExchangeError::Malformed("its body is longer than 4 MiB");

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

/// What a target sends.
#[derive(Debug)]
pub(super) struct Incoming<'a, R> {
    /// Where it comes from.
    pub(super) source: &'a mut R,
    /// What was read and belongs to no answer yet.
    pub(super) buffer: &'a mut Vec<u8>,
    /// How long to wait for each single read; `None`: for ever.
    pub(super) each: Option<Duration>,
}

impl<R: AsyncRead + Unpin> Incoming<'_, R> {
    /// The next answer; what announces it is passed over.
    pub(super) async fn answer(&mut self) -> Result<Answer, ExchangeError> {
        for _ in 0..=MAX_INTERIM {
            let head = self.head().await?;
            self.buffer.drain(..head.length);
            if !(100..200).contains(&head.status) {
                let body = self.body(head.framing).await?;
                return Ok(Answer { status: head.status, body, keep_alive: head.keep_alive });
            }
        }
        Err(ExchangeError::Malformed("it is announced by 1xx again and again"))
    }

    async fn head(&mut self) -> Result<Head, ExchangeError> {
        loop {
            // Before the first read there is nothing to parse.
            if !self.buffer.is_empty()
                && let Some(head) = head::parse(self.buffer)?
            {
                return Ok(head);
            }
            if self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(ExchangeError::Malformed("its head is longer than 64 KiB"));
            }
            self.more().await?;
        }
    }

    async fn body(&mut self, framing: Framing) -> Result<Vec<u8>, ExchangeError> {
        match framing {
            Framing::Empty => Ok(Vec::new()),
            Framing::Length(length) if length > MAX_BODY_BYTES => Err(TOO_LONG),
            Framing::Length(length) => {
                self.at_least(length).await?;
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::Chunked => self.chunks().await,
            Framing::UntilClose => self.rest().await,
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, ExchangeError> {
        let mut body = Vec::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                return self.skip_trailers().await.map(|()| body);
            }
            let size = usize::try_from(size)
                .ok()
                .filter(|size| body.len().saturating_add(*size) <= MAX_BODY_BYTES)
                .ok_or(TOO_LONG)?;
            self.at_least(size + 2).await?;
            body.extend(self.buffer.drain(..size));
            if !self.buffer.starts_with(b"\r\n") {
                return Err(ExchangeError::Malformed("a chunk is longer than its size says"));
            }
            self.buffer.drain(..2);
        }
    }

    async fn chunk_size(&mut self) -> Result<u64, ExchangeError> {
        loop {
            match httparse::parse_chunk_size(self.buffer) {
                Ok(httparse::Status::Complete((line, size))) => {
                    self.buffer.drain(..line);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD_BYTES => {
                    self.more().await?;
                }
                _ => return Err(ExchangeError::Malformed("a chunk has no size")),
            }
        }
    }

    async fn skip_trailers(&mut self) -> Result<(), ExchangeError> {
        let mut skipped = 0;
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                self.buffer.drain(..end + 2);
                skipped += end + 2;
                if end == 0 {
                    return Ok(());
                }
            }
            if skipped + self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(ExchangeError::Malformed("its trailers are longer than 64 KiB"));
            }
            self.more().await?;
        }
    }

    /// Everything up to the end of the connection. A reset is no end.
    async fn rest(&mut self) -> Result<Vec<u8>, ExchangeError> {
        while self.buffer.len() <= MAX_BODY_BYTES {
            if self.read().await? == 0 {
                return Ok(std::mem::take(self.buffer));
            }
        }
        Err(TOO_LONG)
    }

    async fn at_least(&mut self, length: usize) -> Result<(), ExchangeError> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    /// Reads on, where the connection must not end yet.
    async fn more(&mut self) -> Result<(), ExchangeError> {
        match self.read().await? {
            0 => Err(ExchangeError::Closed(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }

    async fn read(&mut self) -> Result<usize, ExchangeError> {
        self.buffer.reserve(4 << 10);
        let Self { source, buffer, each } = self;
        within(*each, async { Ok(source.read_buf(buffer).await?) }).await
    }
}
