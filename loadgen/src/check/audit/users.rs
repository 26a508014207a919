//! Accounts.

use super::findings::Tally;
use super::{Survey, Users};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::BTreeMap;

pub(super) fn audit(users: &Users<'_>, survey: &Survey, tally: &mut Tally<'_>) {
    let mut registers: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in users.entries {
        if entry.intent.operation == Operation::Register {
            registers.entry(&entry.intent.user).or_default().push(entry);
        }
    }
    let existed =
        |user: &str| users.before.get(user).is_some_and(|state| state.exists == Some(true));
    for (user, sent) in &registers {
        let exists = users.after.get(*user).and_then(|state| state.exists);
        let Some(exists) = exists else { continue };
        one_user(sent, exists, existed(user), tally);
    }
    for user in users.after.values() {
        let name = user.user.as_str();
        if user.exists == Some(true) && !registers.contains_key(name) && !existed(name) {
            let note = if survey.names(name) {
                "the run names this user, and never registered it"
            } else {
                "nothing in the run names this user"
            };
            tally.unsent(Class::Foreign, Entity::User, name, "", note);
        }
    }
}

fn one_user(sent: &[&Entry], exists: bool, existed: bool, tally: &mut Tally<'_>) {
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
