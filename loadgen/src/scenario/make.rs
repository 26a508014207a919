//! Making a scenario of a file, and finding what contradicts what.

use super::file::{File, Generate, PhaseTable, Url};
use super::timetable::{Stretch, Tempo, Timetable};
use super::{Scenario, Servers, Source};
use crate::check::limits::{Limit, is_reserved};
use crate::client::{Timeouts, Trust};
use crate::engine::StopRule;
use crate::profile::Profile;
use crate::replay::{Plan, usual_connections};
use crate::schedule::{Order, Pace, Read, Spread};
use crate::small_file;
use limosa_reports::run::manifest::Phase;
use limosa_scenarios::Profile as TraceProfile;
use limosa_scenarios::generate::Options;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Where something is wrong, in bytes, and what.
type Fault = (usize, String);

const MOST_CONNECTIONS: usize = 100_000;
const MOST_REPLICAS: usize = 16;
/// As many as a generated trace may hold: some 10 GB.
const MOST_COMMANDS: u64 = 100_000_000;

/// Reads a scenario; paths in it are relative to `folder`.
pub(super) fn scenario(text: &str, folder: &Path) -> Result<Scenario, Fault> {
    let file = File::parse(text)?;
    let name = name(&file.name, "a scenario")?;
    let timetable = timetable(&file)?;
    let pace = timetable.pace();
    let source = source(&file, folder, &timetable)?;
    let order = file.order.map_or(Order::Strict, |order| order.0);
    let base = Plan::new(PathBuf::new(), Vec::new());
    let client = file.client.map_or(base.client, |client| client.0);
    let usual = Timeouts::usual(client);
    let profile = match &file.profile {
        Some(path) => Profile::load(&folder.join(path.get_ref()))
            .map_err(|error| fault(path, error.to_string()))?,
        None => Profile::default(),
    };
    let template = Plan {
        route: file.route.map_or(base.route, |route| route.0),
        keep_alive: file.keep_alive.unwrap_or(base.keep_alive),
        profile,
        client,
        order,
        connections: connections(&file, order, &pace)?,
        reads: reads(&file, &pace)?,
        seed: file.seed.unwrap_or(base.seed),
        limits: limits(&file, &timetable.phases(), &pace)?,
        timeouts: Timeouts {
            connect: file.connect_timeout.map_or(usual.connect, |time| time.0),
            response: file.response_timeout.map_or(usual.response, |time| time.0),
        },
        stop: file.max_unreachable.map_or(StopRule::usual(client), StopRule::after),
        settle: file.settle.map_or(base.settle, |time| time.0),
        ..base
    };
    let servers = servers(&file)?;
    let trust = match &file.ca_cert {
        Some(path) => Trust::with_ca_cert(&folder.join(path.get_ref()))
            .map_err(|error| fault(path, error.to_string()))?,
        None => Trust::default(),
    };
    let target = |given: Spanned<Url>| given.into_inner().0.trusting(trust.clone());
    Ok(Scenario {
        name,
        about: file.about.unwrap_or_default(),
        targets: file.targets.into_iter().map(target).collect(),
        servers,
        text: text.to_owned(),
        source,
        timetable,
        template,
    })
}

fn fault<T>(place: &Spanned<T>, message: impl Into<String>) -> Fault {
    (place.span().start, message.into())
}

/// Names become parts of folders' names, tags and limits.
fn name(given: &Spanned<String>, whose: &str) -> Result<String, Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = given.get_ref();
    if name.is_empty() || !name.chars().all(is_plain) {
        let message =
            format!("`{name}` is no name for {whose}: use lower-case letters, digits and dashes");
        return Err(fault(given, message));
    }
    Ok(name.clone())
}

