//! What a whole history comes to: the verdict of each contract, and the measures.

use super::checker::Checker;
use super::history::{OPEN_NS, Operation};
use super::tally::Tally;
use limosa_reports::render::{all, count, counted};
use limosa_reports::run::verdict::latest::{Bounded, Contract, ContractJudgement, LatestDetails};
use limosa_reports::run::verdict::{LatestJudgement, Verdict};

/// How many wrong reads are described in words alone.
const SENTENCES: usize = 5;

impl Checker<'_> {
    /// Ends the history. `last` is what the target named after the run. `None` where `latest` was
    /// never read.
    pub fn finish(mut self, last: Option<i64>) -> Option<LatestJudgement> {
        if !self.is_asked && last.is_none() {
            return None;
        }
        if let Some(value) = last {
            self.take(Operation::last(value, self.end_ns.max(self.now_ns) + 1));
        }
        self.advance(OPEN_NS);
        let delta = self.delta();
        let doubt = self.doubt();
        let is_wrong = self.register_tally.wrong > 0;
        let (staleness, replicas, course) = self.measures.finish();
        let end = End { names_replicas: replicas.len() > 1, is_disordered: self.is_disordered };
        let strict_legal = self.strict.mean_legal();
        let mut contracts = vec![
            end.judged(Contract::Register, self.register_tally, doubt),
            end.judged(Contract::MaxRegister, self.maximum_tally, None),
        ];
        if let [register, maximum] = contracts.as_mut_slice()
            && (register.verdict, maximum.verdict) == (Verdict::Fail, Verdict::Pass)
        {
            register.summary += "; a target that keeps the largest id would answer so";
        }
        let mut mean_legal = (self.reads > 0).then(|| self.legal as f64 / self.reads as f64);
        if self.is_strict {
            contracts.insert(0, end.judged(Contract::Strict, self.strict.tally, None));
            mean_legal = strict_legal;
        }
        let decisive = &contracts[0];
        Some(LatestJudgement {
            contract: decisive.contract.name().to_owned(),
            verdict: decisive.verdict,
            reads: decisive.reads,
            wrong: decisive.wrong,
            mean_legal,
            last_sent: self.last_sent,
            last_reported: self.last_reported,
            witnesses: decisive
                .witnesses
                .iter()
                .take(SENTENCES)
                .map(|witness| witness.sentence.clone())
                .collect(),
            details: Some(LatestDetails {
                counting: self.counter.finish().filter(|_| is_wrong),
                contracts,
                staleness,
                delta,
                sessions: self.clients.finish(),
                replicas,
                repeated: self.repeated,
                undecided: self.undecided,
                course,
            }),
        })
    }

    fn delta(&self) -> Bounded {
        if self.register_tally.wrong == 0 {
            return Bounded::default();
        }
        let (read_ns, has_more) = self.clusters.delta_ns();
        let (behind_ns, is_longer) = self.measures.max_behind();
        Bounded {
            ns: read_ns.max(behind_ns),
            at_least: has_more || is_longer || self.forgot_a_read_value,
        }
    }

    /// Why the register question has no answer.
    fn doubt(&self) -> Option<String> {
        if self.reread_while_rewritten {
            let why = "an id was sent again while a read that named it was under way, so that nobody \
                       can tell which of the two it named";
            return Some(why.to_owned());
        }
        if self.register_tally.wrong > 0 {
            return None;
        }
        if self.left_out > 0 {
            return Some(format!(
                "{} repeated an id that could still be read of an earlier one, so that nobody can \
                 tell which of the two a read named",
                counted(self.left_out, "write")
            ));
        }
        (self.undecided > 0).then(|| {
            format!(
                "{} cannot be judged: nothing is known of what was there before the run",
                counted(self.undecided, "read")
            )
        })
    }
}

/// What the end of a history means for every contract.
#[derive(Debug)]
struct End {
    names_replicas: bool,
    is_disordered: bool,
}

impl End {
    fn judged(&self, contract: Contract, tally: Tally, doubt: Option<String>) -> ContractJudgement {
        // Where the question has no answer, nobody is accused.
        let has_answer = doubt.is_none() && !self.is_disordered;
        let (reads, wrong) = (tally.reads, if has_answer { tally.wrong } else { 0 });
        let right = match contract {
            Contract::Strict => "the last command",
            Contract::Register => "the last command or one that was under way",
            Contract::MaxRegister => "the largest id or one that was under way",
        };
        let (verdict, summary) = match (reads, wrong, doubt) {
            _ if self.is_disordered => {
                let why = "the requests are not in the order of their calls".to_owned();
                (Verdict::Unknown, why)
            }
            (.., Some(doubt)) => (Verdict::Unknown, doubt),
            (0, ..) => (Verdict::Unknown, "no read could be judged".to_owned()),
            (_, 0, _) => (Verdict::Pass, format!("{} of latest named {right}", all(reads, "read"))),
            _ => {
                let of = counted(reads, "read");
                (Verdict::Fail, format!("{} of {of} of latest did not name {right}", count(wrong)))
            }
        };
        let tally = if has_answer { tally } else { Tally::default() };
        let (anomalies, witnesses) = tally.finish(self.names_replicas);
        ContractJudgement { contract, verdict, summary, reads, wrong, anomalies, witnesses }
    }
}
