//! The wrong reads of one contract: how many of each kind, and the first of each as witnesses.

use super::history::{Kind, Operation};
use super::value::Rival;
use limosa_reports::run::verdict::latest::{Anomaly, Witness, WitnessedOperation};
use std::collections::BTreeMap;

/// How many wrong reads of each kind are described.
const WITNESSES: usize = 5;
const NS_PER_SECOND: f64 = 1e9;

/// A wrong read and what contradicts it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contradiction {
    pub(super) anomaly: Anomaly,
    pub(super) read: Operation,
    pub(super) rival: Rival,
}

/// The wrong reads of one contract.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: u64,
    pub(super) wrong: u64,
    anomalies: BTreeMap<Anomaly, u64>,
    found: Vec<Contradiction>,
}

impl Tally {
    /// Takes a wrong read.
    pub(super) fn accuse(&mut self, anomaly: Anomaly, read: Operation, rival: Rival) {
        self.wrong += 1;
        let count = self.anomalies.entry(anomaly).or_default();
        *count += 1;
        if *count <= WITNESSES as u64 {
            self.found.push(Contradiction { anomaly, read, rival });
        }
    }

    /// What `count` reads named, and nobody seemed to have written, was written after all, after
    /// they had been answered.
    pub(super) fn written_later(&mut self, write: Operation, count: u64) {
        let is_phantom = |found: &&mut Contradiction| {
            found.anomaly == Anomaly::Phantom && found.read.value == write.value
        };
        for found in self.found.iter_mut().filter(is_phantom) {
            found.anomaly = Anomaly::Future;
            found.rival.followed = Some(write);
        }
        if let Some(phantoms) = self.anomalies.get_mut(&Anomaly::Phantom) {
            *phantoms -= count;
        }
        self.anomalies.retain(|_, count| *count > 0);
        *self.anomalies.entry(Anomaly::Future).or_default() += count;
    }

    /// The counts, and the witnesses by time.
    pub(super) fn finish(mut self, names_replicas: bool) -> (BTreeMap<Anomaly, u64>, Vec<Witness>) {
        self.found.sort_by_key(|found| found.read.call_ns);
        let witness = |found: &Contradiction| found.witness(names_replicas);
        (self.anomalies, self.found.iter().map(witness).collect())
    }
}

impl Contradiction {
    fn witness(&self, names_replicas: bool) -> Witness {
        let record = |operation: Option<Operation>| -> Option<WitnessedOperation> {
            operation.map(|operation| operation.witnessed())
        };
        Witness {
            anomaly: self.anomaly,
            read: self.read.witnessed(),
            finished: record(self.rival.finished),
            followed: record(self.rival.followed),
            seen: record(self.rival.seen),
            sentence: self.sentence(names_replicas),
        }
    }

    fn sentence(&self, names_replicas: bool) -> String {
        let Rival { finished, followed, seen, .. } = self.rival;
        let value = self.read.value;
        let read = asked(&self.read, names_replicas);
        match (self.anomaly, finished, followed, seen) {
            (Anomaly::Phantom, ..) => format!("{read}, it named {value}, which nobody had sent"),
            (Anomaly::AbortedRead, ..) => {
                format!("{read}, it named {value}, a command that never took effect")
            }
            (Anomaly::Future, _, Some(write), _) => format!(
                "{read} and answered at {}, it named {value}, which was only sent at {}",
                seconds(self.read.return_ns),
                seconds(write.call_ns)
            ),
            (Anomaly::NotLast, _, Some(last), _) if last.replica().is_none() => format!(
                "{read}, it named {value}; nothing had been sent since it named {}",
                last.value
            ),
            (Anomaly::NotLast, _, Some(last), _) => format!(
                "{read}, it named {value}; the last command was {}, answered at {}",
                last.value,
                seconds(last.return_ns)
            ),
            (Anomaly::Smaller, _, _, Some(larger)) => format!(
                "{read}, it named {value}, though {}, a larger id, {}",
                larger.value,
                over(&larger)
            ),
            (_, finished, Some(followed), Some(seen)) => {
                let over_by = finished
                    .map_or_else(|| "was over long before".to_owned(), |first| over(&first));
                format!(
                    "{read}, it named {value}, which had been replaced by {}: {value} {over_by}, then \
                     {}, and {} {}",
                    followed.value,
                    begun(&followed),
                    followed.value,
                    over(&seen),
                )
            }
            _ => format!("{read}, it named {value}, which had been replaced long before"),
        }
    }
}

fn seconds(ns: u64) -> String {
    format!("{:.3} s", ns as f64 / NS_PER_SECOND)
}

fn asked(read: &Operation, names_replicas: bool) -> String {
    let at = seconds(read.call_ns);
    match read.replica() {
        Some(replica) if names_replicas => format!("asked at {at} (replica {replica})"),
        Some(_) => format!("asked at {at}"),
        None => "asked after the run".to_owned(),
    }
}

/// How the first operation of a value ended.
fn over(first: &Operation) -> String {
    match (first.kind, first.replica()) {
        (Kind::Write, None) => "was there before the run".to_owned(),
        (Kind::Write, _) => format!("was answered at {}", seconds(first.return_ns)),
        (Kind::Read, _) => format!("was named in an answer at {}", seconds(first.return_ns)),
    }
}

/// How the operation that followed began.
fn begun(followed: &Operation) -> String {
    match followed.kind {
        Kind::Write => format!("{} was sent at {}", followed.value, seconds(followed.call_ns)),
        Kind::Read => {
            let at = seconds(followed.call_ns);
            format!("a read sent at {at} named {0}, so {0} came later", followed.value)
        }
    }
}
