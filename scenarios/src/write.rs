//! Writing a trace in the very format that is read.

use crate::command::{Action, Command};
use crate::error::Field;
use std::io::{self, Write};
use thiserror::Error;

/// Why a command could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The format cannot carry the value: it has no quoting.
    #[error(
        "command {id}: the {field} holds a tab or a newline, or ends the line in a CR, which a trace cannot carry; replace it by a space"
    )]
    Unwritable {
        /// The command's id.
        id: i64,
        /// The field that cannot be written.
        field: Field,
    },
    /// The bytes could not be written.
    #[error("cannot write the trace; is there room, and may this user write there?")]
    Io(#[from] io::Error),
}

/// Writes commands as lines of a trace. The delays are worked out from the times; the first is 0.
///
/// Each command is one write to `W`: give it a buffered one.
#[derive(Debug)]
pub struct TraceWriter<W> {
    sink: W,
    line: Vec<u8>,
    last_ms: Option<i64>,
}

impl<W: Write> TraceWriter<W> {
    /// Writes to `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink, line: Vec::new(), last_ms: None }
    }

    /// Writes one command. Nothing of a command that fails is written.
    ///
    /// # Errors
    /// [`WriteError::Unwritable`] when a field cannot be carried, [`WriteError::Io`] when the sink
    /// fails.
    pub fn write(&mut self, command: &Command) -> Result<(), WriteError> {
        let Command { id, at_ms, action } = command;
        let delay = at_ms.wrapping_sub(self.last_ms.unwrap_or(*at_ms));
        self.line.clear();
        write!(self.line, "{id}\t{delay}\t{at_ms}\t{}", action.keyword())?;
        self.field(*id, Field::User, action.user())?;
        match action {
            Action::Register { email, password, .. } => {
                self.field(*id, Field::Email, email)?;
                self.last_field(*id, Field::Password, password)?;
            }
            Action::Tweet { text, .. } => self.last_field(*id, Field::Text, text)?,
            Action::Follow { whom, .. } | Action::Unfollow { whom, .. } => {
                self.last_field(*id, Field::Whom, whom)?;
            }
        }
        self.line.push(b'\n');
        self.sink.write_all(&self.line)?;
        self.last_ms = Some(*at_ms);
        Ok(())
    }

    /// Flushes, and gives the sink back.
    ///
    /// # Errors
    /// What the sink says.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn field(&mut self, id: i64, field: Field, value: &str) -> Result<(), WriteError> {
        if value.bytes().any(|byte| matches!(byte, b'\t' | b'\n')) {
            return Err(WriteError::Unwritable { id, field });
        }
        self.line.push(b'\t');
        self.line.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn last_field(&mut self, id: i64, field: Field, value: &str) -> Result<(), WriteError> {
        if value.ends_with('\r') {
            return Err(WriteError::Unwritable { id, field });
        }
        self.field(id, field, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::TraceReader;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        "[^\t\n\r]{0,20}"
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            (name(), name(), name()).prop_map(|(user, email, password)| Action::Register {
                user,
                email,
                password
            }),
            (name(), name()).prop_map(|(user, text)| Action::Tweet { user, text }),
            (name(), name()).prop_map(|(user, whom)| Action::Follow { user, whom }),
            (name(), name()).prop_map(|(user, whom)| Action::Unfollow { user, whom }),
        ]
    }

    fn command() -> impl Strategy<Value = Command> {
        (any::<i64>(), any::<i64>(), action()).prop_map(|(id, at_ms, action)| Command {
            id,
            at_ms,
            action,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(commands in prop::collection::vec(command(), 0..20)) {
            let mut writer = TraceWriter::new(Vec::new());
            for command in &commands {
                writer.write(command).unwrap();
            }
            let bytes = writer.finish().unwrap();
            let read: Result<Vec<_>, _> = TraceReader::new(bytes.as_slice(), "t").collect();
            prop_assert_eq!(read.unwrap(), commands);
        }
    }

    #[test]
    fn a_value_that_would_break_the_line_is_refused_and_leaves_no_trace() {
        let mut writer = TraceWriter::new(Vec::new());
        for (text, field) in [("a\tb", "text"), ("a\nb", "text"), ("a\r", "text")] {
            let action = Action::Tweet { user: "A B".into(), text: text.into() };
            let command = Command { id: 3, at_ms: 0, action };
            let message = writer.write(&command).unwrap_err().to_string();
            assert!(message.starts_with(&format!("command 3: the {field} holds")), "{message}");
        }
        assert!(writer.finish().unwrap().is_empty());
    }
}
