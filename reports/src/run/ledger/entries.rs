//! Intents joined with their outcomes.

use super::{Damage, Frame, Intent, LedgerError, LedgerReader, Mark, Outcome};
use crate::run::operation::Ack;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::path::Path;

/// One request: what was about to be sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The part of the run that sent it.
    pub part: u16,
    /// What was about to be sent.
    pub intent: Intent,
    /// What came of it; `None` where the generator ended before it knew.
    pub outcome: Option<Outcome>,
}

impl Entry {
    /// What the sender knows of the effect; without an outcome, nothing.
    pub fn ack(&self) -> Ack {
        self.outcome.as_ref().map_or(Ack::Indeterminate, |outcome| outcome.ack)
    }

    /// When the target answered; `None` where it did not.
    pub fn answered_ns(&self) -> Option<u64> {
        self.outcome.as_ref().filter(|outcome| outcome.status != 0).map(|outcome| outcome.done_ns)
    }
}

/// The ledger's requests in the order of their outcomes. A part's requests without an outcome come
/// after its last outcome.
pub type Entries = Joined<ByOutcome>;

/// The ledger's requests in the order of their calls.
pub type Calls = Joined<ByCall>;

/// The ledger's requests in the order of time over all its parts, some of which may have run at the
/// same time. Holds only what is in flight; where the order is that of the calls, also what was
/// called after the oldest request in flight.
#[derive(Debug)]
pub struct Joined<J> {
    parts: Vec<Part<J>>,
    /// The next request of each part that has one, the earliest first: its time, and the part's
    /// index.
    order: BinaryHeap<Reverse<(u64, usize)>>,
    next: BTreeMap<usize, Entry>,
    is_begun: bool,
}

impl<J: Join> Joined<J> {
    /// Opens the ledger in `directory`; an absent directory is an empty ledger.
    ///
    /// # Errors
    /// [`LedgerError::Io`] where the directory cannot be listed.
    pub fn open(directory: &Path) -> Result<Self, LedgerError> {
        let parts = LedgerReader::parts(directory)?.into_iter().map(|(part, reader)| Part {
            part,
            reader,
            join: J::default(),
            now_ns: 0,
            is_read: false,
            marks: Vec::new(),
            strays: 0,
        });
        Ok(Self {
            parts: parts.collect(),
            order: BinaryHeap::new(),
            next: BTreeMap::new(),
            is_begun: false,
        })
    }

    /// The places that could not be read so far.
    pub fn damage(&self) -> Vec<Damage> {
        self.parts.iter().flat_map(|part| part.reader.damage()).cloned().collect()
    }

