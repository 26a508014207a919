//! Scenario files that are none.

use super::*;

/// `limosa run` of a file with this content must be refused by name and line, and leave nothing.
fn refused(content: &[u8], fragments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("bad.toml"), content).unwrap();
    limosa(folder.path(), &["run", "bad.toml", "--run-dir", "out/run"]).expect(2, fragments);
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "something was begun");
}

#[test]
fn nothing_and_noise() {
    refused(b"", &["bad.toml, line 1: ", "missing key `name`"]);
    refused(&[0xff, 0xfe, 0, 1], &["the scenario cannot be read", "bad.toml"]);
    refused(b"name = \"x\"\n[[[", &["bad.toml, line 2: "]);
    refused("[".repeat(100_000).as_bytes(), &["bad.toml, line 1: "]);
    let deep = format!("name = {}", "[".repeat(100_000));
    refused(deep.as_bytes(), &["bad.toml, line 1: "]);
}

#[test]
fn mistakes_with_their_lines() {
    refused(b"name = 'x'\nconections = 8", &["bad.toml, line 2: unknown key `conections`"]);
    refused(
        b"name = 'x'\norder = 'user'\nlimits = ['p99 < 50']\n[generate]\ncommands = 9",
        &["bad.toml, line 3: `p99 < 50` is no limit: `50` is not a time"],
    );
}

#[test]
fn more_than_any_disk_holds() {
    let endless = b"name = 'x'\nrate = 1e18\nduration = '8000h'\n[generate]\nseed = 1";
    refused(endless, &["bad.toml, line 4: ", "commands are more than 100000000"]);
    let users = b"name = 'x'\n[generate]\ncommands = 5\nusers = 6";
    refused(users, &["[generate]: 6 users cannot be registered by 5 commands"]);
}

#[test]
fn a_profile_of_traces_is_no_scenario() {
    let profile = include_bytes!("../../../scenarios/data/course.toml");
    refused(profile, &["bad.toml, line 18: unknown key `authors`"]);
}

#[test]
fn a_directory_a_missing_file_and_a_name_that_nothing_has() {
    let folder = tempfile::tempdir().unwrap();
    limosa(folder.path(), &["run", "."]).expect(2, &["the scenario cannot be read", "`.`"]);
    limosa(folder.path(), &["run", "gone.toml"]).expect(2, &["the scenario cannot be read"]);
    let nearest = ["there is no file smok", "the nearest is `smoke`", "`limosa run --list`"];
    limosa(folder.path(), &["run", "smok"]).expect(2, &nearest);
    limosa(folder.path(), &["run", "--print", "smok"]).expect(2, &["the nearest is `smoke`"]);
    limosa(folder.path(), &["run"]).expect(2, &["required arguments were not provided"]);
}

#[test]
fn a_trace_that_is_not_there_and_a_shard_of_what_cannot_be_shared() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("x.toml"), "name = 'x'\ntrace = 'gone.tsv'\norder = 'none'")
        .unwrap();
    let gone = ["cannot open the trace gone.tsv", "check the path"];
    limosa(folder.path(), &["run", "x.toml", "--target", "http://127.0.0.1:9"]).expect(2, &gone);
    let alone = limosa(folder.path(), &["run", "x.toml", "--shard", "1/2"]);
    alone.expect(2, &["--shard: every process would start servers of its own"]);
}
