//! The checkers against what they must be equal to.
//!
//! - [`oracle`]: exhaustive search over all orders of small random histories.
//! - [`definitions`]: the definitions, written down as they stand, on longer random histories.
//! - [`planted`]: the smallest history that shows each anomaly, and what is said about it.
//! - [`calibration`]: simulated targets whose staleness is known from theory.

mod calibration;
mod definitions;
mod oracle;
mod planted;

use super::Checker;
use super::history::{Kind, OPEN_NS, Operation, Source};
use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::run::verdict::latest::{Contract, ContractJudgement, LatestDetails};
use limosa_reports::run::verdict::{LatestJudgement, Verdict};
use proptest::prelude::*;

fn write(value: i64, call_ns: u64, return_ns: u64) -> Operation {
    Operation {
        kind: Kind::Write,
        value,
        call_ns,
        return_ns,
        failed: false,
        client: 0,
        source: Source::Request(0, call_ns, 0),
    }
}

fn read(value: i64, call_ns: u64, return_ns: u64) -> Operation {
    Operation { kind: Kind::Read, ..write(value, call_ns, return_ns) }
}

/// Judges operations, which are sorted by their calls here, with a memory for `kept` values.
fn judged(
    initial: Option<i64>,
    operations: &[Operation],
    order: Order,
    kept: usize,
) -> LatestJudgement {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| operation.call_ns);
    let profile = Profile::default();
    let mut checker = Checker::with_memory(initial, &profile, order, kept, usize::MAX);
    operations.into_iter().for_each(|operation| checker.take(operation));
    checker.finish(None).unwrap()
}

fn details(initial: Option<i64>, operations: &[Operation]) -> LatestDetails {
    judged(initial, operations, Order::None, 1000).details.unwrap()
}

fn contract(details: &LatestDetails, contract: Contract) -> &ContractJudgement {
    details.contracts.iter().find(|judgement| judgement.contract == contract).unwrap()
}

/// How a generated history looks.
#[derive(Debug, Clone, Copy)]
struct Shape {
    operations: usize,
    values: i64,
    last_call_ns: u64,
    longest_ns: u64,
    unique: bool,
}

/// Random histories: one write in eight is open, one failed. Reads name what may have been written,
/// or the initial value -1.
fn histories(shape: Shape) -> impl Strategy<Value = Vec<Operation>> {
    let operation = (
        any::<bool>(),
        0..shape.values,
        1..=shape.last_call_ns,
        0..=shape.longest_ns,
        0..8,
        0..4_u64,
    );
    prop::collection::vec(operation, 1..=shape.operations).prop_map(move |drawn| {
        let mut taken = std::collections::BTreeSet::new();
        drawn
            .into_iter()
            .map(|(is_write, drawn, call_ns, length_ns, fate, client)| {
                let return_ns = call_ns + length_ns;
                if !is_write {
                    return Operation { client, ..read(drawn - 1, call_ns, return_ns) };
                }
                let mut value = drawn;
                while shape.unique && !taken.insert(value) {
                    value = (value + 1) % (shape.values + shape.operations as i64);
                }
                match fate {
                    0 => write(value, call_ns, OPEN_NS),
                    1 => Operation { failed: true, ..write(value, call_ns, OPEN_NS) },
                    _ => Operation { client, ..write(value, call_ns, return_ns) },
                }
            })
            .collect()
    })
}

fn verdict_of(details: &LatestDetails, which: Contract) -> Verdict {
    contract(details, which).verdict
}
