//! A trace in figures.

use crate::command::{Action, Command};
use crate::distribution::{Distribution, Summary, zipf_exponent};
use crate::world::World;
use serde::Serialize;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// A trace in figures. Times are in milliseconds, shares between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// How many commands there are.
    pub commands: u64,
    /// The lowest id; 0 of an empty trace.
    pub first_id: i64,
    /// The highest id; 0 of an empty trace.
    pub last_id: i64,
    /// From the first command to the last.
    pub span_ms: i64,
    /// How many commands register a user.
    pub registers: u64,
    /// How many post a message.
    pub tweets: u64,
    /// How many follow.
    pub follows: u64,
    /// How many unfollow.
    pub unfollows: u64,
    /// Time between a command and the one before it.
    pub gap_ms: Summary,
    /// Messages of each user who posted any.
    pub tweets_per_author: Summary,
    /// Zipf's exponent of messages by author.
    pub author_zipf: f64,
    /// Zipf's exponent of follows by the one who is followed.
    pub followee_zipf: f64,
    /// Length of a text in Unicode scalar values.
    pub text_chars: Summary,
    /// Length of a text in bytes of UTF-8.
    pub text_bytes: Summary,
    /// Share of texts with a character beyond ASCII.
    pub non_ascii_share: f64,
    /// Texts that equal one before them. Texts are compared by a hash of 64 bits.
    pub duplicate_texts: u64,
    /// E-mail addresses with a `+`.
    pub emails_with_plus: u64,
    /// Follows of an edge that stands already.
    pub duplicate_follows: u64,
    /// Unfollows of an edge that does not stand.
    pub unfollows_of_no_edge: u64,
    /// Commands that name a user who has not registered; they leave the final state as it is.
    pub unregistered: u64,
    /// Users in the final state.
    pub final_users: u64,
    /// Messages in the final state.
    pub final_messages: u64,
    /// Follow edges in the final state.
    pub final_edges: u64,
}

/// Gathers [`Stats`] command by command.
///
/// Memory grows with users, follow edges and distinct texts (8 bytes each), not with commands.
#[derive(Debug, Default)]
pub struct Gatherer {
    commands: u64,
    ids: Option<(i64, i64)>,
    times: Option<(i64, i64)>,
    mix: [u64; 4],
    gaps: Distribution,
    authors: HashMap<String, u64>,
    followees: HashMap<String, u64>,
    text_chars: Distribution,
    text_bytes: Distribution,
    non_ascii: u64,
    texts: HashSet<u64>,
    emails_with_plus: u64,
    duplicate_follows: u64,
    unfollows_of_no_edge: u64,
    unregistered: u64,
    messages: u64,
    world: World,
}

impl Gatherer {
    /// Takes one more command into account.
    pub fn add(&mut self, command: &Command) {
        let Command { id, at_ms, action } = command;
        self.commands += 1;
        let (low, high) = self.ids.unwrap_or((*id, *id));
        self.ids = Some((low.min(*id), high.max(*id)));
        if let Some((_, last)) = self.times {
            self.gaps.add(at_ms.saturating_sub(last));
        }
        let first = self.times.map_or(*at_ms, |(first, _)| first);
        self.times = Some((first, *at_ms));
        match action {
            Action::Register { user, email, .. } => {
                self.mix[0] += 1;
                self.emails_with_plus += u64::from(email.contains('+'));
                self.world.register(user);
            }
            Action::Tweet { user, text } => {
                self.mix[1] += 1;
                self.tweet(user, text);
            }
            Action::Follow { user, whom } => {
                self.mix[2] += 1;
                count(&mut self.followees, whom);
                if let Some((user, whom)) = self.pair(user, whom) {
                    self.duplicate_follows += u64::from(!self.world.follow(user, whom));
                }
            }
            Action::Unfollow { user, whom } => {
                self.mix[3] += 1;
                if let Some((user, whom)) = self.pair(user, whom) {
                    self.unfollows_of_no_edge += u64::from(!self.world.unfollow(user, whom));
                }
            }
        }
    }

