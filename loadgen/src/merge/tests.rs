use super::*;
use crate::judge::judge;
use crate::judge::testing::Recording;
use crate::schedule::Shard;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::{Judgement, Verdict};
use limosa_reports::run::{histograms, timeline};
use std::collections::BTreeMap;

/// The shards of a recording, each of which began a little after the one before.
fn shards(recording: &Recording, folder: &Path, of: u16) -> Vec<PathBuf> {
    (1..=of)
        .map(|index| {
            let path = folder.join(format!("shard-{index}"));
            let shard = Some(Shard { index, of });
            recording.write(&path, shard, u64::from(index - 1) * 1_000);
            path
        })
        .collect()
}

fn outcomes(run: &RunDir) -> (BTreeMap<Ack, u64>, Option<i64>) {
    let mut sum: BTreeMap<Ack, u64> = BTreeMap::new();
    let mut latest = None;
    for second in timeline::read(&run.timeline()).unwrap() {
        latest = latest.max(second.latest_sent);
        for (ack, count) in second.outcomes {
            *sum.entry(ack).or_default() += count;
        }
    }
    (sum, latest)
}

fn checked<'a>(judgement: &'a Judgement, name: &str) -> (Verdict, &'a str) {
    let check = judgement.checks.iter().find(|check| check.name == name).unwrap();
    (check.verdict, &check.summary)
}

/// A judgement as of any instant, but for `latest`: what several processes read by clocks of their
/// own is not judged.
fn without_latest(mut judgement: Judgement) -> Judgement {
    judgement.judged = jiff::Timestamp::UNIX_EPOCH;
    judgement.latest = None;
    judgement.checks.retain(|check| check.name != "latest");
    judgement.trust.not_checked.retain(|text| !text.starts_with("latest: "));
    judgement
}

#[test]
fn shards_that_are_joined_are_the_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(1_500);
    let whole = recording.write(&folder.path().join("whole"), None, 0);
    let expected = judge(&whole).unwrap();
    for of in [2, 3] {
        let folder = folder.path().join(of.to_string());
        let mut runs = shards(&recording, &folder, of);
        runs.reverse();
        let merged = merge(&runs, &folder.join("merged")).unwrap();
        let judgement = judge(&merged).unwrap();

        // Bit for bit, replica by replica, phase by phase.
        let logs = [&whole, &merged].map(|run| histograms::totals(&run.latency_log()).unwrap());
        assert_eq!(logs[0], logs[1]);
        assert!(logs[0].len() > 20, "{:?}", logs[0].keys());
        assert_eq!(outcomes(&merged), outcomes(&whole));
        let calls = |run: &RunDir| -> Vec<_> {
            run.calls()
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    (entry.intent, entry.outcome)
                })
                .collect()
        };
        assert_eq!(calls(&merged), calls(&whole));
        assert_eq!(without_latest(judgement), without_latest(expected.clone()));
        let manifests = [&whole, &merged].map(|run| run.manifest().unwrap());
        assert_eq!(manifests[0].targets, manifests[1].targets);
        assert_eq!(manifests[0].planned_ids, manifests[1].planned_ids);
        assert_eq!(manifests[1].parts.len(), usize::from(of));
    }
}

#[test]
fn a_joined_run_can_be_joined_again() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(400);
    let expected = judge(&recording.write(&folder.path().join("whole"), None, 0)).unwrap();
    let runs = shards(&recording, folder.path(), 3);
    let some = folder.path().join("some");
    merge(&runs[1..], &some).unwrap();
    let merged = merge(&[some, runs[0].clone()], &folder.path().join("all")).unwrap();
    let judgement = judge(&merged).unwrap();
    assert_eq!(without_latest(judgement), without_latest(expected));
}

