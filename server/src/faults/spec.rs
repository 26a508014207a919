//! A fault as it is written on the command line: `NAME`, or `NAME:KEY=VALUE,KEY=VALUE`.

use super::registry::{Description, registry};
use std::{fmt, num::NonZeroU64, str::FromStr, time::Duration};

/// Which of the writes that a fault concerns it hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// Each K-th that a sound server would acknowledge.
    Every(NonZeroU64),
    /// Those with this command id.
    Id(i64),
}

/// A fault to be planted; [`registry`] tells what each does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registry is the documentation, for people and for --help")]
pub enum Fault {
    Lose(Pick),
    Duplicate(Pick),
    Alter(Pick),
    Ghost(Pick),
    DropFollow(Pick),
    Swap(Pick),
    EarlyAck { delay: Duration },
    StaleLatest { by: Duration },
    CountLatest,
    AheadLatest { by: Duration },
    Refuse { from: Duration, lasting: Duration },
    Stall { every: Duration, lasting: Duration },
}

/// A fault that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault has this name.
    #[error("there is no fault {0:?}; there are {names}", names = names())]
    UnknownName(String),
    /// The arguments do not fit.
    #[error("{problem}; write {syntax}")]
    Arguments {
        /// What is wrong.
        problem: String,
        /// How the fault is written.
        syntax: &'static str,
    },
}

fn names() -> String {
    let names: Vec<_> = registry().iter().map(|fault| fault.name).collect();
    names.join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, arguments) = text.split_once(':').unwrap_or((text, ""));
        let described = registry()
            .iter()
            .find(|fault| fault.name == name)
            .ok_or_else(|| FaultError::UnknownName(name.to_owned()))?;
        let mut arguments = Arguments::read(arguments, described)?;
        let fault = match name {
            "lose" => Self::Lose(arguments.pick()?),
            "duplicate" => Self::Duplicate(arguments.pick()?),
            "alter" => Self::Alter(arguments.pick()?),
            "ghost" => Self::Ghost(arguments.pick()?),
            "drop-follow" => Self::DropFollow(arguments.pick()?),
            "swap" => Self::Swap(arguments.pick()?),
            "early-ack" => Self::EarlyAck { delay: arguments.milliseconds("delay")? },
            "stale-latest" => Self::StaleLatest { by: arguments.milliseconds("ms")? },
            "count-latest" => Self::CountLatest,
            "ahead-latest" => Self::AheadLatest { by: arguments.milliseconds("ms")? },
            "refuse" => Self::Refuse {
                from: arguments.milliseconds("from")?,
                lasting: arguments.milliseconds("for")?,
            },
            "stall" => {
                let every = arguments.milliseconds("every")?;
                let lasting = arguments.milliseconds("for")?;
                if lasting >= every {
                    return Err(arguments.error("for must be shorter than every".to_owned()));
                }
                Self::Stall { every, lasting }
            }
            _ => return Err(FaultError::UnknownName(name.to_owned())),
        };
        arguments.finish()?;
        Ok(fault)
    }
}

/// The arguments that nobody has asked for yet.
struct Arguments<'a> {
    left: Vec<(&'a str, &'a str)>,
    syntax: &'static str,
}

impl<'a> Arguments<'a> {
    fn read(text: &'a str, described: &Description) -> Result<Self, FaultError> {
        let mut read = Self { left: Vec::new(), syntax: described.syntax };
        for argument in text.split(',').filter(|argument| !argument.is_empty()) {
            match argument.split_once('=') {
                Some(pair) => read.left.push(pair),
                None => return Err(read.error(format!("{argument:?} has no value"))),
            }
        }
        Ok(read)
    }

    fn error(&self, problem: String) -> FaultError {
        FaultError::Arguments { problem, syntax: self.syntax }
    }

