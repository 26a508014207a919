//! Scenarios as a user runs them: those that ship, with servers of their own, and one of a file.

use super::*;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::Check;

/// `limosa run` of a scenario in `folder`, with hashes that cost nothing.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(LIMOSA)
        .arg("run")
        .args(arguments)
        .args(["--quiet", "--run-dir", "run"])
        .env("LIMOSA_PASSWORD_COST", "test")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn limits(judgement: &Judgement) -> Vec<&Check> {
    judgement.checks.iter().filter(|check| check.name.starts_with("limit ")).collect()
}

/// The checks that failed though no limit on a time is their reason: this machine may be slow.
fn accusations(judgement: &Judgement) -> Vec<&Check> {
    let is_of_time =
        |check: &&Check| ["p50", "p99", "throughput"].iter().any(|w| check.name.contains(w));
    let failed = judgement.checks.iter().filter(|check| check.verdict == Verdict::Fail);
    failed.filter(|check| !is_of_time(check)).collect()
}

#[test]
fn the_smoke_and_the_strict_scenario_pass_whole() {
    for name in ["smoke", "strict"] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(code(&run(folder.path(), &[name])), 0, "{name}");
        let directory = folder.path().join("run");
        let judgement = judgement(&directory);
        assert!(limits(&judgement).len() >= 3);
        assert!(limits(&judgement).iter().all(|check| check.verdict == Verdict::Pass));

        let manifest = RunDir::open(&directory).unwrap().manifest().unwrap();
        assert_eq!((manifest.kind.as_str(), manifest.name.as_str()), ("scenario", name));
        let kept = std::fs::read_to_string(directory.join("scenario.toml")).unwrap();
        let printed = Command::new(LIMOSA).args(["run", "--print", name]).output().unwrap();
        assert_eq!(text(&printed.stdout), kept);
        assert!(Path::new(&manifest.trace.source).is_relative(), "{}", manifest.trace.source);
        assert!(folder.path().join(&manifest.trace.source).is_file(), "it can be gone on with");
    }
}

#[test]
fn the_scenarios_with_rates_run_in_less_time_with_every_phase() {
    for name in ["steady", "spike", "soak"] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), &[name, "--duration", "5s"]);
        assert_ne!(code(&output), 2, "{name}");
        let judgement = judgement(&folder.path().join("run"));
        assert_eq!(accusations(&judgement), Vec::<&Check>::new(), "{name}");
        for limit in limits(&judgement) {
            assert!(!limit.summary.contains("no request was measured"), "{name}: {limit:?}");
        }
        assert!(judgement.totals.duration_ns < 15_000_000_000, "{name}");
    }
}

#[test]
fn three_replicas_share_what_they_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["replicas"]);
    assert_ne!(code(&output), 2);
    let directory = folder.path().join("run");
    let judgement = judgement(&directory);
    assert_eq!(accusations(&judgement), Vec::<&Check>::new());
    assert_eq!(judgement.totals.commands(Ack::Acknowledged), 3_000);
    let run = RunDir::open(&directory).unwrap();
    assert_eq!(run.manifest().unwrap().targets.len(), 3);
    let mut answered = [0_u32; 3];
    for entry in run.entries().unwrap() {
        answered[usize::from(entry.unwrap().outcome.unwrap().replica)] += 1;
    }
    assert!(answered.iter().all(|requests| *requests > 900), "{answered:?}");
}

/// A scenario file in `folder`, beside its trace.
fn write(folder: &Path, lines: &str) -> PathBuf {
    trace(folder, 300);
    let path = folder.join("mine.toml");
    let head = "name = \"mine\"\ntrace = \"trace.tsv\"\norder = \"user\"\n";
    std::fs::write(&path, format!("{head}{lines}")).unwrap();
    path
}

