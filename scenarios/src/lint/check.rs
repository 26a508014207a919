//! The rules, line by line.

use super::Options;
use super::ids::{Ids, Seen};
use super::kind::Kind;
use super::report::{Finding, Report};
use crate::error::{Field, LineFault};
use crate::line::{Fields, LINE_LIMIT, Verb, excerpt};
use crate::world::World;

/// What must be known of the lines before in order to judge a line.
#[derive(Debug)]
pub(super) struct Linter {
    options: Options,
    report: Report,
    line: u64,
    ids: Ids,
    world: World,
    /// The time of the line before; none where that line has none.
    last_ms: Option<i64>,
}

impl Linter {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            report: Report::default(),
            line: 0,
            ids: Ids::default(),
            world: World::default(),
            last_ms: None,
        }
    }

    /// Judges one line, given without its newline.
    pub(super) fn line(&mut self, number: u64, line: &[u8]) {
        self.line = number;
        self.report.lines = number;
        let line = match line.strip_suffix(b"\r") {
            Some(line) => {
                self.fault(&LineFault::CarriageReturn);
                line
            }
            None => line,
        };
        let fields = Fields::split(line);
        match fields.verb() {
            Ok(verb) => {
                self.id(&fields);
                self.time(&fields);
                self.values(&fields, verb);
                self.references(&fields, verb);
            }
            Err(fault) => {
                self.fault(&fault);
                self.last_ms = None;
            }
        }
    }

    /// Notes a line of which nothing is known but that it is too long.
    pub(super) fn line_too_long(&mut self, number: u64) {
        self.line = number;
        self.report.lines = number;
        self.fault(&LineFault::TooLong { limit: LINE_LIMIT });
        self.last_ms = None;
    }

    /// What can be said only at the end.
    pub(super) fn finish(mut self, began_with_mark: bool, ended_with_newline: bool) -> Report {
        if self.report.lines == 0 {
            self.line = 1;
            self.found(Kind::Empty, None, "the trace holds no line".into());
        }
        if !ended_with_newline {
            let message = "the last line does not end in a newline".into();
            self.found(Kind::NoFinalNewline, None, message);
        }
        if began_with_mark {
            self.line = 1;
            let message = "the file begins with a byte order mark (U+FEFF)".into();
            self.found(Kind::ByteOrderMark, None, message);
        }
        for (gap, line) in self.ids.gaps() {
            let (first, last) = gap.into_inner();
            let finding = Finding {
                kind: Kind::MissingIds,
                line,
                field: Some(Field::Id),
                message: match first == last {
                    true => format!("id {first} is missing"),
                    false => format!("ids {first} to {last} are missing"),
                },
            };
            let missing = last.abs_diff(first).saturating_add(1);
            self.report.add(finding, missing, self.options.examples);
        }
        self.report
    }

    fn id(&mut self, fields: &Fields<'_>) {
        let id = match fields.number(Field::Id) {
            Ok(id) => id,
            Err(fault) => return self.fault(&fault),
        };
        if id < 0 {
            let message = format!("id {id} is below zero");
            self.found(Kind::NegativeId, Some(Field::Id), message);
        }
        match self.ids.insert(id, self.line) {
            Seen::Ahead => {}
            Seen::Back { highest } => {
                let message = format!("id {id} comes after {highest}");
                self.found(Kind::IdGoesBack, Some(Field::Id), message);
            }
            Seen::Repeated => {
                let message = format!("id {id} has been there before");
                self.found(Kind::IdRepeats, Some(Field::Id), message);
            }
        }
    }

    fn time(&mut self, fields: &Fields<'_>) {
        let delay = fields.number(Field::Delay);
        let time = fields.number(Field::Time);
        for fault in [&delay, &time].into_iter().filter_map(|number| number.as_ref().err()) {
            self.fault(fault);
        }
        let last = std::mem::replace(&mut self.last_ms, time.as_ref().ok().copied());
        let (Some(last), Ok(time)) = (last, time) else {
            return;
        };
        let difference = i128::from(time) - i128::from(last);
        if difference < 0 {
            let message = format!("{} ms before the line before", -difference);
            self.found(Kind::TimeInversion, Some(Field::Time), message);
        }
        if let Ok(delay) = delay
            && i128::from(delay) != difference
        {
            let message = format!("the delay is {delay} ms, the times differ by {difference} ms");
            self.found(Kind::DelayDisagrees, Some(Field::Delay), message);
        }
    }

    /// The user and the arguments, each for itself.
    fn values(&mut self, fields: &Fields<'_>, verb: Verb) {
        for &field in [Field::User].iter().chain(verb.arguments()) {
            let bytes = fields.bytes(field);
            if bytes.is_empty() {
                self.found(Kind::EmptyField, Some(field), format!("the {field} is empty"));
            }
            if bytes.contains(&0) {
                let message = format!("the {field} {:?} holds a NUL", excerpt(bytes));
                self.found(Kind::Nul, Some(field), message);
            }
            let text = match fields.text(field) {
                Ok(text) => text,
                Err(fault) => {
                    self.fault(&fault);
                    continue;
                }
            };
            match field {
                Field::Text => self.text_length(text),
                Field::Email if !text.is_empty() && !text.contains('@') => {
                    let message = format!("the email {:?} has no @", excerpt(bytes));
                    self.found(Kind::EmailWithoutAt, Some(field), message);
                }
                Field::User | Field::Whom
                    if text.contains(|c: char| c == '/' || (c.is_control() && c != '\0')) =>
                {
                    let message =
                        format!("the name {:?} holds a / or a control character", excerpt(bytes));
                    self.found(Kind::UserName, Some(field), message);
                }
                _ => {}
            }
        }
    }

    fn text_length(&mut self, text: &str) {
        let limit = self.options.text_limit;
        let length = text.chars().count();
        if length > limit {
            let message = format!("the text has {length} characters, the limit is {limit}");
            self.found(Kind::TextTooLong, Some(Field::Text), message);
        }
    }

    /// Whether the users named exist, and what becomes of users and edges.
    fn references(&mut self, fields: &Fields<'_>, verb: Verb) {
        let Ok(user) = fields.text(Field::User) else {
            return;
        };
        if verb == Verb::Register {
            if !self.world.register(user) {
                let message = format!("{:?} is registered already", excerpt(user.as_bytes()));
                self.found(Kind::DuplicateRegister, Some(Field::User), message);
            }
            return;
        }
        let user = self.registered(Field::User, user);
        if verb == Verb::Tweet {
            return;
        }
        let Ok(whom) = fields.text(Field::Whom) else {
            return;
        };
        let whom = self.registered(Field::Whom, whom);
        let (Some(user), Some(whom)) = (user, whom) else {
            return;
        };
        if verb == Verb::Unfollow {
            self.world.unfollow(user, whom);
        } else if !self.world.follow(user, whom) {
            let message = "the user follows that user already".into();
            self.found(Kind::DuplicateFollow, Some(Field::Whom), message);
        }
    }

    fn registered(&mut self, field: Field, name: &str) -> Option<u32> {
        let number = self.world.user(name);
        if number.is_none() && !name.is_empty() {
            let message = format!("{:?} has not registered before", excerpt(name.as_bytes()));
            self.found(Kind::Unregistered, Some(field), message);
        }
        number
    }

    fn fault(&mut self, fault: &LineFault) {
        let (kind, field) = match fault {
            LineFault::TooLong { .. } => (Kind::LineTooLong, None),
            LineFault::FieldCount { .. } => (Kind::FieldCount, None),
            LineFault::NotANumber { field, .. } => (Kind::NotANumber, Some(*field)),
            LineFault::UnknownCommand { .. } => (Kind::UnknownCommand, Some(Field::Command)),
            LineFault::InvalidUtf8 { field } => (Kind::InvalidUtf8, Some(*field)),
            LineFault::CarriageReturn => (Kind::CarriageReturn, None),
        };
        self.found(kind, field, fault.to_string());
    }

    fn found(&mut self, kind: Kind, field: Option<Field>, message: String) {
        let finding = Finding { kind, line: self.line, field, message };
        self.report.add(finding, 1, self.options.examples);
    }
}