    /// The marks met so far, in the order of time.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks: Vec<Mark> =
            self.parts.iter().flat_map(|part| &part.marks).cloned().collect();
        marks.sort_by_key(|mark| mark.at_ns);
        marks
    }

    /// Outcomes whose intent was not there: above zero only where the ledger is damaged.
    pub fn strays(&self) -> u64 {
        self.parts.iter().map(|part| part.strays).sum()
    }

    fn refill(&mut self, index: usize) -> Result<(), LedgerError> {
        if let Some((ns, entry)) = self.parts[index].step()? {
            self.order.push(Reverse((ns, index)));
            self.next.insert(index, entry);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Entry>, LedgerError> {
        if !self.is_begun {
            self.is_begun = true;
            for index in 0..self.parts.len() {
                self.refill(index)?;
            }
        }
        let Some(Reverse((_, index))) = self.order.pop() else { return Ok(None) };
        let entry = self.next.remove(&index);
        self.refill(index)?;
        Ok(entry)
    }
}

impl<J: Join> Iterator for Joined<J> {
    type Item = Result<Entry, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// One part, read as far as its next request needs.
#[derive(Debug)]
struct Part<J> {
    part: u16,
    reader: LedgerReader,
    join: J,
    /// The time of the part's last request: one that was recorded late does not go back.
    now_ns: u64,
    is_read: bool,
    marks: Vec<Mark>,
    strays: u64,
}

impl<J: Join> Part<J> {
    fn step(&mut self) -> Result<Option<(u64, Entry)>, LedgerError> {
        loop {
            if let Some((intent, outcome)) = self.join.next(self.is_read) {
                let entry = Entry { part: self.part, intent, outcome };
                self.now_ns = self.now_ns.max(J::time(&entry));
                return Ok(Some((self.now_ns, entry)));
            }
            if self.is_read {
                return Ok(None);
            }
            match self.reader.next().transpose()? {
                Some((_, Frame::Intent(intent))) => self.join.intent(intent),
                Some((_, Frame::Outcome(outcome))) => {
                    self.strays += u64::from(!self.join.outcome(outcome));
                }
                Some((_, Frame::Mark(mark))) => self.marks.push(mark),
                None => self.is_read = true,
            }
        }
    }
}

/// How the intents and the outcomes of one part become requests in some order.
pub trait Join: Default {
    /// Takes an intent.
    fn intent(&mut self, intent: Intent);

    /// Takes an outcome; `false` where its intent is not there.
    fn outcome(&mut self, outcome: Outcome) -> bool;

    /// The next request, where it can be told yet. After the last frame, what is left has no
    /// outcome.
    fn next(&mut self, is_read: bool) -> Option<(Intent, Option<Outcome>)>;

    /// The time that the order is by.
    fn time(entry: &Entry) -> u64;
}

/// In the order of the outcomes.
#[derive(Debug, Default)]
pub struct ByOutcome {
    in_flight: HashMap<u64, Intent>,
    ended: Option<(Intent, Outcome)>,
    abandoned: Option<std::vec::IntoIter<Intent>>,
}

impl Join for ByOutcome {
    fn intent(&mut self, intent: Intent) {
        self.in_flight.insert(intent.sequence, intent);
    }

    fn outcome(&mut self, outcome: Outcome) -> bool {
        self.ended = self.in_flight.remove(&outcome.sequence).map(|intent| (intent, outcome));
        self.ended.is_some()
    }

    fn next(&mut self, is_read: bool) -> Option<(Intent, Option<Outcome>)> {
        if let Some((intent, outcome)) = self.ended.take() {
            return Some((intent, Some(outcome)));
        }
        if !is_read {
            return None;
        }
        let in_flight = &mut self.in_flight;
        let abandoned = self.abandoned.get_or_insert_with(|| {
            let mut rest: Vec<Intent> = in_flight.drain().map(|(_, intent)| intent).collect();
            rest.sort_by_key(|intent| (intent.called_ns, intent.sequence));
            rest.into_iter()
        });
        Some((abandoned.next()?, None))
    }

    fn time(entry: &Entry) -> u64 {
        entry.outcome.as_ref().map_or(entry.intent.called_ns, |outcome| outcome.done_ns)
    }
}

/// In the order of the calls, which is that of the intents.
#[derive(Debug, Default)]
pub struct ByCall {
    called: VecDeque<(Intent, Option<Outcome>)>,
    /// Where the requests in flight stand, counted from the part's first.
    in_flight: HashMap<u64, usize>,
    /// How many have left.
    gone: usize,
}

impl Join for ByCall {
    fn intent(&mut self, intent: Intent) {
        self.in_flight.insert(intent.sequence, self.gone + self.called.len());
        self.called.push_back((intent, None));
    }

    fn outcome(&mut self, outcome: Outcome) -> bool {
        let place = self.in_flight.remove(&outcome.sequence);
        let slot = place.and_then(|place| self.called.get_mut(place - self.gone));
        match slot {
            Some((_, end)) => {
                *end = Some(outcome);
                true
            }
            None => false,
        }
    }

    fn next(&mut self, is_read: bool) -> Option<(Intent, Option<Outcome>)> {
        let (_, outcome) = self.called.front()?;
        if outcome.is_none() && !is_read {
            return None;
        }
        self.gone += 1;
        self.called.pop_front()
    }

    fn time(entry: &Entry) -> u64 {
        entry.intent.called_ns
    }
}