#[test]
fn a_limit_that_does_not_hold_fails_the_run_and_names_the_figure() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        "limits = ['max < 1ms', 'lost = 0', 'latest = strict', 'kept >= 1']\n[server]\nflags = ['--fault', 'lose:every=40']\n",
    );
    let output = run(folder.path(), &[path.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    let judgement = judgement(&folder.path().join("run"));
    let found: Vec<(Verdict, &str)> =
        limits(&judgement).iter().map(|limit| (limit.verdict, limit.name.as_str())).collect();
    assert_eq!(
        found[1..],
        [
            (Verdict::Fail, "limit lost = 0"),
            (Verdict::Unknown, "limit latest = strict"),
            (Verdict::Pass, "limit kept >= 1")
        ]
    );
    assert_ne!(found[0].0, Verdict::Pass, "no request takes less than that, planted loss or not");
    let lost = limits(&judgement)[1].summary.clone();
    assert!(lost.starts_with("`lost = 0` does not hold: ") && lost.ends_with(" lost"), "{lost}");
}

#[test]
fn a_limit_on_errors_allows_as_many_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let scenario = "name = 'mine'\norder = 'none'\nrate = 50\nduration = '6s'\n\
                    max_unreachable = 0\nlimits = ['errors < 99%']\n[generate]\nusers = 5\n\
                    [server]\nflags = ['--fault', 'refuse:from=3000,for=500']\n";
    std::fs::write(&path, scenario).unwrap();
    // Only a starved machine makes it unknown.
    assert_ne!(code(&run(folder.path(), &["mine.toml"])), 1);
    let directory = folder.path().join("run");
    let allowed = judgement(&directory);
    assert_eq!(verdict_of(&allowed, "answers"), Verdict::Pass);
    let answers = allowed.checks.iter().find(|check| check.name == "answers").unwrap();
    assert!(answers.summary.ends_with("; the limit errors < 99% allows it"), "{answers:?}");

    let run = RunDir::open(&directory).unwrap();
    let mut manifest = run.manifest().unwrap();
    manifest.limits = vec!["errors < 0.01%".to_owned()];
    run.write_manifest(&manifest).unwrap();
    let output = Command::new(LIMOSA).arg("judge").arg(&directory).output().unwrap();
    assert_eq!(code(&output), 1);
    assert_eq!(verdict_of(&judgement(&directory), "answers"), Verdict::Fail);
}

#[test]
fn targets_on_the_command_line_win_and_nothing_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "[server]\nflags = ['--no-such-flag']\n");
    let arguments = [path.to_str().unwrap(), "--seed", "5"];
    let output = run(folder.path(), &arguments);
    assert_eq!(code(&output), 2);
    let said = text(&output.stderr);
    assert!(said.contains("[server]") && said.contains("--no-such-flag"), "{said}");
    assert!(!folder.path().join("run").exists());

    let server = server(folder.path(), &[]);
    let url = server.url().to_string();
    let output = run(folder.path(), &[&arguments[..], &["--target", &url]].concat());
    assert_eq!(code(&output), 0);
    let manifest = RunDir::open(&folder.path().join("run")).unwrap().manifest().unwrap();
    assert_eq!((manifest.targets, manifest.seed), (vec![url], 5));
}

#[test]
fn a_replay_is_held_to_limits_too() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 200);
    let server = server(folder.path(), &[]);
    let directory = folder.path().join("run");
    let mut command = replay(&trace, &server, &directory);
    let output = command.args(["--limit", "service.max <1ms", "--limit", "lost = 0"]).output();
    assert_ne!(code(&output.unwrap()), 0);
    let judgement = judgement(&directory);
    assert_ne!(verdict_of(&judgement, "limit service.max <1ms"), Verdict::Pass);
    assert_eq!(verdict_of(&judgement, "limit lost = 0"), Verdict::Pass);
    let output = Command::new(LIMOSA).arg("judge").arg(&directory).output().unwrap();
    assert_ne!(code(&output), 0, "and when it is judged again");
}
