//! What a linter can find in a trace, and what each finding does to a replay.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A replay would blame the server for what is the trace's fault, or cannot read the trace.
    Error,
    /// A replay works, with an oddity that its reader should know of.
    Warning,
    /// Worth knowing; nothing is wrong.
    Info,
}

impl Severity {
    /// The severity in one lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Declares the kinds once: name, severity, and what they cause on a replay.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:literal $severity:ident $consequence:literal;)+) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind, the gravest first.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The kind's name, as reports spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)+ }
            }

            /// What it will cause on a replay.
            pub fn consequence(self) -> &'static str {
                match self { $(Self::$kind => $consequence,)+ }
            }
        }
    };
}

kinds! {
    /// There is no line at all.
    Empty "empty" Error
        "there is nothing to replay: a replay refuses the trace";
    /// A line is over the limit that readers hold in memory.
    LineTooLong "line-too-long" Error
        "a replay stops at this line";
    /// A line has the wrong number of fields for its command.
    FieldCount "field-count" Error
        "a replay stops at this line";
    /// The fourth field is no command.
    UnknownCommand "unknown-command" Error
        "a replay stops at this line";
    /// An id, delay or time is not a number.
    NotANumber "not-a-number" Error
        "a replay stops at this line";
    /// A field is not UTF-8.
    InvalidUtf8 "invalid-utf8" Error
        "a replay stops at this line: JSON carries UTF-8 only";
    /// A line ends in CR LF.
    CarriageReturn "carriage-return" Error
        "a replay stops at this line, lest the CR be sent as part of the last field";
    /// An id has been there before.
    IdRepeats "id-repeats" Error
        "an answer of /latest no longer tells which of the commands it stands for";
    /// An id is new but below one that was there before.
    IdGoesBack "id-goes-back" Error
        "/latest goes backwards on a correct server, and reads as stale";
    /// A time is before the time of the line before.
    TimeInversion "time-inversion" Error
        "a replay by the trace's times sends the command late, as soon as the one before is done";
    /// A user acts, or is named, before registering or without.
    Unregistered "unregistered-user" Error
        "every answer 404, counted as an error of the server though it is the trace's";
    /// A user registers twice.
    DuplicateRegister "duplicate-register" Error
        "the answer 400, counted as an error of the server though it is the trace's";
    /// A text, user, e-mail or password is empty.
    EmptyField "empty-field" Error
        "the answer 400 or 404, counted as an error of the server though it is the trace's";
    /// An e-mail address has no `@`.
    EmailWithoutAt "email-without-at" Error
        "the answer 400, and then 404 for everything that the user does";
    /// A field holds a NUL.
    Nul "nul" Error
        "PostgreSQL cannot store it: the answer 500, or a text cut short";
    /// The file begins with a byte order mark.
    ByteOrderMark "byte-order-mark" Warning
        "nothing in a replay, which passes over it; other readers fail on the first id";
    /// The last line has no newline.
    NoFinalNewline "no-final-newline" Warning
        "nothing if the line is whole; it may have been cut off in a copy";
    /// An id is below zero.
    NegativeId "negative-id" Warning
        "servers ignore latest=-1, and may ignore others below zero: /latest stays behind";
    /// Ids between the lowest and the highest that no line has.
    MissingIds "missing-ids" Warning
        "/latest jumps; commands may have been lost from the trace";
    /// The delay is not the difference of the times.
    DelayDisagrees "delay-disagrees" Warning
        "a replay goes by the times; clients that sleep for the delays drift from it";
    /// A text is longer than the limit given.
    TextTooLong "text-too-long" Warning
        "a server that limits texts answers 400 or cuts, which the audit shows as ALTERED";
    /// A user's name holds a `/` or a control character.
    UserName "user-name" Warning
        "the name is part of a path: some servers answer 404 though it is percent-encoded";
    /// A follow of an edge that stands.
    DuplicateFollow "duplicate-follow" Info
        "the answer 204; a server that stores a second edge shows it in the audit";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_order_of_severity_and_named_once() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.severity()));
        let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
