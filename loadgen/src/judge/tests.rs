use super::testing::Recording;
use super::*;
use crate::schedule::Shard;
use limosa_reports::run::verdict::{Entity, Judgement};

/// The judgement without the instant at which it was made.
fn judged(run: &RunDir, shares: usize) -> Judgement {
    Judgement { judged: Timestamp::UNIX_EPOCH, ..judge_in_shares(run, shares).unwrap() }
}

#[test]
fn in_memory_or_in_files_the_judgement_is_the_same_and_no_file_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let run = Recording::new(400).write(&folder.path().join("run"), None, 0);
    assert_eq!(shares_of(&run).unwrap(), 1);
    let whole = judged(&run, 1);
    let audit = whole.audit.as_ref().unwrap();
    assert!(audit.count(Class::Kept) > 200 && audit.count(Class::Lost) > 5, "{whole:#?}");
    assert!(!audit.loss_windows.is_empty() && !whole.outages.is_empty(), "{whole:#?}");

    let left = run.path().join("judge.tmp");
    // As a judge that was killed leaves it.
    fs_err::create_dir(&left).unwrap();
    fs_err::write(left.join("000.sent"), "half a command").unwrap();
    for shares in [2, 40] {
        assert_eq!(judged(&run, shares), whole, "{shares} shares");
        assert!(!left.exists());
    }
}

#[test]
fn a_run_is_judged_in_as_many_shares_as_it_is_large() {
    let folder = tempfile::tempdir().unwrap();
    let run = Recording::new(10).write(&folder.path().join("run"), None, 0);
    let file = fs_err::File::create(run.path().join("readback/other")).unwrap();
    for (mib, shares) in [(5, 1), (10, 2), (95, 10), (1 << 20, 512)] {
        file.set_len(mib << 20).unwrap();
        assert_eq!(shares_of(&run).unwrap(), shares, "{mib} MiB");
    }
}

/// What a shard did not read back of the others' users is neither lost nor foreign.
#[test]
fn a_shard_is_judged_by_its_own_users() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(400);
    let lost = |judgement: &Judgement| judgement.audit.as_ref().unwrap().count(Class::Lost);
    let whole = judged(&recording.write(&folder.path().join("run"), None, 0), 1);
    let mut sum = 0;
    for index in [1, 2] {
        let shard = Some(Shard { index, of: 2 });
        let run = recording.write(&folder.path().join(index.to_string()), shard, 0);
        let judgement = judged(&run, 3);
        let audit = judgement.audit.as_ref().unwrap();
        assert_eq!(audit.count(Class::Foreign) + audit.count(Class::Orphan), 0, "{judgement:#?}");
        sum += lost(&judgement);
        let said = format!("what the target holds of the users outside of shard {index} of 2");
        assert!(judgement.trust.not_checked.contains(&said), "{:?}", judgement.trust);
        let complete = judgement.checks.iter().find(|check| check.name == "complete").unwrap();
        assert_eq!(complete.verdict, Verdict::Pass, "{}", complete.summary);

        // The other shard's users are there too: somebody read the target back as a whole.
        recording.after.write(&run.readback("after-2")).unwrap();
        let again = judged(&run, 2);
        let audit = again.audit.as_ref().unwrap();
        assert_eq!(audit.counts, judgement.audit.as_ref().unwrap().counts);
    }
    assert_eq!(sum, lost(&whole));
    assert!(whole.audit.unwrap().counts[&Entity::Message].contains_key(&Class::Lost));
}

#[test]
fn lateness_of_the_warm_up_is_not_held_against_the_generator() {
    let folder = tempfile::tempdir().unwrap();
    let mut recording = Recording::new(400);
    let late = |recording: &mut Recording, range: std::ops::Range<usize>| {
        for entry in &mut recording.entries[range] {
            let ready_ns = entry.intent.ready_ns.saturating_sub(50_000_000);
            entry.intent.ready_ns = ready_ns;
        }
    };
    let verdict = |recording: &Recording, name: &str| {
        let judgement = judged(&recording.write(&folder.path().join(name), None, 0), 1);
        let check = judgement.checks.iter().find(|check| check.name == "generator").unwrap();
        check.verdict
    };
    late(&mut recording, 0..45);
    assert_eq!(verdict(&recording, "warm-up"), Verdict::Pass);
    late(&mut recording, 100..150);
    assert_eq!(verdict(&recording, "main"), Verdict::Unknown);
}