    fn take<T: FromStr>(&mut self, key: &str, what: &str) -> Result<Option<T>, FaultError> {
        let Some(at) = self.left.iter().position(|(name, _)| *name == key) else {
            return Ok(None);
        };
        let (_, value) = self.left.swap_remove(at);
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.error(format!("{key}={value} is not {what}"))),
        }
    }

    fn pick(&mut self) -> Result<Pick, FaultError> {
        let every = self.take("every", "a whole number above 0")?.map(Pick::Every);
        let id = self.take("id", "a command id")?.map(Pick::Id);
        match (every, id) {
            (Some(pick), None) | (None, Some(pick)) => Ok(pick),
            _ => Err(self.error("either every or id is needed".to_owned())),
        }
    }

    fn milliseconds(&mut self, key: &str) -> Result<Duration, FaultError> {
        match self.take(key, "a whole number of milliseconds")? {
            Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            None => Err(self.error(format!("{key} is missing"))),
        }
    }

    fn finish(self) -> Result<(), FaultError> {
        match self.left.first() {
            Some((key, _)) => Err(self.error(format!("{key} is not an argument of it"))),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(k) => write!(f, "every={k}"),
            Self::Id(id) => write!(f, "id={id}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lose(pick) => write!(f, "lose:{pick}"),
            Self::Duplicate(pick) => write!(f, "duplicate:{pick}"),
            Self::Alter(pick) => write!(f, "alter:{pick}"),
            Self::Ghost(pick) => write!(f, "ghost:{pick}"),
            Self::DropFollow(pick) => write!(f, "drop-follow:{pick}"),
            Self::Swap(pick) => write!(f, "swap:{pick}"),
            Self::EarlyAck { delay } => write!(f, "early-ack:delay={}", delay.as_millis()),
            Self::StaleLatest { by } => write!(f, "stale-latest:ms={}", by.as_millis()),
            Self::CountLatest => f.write_str("count-latest"),
            Self::AheadLatest { by } => write!(f, "ahead-latest:ms={}", by.as_millis()),
            Self::Refuse { from, lasting } => {
                write!(f, "refuse:from={},for={}", from.as_millis(), lasting.as_millis())
            }
            Self::Stall { every, lasting } => {
                write!(f, "stall:every={},for={}", every.as_millis(), lasting.as_millis())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_registry_is_read_back_as_it_is_written() {
        for description in registry() {
            for form in description.syntax.split(" | ") {
                let example = form.replace("=MS", "=20").replace("=K", "=7").replace("=N", "=-3");
                let example = example.replace("=D", "=5").replace("=T", "=9");
                let example = example.replace("every=20,", "every=50,");
                let fault: Fault = example.parse().unwrap_or_else(|e| panic!("{example}: {e}"));
                assert_eq!(fault.to_string(), example);
            }
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        let error = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        insta::assert_snapshot!(error("loose:every=3"), @r#"there is no fault "loose"; there are lose, duplicate, alter, ghost, drop-follow, swap, early-ack, stale-latest, count-latest, ahead-latest, refuse, stall"#);
        insta::assert_snapshot!(error("lose"), @"either every or id is needed; write lose:every=K | lose:id=N");
        insta::assert_snapshot!(error("lose:every=0"), @"every=0 is not a whole number above 0; write lose:every=K | lose:id=N");
        insta::assert_snapshot!(error("lose:every=3,id=4"), @"either every or id is needed; write lose:every=K | lose:id=N");
        insta::assert_snapshot!(error("stall:every=100,for=100"), @"for must be shorter than every; write stall:every=MS,for=MS");
        insta::assert_snapshot!(error("refuse:from=soon,for=1"), @"from=soon is not a whole number of milliseconds; write refuse:from=T,for=MS");
        insta::assert_snapshot!(error("count-latest:ms=3"), @"ms is not an argument of it; write count-latest");
        insta::assert_snapshot!(error("refuse:from"), @r#""from" has no value; write refuse:from=T,for=MS"#);
    }
}
