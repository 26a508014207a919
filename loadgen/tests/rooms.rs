//! The order of the rooms: what may use what, read from the manifests and the sources themselves.
//!
//! `benches -> loadgen -> {server, scenarios, reports}`, and those three use none of the others.
//! Within the rooms, sending knows nothing of judging, and judging touches neither disk nor network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

use std::fs;
use std::path::{Path, PathBuf};

/// A crate, and the crates of this workspace that it may depend on.
const MANIFESTS: [(&str, &[&str]); 6] = [
    ("scenarios", &[]),
    ("server", &["limosa-kit"]),
    ("server/kit", &[]),
    ("reports", &[]),
    ("loadgen", &["limosa-kit", "limosa-reports", "limosa-scenarios", "limosa-server"]),
    ("benches", &["limosa", "limosa-kit", "limosa-reports", "limosa-scenarios", "limosa-server"]),
];

/// What a pure function has no use for: files, network, processes, clocks, runtimes.
const WORLD: [&str; 9] = [
    "std::fs",
    "fs_err",
    "std::net",
    "std::process",
    "std::env",
    "tokio",
    "reqwest",
    "SystemTime::now",
    "Instant::now",
];

/// A folder of sources, and what must not be named in it.
fn rules() -> [(&'static str, Vec<&'static str>); 4] {
    let pure = |more: &[&'static str]| WORLD.iter().chain(more).copied().collect::<Vec<_>>();
    [
        ("loadgen/src/engine", vec!["crate::check", "crate::judge", "crate::cli"]),
        ("loadgen/src/check", pure(&["crate::client", "crate::engine", "crate::cli"])),
        ("reports/src/stats", pure(&["crate::run", "crate::render"])),
        ("reports/src/render", vec!["std::net", "tokio", "reqwest"]),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The crates of this workspace that a manifest names in any table of dependencies.
fn own_dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(toml::Table::keys)
        .filter(|name| name.starts_with("limosa"))
        .cloned()
        .collect()
}

/// The lines of code that name something forbidden.
fn trespasses(source: &str, forbidden: &[&str]) -> Vec<String> {
    let code: Vec<_> =
        source.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
    spelt_out(&code.join("\n"))
        .lines()
        .filter(|line| forbidden.iter().any(|path| names(line, path)))
        .map(str::to_owned)
        .collect()
}

/// The code, and behind it each path of a group (`crate::{a, b}`) with its head (`crate::b`).
fn spelt_out(code: &str) -> String {
    let mut text = code.to_owned();
    for (at, group) in code.match_indices("::{") {
        let head = code[..at].rsplit(char::is_whitespace).next().unwrap();
        let statement = code[at + group.len()..].split(';').next().unwrap();
        for item in statement.split([',', '{', '}']) {
            text += &format!("\n{head}::{}", item.trim());
        }
    }
    text
}

/// Whether a line names this path, not merely one that begins or ends alike.
fn names(line: &str, path: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(part_of_name) && !line[at + path.len()..].starts_with(part_of_name)
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let mut found: Vec<_> = folders.iter().flat_map(|folder| rust_files(folder)).collect();
    found.extend(files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")));
    found
}

#[test]
fn every_crate_depends_only_on_the_rooms_behind_it() {
    for (room, allowed) in MANIFESTS {
        let manifest = fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
        for dependency in own_dependencies(&manifest) {
            assert!(allowed.contains(&dependency.as_str()), "{room} must not use {dependency}");
        }
    }
}

#[test]
fn every_member_of_the_workspace_has_its_rule() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let workspace: toml::Table = workspace.parse().unwrap();
    let members: Vec<_> = workspace["workspace"]["members"].as_array().unwrap().iter().collect();
    let known =
        |member: &&&toml::Value| MANIFESTS.iter().any(|(room, _)| member.as_str() == Some(room));
    assert_eq!(members.iter().filter(known).count(), members.len(), "{members:?}");
}

#[test]
fn sending_does_not_judge_and_judging_touches_nothing() {
    let mut read = 0;
    for (folder, forbidden) in rules() {
        for file in rust_files(&root().join(folder)) {
            let source = fs::read_to_string(&file).unwrap();
            read += 1;
            let found = trespasses(&source, &forbidden);
            assert!(found.is_empty(), "{} must not name {found:?}", file.display());
        }
    }
    assert!(read > 20, "only {read} files were read: the folders have moved");
}

#[test]
fn a_planted_trespass_is_found() {
    let manifest = "[package]\nname = 'x'\n[dev-dependencies]\nlimosa-server.workspace = true\n";
    assert_eq!(own_dependencies(manifest), ["limosa-server"]);

    let source = "\
        //! tokio is not used here\n\
        use crate::{\n    a::{B, C},\n    check,\n};\n\
        use crate::checkpoint;\n\
        let f = std::fs::read(p);\n\
        use crate::check::audit;\n";
    let found = trespasses(source, &["std::fs", "tokio", "crate::check"]);
    assert_eq!(found, ["let f = std::fs::read(p);", "use crate::check::audit;", "crate::check"]);
}
