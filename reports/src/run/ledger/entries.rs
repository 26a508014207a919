//! Intents joined with their outcomes.

use super::{Damage, Frame, Intent, LedgerError, LedgerReader, Mark, Outcome};
use crate::run::operation::Ack;
use std::collections::HashMap;

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

/// The ledger's requests: those with an outcome in the order of their outcomes, then, part by
/// part, those without one. Holds only what is in flight.
#[derive(Debug)]
pub struct Entries {
    reader: LedgerReader,
    in_flight: HashMap<u64, Intent>,
    part: u16,
    abandoned: std::vec::IntoIter<Entry>,
    held_back: Option<(u16, Frame)>,
    marks: Vec<Mark>,
    strays: u64,
}

impl Entries {
    /// Reads the requests from `reader`.
    pub fn new(reader: LedgerReader) -> Self {
        Self {
            reader,
            in_flight: HashMap::new(),
            part: 0,
            abandoned: Vec::new().into_iter(),
            held_back: None,
            marks: Vec::new(),
            strays: 0,
        }
    }

    /// The places that could not be read so far.
    pub fn damage(&self) -> &[Damage] {
        self.reader.damage()
    }

    /// The marks met so far.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Outcomes whose intent was not there: above zero only where the ledger is damaged.
    pub fn strays(&self) -> u64 {
        self.strays
    }

    fn end_part(&mut self) {
        let part = self.part;
        let mut rest: Vec<Entry> = self
            .in_flight
            .drain()
            .map(|(_, intent)| Entry { part, intent, outcome: None })
            .collect();
        rest.sort_by_key(|entry| entry.intent.sequence);
        self.abandoned = rest.into_iter();
    }

    fn step(&mut self) -> Result<Option<Entry>, LedgerError> {
        loop {
            if let Some(entry) = self.abandoned.next() {
                return Ok(Some(entry));
            }
            let next = match self.held_back.take() {
                Some(frame) => Some(frame),
                None => self.reader.next().transpose()?,
            };
            let Some((part, frame)) = next else {
                if self.in_flight.is_empty() {
                    return Ok(None);
                }
                self.end_part();
                continue;
            };
            if part != self.part {
                self.end_part();
                self.part = part;
                self.held_back = Some((part, frame));
                continue;
            }
            match frame {
                Frame::Intent(intent) => {
                    self.in_flight.insert(intent.sequence, intent);
                }
                Frame::Outcome(outcome) => match self.in_flight.remove(&outcome.sequence) {
                    Some(intent) => {
                        return Ok(Some(Entry { part, intent, outcome: Some(outcome) }));
                    }
                    None => self.strays += 1,
                },
                Frame::Mark(mark) => self.marks.push(mark),
            }
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
