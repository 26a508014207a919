//! The figures of all rounds as a Markdown table.

use std::collections::BTreeMap;
use std::fmt;

/// One pass of one generator.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) cpu_s_a_100k: f64,
    pub(crate) rss_mib: f64,
}

/// Rounds, each with the samples of every row.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rounds: Vec<BTreeMap<String, Vec<Sample>>>,
}

impl Table {
    pub(crate) fn add_round(&mut self, samples: impl Iterator<Item = Sample>) {
        let mut round: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        for sample in samples {
            round.entry(sample.name.clone()).or_default().push(sample);
        }
        self.rounds.push(round);
    }

    /// A figure of every pass.
    fn passes(&self, name: &str, figure: fn(&Sample) -> f64) -> Spread {
        Spread::of(self.rounds.iter().flat_map(|round| &round[name]).map(figure))
    }

    /// The ratio of two rows' costs in every round.
    fn ratios(&self, name: &str, other: &str) -> Spread {
        let cost =
            |samples: &[Sample]| -> f64 { samples.iter().map(|sample| sample.cpu_s_a_100k).sum() };
        Spread::of(self.rounds.iter().map(|round| cost(&round[name]) / cost(&round[other])))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| generator | k req/s | CPU s / 100k | of wrk | of oha | RSS MiB |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for name in self.rounds.first().into_iter().flat_map(BTreeMap::keys) {
            writeln!(
                f,
                "| {name} | {:.1} | {} | {} | {} | {:.0} |",
                self.passes(name, |sample| sample.rate / 1e3).median,
                self.passes(name, |sample| sample.cpu_s_a_100k),
                self.ratios(name, "wrk"),
                self.ratios(name, "oha"),
                self.passes(name, |sample| sample.rss_mib).most,
            )?;
        }
        Ok(())
    }
}

/// Median, least and most.
#[derive(Debug, Clone, Copy)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Self { median, least: values[0], most: values[values.len() - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2}-{:.2})", self.median, self.least, self.most)
    }
}
