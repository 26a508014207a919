//! Connections that are not in use.

use super::Engine;
use crate::client::{ClientKind, KeepAlive, RequestEncoder, Sender};
use limosa_reports::run::operation::Operation;

/// The targets of a run, each with its encoder and its idle connections. A request takes the
/// connection that was given back last, so that no more are open than were ever needed at once.
pub(super) struct Pool {
    targets: Vec<Target>,
}

struct Target {
    commands: RequestEncoder,
    idle: Vec<Sender>,
    /// The simulator never reads: its reads have connections of Limosa's own kind.
    idle_for_reads: Vec<Sender>,
    keep_alive: KeepAlive,
}

impl Pool {
    pub(super) fn new(engine: &Engine) -> Self {
        let target = |(url, keep_alive): (_, &KeepAlive)| {
            let encoder = match keep_alive.is_off() {
                true => RequestEncoder::closing,
                false => RequestEncoder::new,
            };
            Target {
                commands: encoder(engine.client, url, &engine.profile),
                idle: Vec::new(),
                idle_for_reads: Vec::new(),
                keep_alive: keep_alive.clone(),
            }
        };
        Self { targets: engine.targets.iter().zip(&engine.keep_alive).map(target).collect() }
    }

    pub(super) fn encoder(&self, target: usize) -> &RequestEncoder {
        &self.targets[target].commands
    }

    /// Takes a connection for a request of the given operation, an idle one where there is one.
    pub(super) fn take(&mut self, engine: &Engine, target: usize, operation: Operation) -> Sender {
        let url = &engine.targets[target];
        let target = &mut self.targets[target];
        let kind = if operation.is_write() { engine.client } else { ClientKind::Limosa };
        let idle = target.idle(operation);
        idle.pop().unwrap_or_else(|| {
            let keep_alive = target.keep_alive.clone();
            Sender::new(url.clone(), kind, engine.timeouts, engine.clock, keep_alive)
        })
    }

    /// Gives a connection back.
    pub(super) fn put(&mut self, target: usize, operation: Operation, sender: Sender) {
        self.targets[target].idle(operation).push(sender);
    }
}

impl Target {
    fn idle(&mut self, operation: Operation) -> &mut Vec<Sender> {
        if operation.is_write() { &mut self.idle } else { &mut self.idle_for_reads }
    }
}
