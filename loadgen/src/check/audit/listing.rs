//! Recognising a target that lists only the newest messages of an author, whatever it is asked.
//!
//! What it does not list is not lost: it cannot be looked for. A limit shows in that several authors
//! with more messages than it are listed with exactly as many, and none with more; or in that a
//! single one is, and the number is one that people choose for a limit. Losses can look like that;
//! the listing of all messages tells them apart: where it is longer than the limit, so that the limit
//! is not its own, and yet holds no more of any author, the target has no more.

use super::Users;
use super::messages::Author;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::readback::{Message, UserState};
use std::collections::{HashMap, HashSet};

/// One author could have lost messages by chance so that it looks like a limit; two could not.
const MIN_AUTHORS: usize = 2;
/// Unless the number is one of these.
const USUAL_LIMITS: [usize; 9] = [10, 20, 25, 30, 50, 100, 200, 500, 1000];

/// The number of messages that the target lists at most of an author, found author by author.
#[derive(Debug, Default)]
pub(super) struct Limit {
    longest: usize,
    /// How many authors are listed with exactly so many, and have more.
    cut_off: usize,
}

impl Limit {
    /// Takes an author who is listed with so many messages and is known to have had so many.
    pub(super) fn author(&mut self, listed: usize, known: usize) {
        if listed > self.longest {
            *self = Self { longest: listed, cut_off: 0 };
        }
        self.cut_off += usize::from(listed == self.longest && known > listed);
    }

    /// The limit, where it shows. `public` is the length of the listing of all messages, where it
    /// holds of every author as many as the author's own.
    pub(super) fn found(&self, public: Option<usize>) -> Option<usize> {
        let is_usual = self.cut_off > 0 && USUAL_LIMITS.contains(&self.longest);
        // The listing of all may have a limit too, and end with what the authors' own end with.
        let is_refuted =
            public.is_some_and(|all| all > self.longest && !USUAL_LIMITS.contains(&all));
        let shows = self.longest > 0 && (self.cut_off >= MIN_AUTHORS || is_usual) && !is_refuted;
        shows.then_some(self.longest)
    }
}

/// The author's messages that were not there before the run, oldest first.
///
/// A listing at the limit has lost its oldest: what the run added took the place of what was there
/// before, which must not be subtracted then.
pub(super) fn of_this_run<'a>(
    users: &Users<'a>,
    state: &'a UserState,
    tweets: &[&Entry],
    limit: Option<usize>,
) -> Vec<&'a Message> {
    let mut there_before: HashMap<&str, u64> = HashMap::new();
    let before = users.before.get(&state.user);
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
