//! The history of `latest`, for other tools.

use super::*;
use limosa::export::{Kind, Outcome, Record};

fn export(run: &Path, format: &str) -> String {
    let output =
        Command::new(LIMOSA).arg("export").arg(run).args(["--format", format]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn whoever_reads_a_strict_history_sees_the_stale_reads_of_two_memories() {
    let folder = tempfile::tempdir().unwrap();
    let servers = replicas(folder.path(), 2, "memory");
    let run = folder.path().join("run");
    let mut command = replay(&trace(folder.path(), 600), &servers[0], &run);
    command.arg("--target").arg(servers[1].url().to_string());
    let output = command.args(["--observe", "latest", "--export", "edn"]).output().unwrap();
    assert_eq!(code(&output), 1, "latest is wrong there");

    let lines = export(&run, "ndjson");
    let records: Vec<Record> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last = None;
    let (mut reads, mut stale) = (0, 0);
    for record in &records {
        assert_eq!(record.outcome, Outcome::Ok);
        match record.kind {
            Kind::Write => last = record.value,
            Kind::Read => {
                reads += usize::from(record.replica.is_some());
                stale += u64::from(record.value != last);
            }
        }
    }
    assert_eq!(records.len(), 1 + 600 + reads + 1, "and what was named before and after");
    let found = judgement(&run).latest.unwrap().details.unwrap();
    assert_eq!(stale, found.contracts.first().unwrap().wrong);
    assert!(stale > 20, "{stale}");

    let edn = export(&run, "edn");
    assert_eq!(edn.lines().count(), 2 * records.len());
    assert_eq!(edn, std::fs::read_to_string(run.join("history.edn")).unwrap());
    let first = "{:type :invoke, :f :write, :value -1, :time 0, :process 0, :index 0}\n\
                 {:type :ok, :f :write, :value -1, :time 0, :process 0, :index 1}\n";
    assert!(edn.starts_with(first), "{}", edn.lines().take(2).collect::<String>());
}
