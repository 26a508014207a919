//! Whether messages were stored in the order in which they were acknowledged.
//!
//! Judged by the place in the target's listing, never by `pub_date`, which has a resolution of a
//! second; and only where the listing itself shows that it follows the order of storing.

use super::findings::Tally;
use crate::profile::MessageOrder;
use limosa_reports::render::counted;
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

/// The order of storing, found author by author: whether the listing shows it is known at the end
/// alone, so what would be misordered is kept for each of the ways in which that may turn out.
#[derive(Debug)]
pub(super) struct Order {
    /// Neighbours of the same second, and how many of them stand in the order of their calls.
    pairs: u64,
    in_order: u64,
    /// Whether every listing is sorted by date. The target may sort it then, and a clock that went
    /// back, or two clocks that differ, explain an inversion across seconds as well as the order of
    /// storing.
    may_be_by_date: bool,
    /// What was answered before another one of the same author was sent, and stands after it.
    across_seconds: Tally<'static>,
    /// The same, of messages of the same second.
    within_seconds: Tally<'static>,
    /// How many the second leaves out.
    unjudged: u64,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            pairs: 0,
            in_order: 0,
            may_be_by_date: true,
            across_seconds: Tally::default(),
            within_seconds: Tally::default(),
            unjudged: 0,
        }
    }
}

impl Order {
    /// Takes an author's messages in the order of their places.
    pub(super) fn author(&mut self, messages: &[Placed<'_>]) {
        for pair in messages.windows(2) {
            let [older, newer] = pair else { continue };
            if older.pub_date.is_some() && older.pub_date == newer.pub_date {
                self.pairs += 1;
                self.in_order +=
                    u64::from(older.entry.intent.called_ns < newer.entry.intent.called_ns);
            }
        }
        self.may_be_by_date &= messages.is_sorted_by_key(|message| message.pub_date);
        let all = misplaced(messages);
        let within: Vec<_> =
            messages.chunk_by(|a, b| a.pub_date == b.pub_date).flat_map(misplaced).collect();
        self.unjudged += (all.len() - within.len()) as u64;
        for (found, tally) in [(all, &mut self.across_seconds), (within, &mut self.within_seconds)]
        {
            for (entry, other) in found {
                let note =
                    format!("stored after id {}, which was sent later", other.intent.command_id);
                tally.reclass(Class::Misordered, Entity::Message, entry, &note);
            }
        }
    }

    /// Adds what is misordered to the tally; returns what could not be judged, and why. A server that
    /// sorts by date alone lists messages of the same second in another order than that of their
    /// calls, and nothing can be said then.
    pub(super) fn judge(self, listed: MessageOrder, tally: &mut Tally<'_>) -> Option<String> {
        let is_by_insertion =
            self.pairs >= MIN_PAIRS && self.in_order as f64 >= IN_ORDER * self.pairs as f64;
        if listed != MessageOrder::Insertion || !is_by_insertion {
            return Some(
                "the order of messages: the target does not list those of the same second in the \
                 order in which they were stored"
                    .to_owned(),
            );
        }
        if !self.may_be_by_date {
            tally.add(self.across_seconds);
            return None;
        }
        tally.add(self.within_seconds);
        (self.unjudged > 0).then(|| {
            format!(
                "the order of messages of different seconds: {} stands otherwise than it was sent, \
                 and the target may list by date",
                counted(self.unjudged, "message")
            )
        })
    }
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
