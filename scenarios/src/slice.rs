//! Parts of a trace.

use crate::command::{Action, Command};
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Which commands to take: those that meet every condition that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids, both ends included.
    pub ids: Option<RangeInclusive<i64>>,
    /// Times in milliseconds since the Unix epoch, both ends included.
    pub times_ms: Option<RangeInclusive<i64>>,
    /// Users who act; a user who is followed only does not count.
    pub users: Option<HashSet<String>>,
}

impl Selection {
    /// Whether the command is to be taken.
    pub fn takes(&self, command: &Command) -> bool {
        let within = |range: &Option<RangeInclusive<i64>>, value| {
            range.as_ref().is_none_or(|range| range.contains(&value))
        };
        let acts = |users: &HashSet<String>| users.contains(command.action.user());
        within(&self.ids, command.id)
            && within(&self.times_ms, command.at_ms)
            && self.users.as_ref().is_none_or(acts)
    }
}

/// The commands taken, at most `first` of them, and before them what they depend upon: the
/// registration of every user whom they name. So the slice of a valid trace is a valid trace,
/// though with gaps between its ids.
///
/// Follow edges from before the slice are not kept: an unfollow of no edge is answered like any
/// other.
pub fn slice_with_registers<'a>(
    commands: &'a [Command],
    selection: &Selection,
    first: usize,
) -> impl Iterator<Item = &'a Command> {
    let mut taken = vec![false; commands.len()];
    let mut named = HashSet::new();
    let chosen =
        commands.iter().enumerate().filter(|(_, command)| selection.takes(command)).take(first);
    for (index, command) in chosen {
        taken[index] = true;
        named.insert(command.action.user());
        named.extend(command.action.whom());
    }
    for (index, command) in commands.iter().enumerate() {
        if let Action::Register { user, .. } = &command.action {
            taken[index] |= named.remove(user.as_str());
        }
    }
    commands.iter().zip(taken).filter_map(|(command, taken)| taken.then_some(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, Options};
    use crate::lint::{Kind, Severity, lint};
    use crate::profile::Profile;
    use crate::write::TraceWriter;

    fn trace() -> Vec<Command> {
        let options =
            Options { seed: 8, commands: Some(600), users: Some(20), ..Options::default() };
        Generator::new(&Profile::course().unwrap(), options).unwrap().collect()
    }

    fn errors<'a>(commands: impl Iterator<Item = &'a Command>) -> (u64, u64) {
        let mut writer = TraceWriter::new(Vec::new());
        commands.for_each(|command| writer.write(command).unwrap());
        let bytes = writer.finish().unwrap();
        let report = lint(bytes.as_slice(), "slice", Default::default()).unwrap();
        (report.total(Severity::Error), report.of(Kind::Unregistered))
    }

    #[test]
    fn conditions_are_met_together() {
        let trace = trace();
        let user = trace[300].action.user().to_owned();
        let selection = Selection {
            ids: Some(100..=400),
            times_ms: Some(trace[200].at_ms..=i64::MAX),
            users: Some(HashSet::from([user.clone()])),
        };
        let sliced: Vec<_> = trace.iter().filter(|command| selection.takes(command)).collect();
        assert!(sliced.iter().all(|command| (200..=400).contains(&command.id)));
        assert!(sliced.iter().all(|command| command.action.user() == user));
        let expected = trace[200..=400].iter().filter(|command| command.action.user() == user);
        assert_eq!(sliced.len(), expected.count());
    }

    #[test]
    fn registers_that_a_slice_depends_upon_make_it_valid() {
        let trace = trace();
        let selection = Selection { ids: Some(300..=500), ..Selection::default() };
        let (_, unregistered) = errors(trace[300..=500].iter());
        assert!(unregistered > 0, "the slice must depend upon what is before it");
        assert_eq!(errors(slice_with_registers(&trace, &selection, usize::MAX)), (0, 0));
        assert_eq!(errors(slice_with_registers(&trace, &selection, 5)), (0, 0));
    }

    #[test]
    fn a_user_who_registers_twice_is_kept_once() {
        let mut trace = trace();
        trace.insert(1, trace[0].clone());
        let user = trace[0].action.user().to_owned();
        let tweet = |command: &Command| {
            command.action.keyword() == "tweet" && command.action.user() == user
        };
        let id = trace.iter().find(|command| tweet(command)).unwrap().id;
        let selection = Selection { ids: Some(id..=id), ..Selection::default() };
        assert_eq!(slice_with_registers(&trace, &selection, usize::MAX).count(), 2);
    }
}
