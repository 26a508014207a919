//! Multiplying a trace: its population cloned k times, as one trace.

use crate::command::{Action, Command};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use thiserror::Error;

/// How far the clones are spread in time unless told otherwise: an hour.
pub const DEFAULT_SPREAD_MS: i64 = 3_600_000;

/// Why a trace cannot be amplified.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AmplifyError {
    /// The trace would be multiplied by nothing.
    #[error("a trace cannot be amplified 0 times; ask for at least 1")]
    NoClones,
    /// The spread is negative.
    #[error("clones cannot be spread over {0} ms; ask for 0 or more")]
    Spread(i64),
    /// A time is before the time before it.
    #[error(
        "command {id} is timed before the command before it, so clones cannot be interleaved by time; `limosa trace lint` lists such commands"
    )]
    TimeInversion {
        /// The command's id.
        id: i64,
    },
    /// A time is so late that a clone's would not fit into 64 bits.
    #[error("command {id} is timed so late that its clones cannot be; correct its time")]
    TimeOverflow {
        /// The command's id.
        id: i64,
    },
    /// A user is already called what a clone would be called.
    #[error(
        "the user {name:?} is called what a clone of {original:?} would be; rename the user, or amplify at most {most} times"
    )]
    NameTaken {
        /// The user in the trace.
        name: String,
        /// The user whose clone would be called that.
        original: String,
        /// The greatest k for which it would not.
        most: u64,
    },
}

/// The trace `commands` k times, as an iterator of one trace with ids from 0 in the order of time.
///
/// Clone 0 is the trace itself. Clone c appends `-c` to every user name and to the local part of
/// every e-mail address, and is shifted by c / k of `spread_ms`, so that the clones of a user do
/// not all act at once; of commands at the same time, the lower clone's comes first. Texts stay,
/// since their authors differ. Memory: one heap entry a clone, beyond the trace itself.
///
/// # Errors
/// [`AmplifyError`] when k is 0, the spread negative, times go back or overflow, or a name would be
/// used twice.
pub fn amplify(
    commands: &[Command],
    k: u32,
    spread_ms: i64,
) -> Result<Amplified<'_>, AmplifyError> {
    if k == 0 {
        return Err(AmplifyError::NoClones);
    }
    if spread_ms < 0 {
        return Err(AmplifyError::Spread(spread_ms));
    }
    for pair in commands.windows(2) {
        if pair[1].at_ms < pair[0].at_ms {
            return Err(AmplifyError::TimeInversion { id: pair[1].id });
        }
    }
    if let Some(last) = commands.last()
        && last.at_ms.checked_add(spread_ms).is_none()
    {
        return Err(AmplifyError::TimeOverflow { id: last.id });
    }
    check_names(commands, k)?;
    let mut amplified = Amplified {
        commands,
        k,
        spread_ms,
        suffixes: (0..k).map(|clone| format!("-{clone}")).collect(),
        heads: BinaryHeap::with_capacity(k as usize),
        id: 0,
    };
    for clone in 0..k {
        amplified.push(clone, 0);
    }
    Ok(amplified)
}

/// A clone's name splits in one way only, at its last `-`; so two clones never share a name, and
/// only a user of the trace itself can be called like a clone.
fn check_names(commands: &[Command], k: u32) -> Result<(), AmplifyError> {
    let names = |command: &'_ Command| {
        let user = command.action.user().to_owned();
        [Some(user), command.action.whom().map(str::to_owned)]
    };
    let users: HashSet<String> = commands.iter().flat_map(names).flatten().collect();
    for name in &users {
        let Some((original, digits)) = name.rsplit_once('-') else {
            continue;
        };
        let Ok(clone) = digits.parse::<u32>() else {
            continue;
        };
        let canonical = clone > 0 && clone.to_string() == digits;
        if canonical && clone < k && users.contains(original) {
            return Err(AmplifyError::NameTaken {
                name: name.clone(),
                original: original.to_owned(),
                most: clone.into(),
            });
        }
    }
    Ok(())
}

/// An amplified trace; see [`amplify`].
#[derive(Debug)]
pub struct Amplified<'a> {
    commands: &'a [Command],
    k: u32,
    spread_ms: i64,
    suffixes: Vec<String>,
    /// Each clone's next command: its time, the clone, its index in the trace.
    heads: BinaryHeap<Reverse<(i64, u32, usize)>>,
    id: i64,
}

impl Amplified<'_> {
    /// How many commands there are in all.
    pub fn total(&self) -> u64 {
        self.commands.len() as u64 * u64::from(self.k)
    }

    fn push(&mut self, clone: u32, index: usize) {
        if let Some(command) = self.commands.get(index) {
            let shift = i128::from(self.spread_ms) * i128::from(clone) / i128::from(self.k);
            let at_ms = command.at_ms + shift as i64;
            self.heads.push(Reverse((at_ms, clone, index)));
        }
    }
}

