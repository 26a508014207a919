//! Lines and fields of a trace, in memory that no input can exhaust.
//!
//! The format has neither quotes nor escapes nor a header: a newline ends a line, a tab ends a
//! field, every other byte is itself. So splitting is all there is to parsing, and nothing (an
//! empty line, a `"`, a U+FEFF) is interpreted on the way.

use crate::command::{Action, Command};
use crate::error::{Field, LineFault};
use memchr::{memchr, memchr_iter};
use std::io::{self, BufRead};

/// The longest line that is accepted, in bytes without its newline: 1 MiB.
pub const LINE_LIMIT: usize = 1 << 20;

/// U+FEFF in UTF-8: some editors put it at the start of a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What [`Lines::advance`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line stands ready in [`Lines::bytes`].
    Line,
    /// The line is over the limit, and is not held.
    TooLong,
    /// There are no more lines.
    End,
}

/// Reads lines of bounded length into one buffer.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    number: u64,
    limit: usize,
    skipping: bool,
    pub(crate) began_with_mark: bool,
    pub(crate) ended_with_newline: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(source: R) -> Self {
        Self::with_limit(source, LINE_LIMIT)
    }

    pub(crate) fn with_limit(source: R, limit: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            number: 0,
            limit,
            skipping: false,
            began_with_mark: false,
            ended_with_newline: true,
        }
    }

    /// The number of the line last advanced to, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The line last advanced to, without its newline.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Goes on to the next line. A byte order mark before the first line is dropped and noted.
    ///
    /// A line over the limit is reported as soon as that is known, so that an endless one is too;
    /// what remains of it is skipped by the next call.
    pub(crate) fn advance(&mut self) -> io::Result<Next> {
        self.buffer.clear();
        self.number += 1;
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                self.ended_with_newline &= self.buffer.is_empty() && !self.skipping;
                if self.buffer.is_empty() {
                    return Ok(Next::End);
                }
                break;
            }
            let newline = memchr(b'\n', available);
            let part = &available[..newline.unwrap_or(available.len())];
            let used = part.len() + usize::from(newline.is_some());
            if self.skipping {
                self.skipping = newline.is_none();
                self.source.consume(used);
                continue;
            }
            if self.buffer.len() + part.len() > self.limit {
                self.buffer.clear();
                self.skipping = true;
                return Ok(Next::TooLong);
            }
            self.buffer.extend_from_slice(part);
            self.source.consume(used);
            if newline.is_some() {
                break;
            }
        }
        if self.number == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
            self.began_with_mark = true;
        }
        Ok(Next::Line)
    }
}

/// The fields of one line, still bytes. No valid line has more than seven, so no more are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    kept: [&'a [u8]; 7],
    count: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn split(line: &'a [u8]) -> Self {
        let mut kept: [&[u8]; 7] = [&[]; 7];
        let (mut count, mut start) = (0, 0);
        for end in memchr_iter(b'\t', line).chain([line.len()]) {
            if let Some(slot) = kept.get_mut(count) {
                *slot = &line[start..end];
            }
            (count, start) = (count + 1, end + 1);
        }
        Self { kept, count }
    }

    pub(crate) fn bytes(&self, field: Field) -> &'a [u8] {
        self.kept[field.position() - 1]
    }

    /// The field as text.
    pub(crate) fn text(&self, field: Field) -> Result<&'a str, LineFault> {
        std::str::from_utf8(self.bytes(field)).map_err(|_| LineFault::InvalidUtf8 { field })
    }

    /// The field as a whole number.
    pub(crate) fn number(&self, field: Field) -> Result<i64, LineFault> {
        let bytes = self.bytes(field);
        plain_number(bytes)
            .or_else(|| std::str::from_utf8(bytes).ok()?.parse().ok())
            .ok_or_else(|| LineFault::NotANumber { field, value: excerpt(bytes) })
    }

    /// Which command the line holds, once its number of fields has been found right for it.
    pub(crate) fn verb(&self) -> Result<Verb, LineFault> {
        let wrong_count = |expected| LineFault::FieldCount { found: self.count, expected };
        if self.count < 4 {
            return Err(wrong_count("6 (7 for a register)"));
        }
        let word = self.bytes(Field::Command);
        let verb = Verb::from_word(word)
            .ok_or_else(|| LineFault::UnknownCommand { value: excerpt(word) })?;
        match (verb, self.count) {
            (Verb::Register, 7) | (Verb::Tweet | Verb::Follow | Verb::Unfollow, 6) => Ok(verb),
            (Verb::Register, _) => Err(wrong_count("7 for a register")),
            _ => Err(wrong_count("6")),
        }
    }
}

/// A number of plain digits, too few of them to be out of range. Nearly every number is one, and a
/// trace is read while requests are sent.
fn plain_number(bytes: &[u8]) -> Option<i64> {
    const DIGITS: std::ops::RangeInclusive<usize> = 1..=18;
    if !DIGITS.contains(&bytes.len()) {
        return None;
    }
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| 10 * number + i64::from(byte - b'0'))
    })
}

