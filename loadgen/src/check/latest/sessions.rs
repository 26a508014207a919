//! What each client may expect of its own requests: monotonic reads, and reading its own writes.

use super::history::{Kind, Operation};
use super::value::Named;
use limosa_reports::run::verdict::latest::Sessions;
use std::collections::HashMap;

/// How many clients are followed; so many fit in a few megabytes.
const CLIENTS: usize = 1 << 16;

/// What a client has seen and done: calls of writes, the latest of each.
#[derive(Debug, Default)]
struct Client {
    read_ns: u64,
    wrote_ns: u64,
}

/// The clients of a history.
#[derive(Debug, Default)]
pub(super) struct Clients {
    clients: HashMap<u64, Client>,
    sessions: Sessions,
}

impl Clients {
    fn client(&mut self, operation: &Operation) -> Option<&mut Client> {
        if operation.client == 0 {
            return None;
        }
        let is_full = self.clients.len() >= CLIENTS;
        if is_full && !self.clients.contains_key(&operation.client) {
            self.sessions.not_followed += u64::from(operation.kind == Kind::Read);
            return None;
        }
        Some(self.clients.entry(operation.client).or_default())
    }

    /// Takes a write. One without an answer promises its client nothing.
    pub(super) fn write(&mut self, write: &Operation) {
        if !write.is_open()
            && let Some(client) = self.client(write)
        {
            client.wrote_ns = client.wrote_ns.max(write.call_ns);
        }
    }

    /// Takes a read. What is no longer kept was there by `named.done_ns` at the latest.
    pub(super) fn read(&mut self, read: &Operation, named: &Named) {
        let Some(client) = self.client(read) else { return };
        let went_back = named.done_ns < client.read_ns;
        let missed_own = named.done_ns < client.wrote_ns;
        if !named.is_forgotten {
            client.read_ns = client.read_ns.max(named.write_call_ns);
        }
        self.sessions.reads += 1;
        self.sessions.monotonic_reads_broken += u64::from(went_back);
        self.sessions.own_writes_missed += u64::from(missed_own);
    }

    pub(super) fn finish(self) -> Sessions {
        Sessions { reads: self.sessions.reads + self.sessions.not_followed, ..self.sessions }
    }
}
