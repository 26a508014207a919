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

/// Reports every message that was answered before another one of the same author was sent, and
/// stands after it. `messages` are in the order of their places.
pub(super) fn find_misordered(messages: &[Placed<'_>], tally: &mut Tally) {
    let mut latest_called: Option<&Entry> = None;
    for message in messages {
        let answered_ns = message.entry.answered_ns();
        if let (Some(answered_ns), Some(other)) = (answered_ns, latest_called)
            && answered_ns < other.intent.called_ns
        {
            let note = format!("stored after id {}, which was sent later", other.intent.command_id);
            tally.reclass(Class::Misordered, Entity::Message, message.entry, &note);
        }
        let called_ns = message.entry.intent.called_ns;
        if latest_called.is_none_or(|other| called_ns > other.intent.called_ns) {
            latest_called = Some(message.entry);
        }
    }
}
