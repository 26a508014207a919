//! Follow edges.

use super::findings::Tally;
use super::{Survey, Users};
use crate::profile::Profile;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::readback::UserState;
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::{BTreeMap, HashMap};

type Pair<'a> = (&'a str, &'a str);

/// Judges the edges; returns how many acknowledged commands a later one of the same pair replaced.
pub(super) fn audit(
    users: &Users<'_>,
    survey: &Survey,
    profile: &Profile,
    tally: &mut Tally<'_>,
) -> u64 {
    let mut sent: BTreeMap<Pair<'_>, Vec<&Entry>> = BTreeMap::new();
    for entry in users.entries {
        if matches!(entry.intent.operation, Operation::Follow | Operation::Unfollow) {
            sent.entry((&entry.intent.user, &entry.intent.detail)).or_default().push(entry);
        }
    }
    let there_before = edges(users.before);
    let there = edges(users.after);
    let mut undone = 0;
    for (pair, commands) in &sent {
        let readable = users.after.get(pair.0).is_some_and(|state| state.exists.is_some());
        if readable {
            let copies = there.get(pair).copied().unwrap_or(0);
            let existed = there_before.contains_key(pair);
            undone += one_pair(profile, commands, copies, existed, tally);
        }
    }
    for ((user, whom), copies) in &there {
        if survey.exists(whom) == Some(false) {
            let note = "the target does not know the user who is followed";
            tally.unsent(Class::Orphan, Entity::Follow, user, whom, note);
        } else if !sent.contains_key(&(*user, *whom)) && !there_before.contains_key(&(*user, *whom))
        {
            let note = format!("nobody asked for it in this run; listed {copies} times");
            tally.unsent(Class::Foreign, Entity::Follow, user, whom, &note);
        }
    }
    undone
}

fn edges(states: &BTreeMap<String, UserState>) -> HashMap<Pair<'_>, u64> {
    let mut edges = HashMap::new();
    for user in states.values() {
        for whom in &user.follows {
            *edges.entry((user.user.as_str(), whom.as_str())).or_default() += 1;
        }
    }
    edges
}

/// Judges the commands of one pair by the edge that is there now; returns how many acknowledged
/// ones a later one replaced.
fn one_pair(
    profile: &Profile,
    commands: &[&Entry],
    copies: u64,
    existed: bool,
    tally: &mut Tally<'_>,
) -> u64 {
    let is_there = copies > 0;
    let makes = |entry: &Entry| entry.intent.operation == Operation::Follow;
    let promised = commands.iter().rev().find(|entry| entry.ack() == Ack::Acknowledged);
    let expected = promised.map_or(existed, |entry| makes(entry));
    // An open command may take effect at any later time, and of two that overlap either may be last.
    let overlaps_the_last = |entry: &Entry| {
        promised.is_some_and(|last| entry.answered_ns() > Some(last.intent.called_ns))
    };
    let may_be_last = |entry: &Entry| match entry.ack() {
        Ack::Indeterminate => true,
        Ack::Acknowledged => overlaps_the_last(entry),
        Ack::Rejected | Ack::NotSent => false,
    };
    let open_explains = commands.iter().any(|entry| may_be_last(entry) && makes(entry) == is_there);
    let surprising = is_there != expected && !open_explains;
    let duplicated = copies > 1 && is_there == expected && !profile.duplicate_edges;

    for entry in commands {
        let is_last = promised.is_some_and(|last| std::ptr::eq(*last, *entry));
        match entry.ack() {
            Ack::Acknowledged if is_last && surprising => {
                let note =
                    if expected { "the edge is not there" } else { "the edge is still there" };
                tally.command(Class::Lost, Entity::Follow, entry, note);
            }
            Ack::Acknowledged if is_last && duplicated => {
                let note = format!("listed {copies} times");
                tally.command(Class::Duplicated, Entity::Follow, entry, &note);
            }
            Ack::Acknowledged => tally.count(Class::Kept, Entity::Follow, 1),
            Ack::Indeterminate => {
                // Only where the edge would be otherwise without it does it show that it landed.
                let landed = is_there != expected && makes(entry) == is_there;
                let class = if landed { Class::Recovered } else { Class::Absent };
                // One that a later command of the pair undid leaves no trace either way.
                let undone =
                    promised.is_some_and(|last| last.intent.called_ns > entry.intent.called_ns);
                let shows = makes(entry) != expected && !undone;
                if shows || landed {
                    tally.command(class, Entity::Follow, entry, "");
                } else {
                    tally.count(Class::Absent, Entity::Follow, 1);
                }
            }
            Ack::Rejected | Ack::NotSent => {}
        }
    }
    if surprising && promised.is_none() {
        let culprit = commands.iter().find(|entry| {
            matches!(entry.ack(), Ack::Rejected | Ack::NotSent) && makes(entry) == is_there
        });
        match culprit {
            Some(entry) => {
                let note = if is_there { "the edge is there" } else { "the edge is gone" };
                tally.command(Class::Ghost, Entity::Follow, entry, note);
            }
            None => {
                let entry = commands[0];
                let note = "no command of the run explains the edge";
                tally.unsent(
                    Class::Foreign,
                    Entity::Follow,
                    &entry.intent.user,
                    &entry.intent.detail,
                    note,
                );
            }
        }
    }
    let acknowledged = commands.iter().filter(|entry| entry.ack() == Ack::Acknowledged).count();
    acknowledged.saturating_sub(1) as u64
}
