//! The README is run: every command in its `console` blocks and in its lines for CI, against the
//! built binary, and what is printed must look as the README says.
//!
//! Blocks run in order in one directory, as a reader would. `cargo run --release --` becomes the
//! binary under test, the ports become free ones, and a reference server stands in for the
//! reader's own. In the output `...` skips lines, and all numbers count as alike.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

use limosa_reports::run::verdict::Class;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The fenced blocks of one language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// A block as a script that stops at the first failure, except where the reader is shown the exit
/// code; what was started in the background ends with it.
fn script(block: &str) -> String {
    let commands: Vec<_> = block.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let mut script = String::from("set -e\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n");
    for (index, command) in commands.iter().enumerate() {
        match commands.get(index + 1) {
            Some(&"echo $?") => script += &format!("status=0; {{ {command}; }} || status=$?\n"),
            _ if *command == "echo $?" => script += "echo $status\n",
            _ => script += &format!("{command}\n"),
        }
    }
    script
}

/// What a line looks like, whatever its figures are: numbers and their units made alike.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        let bare = word.trim_end_matches([':', ',', '.', ';']);
        let unit = matches!(bare, "ns" | "µs" | "ms" | "s" | "min");
        let mut in_number = false;
        for c in if unit { "t" } else { word }.chars() {
            let number =
                c.is_ascii_digit() || (in_number && (".,:".contains(c) || "TZ".contains(c)));
            if !number {
                shape.push(c);
            } else if !in_number {
                shape.push('#');
            }
            in_number = number;
        }
        shape.push(' ');
    }
    shape
}

/// The expected line that did not come, if any.
fn missing<'a>(block: &'a str, output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(shape);
    let mut skip = false;
    for expected in block.lines().filter(|line| !line.starts_with("$ ")) {
        if expected == "..." {
            skip = true;
            continue;
        }
        let wanted = shape(expected);
        let found =
            if skip { lines.any(|line| line == wanted) } else { lines.next() == Some(wanted) };
        if !found {
            return Some(expected);
        }
        skip = false;
    }
    None
}

/// A free port, as a text.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// The reader's directory and the reader's own server.
struct Reader {
    folder: tempfile::TempDir,
    /// The ports of the page, and what they become.
    ports: [(&'static str, String); 5],
    server: Child,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(repository().join("scenarios"), folder.path().join("scenarios"))
            .unwrap();
        let ports = ["5001", "5002", "5011", "5012", "5013"].map(|port| (port, free_port()));
        let port_file = folder.path().join("own.port");
        let server = Command::new(assert_cmd::cargo::cargo_bin!("limosa"))
            .args(["serve", "--log", "warn", "--password-cost", "test"])
            .args(["--database", "sqlite:own.db", "--listen", &format!("127.0.0.1:{}", ports[0].1)])
            .arg("--port-file")
            .arg(&port_file)
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        let reader = Self { folder, ports, server };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !port_file.exists() {
            assert!(Instant::now() < deadline, "the reader's server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        reader
    }

    /// Runs a script as the reader would; returns standard output.
    fn run(&self, script: &str) -> String {
        let mut script = script.replace("cargo run --release --", "limosa");
        for (port, free) in &self.ports {
            script = script.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{free}"));
        }
        let binary = assert_cmd::cargo::cargo_bin!("limosa");
        let path = format!("{}:{}", binary.parent().unwrap().display(), env!("PATH"));
        // To files, not pipes: what runs in the background would hold a pipe open.
        let (out, err) = (self.folder.path().join("stdout"), self.folder.path().join("stderr"));
        let status = Command::new("bash")
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("LIMOSA_PASSWORD_COST", "test")
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out).unwrap())
            .stderr(fs::File::create(&err).unwrap())
            .status()
            .unwrap();
        let output = fs::read_to_string(out).unwrap();
        let errors = fs::read_to_string(err).unwrap();
        assert!(status.success(), "{status}\n{script}\n{output}\n{errors}");
        output
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ended = self.server.kill().and_then(|()| self.server.wait());
    }
}

#[test]
fn every_command_in_the_readme_does_what_the_readme_says() {
    let readme = readme();
    let reader = Reader::new();
    let blocks = blocks(&readme, "console");
    assert!(blocks.len() >= 4, "only {} blocks: has the fence changed?", blocks.len());
    for block in blocks {
        let output = reader.run(&script(block));
        let missing = missing(block, &output);
        assert_eq!(missing, None, "\nthe README:\n{block}\n\nthe program:\n{output}");
    }
}

#[test]
fn the_lines_for_ci_pass() {
    let readme = readme();
    let lines = blocks(&readme, "yaml")[0].lines().filter_map(|line| line.strip_prefix("- run: "));
    let lines: Vec<_> = lines.filter(|line| !line.starts_with("limosa serve")).collect();
    assert!(lines.len() >= 2, "{lines:?}");
    Reader::new().run(&format!("set -e\n{}", lines.join("\n")));
}

#[test]
fn the_classes_are_explained_as_the_reports_explain_them() {
    let readme = readme();
    for class in Class::ALL {
        let row = readme.lines().find(|line| {
            line.trim_start_matches(['|', ' ', '*']).starts_with(&class.name().to_uppercase())
        });
        let row = row.unwrap_or_else(|| panic!("the README does not list {}", class.name()));
        assert!(row.contains(class.meaning()), "{row}: {}", class.meaning());
        assert_eq!(row.ends_with("| fail |"), class.is_violation(), "{row}");
    }
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let readme = readme();
    let links = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(repository().join(link).exists(), "{link}");
    }
}

#[test]
fn a_line_that_has_changed_is_noticed_and_another_figure_is_not() {
    let block = "$ limosa replay x\nreplay -> http://127.0.0.1:5001  PASS\n...\n  max 41 ms\n";
    assert_eq!(missing(block, "replay -> http://127.0.0.1:4  PASS\nmore\n  max 1.5 s\n"), None);
    assert!(missing(block, "replay -> http://127.0.0.1:4  FAIL\nmore\n  max 1.5 s\n").is_some());
    assert!(missing(block, "replay -> http://127.0.0.1:4  PASS\nmore\n").is_some());
}

#[test]
fn a_script_stops_at_a_failure_unless_its_code_is_shown() {
    let run = |block: &str| {
        let output = Command::new("bash").args(["-c", &script(block)]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run("$ false\n$ echo on"), (false, String::new()));
    assert_eq!(run("$ false\n$ echo $?\n1"), (true, "1\n".to_owned()));
}
