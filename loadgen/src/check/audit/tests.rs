mod shares;

use super::*;
use crate::check::testing::{Script, State as Store};
use limosa_reports::run::verdict::{Entity, Finding};

struct Case {
    script: Script,
    before: Option<ReadBack>,
    profile: Profile,
}

impl Case {
    fn new(build: impl FnOnce(&mut Script)) -> Self {
        let mut script = Script::new();
        build(&mut script);
        Self { script, before: Some(Store::new().read_back()), profile: Profile::default() }
    }

    fn before(mut self, store: Store) -> Self {
        self.before = Some(store.read_back());
        self
    }

    fn audit(&self, after: Store) -> (Audit, Check, Vec<String>) {
        let after = after.read_back();
        audit(&Evidence {
            entries: &self.script.entries(),
            before: self.before.as_ref(),
            after: &after,
            passes: 1,
            profile: &self.profile,
        })
    }

    /// The findings as `class entity id`, and the counts of the classes that are no violation.
    fn found(&self, after: Store) -> Vec<String> {
        let (audit, check, _) = self.audit(after);
        let expected = if audit.findings.is_empty() { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(check.verdict, expected, "{}", check.summary);
        audit.findings.iter().map(name).collect()
    }
}

fn name(finding: &Finding) -> String {
    let id = finding.command_id.map_or("-".to_owned(), |id| id.to_string());
    format!("{} {} {id}", finding.class.name(), finding.entity.plural())
}

const NOTHING: [String; 0] = [];

#[test]
fn a_target_that_kept_all_is_accused_of_nothing() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").ok();
        run.tweet("a", "x").ok();
        run.tweet("a", "x").ok();
        run.tweet("a", "y").ok();
        run.follow("a", "b").ok();
        run.follow("b", "a").ok();
        run.unfollow("b", "a").ok();
        run.unfollow("a", "b").ok();
        run.follow("a", "b").ok();
    });
    let after = || Store::new().user("a", &["x", "x", "y"], &["b"]).user("b", &[], &[]);
    assert_eq!(case.found(after()), NOTHING);
    let (audit, check, not_checked) = case.audit(after());
    assert_eq!(audit.count(Class::Kept), 10);
    assert_eq!(check.summary, "of 10 acknowledged writes nothing is missing, doubled or altered");
    assert_eq!((audit.state.users, audit.state.messages, audit.state.follows), (2, 3, 1));
    assert!(
        not_checked.iter().any(|text| text.starts_with("3 follow commands")),
        "{not_checked:?}"
    );
}

#[test]
fn what_is_missing_is_lost() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").ok();
        run.tweet("a", "x").ok();
        run.tweet("a", "y").ok();
        run.follow("a", "b").ok();
        run.follow("b", "a").ok();
        run.unfollow("b", "a").ok();
        run.tweet("b", "z").ok();
    });
    let after = Store::new().user("a", &["y"], &[]).missing("b");
    assert_eq!(
        case.found(after),
        ["lost users 1", "lost messages 2", "lost follows 4", "lost messages 7"]
    );
    let after = Store::new().user("a", &["x", "y"], &["b"]).user("b", &["z"], &["a"]);
    assert_eq!(case.found(after), ["lost follows 6"]);
}

#[test]
fn copies_are_counted() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.tweet("a", "x").ok();
        run.tweet("a", "x").ok();
        run.follow("a", "a").ok();
    });
    assert_eq!(case.found(Store::new().user("a", &["x"], &["a"])), ["lost messages 2"]);
    let three = Store::new().user("a", &["x", "x", "x"], &["a", "a"]);
    assert_eq!(case.found(three), ["duplicated messages 1", "duplicated follows 3"]);
    let tolerant =
        Case { profile: Profile { duplicate_edges: true, ..Profile::default() }, ..case };
    let two = Store::new().user("a", &["x", "x"], &["a", "a"]);
    assert_eq!(tolerant.found(two), NOTHING);
}

#[test]
fn a_changed_text_is_altered_and_a_stranger_is_foreign() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.tweet("a", "007").ok();
        run.tweet("a", "a message of some length").ok();
    });
    let after = Store::new().user("a", &["7", "Who wrote this?", "a message of some"], &[]);
    let (audit, ..) = case.audit(after);
    let names: Vec<String> = audit.findings.iter().map(name).collect();
    assert_eq!(names, ["altered messages 1", "altered messages 2", "foreign messages -"]);
    assert_eq!(audit.findings[0].note, "found as \"7\"");
}

