//! What can be wrong with a trace, said so that its owner can mend it.

use std::io;
use thiserror::Error;

/// Why a trace could not be read or written. Every message says what, where, and what to do.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The trace could not be opened.
    #[error("cannot open the trace {name}; check the path and its permissions")]
    Open {
        /// The trace's name as the user gave it.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes stopped coming.
    #[error("{name}:{line}: reading failed; the lines before it were read")]
    Read {
        /// The trace's name as the user gave it.
        name: String,
        /// The line that was being read, from 1.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not a command.
    #[error("{name}:{line}: {fault}")]
    Line {
        /// The trace's name as the user gave it.
        name: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// A trace that was to be replayed holds no command.
    #[error(
        "{name}: the trace is empty: it must hold at least one command; check the path, or make one with `limosa trace generate`"
    )]
    Empty {
        /// The trace's name as the user gave it.
        name: String,
    },
}

/// What keeps one line from being a command.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum LineFault {
    /// The line is longer than a reader will hold in memory.
    #[error(
        "the line is longer than {limit} bytes; a trace is tab-separated text with one command a line, is this one?"
    )]
    TooLong {
        /// The longest line that is accepted, in bytes, without its newline.
        limit: usize,
    },
    /// The line has too few or too many fields for its command.
    #[error(
        "{found} fields where {expected} are expected; fields are separated by one tab each, and a text must not hold a tab"
    )]
    FieldCount {
        /// How many fields the line has.
        found: usize,
        /// How many it should have.
        expected: &'static str,
    },
    /// A field that must be a number is none.
    #[error("field {} ({field}): {value:?} is not a whole number of 64 bits; write digits only", field.position())]
    NotANumber {
        /// The field.
        field: Field,
        /// What stands there, shortened.
        value: String,
    },
    /// The fourth field names no command.
    #[error(
        "field 4 (command): {value:?} is none of register, tweet, follow, unfollow; correct or remove the line"
    )]
    UnknownCommand {
        /// What stands there, shortened.
        value: String,
    },
    /// A field is not UTF-8.
    #[error("field {} ({field}): not valid UTF-8; convert the file, for example with `iconv -t UTF-8`", field.position())]
    InvalidUtf8 {
        /// The field.
        field: Field,
    },
    /// The line ends in CR LF.
    #[error(
        "the line ends in CR LF, and the CR would be sent as part of the last field; convert the file, for example with `tr -d '\\r'`"
    )]
    CarriageReturn,
}

/// A field of a trace's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// 1: the command's id.
    Id,
    /// 2: milliseconds since the command before.
    Delay,
    /// 3: milliseconds since the Unix epoch.
    Time,
    /// 4: what to do.
    Command,
    /// 5: who does it.
    User,
    /// 6 of a register.
    Email,
    /// 7 of a register.
    Password,
    /// 6 of a tweet.
    Text,
    /// 6 of a follow or an unfollow.
    Whom,
}

impl Field {
    /// The field's place in the line, from 1.
    pub fn position(self) -> usize {
        match self {
            Self::Id => 1,
            Self::Delay => 2,
            Self::Time => 3,
            Self::Command => 4,
            Self::User => 5,
            Self::Email | Self::Text | Self::Whom => 6,
            Self::Password => 7,
        }
    }

    /// The field's name, as messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Delay => "delay_ms",
            Self::Time => "unix_ms",
            Self::Command => "command",
            Self::User => "user",
            Self::Email => "email",
            Self::Password => "password",
            Self::Text => "text",
            Self::Whom => "whom",
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
