//! Whether messages were stored in the order in which they were acknowledged.
//!
//! Judged by the place in the target's listing, never by `pub_date`, which has a resolution of a
//! second; and only where the listing itself shows that it follows the order of storing.

use super::findings::Tally;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::verdict::{Class, Entity};

/// Below so many pairs of the same second, the listing shows nothing about its order.
const MIN_PAIRS: u64 = 8;
/// The share of such pairs that stand in the order of their calls where the listing follows it.
const IN_ORDER: f64 = 0.9;

/// A message that was sent once and found once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    /// Its place among the author's messages, oldest first.
    pub(super) place: usize,
    /// Its date, in seconds.
    pub(super) pub_date: Option<i64>,
    /// The command.
    pub(super) entry: &'a Entry,
}

/// Whether messages of the same second stand in the order of their calls, nearly always. A server
/// that sorts by date alone lists them in another order, and nothing can be said then.
pub(super) fn is_listed_by_insertion(authors: &[Vec<Placed<'_>>]) -> bool {
    let mut pairs = 0_u64;
    let mut in_order = 0_u64;
    for pair in authors.iter().flat_map(|messages| messages.windows(2)) {
        let [older, newer] = pair else { continue };
        if older.pub_date.is_some() && older.pub_date == newer.pub_date {
            pairs += 1;
            in_order += u64::from(older.entry.intent.called_ns < newer.entry.intent.called_ns);
        }
    }
    pairs >= MIN_PAIRS && in_order as f64 >= IN_ORDER * pairs as f64
}

/// Whether every listing is sorted by date. The target may sort it then, and a clock that went back,
/// or two clocks that differ, explain an inversion across seconds as well as the order of storing.
pub(super) fn may_be_by_date(authors: &[Vec<Placed<'_>>]) -> bool {
    let dates = |messages: &[Placed<'_>]| messages.is_sorted_by_key(|message| message.pub_date);
    authors.iter().all(|messages| dates(messages))
}

/// Reports every message that was answered before another one of the same author was sent, and
/// stands after it: after any other, or, unless `across_seconds`, after one of the same second.
/// Returns how many were left out for that. `messages` are in the order of their places.
pub(super) fn find_misordered(
    messages: &[Placed<'_>],
    across_seconds: bool,
    tally: &mut Tally,
) -> u64 {
    let all = misplaced(messages);
    let judged = if across_seconds {
        all.clone()
    } else {
        messages.chunk_by(|a, b| a.pub_date == b.pub_date).flat_map(misplaced).collect()
    };
    for (entry, other) in &judged {
        let note = format!("stored after id {}, which was sent later", other.intent.command_id);
        tally.reclass(Class::Misordered, Entity::Message, entry, &note);
    }
    (all.len() - judged.len()) as u64
}

/// What was answered before something that stands before it was sent; and that.
fn misplaced<'a>(messages: &[Placed<'a>]) -> Vec<(&'a Entry, &'a Entry)> {
    let mut misplaced = Vec::new();
    let mut latest_called: Option<&Entry> = None;
    for message in messages {
        let called_ns = message.entry.intent.called_ns;
        if let (Some(answered_ns), Some(other)) = (message.entry.answered_ns(), latest_called)
            && answered_ns < other.intent.called_ns
        {
            misplaced.push((message.entry, other));
        }
        if latest_called.is_none_or(|other| called_ns > other.intent.called_ns) {
            latest_called = Some(message.entry);
        }
    }
    misplaced
}
