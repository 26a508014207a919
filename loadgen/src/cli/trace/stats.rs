//! `limosa trace stats`: traces in figures, side by side.

use super::super::exit::Exit;
use super::{grouped, source, unless_pipe_broke};
use limosa_scenarios::{Gatherer, Stats, Summary, TraceError, TraceReader};
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  limosa trace stats trace.tsv
  limosa trace generate --fit trace.tsv | limosa trace stats trace.tsv -";

/// Describes traces in figures, one column a trace
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The traces; - is standard input
    #[arg(value_name = "TRACE", default_value = "-")]
    traces: Vec<PathBuf>,
    /// Print the figures as JSON
    #[arg(long, env = "LIMOSA_JSON")]
    json: bool,
}

/// A trace and its figures.
#[derive(Debug, Serialize)]
struct Described {
    trace: String,
    #[serde(flatten)]
    stats: Stats,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let mut columns = Vec::new();
        for path in &self.traces {
            let (input, trace) = source(path)?;
            let mut gatherer = Gatherer::default();
            for command in TraceReader::new(input, trace.as_str()) {
                gatherer.add(&command?);
            }
            let stats = gatherer.stats();
            if stats.commands == 0 {
                return Err(TraceError::Empty { name: trace }.into());
            }
            columns.push(Described { trace, stats });
        }
        let mut out = io::stdout().lock();
        unless_pipe_broke(match self.json {
            true => writeln!(out, "{}", serde_json::to_string_pretty(&columns)?),
            false => print(&mut out, &columns),
        })?;
        Ok(Exit::Pass)
    }
}

/// A line of the table: what it shows, and how it is read off the figures.
type Row = (&'static str, fn(&Stats) -> String);

const ROWS: &[Row] = &[
    ("commands", |s| grouped(s.commands)),
    ("ids", |s| format!("{} to {}", s.first_id, s.last_id)),
    ("span", |s| duration(s.span_ms as f64)),
    ("register", |s| part(s.registers, s.commands)),
    ("tweet", |s| part(s.tweets, s.commands)),
    ("follow", |s| part(s.follows, s.commands)),
    ("unfollow", |s| part(s.unfollows, s.commands)),
    ("gap, p50", |s| duration(s.gap_ms.p50 as f64)),
    ("gap, mean", |s| duration(s.gap_ms.mean)),
    ("gap, p90", |s| duration(s.gap_ms.p90 as f64)),
    ("gap, p99", |s| duration(s.gap_ms.p99 as f64)),
    ("gap, longest", |s| duration(s.gap_ms.max as f64)),
    ("tweets of an author", |s| spread(&s.tweets_per_author)),
    ("authors, Zipf exponent", |s| format!("{:.2}", s.author_zipf)),
    ("followees, Zipf exponent", |s| format!("{:.2}", s.followee_zipf)),
    ("text, characters", |s| spread(&s.text_chars)),
    ("text, bytes", |s| spread(&s.text_bytes)),
    ("texts not of ASCII", |s| format!("{:.1} %", 100.0 * s.non_ascii_share)),
    ("duplicate texts", |s| grouped(s.duplicate_texts)),
    ("emails with +", |s| grouped(s.emails_with_plus)),
    ("duplicate follows", |s| grouped(s.duplicate_follows)),
    ("unfollows of no edge", |s| grouped(s.unfollows_of_no_edge)),
    ("by or to no user", |s| grouped(s.unregistered)),
    ("users at the end", |s| grouped(s.final_users)),
    ("messages at the end", |s| grouped(s.final_messages)),
    ("edges at the end", |s| grouped(s.final_edges)),
];

const NOTE: &str = "Of authors and texts: median / p90 / p99 / most.";

fn print(out: &mut impl Write, columns: &[Described]) -> io::Result<()> {
    let mut table = vec![("", columns.iter().map(|c| short(&c.trace)).collect::<Vec<_>>())];
    for (label, value) in ROWS {
        table.push((label, columns.iter().map(|c| value(&c.stats)).collect()));
    }
    let label_width = ROWS.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| table.iter().map(|row| row.1[column].chars().count()).max().unwrap_or(0))
        .collect();
    for (label, values) in table {
        write!(out, "{label:label_width$}")?;
        for (value, width) in values.iter().zip(&widths) {
            write!(out, "  {value:>width$}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{NOTE}")
}

/// The last part of a path, which is enough to tell columns apart.
fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn part(count: u64, of: u64) -> String {
    let percent = 100.0 * count as f64 / of.max(1) as f64;
    format!("{} ({percent:.1} %)", grouped(count))
}

fn spread(summary: &Summary) -> String {
    let Summary { p50, p90, p99, max, .. } = summary;
    format!("{p50} / {p90} / {p99} / {max}")
}

/// Milliseconds in the largest unit of which there is at least one.
fn duration(ms: f64) -> String {
    for (unit, length) in
        [("d", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0)]
    {
        if ms >= length {
            return format!("{:.2} {unit}", ms / length);
        }
    }
    format!("{ms:.0} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_their_unit() {
        let shown = [0.0, 999.0, 1000.0, 73_316.0, 73_136_014.0, 6_037_062_927.0].map(duration);
        assert_eq!(shown, ["0 ms", "999 ms", "1.00 s", "1.22 min", "20.32 h", "69.87 d"]);
    }
}
