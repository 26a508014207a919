//! Recognising a target that lists only the newest messages of an author, whatever it is asked.
//!
//! What it does not list is not lost: it cannot be looked for. A limit shows in that several authors
//! with more messages than it are listed with exactly as many, and none with more.

use super::messages::Author;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::readback::ReadBack;
use std::collections::BTreeMap;

/// One author could have lost messages by chance so that it looks like a limit; two could not.
const MIN_AUTHORS: usize = 2;

/// The number of messages that the target lists at most of an author, where it shows one.
pub(super) fn limit(sent: &BTreeMap<&str, Vec<&Entry>>, after: &ReadBack) -> Option<usize> {
    let listed = |author: &str| after.users.get(author).map_or(0, |state| state.messages.len());
    let longest = sent.keys().map(|author| listed(author)).max().filter(|longest| *longest > 0)?;
    let cut_off = sent
        .iter()
        .filter(|(author, tweets)| {
            let acknowledged =
                tweets.iter().filter(|entry| entry.ack() == Ack::Acknowledged).count();
            listed(author) == longest && acknowledged > longest
        })
        .count();
    (cut_off >= MIN_AUTHORS).then_some(longest)
}

/// Sets aside what is missing of an author at the limit, where all of it is older than all that is
/// listed; returns how many.
pub(super) fn set_aside_cut_off(author: &mut Author<'_>) -> usize {
    let oldest_listed = author.placed.iter().map(|message| message.entry.intent.called_ns).min();
    let newest_missing = author.missing.iter().map(|entry| entry.intent.called_ns).max();
    if newest_missing < oldest_listed { std::mem::take(&mut author.missing).len() } else { 0 }
}
