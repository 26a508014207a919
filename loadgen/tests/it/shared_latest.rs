//! Three replicas on one database, and `latest` in each place where it can live: what the checkers
//! say of each must be what `docs/latest.md` says.

use super::end_to_end::course_trace;
use super::replicas::spread_over;
use super::*;
use limosa_kit::Redis;
use limosa_reports::run::verdict::LatestJudgement;

const REPLICAS: usize = 3;

/// The course's trace, or a generated one, in both orders over three replicas; what was found of
/// `latest` in each. Whatever becomes of that, nothing may be lost.
fn judged_in_both_orders(latest: impl Fn(&str) -> String) -> [LatestJudgement; 2] {
    [("strict", &["--order", "strict"][..]), ("user", &["--order", "user", "--connections", "64"])]
        .map(|(name, order)| {
            let folder = tempfile::tempdir().unwrap();
            let trace = course_trace(folder.path());
            let servers = replicas(folder.path(), REPLICAS, &latest(name));
            let run = folder.path().join("run");
            let output = spread_over(&trace, &servers.iter().collect::<Vec<_>>(), &run, "random")
                .args(order)
                .args(["--read-latest", "0.3"])
                .output()
                .unwrap();
            let code = code(&output);
            let judgement = judgement(&run);
            assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass, "{name}");
            let latest = judgement.latest.unwrap();
            // Only a busy machine makes it unknown.
            assert_eq!(code == 1, latest.verdict == Verdict::Fail, "{name}");
            assert_eq!(latest.details.as_ref().unwrap().replicas.len(), REPLICAS);
            println!(
                "{name}: {:?}, {} of {} reads wrong, |L| {:?}",
                latest.verdict, latest.wrong, latest.reads, latest.mean_legal
            );
            latest
        })
}

/// Linearizable, by a test that is sharp where one request is under way.
fn is_sound(judged: [LatestJudgement; 2]) {
    for latest in &judged {
        assert_eq!((latest.verdict, latest.wrong), (Verdict::Pass, 0));
        assert_eq!(latest.details.as_ref().unwrap().staleness.stale, 0);
    }
    let [strict, concurrent] = judged.map(|latest| latest.mean_legal.unwrap());
    assert_eq!(strict, 1.0);
    assert!((1.0..200.0).contains(&concurrent), "{concurrent}");
}

#[test]
fn in_the_database_it_is_linearizable() {
    is_sound(judged_in_both_orders(|_| "database".to_owned()));
}

#[test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server, or REDIS_URL")]
fn in_redis_it_is_linearizable_while_redis_lives() {
    let redis = Redis::any().unwrap();
    let key = |order: &str| format!("{}?key=limosa:{}:{order}", redis.url, std::process::id());
    is_sound(judged_in_both_orders(key));
}

#[test]
fn in_the_memory_of_each_it_is_wrong_more_often_than_not() {
    let [strict, concurrent] = judged_in_both_orders(|_| "memory".to_owned());
    // Two of three reads reach a replica that did not take the last command.
    let share = strict.wrong as f64 / strict.reads as f64;
    assert!((0.6..0.74).contains(&share), "{share}");
    assert_eq!(concurrent.verdict, Verdict::Fail);
    let stale = concurrent.details.unwrap().staleness.stale;
    assert!(stale > 50, "{stale}");
}
