//! Messages.

use super::findings::Tally;
use super::listing;
use super::order::{Order, Placed};
use super::{Users, similar};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::readback::{Message, UserState};
use limosa_reports::run::verdict::{Class, Entity};
use std::collections::BTreeMap;

/// Judges the messages, and their order as far as each author shows it. `limit` is the number that
/// the target lists at most of an author; returns how many could not be looked for because of it.
pub(super) fn audit(
    users: &Users<'_>,
    limit: Option<usize>,
    tally: &mut Tally<'_>,
    order: &mut Order,
) -> u64 {
    let mut sent: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in users.entries {
        if entry.intent.operation == Operation::Tweet {
            sent.entry(&entry.intent.user).or_default().push(entry);
        }
    }
    // Unreadable authors are gaps of the read-back, which it names itself.
    let readable = |state: &&UserState| state.exists.is_some();
    let mut unseen = 0;
    for (author, tweets) in &sent {
        let Some(state) = users.after.get(*author).filter(readable) else {
            continue;
        };
        let limit = limit.filter(|limit| *limit == state.messages.len());
        let listed = listing::of_this_run(users, state, tweets, limit);
        // Of equal texts the newest are listed.
        let tweets: Vec<&Entry> = match limit {
            Some(_) => tweets.iter().rev().copied().collect(),
            None => tweets.clone(),
        };
        let mut author = one_author(&tweets, &listed, tally);
        if let Some(limit) = limit {
            unseen += listing::set_aside_cut_off(&mut author, &tweets, limit) as u64;
        }
        author.report_missing(state, tally);
        order.author(&author.placed);
    }
    for state in users.after.values().filter(readable) {
        if !sent.contains_key(state.user.as_str()) {
            let listed = listing::of_this_run(users, state, &[], None);
            one_author(&[], &listed, tally).report_missing(state, tally);
        }
    }
    unseen
}

/// What one author sent and has under one text.
#[derive(Default)]
struct SameText<'a> {
    acknowledged: Vec<&'a Entry>,
    open: Vec<&'a Entry>,
    refused: Vec<&'a Entry>,
    places: Vec<usize>,
}

/// What one author's messages come down to.
pub(super) struct Author<'a> {
    /// Sent once and found once, by their places.
    pub(super) placed: Vec<Placed<'a>>,
    /// Acknowledged, and found in no form.
    pub(super) missing: Vec<&'a Entry>,
    /// Found, and sent by nobody.
    strangers: Vec<&'a str>,
}

impl Author<'_> {
    fn report_missing(&self, state: &UserState, tally: &mut Tally<'_>) {
        let is_unknown = state.exists == Some(false);
        let note = if is_unknown {
            "the target does not know the author"
        } else {
            "not in the author's messages"
        };
        for entry in &self.missing {
            tally.command(Class::Lost, Entity::Message, entry, note);
        }
        for text in &self.strangers {
            let (class, note) = if is_unknown {
                (Class::Orphan, "the target does not know its author")
            } else {
                (Class::Foreign, "nobody sent it in this run")
            };
            tally.unsent(class, Entity::Message, &state.user, text, note);
        }
    }
}

fn one_author<'a>(
    tweets: &[&'a Entry],
    listed: &[&'a Message],
    tally: &mut Tally<'_>,
) -> Author<'a> {
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
    placed.sort_by_key(|message| message.place);
    Author { placed, missing: lost, strangers }
}

/// Counts copies: acknowledged ones explain them first, then open ones, then refused ones; what is
/// left is too many of something that was sent.
fn one_text<'a>(group: &SameText<'a>, tally: &mut Tally<'_>, lost: &mut Vec<&'a Entry>) {
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
