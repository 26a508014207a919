//! Recognising a target that lists only the newest messages of an author, whatever it is asked.
//!
//! What it does not list is not lost: it cannot be looked for. A limit shows in that several authors
//! with more messages than it are listed with exactly as many, and none with more; or in that a
//! single one is, and the number is one that people choose for a limit.

use super::Evidence;
use super::messages::Author;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::readback::{Message, ReadBack, UserState};
use std::collections::{BTreeMap, HashMap, HashSet};

/// One author could have lost messages by chance so that it looks like a limit; two could not.
const MIN_AUTHORS: usize = 2;
/// Unless the number is one of these.
const USUAL_LIMITS: [usize; 9] = [10, 20, 25, 30, 50, 100, 200, 500, 1000];

/// The number of messages that the target lists at most of an author, where it shows one.
pub(super) fn limit(sent: &BTreeMap<&str, Vec<&Entry>>, evidence: &Evidence<'_>) -> Option<usize> {
    let in_state = |state: &ReadBack, author: &str| {
        state.users.get(author).map_or(0, |state| state.messages.len())
    };
    let listed = |author: &str| in_state(evidence.after, author);
    let listed_before = |author: &str| evidence.before.map_or(0, |before| in_state(before, author));
    let longest = sent.keys().map(|author| listed(author)).max().filter(|longest| *longest > 0)?;
    let cut_off = sent
        .iter()
        .filter(|(author, tweets)| {
            let known = acknowledged(tweets) + listed_before(author);
            listed(author) == longest && known > longest
        })
        .count();
    let is_usual = cut_off > 0 && USUAL_LIMITS.contains(&longest);
    (cut_off >= MIN_AUTHORS || is_usual).then_some(longest)
}

/// The author's messages that were not there before the run, oldest first.
///
/// A listing at the limit has lost its oldest: what the run added took the place of what was there
/// before, which must not be subtracted then.
pub(super) fn of_this_run<'a>(
    evidence: &Evidence<'a>,
    state: &'a UserState,
    tweets: &[&Entry],
    limit: Option<usize>,
) -> Vec<&'a Message> {
    let mut there_before: HashMap<&str, u64> = HashMap::new();
    let before = evidence.before.and_then(|before| before.users.get(&state.user));
    for message in before.into_iter().flat_map(|state| &state.messages) {
        *there_before.entry(&message.content).or_default() += 1;
    }
    let sent: HashSet<&str> = tweets.iter().map(|entry| entry.intent.detail.as_str()).collect();
    let mut room = match limit {
        Some(limit) => limit.saturating_sub(acknowledged(tweets)),
        None => usize::MAX,
    };
    let is_new = |message: &&Message| match there_before.get_mut(message.content.as_str()) {
        Some(count) if *count > 0 && (room > 0 || !sent.contains(message.content.as_str())) => {
            *count -= 1;
            room = room.saturating_sub(1);
            false
        }
        _ => true,
    };
    state.messages.iter().rev().filter(is_new).collect()
}

fn acknowledged(tweets: &[&Entry]) -> usize {
    tweets.iter().filter(|entry| entry.ack() == Ack::Acknowledged).count()
}

/// Sets aside what is missing of an author at the limit, where all of it is older than all that is
/// listed and has a place, and no more than there was no room for; returns how many.
pub(super) fn set_aside_cut_off(author: &mut Author<'_>, tweets: &[&Entry], limit: usize) -> usize {
    let oldest_listed = author.placed.iter().map(|message| message.entry.intent.called_ns).min();
    let newest_missing = author.missing.iter().map(|entry| entry.intent.called_ns).max();
    let is_older = oldest_listed.is_none_or(|oldest| newest_missing < Some(oldest));
    let open = tweets.iter().filter(|entry| entry.ack() == Ack::Indeterminate).count();
    let without_room = (acknowledged(tweets) + open).saturating_sub(limit);
    if is_older && author.missing.len() <= without_room {
        std::mem::take(&mut author.missing).len()
    } else {
        0
    }
}
