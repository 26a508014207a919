//! Jepsen's history: the events of all operations in the order of time.
//!
//! Each event is a map of `:type` (`:invoke`, then `:ok`, `:fail` or `:info`), `:f` (`:write` or
//! `:read`), `:value` (of a read: nil until it is known), `:time` in nanoseconds, `:process` and
//! `:index`, as the documentation of [jepsen.history](https://github.com/jepsen-io/history) asks for;
//! completions have `:replica` and `:status` besides. The first write is what the target named before
//! the run, so that a register which begins with nil fits: Knossos judges the file by its `register`.
//!
//! A process does one thing at a time, and after an `:info` nothing any more: its client goes on under
//! a new number. Operations that are nobody's take turns in processes of their own, as few as there are
//! of them at once. Where one ends in the very nanosecond in which another begins they count as
//! concurrent, but where the next operation of its client begins then too.

use super::{Kind, Outcome, Record};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::io::{self, Write};

/// When an operation ends, and its number, which tells operations of one instant apart.
type End = (u64, u64);

/// An operation that never ended comes after all that did.
const NEVER: u64 = u64::MAX;

/// Writes a history, from records in the order of their calls.
#[derive(Debug)]
pub struct Events<W> {
    out: W,
    under_way: BTreeMap<End, Pending>,
    /// The process of each client, and the end of what it does.
    clients: HashMap<u64, (u64, Option<End>)>,
    /// Processes of nobody that do nothing.
    free: BinaryHeap<Reverse<u64>>,
    processes: u64,
    pushed: u64,
    index: u64,
    now_ns: u64,
}

#[derive(Debug)]
struct Pending {
    record: Record,
    process: u64,
}

impl<W: Write> Events<W> {
    /// Writes to `out`, in small pieces.
    pub fn new(out: W) -> Self {
        Self {
            out,
            under_way: BTreeMap::new(),
            clients: HashMap::new(),
            free: BinaryHeap::new(),
            processes: 0,
            pushed: 0,
            index: 0,
            now_ns: 0,
        }
    }

    /// Takes the next operation, and writes the events up to its call.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn push(&mut self, record: &Record) -> io::Result<()> {
        while let Some((end, _)) = self.under_way.first_key_value()
            && end.0 < record.call_ns
        {
            let end = *end;
            self.complete(end)?;
        }
        let end = (record.ended_ns().unwrap_or(NEVER), self.pushed);
        self.pushed += 1;
        let process = self.process(record, end)?;
        self.write("invoke", record, record.call_ns, process)?;
        self.under_way.insert(end, Pending { record: record.clone(), process });
        Ok(())
    }

    /// Writes what is left. What never ended is `:info` at the end.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        while let Some((end, _)) = self.under_way.first_key_value() {
            let end = *end;
            self.complete(end)?;
        }
        self.out.flush()
    }

    /// The process of an operation, which does nothing else then.
    fn process(&mut self, record: &Record, end: End) -> io::Result<u64> {
        let Some(client) = record.client else {
            return Ok(match self.free.pop() {
                Some(Reverse(process)) => process,
                None => self.new_process(),
            });
        };
        if let Some((_, Some(before))) = self.clients.get(&client).copied()
            && before.0 <= record.call_ns
        {
            self.complete(before)?;
        }
        let process = match self.clients.get(&client) {
            Some((process, None)) => *process,
            // It is under way still, for what reason ever: no process does two things at once.
            Some(_) | None => self.new_process(),
        };
        self.clients.insert(client, (process, Some(end)));
        Ok(process)
    }

    fn new_process(&mut self) -> u64 {
        self.processes += 1;
        self.processes - 1
    }

    fn complete(&mut self, end: End) -> io::Result<()> {
        let Some(Pending { record, process }) = self.under_way.remove(&end) else { return Ok(()) };
        let is_retired = record.outcome == Outcome::Info;
        match record.client {
            None if is_retired => {}
            None => self.free.push(Reverse(process)),
            Some(client) => {
                if self.clients.get(&client).is_some_and(|(its, _)| *its == process) {
                    match is_retired {
                        true => _ = self.clients.remove(&client),
                        false => _ = self.clients.insert(client, (process, None)),
                    }
                }
            }
        }
        let event = match record.outcome {
            Outcome::Ok => "ok",
            Outcome::Fail => "fail",
            Outcome::Info => "info",
        };
        let time_ns = if end.0 == NEVER { self.now_ns } else { end.0 };
        self.write(event, &record, time_ns, process)
    }

    fn write(
        &mut self,
        event: &str,
        record: &Record,
        time_ns: u64,
        process: u64,
    ) -> io::Result<()> {
        self.now_ns = time_ns;
        let is_call = event == "invoke";
        let f = match record.kind {
            Kind::Write => "write",
            Kind::Read => "read",
        };
        write!(self.out, "{{:type :{event}, :f :{f}, :value ")?;
        match record.value {
            Some(value) if record.kind == Kind::Write || !is_call => write!(self.out, "{value}")?,
            _ => write!(self.out, "nil")?,
        }
        let index = self.index;
        write!(self.out, ", :time {time_ns}, :process {process}, :index {index}")?;
        self.index += 1;
        for (key, number) in [("replica", record.replica), ("status", record.status)] {
            if let Some(number) = number.filter(|_| !is_call) {
                write!(self.out, ", :{key} {number}")?;
            }
        }
        writeln!(self.out, "}}")
    }
}
