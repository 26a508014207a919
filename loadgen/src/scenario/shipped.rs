//! The scenarios that ship, from `scenarios/data/`.

use super::{Scenario, ScenarioError};
use std::path::Path;

/// Every scenario that ships: its name, and its file.
pub const ALL: [(&str, &str); 6] = [
    ("smoke", include_str!("../../../scenarios/data/smoke.toml")),
    ("strict", include_str!("../../../scenarios/data/strict.toml")),
    ("steady", include_str!("../../../scenarios/data/steady.toml")),
    ("spike", include_str!("../../../scenarios/data/spike.toml")),
    ("soak", include_str!("../../../scenarios/data/soak.toml")),
    ("replicas", include_str!("../../../scenarios/data/replicas.toml")),
];

/// The file of the scenario of that name; `None` where none ships.
pub fn text(name: &str) -> Option<&'static str> {
    ALL.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// The scenario of that name; `None` where none ships.
///
/// # Errors
/// Never, as a test makes sure of; what ships goes the same way as any other.
pub fn scenario(name: &str) -> Result<Option<Scenario>, ScenarioError> {
    text(name).map(|text| Scenario::parse(text, name, Path::new(""))).transpose()
}
