use super::*;
use crate::schedule::{Order, Route};
use fs_err as fs;
use limosa_reports::run::manifest::Phase;

/// A scenario of which nothing is left to say.
const WHOLE: &str = r#"
name = "whole"
about = "All of it."
targets = ["http://127.0.0.1:1", "http://[::1]:2/api"]
route = "random"
keep_alive = false
client = "simulator"
order = "user"
connections = 32
spread = "poisson"
limits = ["steady.p99  < 20ms", "lost = 0"]
seed = 9
connect_timeout = "1s"
response_timeout = "1500ms"
max_unreachable = 3
settle = "0.5s"

[generate]
commands = 500
users = 20
span = "2h"
seed = 4
nonce = false

[reads]
latest = "10%"
messages = 0.5
user_messages = "20/s"

[[phase]]
name = "warm-up"
for = "5s"
rate = 100
warm_up = true

[[phase]]
name = "climb"
for = "10s"
ramp = [100, 1000]

[[phase]]
name = "steady"
rate = 1000
"#;

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(text, "x.toml", Path::new("/nowhere"))
}

/// A scenario with a trace, and these lines besides.
fn with(lines: &str) -> Scenario {
    parse(&format!("name = \"x\"\ntrace = \"t.tsv\"\n{lines}")).unwrap()
}

fn plan(scenario: &Scenario) -> Plan {
    scenario.plan(PathBuf::from("t.tsv"), Vec::new())
}

#[test]
fn what_a_file_says_is_what_is_carried_out() {
    let scenario = parse(WHOLE).unwrap();
    let targets: Vec<String> = scenario.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["http://127.0.0.1:1", "http://[::1]:2/api"]);
    let plan = plan(&scenario);
    assert_eq!(plan.name.as_deref(), Some("whole"));
    assert_eq!(plan.scenario.as_deref(), Some(WHOLE));
    assert_eq!((plan.route, plan.order, plan.connections), (Route::Random, Order::User, 32));
    assert!(!plan.keep_alive);
    assert_eq!(plan.pace.to_string(), "poisson:rate:100:5s,ramp:100:1000:10s,rate:1000");
    let phase = |name: &str, from_s: u64, warm_up| Phase {
        name: name.to_owned(),
        from_ns: from_s * 1_000_000_000,
        warm_up,
    };
    let phases = [phase("warm-up", 0, true), phase("climb", 5, false), phase("steady", 15, false)];
    assert_eq!(plan.phases, phases);
    assert_eq!(plan.duration, None);
    let reads: Vec<String> = plan.reads.iter().map(ToString::to_string).collect();
    assert_eq!(reads, ["latest=0.1", "messages=0.5", "user_messages=20/s"]);
    assert_eq!(plan.limits, ["steady.p99 < 20ms", "lost = 0"]);
    assert_eq!((plan.seed, plan.stop.unreachable), (9, Some(3)));
    let ms = |time: Duration| time.as_millis();
    assert_eq!((ms(plan.timeouts.connect), ms(plan.timeouts.response)), (1_000, 1_500));
    assert_eq!(ms(plan.settle), 500);
}

#[test]
fn what_a_file_leaves_out_is_as_in_a_replay() {
    let scenario = with("");
    assert_eq!(scenario.servers, Servers { replicas: 1, flags: Vec::new() });
    let scenario = plan(&scenario);
    let usual = Plan::new(PathBuf::from("t.tsv"), Vec::new());
    assert_eq!(scenario.pace.to_string(), "max");
    assert_eq!(scenario.phases, Phase::whole());
    assert_eq!((scenario.order, scenario.connections), (usual.order, 1));
    assert_eq!(scenario.reads, [crate::schedule::Read::latest(0.05)]);
    assert_eq!((scenario.timeouts, scenario.settle), (usual.timeouts, usual.settle));
    assert_eq!((scenario.seed, scenario.stop), (usual.seed, usual.stop));

    assert_eq!(plan(&with("order = 'user'")).connections, 64);
    assert_eq!(plan(&with("order = 'user'\nrate = 5")).connections, 1000);
    assert_eq!(plan(&with("client = 'simulator'")).stop.unreachable, None);
    assert_eq!(plan(&with("reads = { latest = 0 }")).reads, []);
    assert_eq!(plan(&with("reads = { latest = '0%' }")).reads, []);
}

