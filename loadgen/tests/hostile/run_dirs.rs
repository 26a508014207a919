//! Run directories that are damaged, taken, or somebody else's; and profiles.

use super::*;
use limosa::experiment::child::Server;
use limosa::judge::judge;
use limosa_reports::run::RunDir;
use limosa_reports::run::verdict::Verdict;

/// A finished run in `folder/run`, of `folder/trace-1.tsv`.
fn finished(folder: &Path) -> PathBuf {
    trace(folder, 60, 1);
    let cheap = ["--password-cost".to_owned(), "test".to_owned()];
    let server = Server::start(Path::new(LIMOSA), folder, &cheap).unwrap();
    let url = server.url().to_string();
    let said = limosa(folder, &["replay", "trace-1.tsv", "--target", &url, "--run-dir", "run"]);
    assert_eq!(said.code, 0, "{said:#?}");
    server.stop().unwrap();
    folder.join("run")
}

/// The only segment of the ledger.
fn segment(run: &Path) -> PathBuf {
    let mut segments = fs_err::read_dir(run.join("ledger")).unwrap();
    let path = segments.next().unwrap().unwrap().path();
    assert!(segments.next().is_none());
    path
}

#[test]
fn what_cannot_become_a_run_directory() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), 20, 1);
    let cheap = ["--password-cost".to_owned(), "test".to_owned()];
    let server = Server::start(Path::new(LIMOSA), folder.path(), &cheap).unwrap();
    let url = server.url().to_string();
    fs_err::create_dir(folder.path().join("full")).unwrap();
    fs_err::write(folder.path().join("full/thesis.tex"), "").unwrap();
    for (run, fragments) in [
        ("full", &["full is not empty", "choose another --run-dir"][..]),
        ("trace-1.tsv/run", &["run directory", "trace-1.tsv/run", "Not a directory"]),
        ("/proc/run", &["run directory", "/proc/run", "No such file"]),
    ] {
        let arguments = ["replay", "trace-1.tsv", "--target", &url, "--run-dir", run];
        let said = limosa(folder.path(), &arguments);
        assert_eq!(said.code, 2, "{said:#?}");
        for fragment in fragments {
            assert!(said.err.contains(fragment), "{fragment}: {said:#?}");
        }
    }
    server.stop().unwrap();
}

#[test]
fn only_the_same_trace_goes_on_in_a_run_that_nobody_holds() {
    let folder = tempfile::tempdir().unwrap();
    let run = finished(folder.path());
    trace(folder.path(), 60, 2);
    let cheap = ["--password-cost".to_owned(), "test".to_owned()];
    let server = Server::start(Path::new(LIMOSA), folder.path(), &cheap).unwrap();
    let url = server.url().to_string();
    let go_on = |trace| {
        let arguments = ["replay", trace, "--target", &url, "--run-dir", "run", "--from-id", "9"];
        limosa(folder.path(), &arguments)
    };
    go_on("trace-2.tsv").expect(2, &["holds a run of another trace (trace-1.tsv)"]);

    let lock = File::create(run.join("run.lock")).unwrap();
    lock.lock().unwrap();
    go_on("trace-1.tsv").expect(2, &["is being written by another limosa"]);
    limosa(folder.path(), &["judge", "run"]).expect(2, &["is being written by another limosa"]);
    drop(lock);
    assert_eq!(limosa(folder.path(), &["judge", "run"]).code, 0);
    server.stop().unwrap();
}

#[test]
fn a_manifest_that_is_newer_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = finished(folder.path()).join("manifest.json");
    let good = fs_err::read_to_string(&manifest).unwrap();
    let newer = good.replacen("\"format_version\": ", "\"format_version\": 9", 1);
    assert_ne!(good, newer);
    for (bytes, fragments) in [
        (newer.as_bytes(), ["manifest.json has format version 9", "use a newer limosa"]),
        (b"not JSON", ["manifest.json cannot be read: ", "at line 1 column 2"]),
        (b"{}", ["manifest.json cannot be read: ", "missing field"]),
        (b"\xff\xfe\0", ["manifest.json cannot be read: ", "at line 1 column 1"]),
    ] {
        fs_err::write(&manifest, bytes).unwrap();
        for command in ["judge", "report"] {
            limosa(folder.path(), &[command, "run"]).expect(2, &fragments);
        }
    }
    let said = limosa(folder.path(), &["judge", "nowhere"]);
    said.expect(2, &["nowhere is not a run directory: it has no manifest.json"]);
}

/// Whatever is cut off or changed, the run is no longer a proof of anything.
#[test]
fn a_damaged_ledger_makes_the_verdict_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let run = finished(folder.path());
    let path = segment(&run);
    let good = fs_err::read(&path).unwrap();
    let judged = |bytes: &[u8], what: &str| {
        fs_err::write(&path, bytes).unwrap();
        let judgement = judge(&RunDir::open(&run).unwrap()).unwrap();
        assert_eq!(judgement.verdict, Verdict::Unknown, "{what}: {judgement:#?}");
        judgement.trust.damage
    };
    for cut in [good.len() - 1, good.len() / 2 + 3, 60] {
        let damage = judged(&good[..cut], &format!("cut at {cut}"));
        assert_eq!(damage.len(), 1, "cut at {cut}: {damage:?}");
        assert!(damage[0].contains("000-00000.ledger cannot be read from byte "), "{damage:?}");
    }
    for bit in (200..good.len() * 8).step_by(1009) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(!judged(&bytes, &format!("bit {bit}")).is_empty(), "bit {bit}");
    }
    let said = limosa(folder.path(), &["judge", "run"]);
    said.expect(3, &[]);
    assert!(said.out.contains("damaged: 000-00000.ledger could not be read from byte"), "{said:?}");
    fs_err::write(&path, b"#!/bin/sh\necho this is no ledger\n").unwrap();
    let said = limosa(folder.path(), &["judge", "run"]);
    said.expect(2, &["000-00000.ledger is not a ledger segment"]);
}

#[test]
fn a_profile_with_an_unknown_key() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("p.toml"), "\nprefx = '/api'\n").unwrap();
    let arguments = ["replay", "t.tsv", "--target", "http://127.0.0.1:9", "--profile"];
    let said = limosa(folder.path(), &[&arguments[..], &["p.toml"]].concat());
    said.expect(2, &["--profile: p.toml, line 2: unknown key `prefx`; the nearest is `prefix`"]);
    let said = limosa(folder.path(), &[&arguments[..], &["gone.toml"]].concat());
    said.expect(2, &["gone.toml"]);
}
