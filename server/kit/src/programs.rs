//! Which programs are installed, and where.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where Debian puts the programs of PostgreSQL, a folder for each version.
const POSTGRES: &str = "/usr/lib/postgresql";
/// Where Debian puts HAProxy.
const HAPROXY: &str = "/usr/sbin/haproxy";

/// Tells Cargo, from a `build.rs`, what there is to test with: sets `has_postgres`, `has_redis`,
/// `has_haproxy` and `has_chromium`, and has the script run again when that changes.
#[allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
pub fn tell_cargo() {
    let found = [
        ("has_postgres", "DATABASE_URL", POSTGRES, postgres_folder().is_some()),
        ("has_redis", "REDIS_URL", "/usr/bin/redis-server", find("redis-server").is_some()),
    ];
    for (cfg, variable, path, installed) in found {
        println!("cargo::rerun-if-env-changed={variable}");
        tell(cfg, path, installed || env::var_os(variable).is_some());
    }
    tell("has_haproxy", HAPROXY, haproxy().is_some());
    let chromium = find("chromium").is_some() && find("chromedriver").is_some();
    tell("has_chromium", "/usr/bin/chromedriver", chromium);
}

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
fn tell(cfg: &str, path: &str, there: bool) {
    println!("cargo::rustc-check-cfg=cfg({cfg})");
    println!("cargo::rerun-if-changed={path}");
    if there {
        println!("cargo::rustc-cfg={cfg}");
    }
}

/// The folder that holds `initdb` and `postgres`: the newest version's, or that of the `PATH`.
pub(crate) fn postgres_folder() -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("initdb").is_file().then_some((version, folder))
    });
    let newest = versions.max().map(|(_, folder)| folder);
    newest.or_else(|| find("initdb")?.parent().map(Path::to_path_buf))
}

/// HAProxy, which only root has in the `PATH`.
pub(crate) fn haproxy() -> Option<PathBuf> {
    find("haproxy").or_else(|| Some(PathBuf::from(HAPROXY)).filter(|file| file.is_file()))
}

/// A program of the `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
