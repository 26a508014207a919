//! A generator that gets no time to work: what it measured says nothing of the target.

use super::*;
use std::process::Child;

/// Processes that keep one processor busy until they are dropped.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start(count: usize) -> Self {
        let busy =
            || Command::new("taskset").args(["-c", "0", "sh", "-c", "while :; do :; done"]).spawn();
        Self((0..count).map(|_| busy().unwrap()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            hog.kill().unwrap();
            hog.wait().unwrap();
        }
    }
}

#[test]
fn a_starved_generator_judges_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 1_000);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    let _hogs = Hogs::start(8);
    // A kernel that favours who has slept would give it its share all the same.
    let output = Command::new("nice")
        .args([
            "-n", "5", "taskset", "-c", "0", LIMOSA, "replay", "--quiet", "--order", "user",
            "--rate", "3000",
        ])
        .args(["--target", &server.url().to_string(), "--run-dir"])
        .arg(&run)
        .arg(&trace)
        .output()
        .unwrap();
    assert_eq!(code(&output), 3);
    let judgement = judgement(&run);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert_eq!(verdict_of(&judgement, "generator"), Verdict::Unknown);
    assert!(judgement.headline.contains("the generator was the bottleneck"));
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass, "what is kept is kept all the same");
}