    fn tweet(&mut self, user: &str, text: &str) {
        count(&mut self.authors, user);
        self.text_chars.add(text.chars().count() as i64);
        self.text_bytes.add(text.len() as i64);
        self.non_ascii += u64::from(!text.is_ascii());
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.texts.insert(hasher.finish());
        match self.world.user(user) {
            Some(_) => self.messages += 1,
            None => self.unregistered += 1,
        }
    }

    fn pair(&mut self, user: &str, whom: &str) -> Option<(u32, u32)> {
        let pair = self.world.user(user).zip(self.world.user(whom));
        self.unregistered += u64::from(pair.is_none());
        pair
    }

    /// The figures of the commands so far.
    pub fn stats(&self) -> Stats {
        let [registers, tweets, follows, unfollows] = self.mix;
        let (first_id, last_id) = self.ids.unwrap_or_default();
        let (first_ms, last_ms) = self.times.unwrap_or_default();
        let per_author: Distribution = self.authors.values().map(|&n| n as i64).collect();
        Stats {
            commands: self.commands,
            first_id,
            last_id,
            span_ms: last_ms.saturating_sub(first_ms),
            registers,
            tweets,
            follows,
            unfollows,
            gap_ms: self.gaps.summary(),
            tweets_per_author: per_author.summary(),
            author_zipf: zipf_exponent(self.authors.values().copied()),
            followee_zipf: zipf_exponent(self.followees.values().copied()),
            text_chars: self.text_chars.summary(),
            text_bytes: self.text_bytes.summary(),
            non_ascii_share: self.non_ascii as f64 / tweets.max(1) as f64,
            duplicate_texts: tweets - self.texts.len() as u64,
            emails_with_plus: self.emails_with_plus,
            duplicate_follows: self.duplicate_follows,
            unfollows_of_no_edge: self.unfollows_of_no_edge,
            unregistered: self.unregistered,
            final_users: self.world.users() as u64,
            final_messages: self.messages,
            final_edges: self.world.edges() as u64,
        }
    }
}

impl Stats {
    /// The figures of a whole trace.
    pub fn of<'a>(commands: impl IntoIterator<Item = &'a Command>) -> Self {
        let mut gatherer = Gatherer::default();
        for command in commands {
            gatherer.add(command);
        }
        gatherer.stats()
    }
}

/// Counts without a new key for a name that is there.
fn count(counts: &mut HashMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Trace;

    #[test]
    fn a_small_trace_is_counted_by_hand() {
        let input = "3\t0\t1000\tregister\tA\ta+b@x\tp\n\
                     4\t0\t1010\tregister\tB\tb@x\tp\n\
                     5\t0\t1040\ttweet\tA\tdøgn\n\
                     6\t0\t1040\ttweet\tB\tdøgn\n\
                     7\t0\t1040\ttweet\tA\tday\n\
                     8\t0\t1040\tfollow\tA\tB\n\
                     9\t0\t1040\tfollow\tA\tB\n\
                     10\t0\t1040\tunfollow\tB\tA\n\
                     11\t0\t1140\ttweet\tC\tx\n";
        let trace = Trace::read(input.as_bytes(), "t").unwrap();
        let stats = Stats::of(&trace.commands);
        assert_eq!((stats.commands, stats.first_id, stats.last_id), (9, 3, 11));
        assert_eq!((stats.span_ms, stats.gap_ms.p50, stats.gap_ms.max), (140, 0, 100));
        let mix = (stats.registers, stats.tweets, stats.follows, stats.unfollows);
        assert_eq!(mix, (2, 4, 2, 1));
        assert_eq!((stats.text_chars.max, stats.text_bytes.max), (4, 5));
        assert_eq!((stats.duplicate_texts, stats.non_ascii_share), (1, 0.5));
        assert_eq!((stats.duplicate_follows, stats.unfollows_of_no_edge), (1, 1));
        assert_eq!((stats.unregistered, stats.emails_with_plus), (1, 1));
        let last = (stats.final_users, stats.final_messages, stats.final_edges);
        assert_eq!(last, (2, 3, 1));
    }
}
