//! Requests in a file of one's own, for a while: joined, and without checksums.

use super::frame::Frame;
use super::{Entry, Record};
use std::io::{self, BufRead, Write};

/// Writes requests that [`PackedReader`] reads.
#[derive(Debug)]
pub struct PackedWriter<W> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> PackedWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, buffer: Vec::new() }
    }

    /// Adds a request.
    ///
    /// # Errors
    /// Where `out` refuses.
    pub fn push(&mut self, entry: &Entry) -> io::Result<()> {
        self.out.write_all(&entry.part.to_le_bytes())?;
        self.put(Some(&entry.intent))?;
        self.put(entry.outcome.as_ref())
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    /// Where `out` refuses.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn put(&mut self, record: Option<&impl Record>) -> io::Result<()> {
        self.buffer.resize(record.map_or(0, Record::size_hint), 0);
        let length = record.map_or(0, |record| record.encode(&mut self.buffer));
        self.out.write_all(&(length as u32).to_le_bytes())?;
        self.out.write_all(&self.buffer[..length])
    }
}

/// Reads what a [`PackedWriter`] wrote.
#[derive(Debug)]
pub struct PackedReader<R> {
    input: R,
    buffer: Vec<u8>,
}

impl<R: BufRead> PackedReader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new() }
    }

    fn step(&mut self) -> io::Result<Option<Entry>> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut part = [0; 2];
        self.input.read_exact(&mut part)?;
        let part = u16::from_le_bytes(part);
        match (self.take()?, self.take()?) {
            (Some(Frame::Intent(intent)), None) => Ok(Some(Entry { part, intent, outcome: None })),
            (Some(Frame::Intent(intent)), Some(Frame::Outcome(outcome))) => {
                Ok(Some(Entry { part, intent, outcome: Some(outcome) }))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn take(&mut self) -> io::Result<Option<Frame>> {
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        self.input.read_exact(&mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        Frame::decode(&self.buffer).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl<R: BufRead> Iterator for PackedReader<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
