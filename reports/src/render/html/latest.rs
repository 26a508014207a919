//! `latest` as the page shows it: each contract's verdict, the contradiction drawn, how far behind.

use super::{FigureView, verdict};
use crate::render::RenderError;
use crate::render::latest;
use crate::render::pictures::{Picture, Section, drawn_witnesses};
use crate::render::summary::Summary;
use crate::render::units::{count, visible};
use crate::run::verdict::LatestJudgement;
use crate::run::verdict::latest::Contract;

pub(super) struct LatestView {
    /// What was found, in a sentence; nothing where it was not judged.
    pub(super) finding: String,
    pub(super) tone: &'static str,
    pub(super) counting: Option<String>,
    pub(super) contracts: Vec<ContractRow>,
    pub(super) anomalies: Vec<Vec<String>>,
    pub(super) figures: Vec<FigureView>,
    pub(super) drawn: Vec<WitnessView>,
    /// The sentences of wrong reads that are not drawn.
    pub(super) witnesses: Vec<String>,
    pub(super) replica_head: Vec<&'static str>,
    pub(super) replicas: Vec<Vec<String>>,
    pub(super) facts: Vec<(&'static str, String)>,
}

pub(super) struct ContractRow {
    pub(super) name: String,
    pub(super) meaning: &'static str,
    pub(super) tone: &'static str,
    pub(super) verdict: &'static str,
    pub(super) summary: String,
}

/// A contradiction: the picture, and the same in a sentence.
pub(super) struct WitnessView {
    pub(super) figure: FigureView,
    pub(super) sentence: String,
}

impl LatestView {
    /// `None` where `latest` was never read.
    pub(super) fn of(summary: &Summary, pictures: &[Picture]) -> Result<Option<Self>, RenderError> {
        let judgement = latest::judgement(summary);
        let own = || pictures.iter().filter(|picture| picture.section == Section::Latest);
        if judgement.is_none() && own().next().is_none() {
            return Ok(None);
        }
        let witnesses = drawn_witnesses(summary);
        let (drawn, figures): (Vec<&Picture>, Vec<&Picture>) =
            own().partition(|picture| picture.name.starts_with("latest-witness"));
        let drawn = drawn.into_iter().zip(&witnesses).map(|(picture, witness)| {
            let figure = FigureView::of(picture)?;
            Ok(WitnessView { figure, sentence: sentence(&witness.sentence) })
        });
        let details = latest::details(summary);
        let replicas = details.map_or(&[][..], |details| &details.replicas);
        let decisive = details.and_then(|details| details.contracts.first());
        Ok(Some(Self {
            finding: judgement.map_or_else(String::new, |judgement| {
                let finding = latest::finding(judgement);
                format!("{finding}.")
            }),
            tone: judgement.map_or("unknown", |judgement| verdict(judgement.verdict).0),
            counting: details.and_then(latest::counting),
            contracts: judgement.map_or_else(Vec::new, contracts),
            anomalies: decisive.map_or_else(Vec::new, |contract| {
                latest::anomalies(contract)
                    .into_iter()
                    .map(|(name, meaning, number)| {
                        vec![name.to_owned(), meaning.to_owned(), count(number)]
                    })
                    .collect()
            }),
            figures: figures.into_iter().map(FigureView::of).collect::<Result<_, _>>()?,
            drawn: drawn.collect::<Result<_, RenderError>>()?,
            witnesses: judgement.map_or_else(Vec::new, |judgement| {
                judgement
                    .witnesses
                    .iter()
                    .filter(|text| !witnesses.iter().any(|witness| witness.sentence == **text))
                    .map(|text| sentence(text))
                    .collect()
            }),
            replica_head: latest::REPLICA_HEAD.to_vec(),
            replicas: replicas
                .iter()
                .map(|replica| latest::replica_row(summary, replica))
                .collect(),
            facts: judgement.map_or_else(Vec::new, latest::facts),
        }))
    }
}

/// Every contract that was checked; in a judgement from before there were several, the one.
fn contracts(judgement: &LatestJudgement) -> Vec<ContractRow> {
    let details = judgement.details.as_ref().filter(|details| !details.contracts.is_empty());
    let Some(details) = details else {
        return vec![ContractRow {
            name: visible(latest::title(judgement)),
            meaning: latest::contract(judgement).map_or("", Contract::meaning),
            tone: verdict(judgement.verdict).0,
            verdict: latest::kept(judgement.verdict),
            summary: sentence(&latest::finding(judgement)),
        }];
    };
    details
        .contracts
        .iter()
        .map(|judged| ContractRow {
            name: judged.contract.title().to_owned(),
            meaning: judged.contract.meaning(),
            tone: verdict(judged.verdict).0,
            verdict: latest::kept(judged.verdict),
            summary: sentence(&judged.summary),
        })
        .collect()
}

/// A fragment as a sentence.
fn sentence(fragment: &str) -> String {
    let text = visible(fragment);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), characters.as_str())
    })
}
