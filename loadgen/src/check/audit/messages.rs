//! Messages.

use super::findings::Tally;
use super::order::{self, Placed};
use super::{Evidence, similar};
use crate::profile::MessageOrder;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::readback::{Message, UserState};
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::{BTreeMap, HashMap};

pub(super) fn audit(evidence: &Evidence<'_>, tally: &mut Tally, not_checked: &mut Vec<String>) {
    let mut sent: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in evidence.entries {
        if entry.intent.operation == Operation::Tweet {
            sent.entry(&entry.intent.user).or_default().push(entry);
        }
    }
    // Unreadable authors are gaps of the read-back, which it names itself.
    let readable = |state: &&UserState| state.exists.is_some();
    let mut placed = Vec::new();
    for (author, tweets) in &sent {
        let Some(state) = evidence.after.users.get(*author).filter(readable) else {
            continue;
        };
        placed.push(one_author(tweets, &oldest_first(evidence, state), state, tally));
    }
    for state in evidence.after.users.values().filter(readable) {
        if !sent.contains_key(state.user.as_str()) {
            let listed = oldest_first(evidence, state);
            one_author(&[], &listed, state, tally);
        }
    }
    match evidence.profile.message_order {
        MessageOrder::Insertion if order::is_listed_by_insertion(&placed) => {
            for author in &placed {
                order::find_misordered(author, tally);
            }
        }
        _ => not_checked.push(
            "the order of messages: the target does not list those of the same second in the order \
             in which they were stored"
                .to_owned(),
        ),
    }
}

/// The author's messages that were not there before the run, oldest first.
fn oldest_first<'a>(evidence: &Evidence<'a>, state: &'a UserState) -> Vec<&'a Message> {
    let mut there_before: HashMap<&str, u64> = HashMap::new();
    let before = evidence.before.and_then(|before| before.users.get(&state.user));
    for message in before.into_iter().flat_map(|state| &state.messages) {
        *there_before.entry(&message.content).or_default() += 1;
    }
    state
        .messages
        .iter()
        .rev()
        .filter(|message| match there_before.get_mut(message.content.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect()
}

/// What one author sent and has under one text.
#[derive(Default)]
struct SameText<'a> {
    acknowledged: Vec<&'a Entry>,
    open: Vec<&'a Entry>,
    refused: Vec<&'a Entry>,
    places: Vec<usize>,
}

fn one_author<'a>(
    tweets: &[&'a Entry],
    listed: &[&'a Message],
    state: &UserState,
    tally: &mut Tally,
) -> Vec<Placed<'a>> {
    let mut groups: BTreeMap<&str, SameText<'a>> = BTreeMap::new();
    for entry in tweets {
        let group = groups.entry(&entry.intent.detail).or_default();
        match entry.ack() {
            Ack::Acknowledged => group.acknowledged.push(entry),
            Ack::Indeterminate => group.open.push(entry),
            Ack::Rejected | Ack::NotSent => group.refused.push(entry),
        }
    }
    for (place, message) in listed.iter().enumerate() {
        groups.entry(&message.content).or_default().places.push(place);
    }
    let mut lost: Vec<&Entry> = Vec::new();
    let mut strangers: Vec<&str> = Vec::new();
    let mut placed = Vec::new();
    for (text, group) in &groups {
        one_text(group, tally, &mut lost);
        let sent = group.acknowledged.len() + group.open.len();
        if sent + group.refused.len() == 0 {
            strangers.extend(group.places.iter().map(|_| *text));
        }
        if let ([place], 1, [] | [_]) = (&group.places[..], sent, &group.acknowledged[..]) {
            let entry = group.acknowledged.first().or(group.open.first());
            placed.extend(entry.map(|entry| Placed {
                place: *place,
                pub_date: listed[*place].pub_date,
                entry,
            }));
        }
    }
    for (entry, text) in similar::pair(&mut lost, &mut strangers) {
        let note = format!("found as {text:?}");
        tally.command(Class::Altered, Entity::Message, entry, &note);
    }
    let missing = match state.exists {
        Some(false) => "the target does not know the author",
        _ => "not in the author's messages",
    };
    for entry in lost {
        tally.command(Class::Lost, Entity::Message, entry, missing);
    }
    for text in strangers {
        if state.exists == Some(false) {
            let note = "the target does not know its author";
            tally.unsent(Class::Orphan, Entity::Message, &state.user, text, note);
        } else {
            super::foreign(tally, Entity::Message, &state.user, text, "nobody sent it in this run");
        }
    }
    placed.sort_by_key(|message| message.place);
    placed
}

/// Counts copies: acknowledged ones explain them first, then open ones, then refused ones; what is
/// left is too many of something that was sent.
fn one_text<'a>(group: &SameText<'a>, tally: &mut Tally, lost: &mut Vec<&'a Entry>) {
    let mut copies = group.places.len();
    let mut take = |wanted: usize| {
        let taken = copies.min(wanted);
        copies -= taken;
        taken
    };
    let kept = take(group.acknowledged.len());
    let recovered = take(group.open.len());
    let ghosts = take(group.refused.len());
    let sent: Vec<&Entry> =
        group.acknowledged[..kept].iter().chain(&group.open[..recovered]).copied().collect();
    let duplicated = take(sent.len());
    let extra = duplicated + copies;

    for (nth, entry) in sent.iter().enumerate() {
        if nth < duplicated {
            let note =
                format!("there {} times, sent {}", group.places.len(), group.places.len() - extra);
            tally.command(Class::Duplicated, Entity::Message, entry, &note);
        } else {
            let class = if nth < kept { Class::Kept } else { Class::Recovered };
            tally.command(class, Entity::Message, entry, "");
        }
    }
    for entry in &group.open[recovered..] {
        tally.command(Class::Absent, Entity::Message, entry, "");
    }
    for entry in &group.refused[..ghosts] {
        tally.command(Class::Ghost, Entity::Message, entry, "it is in the author's messages");
    }
    lost.extend(&group.acknowledged[kept..]);
}