fn timetable(file: &File) -> Result<Timetable, Fault> {
    let tempo = tempo(file)?;
    let spread = file.spread.as_ref().map_or(Spread::Even, |spread| spread.get_ref().0);
    if let Some(spread) = &file.spread
        && matches!(tempo, Tempo::Answers | Tempo::Speed(_))
    {
        return Err(fault(spread, "`spread` says how a rate is spread, and there is no rate"));
    }
    let mut stretches: Vec<Stretch> = Vec::new();
    for (index, phase) in file.phase.iter().enumerate() {
        let name = name(&phase.name, "a phase")?;
        if is_reserved(&name) {
            let message =
                format!("`{name}` means something else in a limit: call the phase otherwise");
            return Err(fault(&phase.name, message));
        }
        if stretches.iter().any(|other| other.name == name) {
            return Err(fault(&phase.name, format!("there are two phases called `{name}`")));
        }
        if phase.length.is_none() && index + 1 < file.phase.len() {
            let message = format!("say how long the phase `{name}` lasts: for = \"30s\"");
            return Err(fault(&phase.name, message));
        }
        let length = phase.length.map(|time| time.0);
        let rates = rates(phase)?;
        stretches.push(Stretch { name, length, rates, warm_up: phase.warm_up });
    }
    if let Some(first) = file.phase.first()
        && stretches.iter().all(|stretch| stretch.warm_up)
    {
        return Err(fault(&first.name, "every phase is a warm-up: there is nothing to report"));
    }
    let duration = file.duration.as_ref().map(|time| time.get_ref().0);
    let timetable = Timetable { tempo, spread, stretches, duration: None };
    if let Some(given) = &file.duration
        && timetable.total().is_some()
    {
        return Err(fault(given, "the phases say already how long the run lasts: leave out one"));
    }
    Ok(Timetable { duration, ..timetable })
}

/// What sets the pace: one thing, for all phases.
fn tempo(file: &File) -> Result<Tempo, Fault> {
    let with_rate = file.phase.iter().find(|phase| phase.rate.is_some() || phase.ramp.is_some());
    let without = file.phase.iter().find(|phase| phase.rate.is_none() && phase.ramp.is_none());
    match (&file.rate, &file.speed, with_rate, without) {
        (Some(rate), Some(_), ..) => Err(fault(rate, "give either `rate` or `speed`")),
        (Some(given), _, Some(phase), _) | (_, Some(given), Some(phase), _) => {
            let phase = phase.name.get_ref();
            Err(fault(given, format!("the phase `{phase}` has a rate of its own: leave out one")))
        }
        (_, _, Some(with), Some(without)) => {
            let (with, name) = (with.name.get_ref(), without.name.get_ref());
            let message = format!(
                "the phase `{with}` has a rate and the phase `{name}` none: give all of them one, or \
                 none"
            );
            Err(fault(&without.name, message))
        }
        (Some(rate), ..) => Ok(Tempo::Rate(positive(rate)?)),
        (_, Some(speed), ..) => Ok(Tempo::Speed(positive(speed)?)),
        (_, _, Some(_), None) => Ok(Tempo::Phases),
        (_, _, None, _) => Ok(Tempo::Answers),
    }
}

fn positive(number: &Spanned<f64>) -> Result<f64, Fault> {
    match number.get_ref() {
        good if good.is_finite() && *good > 0.0 => Ok(*good),
        bad => Err(fault(number, format!("{bad} is not above 0"))),
    }
}

fn rates(phase: &PhaseTable) -> Result<Option<(f64, f64)>, Fault> {
    match (&phase.rate, &phase.ramp) {
        (Some(rate), Some(_)) => Err(fault(rate, "give either `rate` or `ramp`")),
        (Some(rate), None) => positive(rate).map(|rate| Some((rate, rate))),
        (None, Some(ramp)) => {
            let is_rate = |rate: &f64| rate.is_finite() && *rate >= 0.0;
            let rates = ramp.get_ref();
            let &[from, to] = rates.as_slice() else {
                let message =
                    format!("a ramp has two rates, as [0, 1000], and not {}", rates.len());
                return Err(fault(ramp, message));
            };
            if !rates.iter().all(is_rate) || from + to == 0.0 {
                return Err(fault(ramp, "a ramp goes from one rate to another, as [0, 1000]"));
            }
            if phase.length.is_none() {
                return Err(fault(ramp, "say how long the ramp takes: for = \"30s\""));
            }
            Ok(Some((from, to)))
        }
        (None, None) => Ok(None),
    }
}