impl Iterator for Amplified<'_> {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        let Reverse((at_ms, clone, index)) = self.heads.pop()?;
        self.push(clone, index + 1);
        let action = &self.commands[index].action;
        let action = match clone {
            0 => action.clone(),
            _ => renamed(action, &self.suffixes[clone as usize]),
        };
        let id = self.id;
        self.id += 1;
        Some(Command { id, at_ms, action })
    }
}

/// The same action by and to the clones of its users.
fn renamed(action: &Action, suffix: &str) -> Action {
    let suffixed = |name: &str| [name, suffix].concat();
    match action {
        Action::Register { user, email, password } => Action::Register {
            user: suffixed(user),
            email: match email.rsplit_once('@') {
                Some((local, domain)) => [local, suffix, "@", domain].concat(),
                None => suffixed(email),
            },
            password: password.clone(),
        },
        Action::Tweet { user, text } => Action::Tweet { user: suffixed(user), text: text.clone() },
        Action::Follow { user, whom } => {
            Action::Follow { user: suffixed(user), whom: suffixed(whom) }
        }
        Action::Unfollow { user, whom } => {
            Action::Unfollow { user: suffixed(user), whom: suffixed(whom) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, Options};
    use crate::lint::lint;
    use crate::profile::Profile;
    use crate::stats::Stats;
    use crate::write::TraceWriter;

    fn small() -> Vec<Command> {
        let options =
            Options { seed: 4, commands: Some(400), users: Some(12), ..Options::default() };
        Generator::new(&Profile::course().unwrap(), options).unwrap().collect()
    }

    #[test]
    fn every_figure_is_multiplied_and_nothing_is_found_by_the_linter() {
        let source = small();
        let amplified: Vec<Command> = amplify(&source, 7, DEFAULT_SPREAD_MS).unwrap().collect();
        let (one, seven) = (Stats::of(&source), Stats::of(&amplified));
        assert_eq!(seven.commands, 7 * one.commands);
        assert_eq!(seven.final_users, 7 * one.final_users);
        assert_eq!(seven.final_messages, 7 * one.final_messages);
        assert_eq!(seven.final_edges, 7 * one.final_edges);
        assert_eq!(seven.unfollows_of_no_edge, 7 * one.unfollows_of_no_edge);
        assert_eq!((seven.first_id, seven.last_id), (0, 7 * 400 - 1));

        let mut writer = TraceWriter::new(Vec::new());
        for command in &amplified {
            writer.write(command).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let report = lint(bytes.as_slice(), "amplified", Default::default()).unwrap();
        assert!(report.findings.is_empty(), "{report:#?}");
    }

    #[test]
    fn each_clone_does_what_the_original_does_in_its_order() {
        let source = small();
        let amplified: Vec<Command> = amplify(&source, 3, 1000).unwrap().collect();
        for clone in 0..3 {
            let suffix = format!("-{clone}");
            let of_clone = |command: &&Command| match clone {
                0 => !command.action.user().contains('-'),
                _ => command.action.user().ends_with(&suffix),
            };
            let seen: Vec<_> = amplified.iter().filter(of_clone).collect();
            assert_eq!(seen.len(), source.len());
            for (clone_command, original) in seen.iter().zip(&source) {
                assert_eq!(clone_command.at_ms, original.at_ms + 1000 * clone / 3);
                assert_eq!(clone_command.action.keyword(), original.action.keyword());
            }
        }
    }

    #[test]
    fn one_clone_is_the_trace_itself() {
        let source = small();
        assert!(amplify(&source, 1, 0).unwrap().eq(source.iter().cloned()));
    }

    #[test]
    fn what_would_not_be_a_trace_is_refused() {
        let mut source = small();
        assert_eq!(amplify(&source, 0, 0).err(), Some(AmplifyError::NoClones));
        assert_eq!(amplify(&source, 2, -1).err(), Some(AmplifyError::Spread(-1)));

        let original = source[0].action.user().to_owned();
        source[1].action = Action::Register {
            user: format!("{original}-2"),
            email: "a@b".into(),
            password: "p".into(),
        };
        assert!(amplify(&source, 2, 0).is_ok());
        let error = amplify(&source, 3, 0).err().unwrap().to_string();
        assert!(error.contains("amplify at most 2 times"), "{error}");

        source[5].at_ms = source[4].at_ms - 1;
        assert_eq!(amplify(&source, 2, 0).err(), Some(AmplifyError::TimeInversion { id: 5 }));
    }
}
