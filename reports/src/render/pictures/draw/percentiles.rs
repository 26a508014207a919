//! Latency by percentile, on the scale of the HdrHistogram plotter: each further nine takes as
//! much room as the one before.

use super::super::axes::Scale;
use super::super::palette::Role;
use super::super::plot::{Label, Paper, Plot};
use super::super::{Picture, Section, Table};
use crate::render::summary::{Distribution, QUANTILES, Summary};
use crate::render::units::{count, duration, quantile};
use crate::render::words;

const TICKS: [f64; 8] = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];

struct Curve<'a> {
    name: &'static str,
    role: Role,
    dashed: bool,
    distribution: &'a Distribution,
}

fn curves(summary: &Summary) -> Vec<Curve<'_>> {
    let latency = &summary.latency;
    [
        ("service", Role::Acknowledged, false, &latency.service),
        ("response", Role::Second, true, &latency.response),
        ("reads", Role::NotSent, true, &latency.reads),
    ]
    .into_iter()
    .filter_map(|(name, role, dashed, distribution)| {
        Some(Curve { name, role, dashed, distribution: distribution.as_ref()? })
    })
    .collect()
}

pub(in super::super) fn picture(summary: &Summary) -> Option<Picture> {
    let curves = curves(summary);
    summary.latency.service.as_ref()?;
    Some(Picture {
        name: "percentiles",
        section: Section::Own("Latency by percentile"),
        title: words::percentiles_title(summary),
        description: description(summary),
        table: table(&curves),
        wide: scene(&curves, Paper::Wide),
        narrow: scene(&curves, Paper::Narrow),
    })
}

fn description(summary: &Summary) -> String {
    let mut text =
        "Latency, on a logarithmic axis, by percentile, where each further nine takes as \
                    much room as the one before. Service time runs from the first byte sent to the \
                    whole answer, or to the end of the wait for one."
            .to_owned();
    if summary.latency.response.is_some() {
        text += " Response time runs from the intended instant, so that it holds whatever time a \
                 command had to wait for its turn.";
    }
    text
}

/// How many nines a quantile has: 0.99 has two.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn scene(curves: &[Curve<'_>], paper: Paper) -> super::super::Scene {
    let most = curves.iter().map(|curve| curve.distribution.count).max().unwrap_or(1);
    let end = (most as f64).log10().max(1.0);
    let values = || curves.iter().flat_map(|curve| &curve.distribution.curve);
    let min = values().map(|(_, ns)| *ns).min().unwrap_or(1).max(1);
    let max = curves.iter().map(|curve| curve.distribution.max_ns).max().unwrap_or(1);
    let labels: Vec<Label> = curves
        .iter()
        .map(|curve| Label {
            value: curve.distribution.max_ns as f64,
            text: curve.name.to_owned(),
            role: curve.role,
            mark: None,
            dashed: curve.dashed,
        })
        .collect();
    let y = Scale::log_around(min as f64, max.max(min) as f64);
    let mut plot = Plot::new(paper, Scale::Linear(0.0, end), y, &labels);
    plot.latency_axis("latency (log scale)");
    let ticks: Vec<_> = TICKS
        .into_iter()
        .filter(|tick| nines(*tick) <= end)
        .map(|tick| (nines(tick), quantile(tick)[1..].to_owned() + " %", None))
        .collect();
    plot.horizontal("share of the commands that took no longer", &ticks);
    for curve in curves {
        let Distribution { curve: values, max_ns, count, .. } = curve.distribution;
        let longest = (nines(1.0 - 1.0 / *count as f64), *max_ns);
        let points = values
            .iter()
            .map(|(quantile, ns)| (nines(*quantile), *ns))
            .chain([longest])
            .map(|(x, ns)| (x, Some(ns as f64)));
        plot.line(points, curve.role, curve.dashed);
    }
    plot.labels(labels);
    plot.scene
}

fn table(curves: &[Curve<'_>]) -> Table {
    let mut head = vec!["share".to_owned()];
    head.extend(curves.iter().map(|curve| curve.name.to_owned()));
    let most = curves.iter().map(|curve| curve.distribution.quantiles.len()).max().unwrap_or(0);
    let mut rows: Vec<Vec<String>> = QUANTILES[..most]
        .iter()
        .map(|wanted| {
            let cell = |curve: &Curve<'_>| {
                let known = curve.distribution.quantiles.iter().find(|(q, _)| q == wanted);
                known.map_or_else(|| "–".to_owned(), |(_, ns)| duration(*ns))
            };
            std::iter::once(quantile(*wanted)).chain(curves.iter().map(cell)).collect()
        })
        .collect();
    let mut row = |name: &str, cell: fn(&Distribution) -> String| {
        let cells = curves.iter().map(|curve| cell(curve.distribution));
        rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    };
    row("longest", |distribution| duration(distribution.max_ns));
    row("mean", |distribution| duration(distribution.mean_ns as u64));
    row("measured", |distribution| count(distribution.count));
    Table { head, rows }
}