#[test]
fn without_an_answer_both_are_legal_and_a_refusal_leaves_nothing() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").timed_out();
        run.register("c").refused(400);
        run.tweet("a", "open").timed_out();
        run.tweet("a", "refused").refused(404);
        run.tweet("a", "unsent").not_sent();
        run.follow("a", "a").abandoned();
    });
    let nothing = Store::new().user("a", &[], &[]).missing("b").missing("c");
    assert_eq!(case.found(nothing), NOTHING);
    let some = Store::new().user("a", &["open"], &["a"]).user("b", &[], &[]).missing("c");
    assert_eq!(case.audit(some).0.count(Class::Recovered), 3);
    let all = Store::new()
        .user("a", &["open", "refused", "unsent"], &["a"])
        .user("b", &[], &[])
        .user("c", &[], &[]);
    assert_eq!(case.found(all), ["ghost users 2", "ghost messages 4", "ghost messages 5"]);
}

#[test]
fn an_open_follow_may_land_after_a_later_command() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").ok();
        run.follow("a", "b").timed_out();
        run.unfollow("a", "b").ok();
    });
    let users = |follows: &[&str]| Store::new().user("a", &[], follows).user("b", &[], &[]);
    assert_eq!(case.found(users(&[])), NOTHING);
    assert_eq!(case.found(users(&["b"])), NOTHING);
    assert_eq!(case.audit(users(&["b"])).0.count(Class::Recovered), 1);
}

#[test]
fn a_refused_follow_that_is_there_is_a_ghost_and_an_unasked_one_foreign() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").ok();
        run.follow("a", "b").refused(404);
    });
    let after = Store::new().user("a", &[], &["b"]).user("b", &[], &["a"]);
    assert_eq!(case.found(after), ["ghost follows 2", "foreign follows -"]);
}

#[test]
fn what_was_there_before_is_not_the_runs() {
    let case = Case::new(|run| {
        run.tweet("a", "old").ok();
        run.register("a").refused(400);
    })
    .before(Store::new().user("a", &["old", "older"], &["b"]).user("b", &[], &[]));
    let after = Store::new().user("a", &["old", "older", "old"], &["b"]).user("b", &[], &[]);
    assert_eq!(case.found(after), NOTHING);
    let after = Store::new().user("a", &["old", "older"], &["b"]).user("b", &[], &[]);
    assert_eq!(case.found(after), ["lost messages 0"]);
}

#[test]
fn a_row_without_its_user_is_an_orphan() {
    let case = Case::new(|run| {
        run.register("a").ok();
    });
    let mut gone = Store::new().user("gone", &["left behind"], &[]).read_back();
    gone.users.get_mut("gone").unwrap().exists = Some(false);
    let mut after = Store::new().user("a", &[], &["gone"]).read_back();
    after.users.extend(gone.users);
    let (audit, ..) = audit(&Evidence {
        entries: &case.script.entries(),
        before: case.before.as_ref(),
        after: &after,
        passes: 1,
        profile: &case.profile,
    });
    let names: Vec<String> = audit.findings.iter().map(name).collect();
    assert_eq!(names, ["orphan messages -", "orphan follows -"]);
}

#[test]
fn swapped_messages_are_misordered_where_the_listing_shows_the_order() {
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    let case = Case::new(|run| {
        run.register("a").ok();
        for text in &texts {
            run.tweet("a", text).ok();
        }
    });
    let mut stored: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(case.found(Store::new().user("a", &stored, &[])), NOTHING);
    stored.swap(7, 8);
    assert_eq!(case.found(Store::new().user("a", &stored, &[])), ["misordered messages 8"]);
    let (audit, ..) = case.audit(Store::new().user("a", &stored, &[]));
    assert_eq!(audit.findings[0].note, "stored after id 9, which was sent later");
    assert_eq!(audit.count(Class::Kept), 20);

    stored.reverse();
    let (audit, check, not_checked) = case.audit(Store::new().user("a", &stored, &[]));
    assert_eq!(audit.findings, []);
    assert_eq!(check.verdict, Verdict::Pass);
    assert!(not_checked[0].starts_with("the order of messages"), "{not_checked:?}");
}

#[test]
fn latest_must_not_name_what_is_not_there() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.tweet("a", "gone").timed_out();
    });
    let store = |messages: &[&str]| Store::new().user("a", messages, &[]);
    assert_eq!(case.found(store(&[]).latest(1)), ["latest ahead messages 1"]);
    assert_eq!(case.audit(store(&[]).latest(1)).0.count(Class::Absent), 0);
    assert_eq!(case.found(store(&[]).latest(0)), NOTHING);
    assert_eq!(case.found(store(&["gone"]).latest(1)), NOTHING);
}