#[test]
fn a_missing_shard_is_named_and_nobody_is_accused_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let runs = shards(&Recording::new(1_500), folder.path(), 4);
    let found = |run: &RunDir| judge(run).unwrap().audit.unwrap().findings;
    let alone: Vec<_> =
        [1, 3].iter().flat_map(|at| found(&RunDir::open(&runs[*at]).unwrap())).collect();
    assert!(alone.len() > 3);
    let merged = merge(&[runs[3].clone(), runs[1].clone()], &folder.path().join("merged")).unwrap();
    let judgement = judge(&merged).unwrap();
    let (verdict, summary) = checked(&judgement, "complete");
    assert_eq!(verdict, Verdict::Unknown);
    assert!(summary.starts_with("without shards 1 and 3 of 4"), "{summary}");
    assert_eq!(judgement.audit.unwrap().findings.len(), alone.len());
}

#[test]
fn a_shard_that_was_not_read_back_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let runs = shards(&Recording::new(400), folder.path(), 2);
    let after = runs[1].join("readback/after-1.ndjson");
    let mut bytes = fs_err::read(&after).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&after, bytes).unwrap();
    let merged = merge(&runs, &folder.path().join("merged")).unwrap();
    let judgement = judge(&merged).unwrap();
    let not_checked = &judgement.trust.not_checked;
    let gap = |text: &String| text.contains("shard-2: it has no whole read-back from after");
    assert!(not_checked.iter().any(gap), "{not_checked:?}");
    assert!(not_checked.iter().any(|text| text.contains("that the read-back does not speak of")));
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(100);
    let runs = shards(&recording, folder.path(), 2);
    let into = folder.path().join("merged");
    let refused = |runs: &[PathBuf], parts: &[&str]| {
        let error = merge(runs, &into).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!into.exists(), "{error}");
    };
    refused(&[runs[0].clone(), runs[0].clone()], &["shard-1 and", "hold the same shard"]);

    let same = folder.path().join("same");
    recording.write(&same, Some(Shard { index: 2, of: 2 }), 0);
    refused(&[runs[1].clone(), same], &["same and", "shard-2 hold the same shard"]);

    let third = folder.path().join("third");
    recording.write(&third, Some(Shard { index: 3, of: 3 }), 0);
    refused(
        &[runs[0].clone(), third],
        &["third is a run of another plan", "number of shards is 3, not 2"],
    );

    let whole = folder.path().join("whole");
    recording.write(&whole, None, 0);
    refused(&[runs[0].clone(), whole], &["whole is no shard"]);

    let change = |what: &str, change: &dyn Fn(&mut Manifest)| {
        let run = RunDir::open(&runs[1]).unwrap();
        let good = run.manifest().unwrap();
        let mut manifest = good.clone();
        change(&mut manifest);
        run.write_manifest(&manifest).unwrap();
        refused(&runs, &["shard-2 is a run of another plan than", what]);
        run.write_manifest(&good).unwrap();
    };
    change("seed is 7, not 1", &|manifest| manifest.seed = 7);
    change("SHA-256 is cd, not ab", &|manifest| manifest.trace.sha256 = "cd".into());
    change("pace is max, not rate:1000", &|manifest| manifest.mode.pace = "max".into());

    let lock = RunDir::open(&runs[0])
        .map(|mut run| {
            run.lock().unwrap();
            run
        })
        .unwrap();
    refused(&runs, &["is being written by another limosa"]);
    drop(lock);
}

#[test]
fn a_damaged_ledger_is_not_hidden_in_a_joined_run() {
    let folder = tempfile::tempdir().unwrap();
    let runs = shards(&Recording::new(100), folder.path(), 2);
    let path = runs[1].join("ledger/000-00000.ledger");
    let mut bytes = fs_err::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&path, bytes).unwrap();
    let error = merge(&runs, &folder.path().join("merged")).unwrap_err().to_string();
    assert!(error.contains("000-00000.ledger cannot be read from byte"), "{error}");
    assert!(RunDir::open(&folder.path().join("merged")).is_err());
}
