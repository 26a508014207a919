//! Accounts.

use super::Evidence;
use super::findings::Tally;
use limosa_reports::render::counted;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::{BTreeMap, HashSet};

pub(super) fn audit(evidence: &Evidence<'_>, tally: &mut Tally) {
    let mut registers: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    let mut named: HashSet<&str> = HashSet::new();
    for entry in evidence.entries {
        match entry.intent.operation {
            Operation::Register => registers.entry(&entry.intent.user).or_default().push(entry),
            Operation::Tweet => _ = named.insert(&entry.intent.user),
            Operation::Follow | Operation::Unfollow => {
                named.insert(&entry.intent.user);
                named.insert(&entry.intent.detail);
            }
            _ => {}
        }
    }
    let existed = |user: &str| {
        evidence
            .before
            .and_then(|state| state.users.get(user))
            .is_some_and(|state| state.exists == Some(true))
    };
    for (user, sent) in &registers {
        let exists = evidence.after.users.get(*user).and_then(|state| state.exists);
        let Some(exists) = exists else { continue };
        one_user(sent, exists, existed(user), tally);
    }
    for user in evidence.after.users.values() {
        let name = user.user.as_str();
        if user.exists == Some(true) && !registers.contains_key(name) && !existed(name) {
            let note = if named.contains(name) {
                "the run names this user, and never registered it"
            } else {
                "nothing in the run names this user"
            };
            super::foreign(tally, Entity::User, name, "", note);
        }
    }
}

/// Users of the run that the read-back does not speak of.
pub(super) fn unread(evidence: &Evidence<'_>) -> Option<String> {
    let mut names: HashSet<&str> = HashSet::new();
    for entry in evidence.entries.iter().filter(|entry| entry.intent.operation.is_write()) {
        names.insert(&entry.intent.user);
    }
    let missing = names.iter().filter(|name| !evidence.after.users.contains_key(**name)).count();
    (missing > 0).then(|| {
        format!("{} that the read-back does not speak of", counted(missing as u64, "user"))
    })
}

fn one_user(sent: &[&Entry], exists: bool, existed: bool, tally: &mut Tally) {
    let promised = sent.iter().any(|entry| entry.ack() == Ack::Acknowledged);
    let mut open = sent.iter().filter(|entry| entry.ack() == Ack::Indeterminate).count();
    let mut ghost_is_told = false;
    for entry in sent {
        let class = match entry.ack() {
            Ack::Acknowledged if exists => Class::Kept,
            Ack::Acknowledged => Class::Lost,
            // One account, one register that made it: an acknowledged one explains it best.
            Ack::Indeterminate if exists && !promised && !existed && open == 1 => Class::Recovered,
            Ack::Indeterminate => {
                open -= 1;
                Class::Absent
            }
            Ack::Rejected | Ack::NotSent
                if exists && !promised && !existed && open == 0 && !ghost_is_told =>
            {
                ghost_is_told = true;
                Class::Ghost
            }
            Ack::Rejected | Ack::NotSent => continue,
        };
        tally.command(class, Entity::User, entry, note(class));
    }
}

fn note(class: Class) -> &'static str {
    match class {
        Class::Lost => "the target does not know the user",
        Class::Ghost => "the target knows the user",
        _ => "",
    }
}