#[test]
fn what_could_not_be_read_makes_the_verdict_unknown() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.tweet("a", "x").ok();
    });
    let mut after = Store::new().user("a", &[], &[]).read_back();
    after.users.get_mut("a").unwrap().exists = None;
    after.header.gaps.push("GET /msgs/a answered 500".into());
    let (audit, check, not_checked) = audit(&Evidence {
        entries: &case.script.entries(),
        before: None,
        after: &after,
        passes: 1,
        profile: &case.profile,
    });
    assert_eq!(audit.findings, []);
    assert_eq!(check.verdict, Verdict::Unknown);
    assert!(not_checked.contains(&"GET /msgs/a answered 500".to_owned()));
}

#[test]
fn losses_close_in_time_are_one_window() {
    let case = Case::new(|run| {
        run.register("a").ok();
        for id in 1..=10 {
            run.tweet("a", &format!("text {id}")).ok();
        }
        run.wait_ms(5_000);
        run.tweet("a", "text 11").ok();
    });
    let kept: Vec<String> = [1, 2, 4, 5, 7, 8, 9, 10].map(|id| format!("text {id}")).into();
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    let (audit, ..) = case.audit(Store::new().user("a", &kept, &[]));
    let windows: Vec<(u64, u64)> =
        audit.loss_windows.iter().map(|window| (window.lost, window.kept)).collect();
    assert_eq!(windows, [(2, 2), (1, 0)]);
}

#[test]
fn a_target_that_lists_only_the_newest_is_not_accused_of_losing_the_rest() {
    let texts = |author: &str| (0..8).map(|n| format!("{author} {n}")).collect::<Vec<_>>();
    let case = Case::new(|run| {
        for author in ["a", "b"] {
            run.register(author).ok();
            for text in texts(author) {
                run.tweet(author, &text).ok();
            }
        }
    });
    let newest = |author: &str, skip: usize| texts(author).split_off(skip);
    let store = |a: Vec<String>, b: Vec<String>| {
        let [a, b] = [&a, &b].map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
        Store::new().user("a", &a, &[]).user("b", &b, &[])
    };
    let (audit, check, not_checked) = case.audit(store(newest("a", 5), newest("b", 5)));
    assert_eq!(audit.findings, []);
    assert_eq!(check.verdict, Verdict::Unknown);
    assert!(not_checked.iter().any(|text| text.contains("at most 3 messages")), "{not_checked:?}");

    let lost_by_one = case.audit(store(newest("a", 5), texts("b"))).0;
    assert_eq!(lost_by_one.count(Class::Lost), 5);
    let mut gap = texts("a");
    gap.drain(3..8);
    let not_the_oldest = case.audit(store(gap, newest("b", 5))).0;
    assert_eq!(not_the_oldest.count(Class::Lost), 5);
}

/// What the run sent took the place of what was there before, text for text.
#[test]
fn a_listing_at_its_limit_has_no_more_of_before_than_there_is_room() {
    let texts: Vec<String> = (0..8).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let newest = |count: usize| &texts[texts.len() - count..];
    let both = |messages: &[&str]| Store::new().user("a", messages, &[]).user("b", messages, &[]);
    let sends = |count: usize| {
        let case = Case::new(|run| {
            for author in ["a", "b"] {
                for text in newest(count) {
                    run.tweet(author, text).ok();
                }
            }
        });
        case.before(both(newest(5)))
    };
    assert_eq!(sends(8).audit(both(newest(5))).0.findings, []);
    assert_eq!(sends(5).audit(both(newest(5))).0.findings, []);
    let some_of_each = [&newest(5)[3..], newest(3)].concat();
    assert_eq!(sends(3).audit(both(&some_of_each)).0.findings, []);
    // Nothing new is there.
    assert_eq!(sends(3).audit(both(newest(5))).0.count(Class::Lost), 0);
    let nothing_new = ["x", "y", "z", "u", "v"];
    let case = sends(3).before(both(&nothing_new));
    assert_eq!(case.audit(both(&nothing_new)).0.count(Class::Lost), 6);
    assert_eq!(case.audit(both(&nothing_new)).0.count(Class::Foreign), 0);
}

#[test]
fn a_single_author_shows_a_limit_at_a_round_number() {
    let texts: Vec<String> = (0..24).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let case = Case::new(|run| {
        run.register("a").ok();
        for text in &texts {
            run.tweet("a", text).ok();
        }
    });
    let lost =
        |listed: &[&str]| case.audit(Store::new().user("a", listed, &[])).0.count(Class::Lost);
    assert_eq!(lost(&texts[4..]), 0);
    assert_eq!(lost(&texts[3..]), 3);
    assert_eq!(lost(&texts[..20]), 4);
}

