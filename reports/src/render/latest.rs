//! What is said of `latest`: the sentences and figures that all faces share.

use super::summary::Summary;
use super::units::{all, count, counted, duration, percent};
use crate::run::verdict::latest::{
    Bounded, Contract, ContractJudgement, Counting, LatestDetails, ReplicaReads, Sessions, Spread,
};
use crate::run::verdict::{LatestJudgement, Verdict};

/// Up to so many legal answers a read, on average, a test is sharp.
const SHARP: f64 = 2.0;
/// From so many on it is weak.
const WEAK: f64 = 8.0;
/// So many replicas are named; more are counted.
const NAMED: usize = 4;

/// The judgement; `None` where `latest` was never read, or the run was not judged.
pub(super) fn judgement(summary: &Summary) -> Option<&LatestJudgement> {
    summary.judgement.as_ref()?.latest.as_ref()
}

/// What was found beside the verdict; `None` also in runs judged before there was such.
pub(super) fn details(summary: &Summary) -> Option<&LatestDetails> {
    judgement(summary)?.details.as_ref()
}

/// The contract that decided, as people call it.
pub(super) fn title(judgement: &LatestJudgement) -> &str {
    let known = contract(judgement).map(Contract::title);
    known.unwrap_or(&judgement.contract)
}

/// The contract that decided.
pub(super) fn contract(judgement: &LatestJudgement) -> Option<Contract> {
    Contract::ALL.into_iter().find(|contract| contract.name() == judgement.contract)
}

/// The finding in a sentence: how many reads were wrong, and how far behind.
pub(super) fn finding(judgement: &LatestJudgement) -> String {
    let reads = counted(judgement.reads, "read");
    match (judgement.verdict, judgement.wrong) {
        (Verdict::Pass, _) => format!("latest was right in {}", all(judgement.reads, "read")),
        (Verdict::Unknown, _) => format!("Whether latest was right in {reads} cannot be told"),
        (Verdict::Fail, wrong) => {
            let behind = judgement.details.as_ref().and_then(behind);
            let behind = behind.map_or_else(String::new, |behind| format!(", {behind}"));
            format!("latest was wrong in {} of {reads}{behind}", count(wrong))
        }
    }
}

/// The title of the picture of what was sent and what was reported.
pub(super) fn course_title(summary: &Summary) -> String {
    let Some(judgement) = judgement(summary) else {
        return "latest as it was sent, and as it was reported".to_owned();
    };
    let replicas = judgement.details.as_ref().map_or(&[][..], |details| &details.replicas);
    let wrong: Vec<u16> = replicas
        .iter()
        .filter(|replica| replica.wrong > 0)
        .map(|replica| replica.replica)
        .collect();
    match wrong[..] {
        _ if replicas.len() < 2 => finding(judgement),
        [] => format!("None of {} replicas reported a wrong id", replicas.len()),
        [one] => format!("Of {} replicas only replica {one} reported wrong ids", replicas.len()),
        _ if wrong.len() == replicas.len() => {
            format!("Each of {} replicas reported wrong ids", replicas.len())
        }
        _ => format!("{} of {} replicas reported wrong ids", wrong.len(), replicas.len()),
    }
}

/// `up to 47 commands and 144 ms behind`; `None` where no read was stale.
pub(super) fn behind(details: &LatestDetails) -> Option<String> {
    let staleness = &details.staleness;
    let bound = if staleness.at_least > 0 { "at least" } else { "up to" };
    (staleness.stale > 0).then(|| {
        format!(
            "{bound} {} and {} behind",
            counted(staleness.versions.max, "command"),
            duration(staleness.ns.max)
        )
    })
}

/// How a verdict on a contract is called.
pub(super) fn kept(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "kept",
        Verdict::Unknown => "not known",
        Verdict::Fail => "broken",
    }
}

/// What was wrong with the reads of one contract, the most frequent first: what, and how often.
pub(super) fn anomalies(contract: &ContractJudgement) -> Vec<(&'static str, &'static str, u64)> {
    let mut rows: Vec<_> = contract
        .anomalies
        .iter()
        .map(|(anomaly, number)| (anomaly.name(), anomaly.meaning(), *number))
        .collect();
    rows.sort_by_key(|(.., number)| std::cmp::Reverse(*number));
    rows
}

/// How much a run of so many legal answers a read can prove, in two words.
pub(super) fn sharpness(mean_legal: f64) -> &'static str {
    match mean_legal {
        mean if mean < SHARP => "sharp test",
        mean if mean < WEAK => "fair test",
        _ => "weak test",
    }
}