#[test]
fn one_rate_and_the_traces_times_and_no_pace_may_have_phases() {
    let phases = "[[phase]]\nname = 'a'\nfor = '2s'\nwarm_up = true\n[[phase]]\nname = 'b'\n";
    for (pace, written) in [("rate = 50", "rate:50"), ("speed = 2", "speed:2"), ("", "max")] {
        let mut plan = plan(&with(&format!("{pace}\n{phases}")));
        assert_eq!(plan.pace.to_string(), written);
        assert_eq!(plan.phases.pop().unwrap().from_ns, 2_000_000_000);
        assert_eq!(plan.duration, None);
    }
    let limited = with("duration = '3s'");
    assert_eq!(plan(&limited).duration, Some(Duration::from_secs(3)));
    let shorter = limited.lasting(Duration::from_secs(1));
    assert_eq!(plan(&shorter).duration, Some(Duration::from_secs(1)));
}

#[test]
fn a_mistake_is_named_with_its_line_and_what_would_be_right() {
    let ramp = "[[phase]]\nname = 'a'\nfor = '2s'\nramp = [0, 5]\n";
    let flat = "[[phase]]\nname = 'b'\nfor = '2s'\n";
    for (lines, line, message) in [
        ("conections = 5", 3, "unknown key `conections`; the nearest is `connections`"),
        ("[reads]\nlates = 1", 4, "unknown key `lates`; the nearest is `latest`"),
        ("[[phase]]\nname = 'a'\nrte = 5", 5, "unknown key `rte`; the nearest is `rate`"),
        ("[server]\nreplica = 3", 4, "unknown key `replica`; the nearest is `replicas`"),
        ("[reads]\nlimits = []", 4, "`limits` belongs to the whole scenario: put it before"),
        ("a = [", 3, ""),
        (
            "connections = 'many'",
            3,
            "string \"many\" is not what belongs here: give a whole number",
        ),
        ("connections = 0", 3, "from 1 to 100000"),
        ("order = 'usr'", 3, "\"usr\" is none of \"strict\", \"user\", \"none\""),
        ("settle = '5'", 3, "\"5\" is no length of time"),
        ("settle = '9000h'", 3, "no length of time up to a year"),
        ("targets = ['127.0.0.1:5001']", 3, "`127.0.0.1:5001`"),
        ("rate = 0", 3, "0 is not above 0"),
        ("rate = 5\nspeed = 5", 3, "either `rate` or `speed`"),
        ("spread = 'poisson'", 3, "there is no rate"),
        (&format!("rate = 5\n{ramp}"), 3, "the phase `a` has a rate of its own"),
        (&format!("{ramp}{flat}"), 8, "the phase `a` has a rate and the phase `b` none"),
        (&format!("{flat}{ramp}"), 4, "the phase `a` has a rate and the phase `b` none"),
        (&format!("{ramp}rate = 5"), 7, "either `rate` or `ramp`"),
        (&format!("{ramp}{ramp}"), 8, "there are two phases called `a`"),
        ("[[phase]]\nname = 'a'\n[[phase]]\nname = 'b'", 4, "how long the phase `a` lasts"),
        ("[[phase]]\nname = 'a'\nramp = [0, 5]", 5, "how long the ramp takes"),
        ("[[phase]]\nname = 'a'\nfor = '1s'\nramp = [0, 0]", 6, "as [0, 1000]"),
        ("[[phase]]\nname = 'a'\nfor = '1s'\nramp = [5]", 6, "two rates, as [0, 1000], and not 1"),
        ("[[phase]]\nname = 'a'\nfor = '1s'\nramp = [0, 200, 300]", 6, "and not 3"),
        ("[[phase]]\nname = 'p99'", 4, "`p99` means something else in a limit"),
        ("[[phase]]\nname = 'Steady State'", 4, "lower-case letters, digits and dashes"),
        ("[[phase]]\nname = 'a'\nwarm_up = true", 4, "every phase is a warm-up"),
        (&format!("duration = '1s'\n{flat}"), 3, "the phases say already how long"),
        ("order = 'strict'\nconnections = 8", 4, "the strict order has one connection"),
        ("[reads]\npublic = '5/s'", 4, "reads by rate need a pace in time"),
        ("[reads]\npublic = 'often'", 4, "such as `latest=0.05`"),
        ("[reads]\npublic = true", 4, "say how often"),
        ("targets = ['http://127.0.0.1:1']\n[server]\nreplicas = 2", 4, "`targets` already"),
        ("[server]\nreplicas = 0", 4, "from 1 to 16"),
        ("[generate]\nseed = 1", 3, "there is a `trace` already"),
        ("profile = 'none.toml'", 3, "/nowhere/none.toml"),
        ("ca_cert = 'none.pem'", 3, "/nowhere/none.pem"),
        ("limits = [\n'p99 < 50ms',\n'p98 < 50ms']", 5, "the nearest is `p9"),
        ("limits = ['stedy.p99 < 5ms']\n[[phase]]\nname = 'steady'", 3, "the nearest is `steady`"),
        ("limits = ['response.p99 < 5ms']", 3, "no response time"),
    ] {
        let error = parse(&format!("name = \"x\"\ntrace = \"t.tsv\"\n{lines}")).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(&format!("x.toml, line {line}: ")), "{lines}: {said}");
        assert!(said.contains(message), "{lines}: {said}");
    }
    for (text, message) in [
        ("", "missing key `name`"),
        ("name = 'x'\nconnections = 'many'", "line 2: string \"many\" is not what belongs here"),
        ("name = 'x'\n[generate]\ncommands = 'all'", "give a whole number"),
        ("name = 'x'\ngenerate = 5", "give a table"),
        ("name = 'x'", "line 1: nothing is to be sent: give `trace`, or [generate]"),
        ("name = 'x'\n[generate]\nseed = 1", "line 2: say how many commands to generate"),
        ("name = 'x'\nrate = 5\n[generate]", "line 3: say how many commands to generate"),
        ("name = 'x'\n[generate]\ncommands = 999999999", "line 3: 999999999 commands are more"),
        ("name = 'x'\nrate = 1e9\nduration = '2h'\n[generate]", "line 4: 7200000000000 commands"),
        ("name = 'x'\n[generate]\ncommands = 9\nprofile = 'p.toml'", "line 4: "),
    ] {
        let said = parse(text).unwrap_err().to_string();
        assert!(said.starts_with("x.toml, line ") && said.contains(message), "{text}: {said}");
    }
}