/// As many of the oldest are missing as if the listing had a limit; the listing of all messages shows
/// whether it has one.
#[test]
fn a_loss_that_looks_like_a_limit_is_told_by_the_listing_of_all_messages() {
    let texts: Vec<String> = (0..11).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let case = Case::new(|run| {
        for author in ["a", "b"] {
            run.register(author).ok();
            texts[..if author == "a" { 11 } else { 3 }].iter().for_each(|text| {
                run.tweet(author, text).ok();
            });
        }
    });
    let store = || Store::new().user("a", &texts[1..], &[]).user("b", &texts[..3], &[]);
    let (found, check, _) = case.audit(store().public(usize::MAX));
    assert_eq!((found.count(Class::Lost), check.verdict), (1, Verdict::Fail));

    // It has the same limit, a limit of its own, or was not read.
    for store in [store().public(10), store().public(12), store()] {
        let (found, check, not_checked) = case.audit(store);
        assert_eq!((found.count(Class::Lost), check.verdict), (0, Verdict::Unknown));
        assert!(not_checked.iter().any(|text| text.contains("at most 10 messages")));
    }

    // It shows more than the author's own.
    let mut after = store().public(usize::MAX).read_back();
    after.users.get_mut("a").unwrap().in_public = Some(11);
    let (audit, ..) = audit(&Evidence {
        entries: &case.script.entries(),
        before: case.before.as_ref(),
        after: &after,
        passes: 1,
        profile: &case.profile,
    });
    assert_eq!(audit.count(Class::Lost), 0);

    // All that there is, and it is one author's.
    let alone = Case::new(|run| {
        run.register("a").ok();
        texts.iter().for_each(|text| {
            run.tweet("a", text).ok();
        });
    });
    let listed = Store::new().user("a", &texts[1..], &[]).public(10);
    assert_eq!(alone.audit(listed).0.count(Class::Lost), 0);
}

#[test]
fn equal_texts_beyond_the_limit_are_not_lost() {
    let case = |last: &'static str| {
        Case::new(move |run| {
            for author in ["a", "b"] {
                run.register(author).ok();
                for _ in 0..6 {
                    run.tweet(author, "same").ok();
                }
                run.tweet(author, last).ok();
            }
        })
    };
    for last in ["same", "last"] {
        let listed = ["same", "same", last];
        let after = Store::new().user("a", &listed, &[]).user("b", &listed, &[]);
        assert_eq!(case(last).audit(after).0.findings, [], "{last}");
    }
}

/// Of two servers' clocks, one is behind by some seconds.
#[test]
fn across_seconds_a_listing_by_date_shows_no_order() {
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    let case = Case::new(|run| {
        run.register("a").ok();
        for text in &texts {
            run.tweet("a", text).ok();
        }
    });
    let mut oldest_first: Vec<&str> = texts.iter().map(String::as_str).collect();
    oldest_first.swap(9, 10);
    let found = |date: fn(usize) -> i64| {
        let mut after = Store::new().user("a", &oldest_first, &[]).read_back();
        let messages = &mut after.users.get_mut("a").unwrap().messages;
        for (place, message) in messages.iter_mut().rev().enumerate() {
            message.pub_date = Some(date(place));
        }
        let (audit, _, not_checked) = audit(&Evidence {
            entries: &case.script.entries(),
            before: None,
            after: &after,
            passes: 1,
            profile: &case.profile,
        });
        let names: Vec<String> = audit.findings.iter().map(name).collect();
        (names, not_checked.iter().any(|text| text.contains("may list by date")))
    };
    // The swapped two stand at the places 9 and 10.
    assert_eq!(found(|place| i64::from(place >= 10)), (vec![], true));
    assert_eq!(
        found(|place| i64::from(place >= 11)),
        (vec!["misordered messages 10".into()], false)
    );
    assert_eq!(
        found(|place| i64::from(place < 10)),
        (vec!["misordered messages 10".into()], false)
    );
}

#[test]
fn of_two_commands_that_overlap_either_may_be_the_last() {
    let case = Case::new(|run| {
        run.register("a").ok();
        run.register("b").ok();
        run.follow("a", "b").ok();
        run.unfollow("a", "b").ok();
    });
    let users = |follows: &[&str]| Store::new().user("a", &[], follows).user("b", &[], &[]);
    assert_eq!(case.found(users(&["b"])), ["lost follows 3"]);

    let mut entries = case.script.entries();
    let called_ns = entries[3].intent.called_ns;
    entries[2].outcome.as_mut().unwrap().done_ns = called_ns + 1;
    for follows in [&["b"][..], &[]] {
        let after = users(follows).read_back();
        let (audit, ..) = audit(&Evidence {
            entries: &entries,
            before: case.before.as_ref(),
            after: &after,
            passes: 1,
            profile: &case.profile,
        });
        assert_eq!(audit.findings, []);
    }
}
