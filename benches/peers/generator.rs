//! The generators, each a process on core 1 that `time` measures from outside.

use crate::send::{self, CONNECTIONS};
use crate::table::Sample;
use limosa::client::{BaseUrl, ClientKind, RequestEncoder};
use limosa::profile::Profile;
use limosa_benches::commands;
use limosa_scenarios::{Action, TraceWriter};
use std::fs::{self, File};
use std::process::Command;
use tempfile::TempDir;

const CORE: &str = "1";

/// So many seconds of wrk, which counts no requests beforehand, are about as many requests.
const WRK_REQUESTS_A_SECOND: u64 = 100_000;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Generator {
    Wrk,
    Oha,
    Limosa { order: &'static str },
}

/// What all generators are given.
#[derive(Debug)]
pub(crate) struct Setting {
    address: String,
    requests: u64,
    /// Holds the trace, wrk's script and one run at a time.
    folder: TempDir,
    /// What the other two send again and again: the trace's tweet whose body is nearest to the
    /// mean of all bodies.
    path: String,
    body: String,
}

impl Setting {
    pub(crate) fn new(address: &str, requests: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let commands = commands(requests);
        let mut trace = TraceWriter::new(File::create(folder.path().join("trace.tsv")).unwrap());
        let target: BaseUrl = format!("http://{address}").parse().unwrap();
        let encoder = RequestEncoder::new(ClientKind::Limosa, &target, &Profile::default());
        let mut bytes = Vec::new();
        let mut body_bytes = 0;
        let mut tweets = Vec::new();
        for command in &commands {
            trace.write(command).unwrap();
            encoder.command(command.id, &command.action, &mut bytes);
            let request = str::from_utf8(&bytes).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            body_bytes += body.len();
            if matches!(command.action, Action::Tweet { .. }) && tweets.len() < 10_000 {
                let path = head.split(' ').nth(1).unwrap();
                tweets.push((path.to_owned(), body.to_owned()));
            }
        }
        trace.finish().unwrap();
        let mean = body_bytes / commands.len();
        let (path, body) =
            tweets.into_iter().min_by_key(|(_, body)| body.len().abs_diff(mean)).unwrap();
        let authorization = Profile::default().authorization;
        let script = format!(
            "wrk.method = \"POST\"\nwrk.body = [==[{body}]==]\n\
             wrk.headers[\"Authorization\"] = \"{authorization}\"\n\
             wrk.headers[\"Content-Type\"] = \"application/json\"\n"
        );
        fs::write(folder.path().join("post.lua"), script).unwrap();
        Self { address: address.to_owned(), requests, folder, path, body }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// What limosa prints of one run of the trace.
    fn limosa(&self, order: &str, pace: &str) -> (serde_json::Value, Cost) {
        let program = std::env::current_exe().unwrap().display().to_string();
        let (trace, run) = (self.file("trace.tsv"), self.file("run"));
        let (said, cost) =
            self.timed(&[&program, send::ROLE, order, pace, &trace, &self.address, &run]);
        fs::remove_dir_all(run).unwrap();
        (serde_json::from_str(&said).unwrap(), cost)
    }

    /// Runs a program to its end; returns what it printed, and what it cost.
    fn timed(&self, command: &[&str]) -> (String, Cost) {
        let figures = self.file("time");
        let output = Command::new("taskset")
            .args(["-c", CORE, "time", "-f", "%e %U %S %M", "-o", &figures])
            .args(command)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}{complaint}");
        let figures = fs::read_to_string(figures).unwrap();
        let figures: Vec<f64> =
            figures.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
        let cost = Cost {
            wall_s: figures[0],
            cpu_s: figures[1] + figures[2],
            rss_mib: figures[3] / 1024.0,
        };
        (said, cost)
    }
}

#[derive(Debug, Clone, Copy)]
struct Cost {
    wall_s: f64,
    cpu_s: f64,
    rss_mib: f64,
}

impl Cost {
    fn sample(self, name: impl Into<String>, requests: u64) -> Sample {
        let requests = requests as f64;
        Sample {
            name: name.into(),
            rate: requests / self.wall_s,
            cpu_s_a_100k: self.cpu_s * 1e5 / requests,
            rss_mib: self.rss_mib,
        }
    }
}

impl Generator {
    /// One pass: a sample for each of its rows.
    pub(crate) fn pass(self, setting: &Setting) -> Vec<Sample> {
        let connections = CONNECTIONS.to_string();
        match self {
            Self::Wrk => {
                let seconds = (setting.requests / WRK_REQUESTS_A_SECOND).max(1);
                let (duration, script) = (format!("{seconds}s"), setting.file("post.lua"));
                let (said, cost) = setting.timed(&[
                    "wrk",
                    "-t",
                    "1",
                    "-c",
                    &connections,
                    "-d",
                    &duration,
                    "-s",
                    &script,
                    &setting.url(),
                ]);
                assert!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
                let requests = said.split("requests in").next().unwrap();
                let requests = requests.split_whitespace().last().unwrap().parse().unwrap();
                vec![cost.sample("wrk", requests)]
            }
            Self::Oha => {
                let requests = setting.requests.to_string();
                let authorization = format!("Authorization: {}", Profile::default().authorization);
                let (said, cost) = setting.timed(&[
                    "oha",
                    "--no-tui",
                    "-n",
                    &requests,
                    "-c",
                    &connections,
                    "-m",
                    "POST",
                    "-H",
                    &authorization,
                    "-H",
                    "Content-Type: application/json",
                    "-d",
                    &setting.body,
                    &setting.url(),
                ]);
                assert!(said.contains(&format!("[204] {requests} responses")), "{said}");
                vec![cost.sample("oha", setting.requests)]
            }
            Self::Limosa { order } => {
                let (said, whole) = setting.limosa(order, "max");
                let requests = said["requests"].as_u64().unwrap();
                assert_eq!(requests, setting.requests);
                let histograms_cpu_s = said["histograms_cpu_s"].as_f64().unwrap();
                let sending = Cost {
                    wall_s: said["sending_s"].as_f64().unwrap(),
                    cpu_s: whole.cpu_s - histograms_cpu_s,
                    ..whole
                };
                let name = format!("limosa --order {order}");
                vec![
                    whole.sample(format!("{name}, and histograms"), requests),
                    sending.sample(name, requests),
                ]
            }
        }
    }
}

/// How late limosa sends in the open model: from the instant at which a request might go to that
/// at which it went.
pub(crate) fn lateness(setting: &Setting, rate: u64) -> String {
    let (said, cost) = setting.limosa("user", &format!("rate:{rate}"));
    let requests = said["requests"].as_u64().unwrap();
    let ms = |figure: &str| said["lateness_ms"][figure].as_f64().unwrap();
    format!(
        "sent late by {:.3} ms (p50), {:.3} ms (p99), {:.3} ms (p99.9), {:.1} ms (most); \
         {:.0} requests a second; {:.2} CPU s a 100,000 requests",
        ms("p50"),
        ms("p99"),
        ms("p999"),
        ms("max"),
        requests as f64 / said["sending_s"].as_f64().unwrap(),
        cost.sample("", requests).cpu_s_a_100k,
    )
}
