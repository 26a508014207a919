//! Servers as child processes that end with this one.

use crate::{KitError, io};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::Error,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(5);
/// How long a server may take to come up or go down.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A server of ours; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    program: &'static str,
}

impl Process {
    /// Starts it in a group of its own, with what it says in `log`, and waits until `ready`.
    pub(crate) fn start(
        program: &'static str,
        command: Command,
        log: &Path,
        mut ready: impl FnMut() -> bool,
    ) -> Result<Self, KitError> {
        let begun = Instant::now();
        let child = spawn(command, log).map_err(io(format!("starting {program}")))?;
        let mut process = Self { child, program };
        while !ready() {
            if let Some(status) = process.child.try_wait().map_err(io("waiting"))? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(KitError::Failed { program: program.to_owned(), status, said });
            }
            if begun.elapsed() > LIMIT {
                let seconds = LIMIT.as_secs();
                return Err(KitError::Silent { program, seconds, log: log.to_owned() });
            }
            thread::sleep(POLL);
        }
        Ok(process)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), KitError> {
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|error| io(format!("signalling {}", self.program))(error.into()))
    }

    /// Signals it and all the processes that it started itself. Those of PostgreSQL are each in a
    /// group of their own, so a signal to the group would reach the first alone.
    pub(crate) fn signal_all(&self, signal: Signal) -> Result<(), KitError> {
        // While it stands still it starts no more of them.
        self.signal(Signal::STOP)?;
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .map_err(io(format!("listing the processes of {}", self.program)))?;
        for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // One that has ended meanwhile needs no signal.
            let _gone = Pid::from_raw(child).map(|pid| kill_process(pid, signal));
        }
        self.signal(signal)
    }

    /// Waits until it has ended.
    pub(crate) fn ended(mut self) -> Result<ExitStatus, KitError> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().map_err(io("waiting"))? {
                return Ok(status);
            }
            if begun.elapsed() > LIMIT {
                return Err(io(format!("ending {}", self.program))(Error::other("it goes on")));
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // All fail only where it has ended already.
        let _killed = self.signal_all(Signal::KILL);
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// `setpriv --pdeathsig` ties the child's life to the thread that starts it, so that thread has to
/// live as long as this process.
fn spawn(mut command: Command, log: &Path) -> std::io::Result<Child> {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    command.process_group(0).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let (sender, started) = mpsc::channel();
    thread::Builder::new().name("kit".to_owned()).spawn(move || {
        // The receiver waits just below.
        let _heard = sender.send(command.spawn());
        loop {
            thread::park();
        }
    })?;
    started.recv().map_err(Error::other)?
}

/// `setpriv PROGRAM`, which the kernel ends with `signal` when this process ends.
pub(crate) fn tied(program: &Path, signal: &str, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((uid, gid)) = user {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}")]).arg("--clear-groups");
    }
    command.arg(format!("--pdeathsig={signal}")).arg(program);
    command
}

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub(crate) fn free_port() -> Result<u16, KitError> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(io("looking for a free port"))
}

/// Runs a program to its end and returns what it wrote on standard output.
pub(crate) fn output(mut command: Command) -> Result<String, KitError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(io(format!("starting {program}")))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let said = said + &String::from_utf8_lossy(&output.stderr);
    Err(KitError::Failed { program, status: output.status, said })
}