#[test]
fn a_generated_trace_holds_what_the_phases_need_and_has_a_name_of_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name = 'x'\nrate = 50\nduration = '4s'\n[generate]\n";
    let scenario = parse(text).unwrap();
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    let path = scenario.trace(folder.path()).unwrap();
    assert_eq!(lines(&path), 200);
    assert_eq!(scenario.trace(folder.path()).unwrap(), path, "the same again");

    let short = scenario.clone().lasting(Duration::from_secs(1)).trace(folder.path()).unwrap();
    assert_eq!(lines(&short), 50);
    let other = scenario.with_seed(2).trace(folder.path()).unwrap();
    assert!(path != short && path != other);
    let sown = parse(&format!("{text}seed = 1")).unwrap();
    assert_eq!(sown.with_seed(2).trace(folder.path()).unwrap(), path, "its own seed stays");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");
}

#[test]
fn what_ships_makes_sense_and_is_listed() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/data");
    let readme = fs::read_to_string(data.join("README.md")).unwrap();
    for (name, text) in shipped::ALL {
        let scenario = shipped::scenario(name).unwrap().unwrap();
        assert_eq!(scenario.name, name);
        assert!(!scenario.about.is_empty() && !plan(&scenario).limits.is_empty(), "{name}");
        assert!(scenario.targets.is_empty(), "{name} runs anywhere");
        assert!(readme.contains(&format!("| `{name}.toml` |")), "{name}");
        assert_eq!(Scenario::load(&data.join(format!("{name}.toml"))).unwrap().text, text);
        scenario
            .lasting(Duration::from_secs(1))
            .trace(tempfile::tempdir().unwrap().path())
            .unwrap();
    }
    assert!(shipped::scenario("smok").unwrap().is_none());
}

#[test]
fn the_traces_that_ship_are_those_of_the_scenarios() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/data");
    let folder = tempfile::tempdir().unwrap();
    for (name, trace) in [("smoke", "smoke.tsv"), ("strict", "demo.tsv")] {
        let made = shipped::scenario(name).unwrap().unwrap().trace(folder.path()).unwrap();
        assert!(fs::read(made).unwrap() == fs::read(data.join(trace)).unwrap(), "{trace}");
    }
}

#[test]
fn the_scenario_in_the_readme_is_one() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let blocks: Vec<&str> = readme
        .split("\n```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .filter(|block| block.contains("[[phase]]"))
        .collect();
    assert_eq!(blocks.len(), 1);
    assert_eq!(plan(&parse(blocks[0]).unwrap()).limits.len(), 4);
}
