//! Fitting a profile to a trace.

use super::quantiles::round;
use super::{Profile, Quantiles, Skew};
use crate::command::{Action, Command};
use crate::distribution::Distribution;
use crate::read::Trace;
use crate::stats::Stats;
use std::collections::HashMap;

/// Into how many phases of equal duration a trace is cut: fine enough for the mix and the rate to
/// change but little within one.
const PHASES: usize = 20;

/// Levels of a body with a tail on both sides.
const BODY: [f64; 15] =
    [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];
/// Levels of a distribution whose upper tail matters.
const TAIL: [f64; 17] =
    [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.997, 0.999, 1.0];

impl Profile {
    /// The profile of a trace, its figures rounded to three places.
    pub fn fit(trace: &Trace) -> Self {
        let commands = &trace.commands;
        let stats = Stats::of(commands);
        let start_ms = commands.first().map_or(0, |first| first.at_ms);
        let span_ms = stats.span_ms.max(0);
        let phase_of = |command: &Command| {
            let since = i128::from(command.at_ms) - i128::from(start_ms);
            let phase = since * PHASES as i128 / (i128::from(span_ms) + 1);
            phase.clamp(0, PHASES as i128 - 1) as usize
        };
        let mut phases = vec![[0; 4]; PHASES];
        for command in commands {
            phases[phase_of(command)][kind(&command.action)] += 1;
        }
        let registers = |command: &Command| match &command.action {
            Action::Register { password, .. } => Some(password.chars().count() as i64),
            _ => None,
        };
        let texts = || {
            commands.iter().filter_map(|command| match &command.action {
                Action::Tweet { text, .. } => Some(text.as_str()),
                _ => None,
            })
        };
        let passwords: Distribution = commands.iter().filter_map(registers).collect();
        let text_chars: Distribution = texts().map(|text| text.chars().count() as i64).collect();
        let wide: Distribution = texts()
            .map(|text| text.chars().filter(|c| !c.is_ascii()).count() as i64)
            .filter(|&count| count > 0)
            .collect();
        let shares = Shares::of(commands);
        let share = |part: u64, whole: u64| round(part as f64 / whole.max(1) as f64, 0.0001);
        Self {
            commands: stats.commands,
            users: stats.final_users,
            start_ms,
            span_ms,
            unfollows_of_no_edge: share(stats.unfollows_of_no_edge, stats.unfollows),
            duplicate_texts: share(stats.duplicate_texts, stats.tweets),
            non_ascii_texts: round(stats.non_ascii_share, 0.0001),
            wide_chars: round(wide.mean().clamp(1.0, 2.0), 0.001),
            plus_emails: share(stats.emails_with_plus, stats.registers),
            password_chars: Quantiles::tabulate(&BODY, 1.0, |level| {
                passwords.quantile(level) as f64
            }),
            text_chars: Quantiles::tabulate(&BODY, 1.0, |level| text_chars.quantile(level) as f64),
            gaps: relative_gaps(commands, &phases, span_ms, phase_of),
            authors: Skew::of_counts(shares.authors),
            followers: Skew::of_counts(shares.followers),
            followees: Skew::of_counts(shares.followees),
            phases,
        }
    }
}

/// The command's place in a phase's counts.
fn kind(action: &Action) -> usize {
    match action {
        Action::Register { .. } => 0,
        Action::Tweet { .. } => 1,
        Action::Follow { .. } => 2,
        Action::Unfollow { .. } => 3,
    }
}

/// Gaps divided by the mean gap of their phase, so that one table serves quiet and busy phases.
fn relative_gaps(
    commands: &[Command],
    phases: &[[u64; 4]],
    span_ms: i64,
    phase_of: impl Fn(&Command) -> usize,
) -> Quantiles {
    const PARTS: f64 = 10_000.0;
    let duration = span_ms as f64 / PHASES as f64;
    let relative: Distribution = commands
        .windows(2)
        .map(|pair| {
            let in_phase = phases[phase_of(&pair[1])].iter().sum::<u64>() as f64;
            let gap = pair[1].at_ms.saturating_sub(pair[0].at_ms).max(0) as f64;
            (gap * in_phase / duration.max(1.0) * PARTS) as i64
        })
        .collect();
    if relative.mean() <= 0.0 {
        return Quantiles::tabulate(&[0.0, 1.0], 1.0, |_| 1.0);
    }
    Quantiles::tabulate(&TAIL, 0.001, |level| relative.quantile(level) as f64 / PARTS)
}

/// How often each registered user did what.
struct Shares {
    authors: Vec<u64>,
    followers: Vec<u64>,
    followees: Vec<u64>,
}

impl Shares {
    fn of(commands: &[Command]) -> Self {
        let mut counts: HashMap<&str, [u64; 3]> = HashMap::new();
        for command in commands {
            match &command.action {
                Action::Register { user, .. } => {
                    counts.entry(user).or_default();
                }
                Action::Tweet { user, .. } => counts.entry(user).or_default()[0] += 1,
                Action::Follow { user, whom } => {
                    counts.entry(user).or_default()[1] += 1;
                    counts.entry(whom).or_default()[2] += 1;
                }
                Action::Unfollow { .. } => {}
            }
        }
        let column = |place: usize| counts.values().map(|count| count[place]).collect();
        Self { authors: column(0), followers: column(1), followees: column(2) }
    }
}

#[cfg(test)]
mod tests {
    use crate::generate::{Generator, Options};
    use crate::profile::Profile;
    use crate::read::Trace;

    #[test]
    fn the_fit_of_any_trace_is_usable_once_users_are_given() {
        for input in [
            "0\t0\t5\tregister\tA\ta@b\tp\n",
            "0\t0\t5\ttweet\tA\t\n",
            "0\t0\t5\tunfollow\tA\tB\n1\t0\t-9\tfollow\tA\tB\n",
            "0\t0\t-9223372036854775808\ttweet\tA\tx\n1\t0\t9223372036854775807\ttweet\tA\ty\n",
        ] {
            let profile = Profile::fit(&Trace::read(input.as_bytes(), "t").unwrap());
            let options = Options { commands: Some(50), users: Some(3), ..Options::default() };
            assert_eq!(Generator::new(&profile, options).unwrap().count(), 50, "{input}");
        }
    }

    #[test]
    fn phases_hold_what_falls_into_them() {
        let input = "0\t0\t0\tregister\tA\ta@b\tp\n\
                     1\t0\t49\ttweet\tA\tx\n\
                     2\t0\t50\tfollow\tA\tA\n\
                     3\t0\t999\tunfollow\tA\tA\n";
        let profile = Profile::fit(&Trace::read(input.as_bytes(), "t").unwrap());
        assert_eq!(profile.phases.len(), 20);
        assert_eq!(profile.phases[0], [1, 1, 0, 0]);
        assert_eq!(profile.phases[1], [0, 0, 1, 0]);
        assert_eq!(profile.phases[19], [0, 0, 0, 1]);
    }
}
