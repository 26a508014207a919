//! Ctrl-C, once and twice.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a shell reports for a process that SIGINT ended: 128 + 2.
const INTERRUPTED: i32 = 130;

/// The first Ctrl-C ends the run after the requests that are under way, so that it can be judged; the
/// second one ends limosa: what was sent is in the ledger.
#[derive(Debug)]
pub(super) struct Interrupt {
    flag: Arc<AtomicBool>,
    run: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Listens from now on. In a runtime only.
    pub(super) fn listen() -> Self {
        let interrupt = Self { flag: Arc::default(), run: Arc::default() };
        let (flag, run) = (Arc::clone(&interrupt.flag), Arc::clone(&interrupt.run));
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::Relaxed) {
                    let run = run.lock().unwrap_or_else(PoisonError::into_inner);
                    end_at_once(run.as_deref());
                }
            }
        });
        interrupt
    }

    /// Set by the first Ctrl-C.
    pub(super) fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// Tells where the run is, for whoever wants to judge it after the second.
    pub(super) fn is_recorded_in(&self, run: &Path) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.to_path_buf());
    }
}

#[allow(clippy::exit, reason = "the user insists")]
#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
fn end_at_once(run: Option<&Path>) {
    match run {
        Some(run) => eprintln!("\nlimosa: {}", left_behind(run)),
        None => eprintln!("\nlimosa: ended before anything was sent"),
    }
    std::process::exit(INTERRUPTED);
}

fn left_behind(run: &Path) -> String {
    let run = limosa_reports::render::shell_word(&run.to_string_lossy());
    format!(
        "ended at once; what was sent is on record: `limosa judge --read-back {run}` reads the \
         target and judges it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_insists_is_told_how_to_judge_what_was_sent() {
        let said = left_behind(Path::new("runs/my run"));
        assert!(said.contains("`limosa judge --read-back 'runs/my run'`"), "{said}");
    }
}
