//! Faults that can be planted on purpose, so that a harness can prove that it sees them.
//!
//! None is on by default, and none touches the clean path: the faults on writes are decorators
//! around the [`Writer`] (`writes`, `early_ack`, `latest`), those on
//! connections are in `outages`. Every hit is logged under the target `fault` with the command's
//! id, so that a test knows the truth.
//!
//! While a fault on writes is planted every request commits alone, so that hits are decided one
//! after the other, in the order of the commits.

mod early_ack;
mod latest;
pub(crate) mod outages;
mod registry;
mod spec;
mod writes;

pub use registry::{Description, registry};
pub use spec::{Fault, FaultError, Pick};

use crate::{
    latest::{Latest, ReadError},
    store::{Store, Writer},
};
use std::sync::Arc;

/// Whether any of the faults decides about single writes.
pub(crate) fn touch_writes(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| !matches!(fault, Fault::Refuse { .. } | Fault::Stall { .. }))
}

/// Puts the planted faults around the writer, and says where `latest` is read from then.
pub(crate) async fn plant(
    faults: Vec<Fault>,
    store: Arc<dyn Store>,
    mut writer: Box<dyn Writer>,
    mut latest: Latest,
) -> Result<(Box<dyn Writer>, Latest), ReadError> {
    for fault in faults.clone() {
        tracing::warn!(target: "fault", %fault, "planted");
        match fault {
            Fault::StaleLatest { by } => {
                (writer, latest) = latest::lag(writer, latest.read(store.as_ref()).await?, by);
            }
            Fault::CountLatest => {
                (writer, latest) = latest::count(writer, latest.read(store.as_ref()).await?);
            }
            _ => {}
        }
    }
    for fault in &faults {
        if let Fault::AheadLatest { by } = *fault {
            writer = latest::run_ahead(writer, by);
        }
    }
    let picked = writes::Picked::of(&faults);
    if !picked.is_empty() {
        writer = Box::new(writes::FaultyWriter::new(writer, store, picked));
    }
    for fault in &faults {
        if let Fault::EarlyAck { delay } = *fault {
            writer = early_ack::acknowledge_early(writer, delay);
        }
    }
    Ok((writer, latest))
}