/// `1 answer`, `1.04 answers`, `21.6 answers`.
fn answers(mean: f64) -> String {
    match mean {
        mean if mean < 1.005 => "1 answer".to_owned(),
        mean if mean < SHARP => format!("{mean:.2} answers"),
        mean => format!("{mean:.1} answers"),
    }
}

/// The same in a sentence, and what it means.
pub(super) fn sharpness_meaning(mean_legal: f64) -> String {
    let what = match sharpness(mean_legal) {
        "sharp test" => "hardly any wrong answer can have passed for a right one",
        "fair test" => "an answer that was one or two commands behind may have passed",
        _ => {
            "many a wrong answer can have passed for a right one, since so many commands were under \
             way; fewer connections make a sharper test"
        }
    };
    format!(
        "{}: on average, {} to a read would have been right, so {what}",
        sharpness(mean_legal),
        answers(mean_legal)
    )
}

/// The replicas that answered wrongly, the worst first: `replica 1`, `replicas 2 (40 reads) and 0 (1)`,
/// `7 replicas`; `None` where there is only one replica, or none did. How many is told because of two
/// answers that contradict each other the later one counts as wrong, which may be a right replica's.
pub(super) fn culprits(details: &LatestDetails) -> Option<String> {
    let mut wrong: Vec<_> = details.replicas.iter().filter(|replica| replica.wrong > 0).collect();
    wrong.sort_by_key(|replica| std::cmp::Reverse(replica.wrong));
    match &wrong[..] {
        _ if details.replicas.len() < 2 => None,
        [] => None,
        [one] => Some(format!("replica {}", one.replica)),
        many if many.len() > NAMED => Some(counted(many.len() as u64, "replica")),
        [worst, middle @ .., last] => {
            let mut text = format!("replicas {} ({})", worst.replica, counted(worst.wrong, "read"));
            for replica in middle {
                text += &format!(", {} ({})", replica.replica, count(replica.wrong));
            }
            Some(format!("{text} and {} ({})", last.replica, count(last.wrong)))
        }
    }
}

/// A target that only counts, said plainly.
pub(super) fn counting(details: &LatestDetails) -> Option<String> {
    let what = match details.counting? {
        Counting::Commands => "commands",
        Counting::Requests => "requests, reads of latest too,",
    };
    Some(format!(
        "The target just counts: every answer is the number of {what} that had arrived. It ignores \
         the ids, and is right only as long as ids and arrivals happen to agree."
    ))
}

/// The facts beneath the pictures: name, and what was found.
pub(super) fn facts(judgement: &LatestJudgement) -> Vec<(&'static str, String)> {
    let known = |id: Option<i64>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    let mut rows = Vec::new();
    rows.extend(judgement.mean_legal.map(|mean| ("sharpness", sharpness_meaning(mean))));
    if let Some(details) = &judgement.details {
        if details.staleness.reads > 0 {
            rows.push(("behind", stale(details)));
        }
        rows.extend(delta(details.delta).map(|text| ("Delta", text)));
        rows.push(("monotonic reads", monotonic_reads(&details.sessions)));
        rows.push(("own writes", own_writes(&details.sessions)));
        rows.push(("undecided", undecided(details)));
    }
    rows.push((
        "last ids",
        format!("{} sent, {} reported", known(judgement.last_sent), known(judgement.last_reported)),
    ));
    rows
}

fn stale(details: &LatestDetails) -> String {
    let staleness = &details.staleness;
    let of = counted(staleness.reads, "read");
    if staleness.stale == 0 {
        return format!("none of {of} named a value that a finished command had replaced");
    }
    let unordered = match staleness.unordered {
        0 => String::new(),
        number => {
            format!("; {} more contradict only what another read had named before", count(number))
        }
    };
    let bound = match staleness.at_least {
        0 => String::new(),
        number => format!("; {} may be further behind than is counted", counted(number, "read")),
    };
    let Spread { p50, p99, max } = staleness.versions;
    let time = staleness.ns;
    format!(
        "{} of {of} ({}) named a value that a finished command had replaced: half of them by up to {} \
         and {}, 99 % by up to {} and {}, the worst by {} and {}{unordered}{bound}",
        count(staleness.stale),
        percent(staleness.stale as f64 / staleness.reads as f64),
        counted(p50, "command"),
        duration(time.p50),
        count(p99),
        duration(time.p99),
        count(max),
        duration(time.max),
    )
}