/// The four commands of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Register,
    Tweet,
    Follow,
    Unfollow,
}

impl Verb {
    fn from_word(word: &[u8]) -> Option<Self> {
        match word {
            b"register" => Some(Self::Register),
            b"tweet" => Some(Self::Tweet),
            b"follow" => Some(Self::Follow),
            b"unfollow" => Some(Self::Unfollow),
            _ => None,
        }
    }

    /// The fields after the user's name.
    pub(crate) fn arguments(self) -> &'static [Field] {
        match self {
            Self::Register => &[Field::Email, Field::Password],
            Self::Tweet => &[Field::Text],
            Self::Follow | Self::Unfollow => &[Field::Whom],
        }
    }
}

/// Turns a line, without its newline, into the command that it holds.
pub(crate) fn parse(line: &[u8]) -> Result<Command, LineFault> {
    let fields = Fields::split(line);
    let verb = fields.verb()?;
    if line.ends_with(b"\r") {
        return Err(LineFault::CarriageReturn);
    }
    let text = |field| fields.text(field).map(str::to_owned);
    let id = fields.number(Field::Id)?;
    // The delay follows from the times; it is held to be a number, and `lint` compares it.
    fields.number(Field::Delay)?;
    let at_ms = fields.number(Field::Time)?;
    let user = text(Field::User)?;
    let action = match verb {
        Verb::Register => {
            Action::Register { user, email: text(Field::Email)?, password: text(Field::Password)? }
        }
        Verb::Tweet => Action::Tweet { user, text: text(Field::Text)? },
        Verb::Follow => Action::Follow { user, whom: text(Field::Whom)? },
        Verb::Unfollow => Action::Unfollow { user, whom: text(Field::Whom)? },
    };
    Ok(Command { id, at_ms, action })
}

/// Enough of a field to recognise it by in a message, whatever its bytes are.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8], limit: usize) -> Vec<(u64, Next, Vec<u8>)> {
        // A buffer of 3 bytes makes every line straddle it.
        let mut lines = Lines::with_limit(io::BufReader::with_capacity(3, input), limit);
        let mut found = Vec::new();
        loop {
            match lines.advance().unwrap() {
                Next::End => return found,
                next => found.push((lines.number(), next, lines.bytes().to_vec())),
            }
        }
    }

    #[test]
    fn lines_keep_every_byte_but_the_newline() {
        assert_eq!(
            all(b"a\"\\\r\n\nlast", 10),
            [
                (1, Next::Line, b"a\"\\\r".to_vec()),
                (2, Next::Line, b"".to_vec()),
                (3, Next::Line, b"last".to_vec()),
            ]
        );
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_byte_more_is_skipped_whole() {
        assert_eq!(
            all(b"12345\n123456\nab\n123456", 5),
            [
                (1, Next::Line, b"12345".to_vec()),
                (2, Next::TooLong, b"".to_vec()),
                (3, Next::Line, b"ab".to_vec()),
                (4, Next::TooLong, b"".to_vec()),
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_is_dropped_at_the_start_only() {
        let found = all(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", 10);
        assert_eq!(found[0].2, b"a");
        assert_eq!(found[1].2, b"\xef\xbb\xbfb");
    }

    #[test]
    fn a_number_is_read_as_the_standard_library_reads_it() {
        for text in [
            "0",
            "007",
            "-1",
            "+1",
            "",
            "-",
            " 1",
            "1 ",
            "1a",
            "\u{664}",
            "999999999999999999",
            "1000000000000000000",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
        ] {
            let read = Fields::split(text.as_bytes()).number(Field::Id).ok();
            assert_eq!(read, text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn each_fault_of_a_line_is_told_apart() {
        let fault = |line: &str| parse(line.as_bytes()).unwrap_err().to_string();
        assert!(fault("").starts_with("1 fields where 6"));
        assert!(fault("1\t0\t0\ttweet\tA B").starts_with("5 fields where 6"));
        assert!(fault("1\t0\t0\tregister\tA B\ta@b").starts_with("6 fields where 7"));
        assert!(fault("x\t0\t0\ttweet\tA\tb").starts_with("field 1 (id): \"x\""));
        assert!(fault("1\t\t0\ttweet\tA\tb").starts_with("field 2 (delay_ms): \"\""));
        assert!(fault("1\t0\t1e5\ttweet\tA\tb").starts_with("field 3 (unix_ms): \"1e5\""));
        assert!(fault("1\t0\t0\tpoke\tA\tb").starts_with("field 4 (command): \"poke\""));
        assert_eq!(parse(b"1\t0\t0\ttweet\tA\tb\r"), Err(LineFault::CarriageReturn));
        assert_eq!(
            parse(b"1\t0\t0\ttweet\tA\t\xff"),
            Err(LineFault::InvalidUtf8 { field: Field::Text })
        );
    }
}