fn source(file: &File, folder: &Path, timetable: &Timetable) -> Result<Source, Fault> {
    match (&file.trace, &file.generate) {
        (Some(_), Some(generate)) => {
            Err(fault(generate, "there is a `trace` already: leave out one"))
        }
        (None, None) => Err((0, "nothing is to be sent: give `trace`, or [generate]".to_owned())),
        (Some(trace), None) => Ok(Source::File(folder.join(trace.get_ref()))),
        (None, Some(generate)) => generated(generate, folder, timetable),
    }
}

fn generated(
    place: &Spanned<Generate>,
    folder: &Path,
    timetable: &Timetable,
) -> Result<Source, Fault> {
    let generate = place.get_ref();
    let commands = match &generate.commands {
        Some(commands) => Some(*commands.get_ref()),
        None => timetable.commands(),
    };
    let at = generate.commands.as_ref().map_or(place.span().start, |given| given.span().start);
    match commands {
        None => {
            let message = "say how many commands to generate: neither rates nor an end tell";
            return Err(fault(place, message));
        }
        Some(number) if number > MOST_COMMANDS => {
            return Err((at, format!("{number} commands are more than {MOST_COMMANDS}")));
        }
        Some(_) => {}
    }
    let profile = match &generate.profile {
        None => TraceProfile::course().map_err(|error| fault(place, error.to_string()))?,
        Some(path) => {
            let file = folder.join(path.get_ref());
            let text = small_file::read(&file).map_err(|e| fault(path, e.to_string()))?;
            TraceProfile::from_toml(&text)
                .map_err(|error| fault(path, format!("{}: {error}", file.display())))?
        }
    };
    let options = Options {
        seed: 0,
        commands: generate.commands.as_ref().map(|commands| *commands.get_ref()),
        users: generate.users,
        span_ms: generate.span.map(|span| span.0.as_millis() as i64),
        nonce: generate.nonce,
    };
    Ok(Source::Generate { profile: Box::new(profile), options, seed: generate.seed })
}

fn servers(file: &File) -> Result<Servers, Fault> {
    let Some(place) = &file.server else { return Ok(Servers { replicas: 1, flags: Vec::new() }) };
    if !file.targets.is_empty() {
        return Err(fault(place, "there are `targets` already: leave out one"));
    }
    let server = place.get_ref();
    let replicas = match &server.replicas {
        Some(given) if !(1..=MOST_REPLICAS).contains(given.get_ref()) => {
            return Err(fault(given, format!("give a number from 1 to {MOST_REPLICAS}")));
        }
        Some(given) => *given.get_ref(),
        None => 1,
    };
    Ok(Servers { replicas, flags: server.flags.clone() })
}

fn connections(file: &File, order: Order, pace: &Pace) -> Result<usize, Fault> {
    let Some(given) = &file.connections else { return Ok(usual_connections(order, pace)) };
    match *given.get_ref() {
        number if !(1..=MOST_CONNECTIONS).contains(&number) => {
            Err(fault(given, format!("give a number from 1 to {MOST_CONNECTIONS}")))
        }
        number if order == Order::Strict && number > 1 => {
            let message = "the strict order has one connection: add order = \"user\" or \"none\"";
            Err(fault(given, message))
        }
        number => Ok(number),
    }
}

fn reads(file: &File, pace: &Pace) -> Result<Vec<Read>, Fault> {
    let mut reads = Vec::new();
    for (operation, often) in file.reads.given() {
        let read = often.get_ref().read(operation).map_err(|message| fault(often, message))?;
        if read.is_by_rate() && pace.is_closed_model() {
            let message = "reads by rate need a pace in time: give the phases rates, or say how \
                           many for each command, such as \"5%\"";
            return Err(fault(often, message));
        }
        reads.push(read);
    }
    Ok(reads)
}

fn limits(file: &File, phases: &[Phase], pace: &Pace) -> Result<Vec<String>, Fault> {
    let names: Vec<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
    file.limits
        .iter()
        .map(|text| {
            let limit = Limit::parse(text.get_ref(), &names, pace.is_closed_model());
            limit.map(|limit| limit.text).map_err(|error| fault(text, error.to_string()))
        })
        .collect()
}
