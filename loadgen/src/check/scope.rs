//! Whose commands a run sent: all users', or only those of some shards.

use crate::schedule::{Shard, share_of};
use limosa_reports::run::manifest::Manifest;
use std::collections::BTreeSet;

/// The users whose commands a run sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Of how many shares, and which of them, from 1; `None`: all users.
    shards: Option<(u16, BTreeSet<u16>)>,
}

impl Scope {
    /// Every user.
    pub fn whole() -> Self {
        Self { shards: None }
    }

    /// The users of the given shards; shards of different numbers of shares are taken for all.
    pub fn of(shards: impl IntoIterator<Item = Option<Shard>>) -> Self {
        let mut shards = shards.into_iter();
        let Some(Some(first)) = shards.next() else { return Self::whole() };
        let mut indexes = BTreeSet::from([first.index]);
        for shard in shards {
            match shard {
                Some(shard) if shard.of == first.of => _ = indexes.insert(shard.index),
                _ => return Self::whole(),
            }
        }
        Self { shards: Some((first.of, indexes)) }
    }

    /// The users of a run's parts.
    pub fn of_run(manifest: &Manifest) -> Self {
        Self::of(manifest.parts.iter().map(|part| part.shard))
    }

    /// Whether the run sent this user's commands.
    pub fn holds(&self, user: &str) -> bool {
        let Some((of, indexes)) = &self.shards else { return true };
        indexes.contains(&(share_of(user, usize::from(*of)) as u16 + 1))
    }

    /// Whether each user is of one of the two at most.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        match (&self.shards, &other.shards) {
            (Some((a, ours)), Some((b, theirs))) => a == b && ours.is_disjoint(theirs),
            _ => false,
        }
    }

    /// Whether no user is left out.
    pub fn is_whole(&self) -> bool {
        self.shards.as_ref().is_none_or(|(of, indexes)| indexes.len() == usize::from(*of))
    }

    /// The shards that several were joined without: `shards 3 and 4 of 4`. One shard alone lacks
    /// none: it is judged by itself.
    pub fn missing(&self) -> Option<String> {
        let (of, indexes) = self.shards.as_ref().filter(|(_, indexes)| indexes.len() > 1)?;
        let missing = (1..=*of).filter(|index| !indexes.contains(index));
        named(missing.collect(), *of)
    }

    /// The shards that it is made of: `shard 1 of 4`; `None` where no user is left out.
    pub fn named(&self) -> Option<String> {
        let (of, indexes) = self.shards.as_ref().filter(|_| !self.is_whole())?;
        named(indexes.iter().copied().collect(), *of)
    }
}

fn named(indexes: Vec<u16>, of: u16) -> Option<String> {
    let (last, rest) = indexes.split_last()?;
    if rest.is_empty() {
        return Some(format!("shard {last} of {of}"));
    }
    let rest: Vec<String> = rest.iter().map(u16::to_string).collect();
    Some(format!("shards {} and {last} of {of}", rest.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(shards: &[(u16, u16)]) -> Scope {
        Scope::of(shards.iter().map(|(index, of)| Some(Shard { index: *index, of: *of })))
    }

    #[test]
    fn each_user_is_of_one_shard() {
        let users: Vec<String> = (0..100).map(|n| format!("user {n}")).collect();
        for user in &users {
            let held = (1..=3).filter(|index| scope(&[(*index, 3)]).holds(user)).count();
            assert_eq!(held, 1, "{user}");
            assert!(scope(&[(1, 3), (2, 3), (3, 3)]).holds(user));
            assert!(Scope::whole().holds(user));
        }
        assert!(users.iter().any(|user| !scope(&[(1, 3), (3, 3)]).holds(user)));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Scope::of([None]).missing(), None);
        assert_eq!(scope(&[(1, 4)]).missing(), None);
        assert_eq!(scope(&[(1, 4)]).named().as_deref(), Some("shard 1 of 4"));
        assert_eq!(scope(&[(2, 4), (1, 4)]).missing().as_deref(), Some("shards 3 and 4 of 4"));
        assert_eq!(scope(&[(1, 2), (2, 2)]).missing(), None);
        assert_eq!(scope(&[(1, 2), (2, 2)]).named(), None);
        assert!(scope(&[(1, 2), (2, 2)]).is_whole() && !scope(&[(1, 2)]).is_whole());
    }
}
