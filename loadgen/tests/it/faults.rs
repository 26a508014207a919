//! Every fault that a strict replay can see is planted, found, and called by its name.

use super::*;
use limosa_scenarios::Command as TraceCommand;

struct Planted {
    commands: Vec<TraceCommand>,
    trace: PathBuf,
    folder: tempfile::TempDir,
}

impl Planted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trace = trace(folder.path(), 400);
        Self { commands: Trace::load(&trace).unwrap().commands, trace, folder }
    }

    /// The id of the first command past the middle that is of the wanted kind.
    fn id(&self, wanted: impl Fn(&Action) -> bool) -> i64 {
        let middle = self.commands.len() / 2;
        self.commands[middle..].iter().find(|command| wanted(&command.action)).unwrap().id
    }

    fn run(&self, fault: &str) -> (i32, Judgement) {
        let server = server(self.folder.path(), &[fault]);
        let run = self.folder.path().join("run");
        let output = replay(&self.trace, &server, &run).args(["--read-latest", "0.3"]).output();
        let code = code(&output.unwrap());
        server.stop().unwrap();
        (code, judgement(&run))
    }
}

fn is_tweet(action: &Action) -> bool {
    matches!(action, Action::Tweet { .. })
}

fn one_is_found(fault: &str, class: Class, wanted: impl Fn(&Action) -> bool) {
    let planted = Planted::new();
    let id = planted.id(wanted);
    let (code, judgement) = planted.run(&format!("{fault}:id={id}"));
    assert_eq!(violations(&judgement), [(class, Some(id))]);
    assert_eq!((code, judgement.verdict), (1, Verdict::Fail));
}

#[test]
fn a_lost_message_is_named() {
    one_is_found("lose", Class::Lost, is_tweet);
}

#[test]
fn a_message_stored_twice_is_named() {
    one_is_found("duplicate", Class::Duplicated, is_tweet);
}

#[test]
fn a_changed_message_is_named() {
    one_is_found("alter", Class::Altered, is_tweet);
}

#[test]
fn a_message_that_was_refused_and_stored_is_named() {
    one_is_found("ghost", Class::Ghost, is_tweet);
}

#[test]
fn swapped_messages_are_named() {
    let planted = Planted::new();
    let tweets = |user: &str| {
        let by =
            |command: &&TraceCommand| is_tweet(&command.action) && command.action.user() == user;
        planted.commands.iter().filter(by).map(|command| command.id).collect::<Vec<_>>()
    };
    let (_, ids) = planted
        .commands
        .iter()
        .map(|command| tweets(command.action.user()))
        .map(|ids| (ids.len(), ids))
        .max()
        .unwrap();
    let id = ids[ids.len() / 2];
    let (code, judgement) = planted.run(&format!("swap:id={id}"));
    assert_eq!(violations(&judgement), [(Class::Misordered, Some(id))]);
    assert_eq!(code, 1);
}

#[test]
fn a_dropped_follow_is_named() {
    let planted = Planted::new();
    let last_of_its_pair = planted.commands.iter().rev().find(|command| {
        let pair = |action: &Action| (action.user().to_owned(), action.whom().map(str::to_owned));
        let mine = pair(&command.action);
        matches!(command.action, Action::Follow { .. })
            && planted.commands.iter().all(|other| {
                other.id <= command.id
                    || other.action.whom().is_none()
                    || pair(&other.action) != mine
            })
    });
    let id = last_of_its_pair.unwrap().id;
    let (code, judgement) = planted.run(&format!("drop-follow:id={id}"));
    assert_eq!(violations(&judgement), [(Class::Lost, Some(id))]);
    assert_eq!(code, 1);
}

#[test]
fn a_lost_register_is_the_root_of_what_fails_after_it() {
    let planted = Planted::new();
    let acts = |user: &str| {
        let names = |action: &Action| action.user() == user || action.whom() == Some(user);
        planted.commands.iter().filter(|command| names(&command.action)).count() as u64
    };
    let registers =
        planted.commands.iter().filter(|command| matches!(command.action, Action::Register { .. }));
    let root = registers.max_by_key(|command| acts(command.action.user())).unwrap();
    let (code, judgement) = planted.run(&format!("lose:id={}", root.id));
    assert_eq!(violations(&judgement), [(Class::Lost, Some(root.id))]);
    assert_eq!(judgement.cascades.len(), 1);
    let cascade = &judgement.cascades[0];
    assert_eq!((cascade.root_id, cascade.user.as_str()), (root.id, root.action.user()));
    assert_eq!(cascade.caused, acts(root.action.user()) - 1);
    assert_eq!(code, 1);
}

#[test]
fn a_latest_that_is_behind_is_found_and_nothing_else() {
    let (code, judgement) = Planted::new().run("stale-latest:ms=200");
    assert_eq!(violations(&judgement), []);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    assert_eq!(verdict_of(&judgement, "latest"), Verdict::Fail);
    assert!(judgement.latest.unwrap().wrong > 0);
    assert_eq!(code, 1);
}

#[test]
fn a_refused_second_is_an_outage_of_about_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 2_000);
    let server = server(folder.path(), &["refuse:from=1500,for=1000"]);
    let run = folder.path().join("run");
    let span_ms = 4_000.0;
    let commands = Trace::load(&trace).unwrap().commands;
    let speed = (commands[commands.len() - 1].at_ms - commands[0].at_ms) as f64 / span_ms;
    let output = replay(&trace, &server, &run)
        .args(["--client", "simulator", "--speed", &speed.to_string()])
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    let judgement = judgement(&run);
    assert_eq!(violations(&judgement), []);
    let outage = judgement.outages.iter().max_by_key(|outage| outage.least_ns()).unwrap();
    let (least, most) = (outage.least_ns(), outage.most_ns().unwrap());
    let truth = 1_000_000_000;
    assert!(least <= truth + 50_000_000 && truth <= most + 50_000_000, "{least} to {most}");
    let log = std::fs::read_to_string(run.join("simulator-errors.log")).unwrap();
    assert!(
        log.lines().filter(|line| line.contains(",ConnectionError,")).count() as u64
            >= outage.failed / 2
    );
}
