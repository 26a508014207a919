//! Traces that are none.

use super::*;

/// Nobody listens there; a bad trace is refused before anybody is asked.
const NOBODY: &str = "http://127.0.0.1:9";

fn refused(folder: &Path, name: &str, fragments: &[&str]) {
    limosa(folder, &["replay", name, "--target", NOBODY]).expect(2, fragments);
    limosa(folder, &["trace", "stats", name]).expect(2, fragments);
    assert!(!folder.join("runs").exists(), "a run was begun");
}

#[test]
fn random_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(100_000)
    .collect();
    fs_err::write(folder.path().join("noise.tsv"), bytes).unwrap();
    refused(folder.path(), "noise.tsv", &["noise.tsv:1: "]);
}

#[test]
fn nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("empty.tsv"), "").unwrap();
    let fragments = ["empty.tsv: the trace is empty", "limosa trace generate"];
    limosa(folder.path(), &["replay", "empty.tsv", "--target", NOBODY]).expect(2, &fragments);
}

#[test]
fn a_line_of_a_gigabyte() {
    let folder = tempfile::tempdir().unwrap();
    let sparse = File::create(folder.path().join("long.tsv")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    let fragments = ["long.tsv:1: the line is longer than 1048576 bytes", "is this one?"];
    refused(folder.path(), "long.tsv", &fragments);
}

#[test]
fn a_broken_line_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs_err::read_to_string(trace(folder.path(), 40, 1)).unwrap();
    let broken = good.lines().take(30).chain(["rubbish"]).chain(good.lines().skip(30));
    fs_err::write(folder.path().join("broken.tsv"), broken.collect::<Vec<_>>().join("\n")).unwrap();
    refused(folder.path(), "broken.tsv", &["broken.tsv:31: 1 fields"]);
}

#[test]
fn a_directory_and_a_missing_file() {
    let folder = tempfile::tempdir().unwrap();
    let said = limosa(folder.path(), &["replay", ".", "--target", NOBODY]);
    said.expect(2, &["cannot open the trace .; ", "it is a directory"]);
    refused(folder.path(), "gone.tsv", &["cannot open the trace gone.tsv", "check the path"]);
}

#[test]
fn a_pipe_and_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.unwrap().success());
    for name in ["pipe", "/dev/zero"] {
        let said = limosa(folder.path(), &["replay", name, "--target", NOBODY]);
        said.expect(2, &["the trace ", name, "is no regular file", "write it to a file first"]);
    }
}

#[test]
fn a_name_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.tsv");
    let output = std::process::Command::new(LIMOSA)
        .current_dir(folder.path())
        .arg("replay")
        .arg(name)
        .args(["--target", NOBODY])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot open the trace caf\u{fffd}.tsv"), "{said}");
}

#[test]
fn an_id_after_the_last() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), 40, 1);
    let arguments = ["replay", "trace-1.tsv", "--target", NOBODY, "--from-id", "9999"];
    limosa(folder.path(), &arguments).expect(2, &["--from-id 9999: trace-1.tsv ends at id "]);
}
