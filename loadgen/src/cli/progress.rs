//! One line that shows how far a run is: redrawn on a terminal, a plain line every five seconds
//! elsewhere.

use crate::record::{Live, Snapshot};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(200);
const PLAIN: Duration = Duration::from_secs(5);

/// Shows the progress until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    stop: Option<Sender<()>>,
    drawer: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows `live` on the way to `total` commands; nothing where `quiet`.
    pub(super) fn start(live: Arc<Live>, total: u64, quiet: bool) -> Self {
        if quiet {
            return Self { stop: None, drawer: None };
        }
        let (stop, stopped) = channel();
        let drawer = std::thread::spawn(move || {
            let bar = bar(total);
            let plain = bar.is_hidden();
            let began = Instant::now();
            let pause = if plain { PLAIN } else { REDRAW };
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let now = live.snapshot();
                if plain {
                    print_line(&describe(&now, total, began.elapsed()));
                } else {
                    bar.set_position(now.done);
                    bar.set_message(figures(&now));
                }
            }
            bar.finish_and_clear();
        });
        Self { stop: Some(stop), drawer: Some(drawer) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(drawer) = self.drawer.take() {
            // A drawer that panicked has nothing left to show.
            let _ = drawer.join();
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style =
        ProgressStyle::with_template("{bar:20} {human_pos}/{human_len} {per_sec} {msg} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
}

fn figures(now: &Snapshot) -> String {
    let ms = |ns: u64| ns as f64 / 1e6;
    let errors = match now.errors {
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    format!("p50 {:.2} ms, p99 {:.2} ms, {errors},", ms(now.p50_ns), ms(now.p99_ns))
}

fn describe(now: &Snapshot, total: u64, elapsed: Duration) -> String {
    let rate = now.done as f64 / elapsed.as_secs_f64();
    let left = total.saturating_sub(now.done) as f64 / rate.max(f64::MIN_POSITIVE);
    let eta = if left < 1e6 { format!("{left:.0} s left") } else { "standing still".to_owned() };
    format!("{}/{total} commands, {rate:.0}/s, {} {eta}", now.done, figures(now))
}

#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
fn print_line(line: &str) {
    eprintln!("{line}");
}