fn delta(delta: Bounded) -> Option<String> {
    let bound = if delta.at_least { "at least " } else { "" };
    (delta.ns > 0).then(|| {
        format!(
            "{bound}{}: had every read been asked that much earlier, the linearizable register would \
             hold for all reads of values that somebody had sent",
            duration(delta.ns)
        )
    })
}

fn monotonic_reads(sessions: &Sessions) -> String {
    let wrong = "went back to an older value than the client had read";
    session(sessions, sessions.monotonic_reads_broken, wrong)
}

fn own_writes(sessions: &Sessions) -> String {
    let wrong = "named a value from before the client's own last command";
    session(sessions, sessions.own_writes_missed, wrong)
}

fn session(sessions: &Sessions, broken: u64, wrong: &str) -> String {
    let followed = sessions.reads.saturating_sub(sessions.not_followed);
    if followed == 0 {
        return "not known: no client was known to send one request after another".to_owned();
    }
    let left_out = match sessions.not_followed {
        0 => String::new(),
        number => format!("; {} by further clients were not followed", counted(number, "read")),
    };
    let of = counted(followed, "read");
    match broken {
        0 => format!("kept: none of {of} {wrong}{left_out}"),
        broken => format!(
            "broken: {} of {of} ({}) {wrong}{left_out}",
            count(broken),
            percent(broken as f64 / followed as f64)
        ),
    }
}

fn undecided(details: &LatestDetails) -> String {
    let undecided = (details.undecided > 0).then(|| {
        format!(
            "{} could name what was sent twice, or was there before the run",
            counted(details.undecided, "read")
        )
    });
    let repeated = (details.repeated > 0)
        .then(|| format!("{} repeated an id", counted(details.repeated, "command")));
    let parts: Vec<String> = [undecided, repeated].into_iter().flatten().collect();
    if parts.is_empty() { "nothing: every read was judged".to_owned() } else { parts.join("; ") }
}

/// What stands in a table above [`replica_row`].
pub(super) const REPLICA_HEAD: [&str; 6] =
    ["replica", "reads", "wrong", "stale", "furthest behind", "longest behind"];

/// A replica's reads as a row of a table.
pub(super) fn replica_row(summary: &Summary, replica: &ReplicaReads) -> Vec<String> {
    let share = |number: u64| match number {
        0 => "0".to_owned(),
        _ => {
            let share = percent(number as f64 / replica.reads.max(1) as f64);
            format!("{} ({share})", count(number))
        }
    };
    let target = summary.manifest.targets.get(usize::from(replica.replica));
    vec![
        target.map_or_else(
            || replica.replica.to_string(),
            |target| format!("{}: {}", replica.replica, super::units::visible(target)),
        ),
        count(replica.reads),
        share(replica.wrong),
        share(replica.stale),
        counted(replica.max_versions, "command"),
        duration(replica.max_ns),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(replica: u16, wrong: u64) -> ReplicaReads {
        ReplicaReads { replica, reads: 9, wrong, stale: 0, max_versions: 0, max_ns: 0 }
    }

    #[test]
    fn replicas_are_named_until_they_are_many() {
        let named = |wrong: &[u64]| {
            let replicas = (0..).zip(wrong).map(|(number, wrong)| reads(number, *wrong)).collect();
            culprits(&LatestDetails { replicas, ..LatestDetails::default() })
        };
        assert_eq!(named(&[3]), None);
        assert_eq!(named(&[0, 0]), None);
        assert_eq!(named(&[0, 1]).as_deref(), Some("replica 1"));
        assert_eq!(
            named(&[1, 0, 40, 3]).as_deref(),
            Some("replicas 2 (40 reads), 3 (3) and 0 (1)")
        );
        assert_eq!(named(&[1; 9]).as_deref(), Some("9 replicas"));
    }

    #[test]
    fn a_test_is_called_weak_where_many_answers_would_have_passed() {
        assert_eq!(
            [1.0, 1.9, 3.0, 64.0].map(sharpness),
            ["sharp test", "sharp test", "fair test", "weak test"]
        );
        assert!(sharpness_meaning(64.0).contains("many a wrong answer"));
    }

    #[test]
    fn guarantees_of_nobody_are_not_known() {
        assert!(own_writes(&Sessions::default()).starts_with("not known"));
        let sessions = Sessions { reads: 10, monotonic_reads_broken: 2, ..Sessions::default() };
        assert!(monotonic_reads(&sessions).starts_with("broken: 2 of 10 reads (20.0 %)"));
        assert!(own_writes(&sessions).starts_with("kept: none of 10 reads"));
    }
}
