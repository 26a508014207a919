//! Numbers, times and foreign texts, as people read them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// A count with thousands separated: `25,922`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 command`, `25 commands`.
pub fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// All of so many things: `the one read`, `all 3,000 commands`.
pub fn all(value: u64, noun: &str) -> String {
    if value == 1 { format!("the one {noun}") } else { format!("all {}", counted(value, noun)) }
}

/// An id of a command with its sign: ids are names, so their digits are not grouped.
pub(super) fn id(value: i64) -> String {
    value.to_string()
}

/// A length of time, to two or three significant digits: `0.21 ms`, `1.9 ms`, `41 ms`, `31.2 s`,
/// `2 min 5 s`, `3 h 12 min`.
pub(super) fn duration(ns: u64) -> String {
    let value = ns as f64;
    if ns == 0 {
        return "0 s".to_owned();
    }
    if ns < 1_000 {
        return format!("{ns} ns");
    }
    // Each limit is where the rounded figure would reach the next unit.
    if value < 99_500.0 {
        return format!("{} µs", significant(value / 1e3));
    }
    if value < 999.5e6 {
        return format!("{} ms", significant(value / 1e6));
    }
    if value < 119.95e9 {
        let seconds = value / 1e9;
        return if seconds < 9.995 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") };
    }
    let seconds = (value / 1e9).round() as u64;
    if seconds < 7_200 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
    }
}

fn significant(value: f64) -> String {
    if value < 0.995 {
        format!("{value:.2}")
    } else if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// An offset from the run's start: `12.345 s`.
pub(super) fn offset(ns: u64) -> String {
    format!("{:.3} s", ns as f64 / 1e9)
}

/// The clock time of an offset from `started`, UTC, to the millisecond: `12:04:31.220`.
pub(super) fn clock(started: Timestamp, offset_ns: u64) -> String {
    strftime(started, offset_ns, "%H:%M:%S%.3f")
}

/// The clock time of an offset from `started`, UTC, to the second: `12:04:31`.
pub(super) fn clock_seconds(started: Timestamp, offset_ns: u64) -> String {
    strftime(started, offset_ns, "%H:%M:%S")
}

/// A date and time, UTC: `2026-11-22 12:04:31 UTC`.
pub(super) fn date(at: Timestamp) -> String {
    strftime(at, 0, "%Y-%m-%d %H:%M:%S UTC")
}

fn strftime(started: Timestamp, offset_ns: u64, format: &str) -> String {
    let offset = SignedDuration::from_nanos(i64::try_from(offset_ns).unwrap_or(i64::MAX));
    started
        .saturating_add(offset)
        .unwrap_or(Timestamp::MAX)
        .to_zoned(TimeZone::UTC)
        .strftime(format)
        .to_string()
}

/// A share in per cent, with as many digits as tell something: `0.012 %`, `3.4 %`, `100 %`.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value == 0.0 || value >= 99.95 {
        format!("{value:.0} %")
    } else if value >= 0.995 {
        format!("{value:.1} %")
    } else {
        let digits = (1.0 - value.log10().floor()).clamp(2.0, 9.0) as usize;
        format!("{value:.digits$} %")
    }
}

/// A quantile's name: `p50`, `p99.9`.
pub(super) fn quantile(quantile: f64) -> String {
    let text = format!("{:.6}", quantile * 100.0);
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A text from outside with every character that could steer a terminal or turn the direction of
/// writing shown as an escape (`\u{202e}`), so that what is printed is what was there.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || steers_direction(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

fn steers_direction(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// At most `columns` terminal columns of a text that [`visible`] has made harmless; what was cut
/// is marked by an ellipsis.
pub(super) fn clipped(text: &str, columns: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used + 1 > columns {
            break;
        }
        out.push(character);
    }
    out.push('…');
    out
}

/// How many terminal columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_group_by_thousands() {
        let texts = [0, 999, 1_000, 25_922, 14_000_000].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "25,922", "14,000,000"]);
        assert_eq!(counted(1, "command"), "1 command");
        assert_eq!(all(1, "command"), "the one command");
        assert_eq!(all(25_922, "command"), "all 25,922 commands");
    }

    #[test]
    fn durations_change_unit_where_the_figure_would_grow_long() {
        let cases = [
            (0, "0 s"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (99_400, "99 µs"),
            (99_600, "0.10 ms"),
            (210_000, "0.21 ms"),
            (996_000, "1.0 ms"),
            (1_900_000, "1.9 ms"),
            (41_000_000, "41 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1.00 s"),
            (31_200_000_000, "31.2 s"),
            (125_000_000_000, "2 min 5 s"),
            (11_520_000_000_000, "3 h 12 min"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text, "{ns}");
        }
    }

    #[test]
    fn shares_keep_the_digits_that_tell_something() {
        let texts = [0.0, 0.000_115_7, 0.034, 0.5, 1.0].map(percent);
        assert_eq!(texts, ["0 %", "0.012 %", "3.4 %", "50.0 %", "100 %"]);
    }

    #[test]
    fn quantiles_lose_their_trailing_zeros() {
        let texts = [0.0, 0.5, 0.99, 0.9999, 0.99999].map(quantile);
        assert_eq!(texts, ["p0", "p50", "p99", "p99.99", "p99.999"]);
    }

    #[test]
    fn clock_times_are_offsets_from_the_start() {
        let started: Timestamp = "2026-11-22T12:04:01Z".parse().unwrap();
        assert_eq!(clock(started, 30_220_000_000), "12:04:31.220");
        assert_eq!(date(started), "2026-11-22 12:04:01 UTC");
        assert_eq!(clock(Timestamp::MAX, u64::MAX), clock(Timestamp::MAX, 0));
    }

    #[test]
    fn what_steers_the_reader_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{1b}[31m"), "a\\u{202e}b\\u{1b}[31m");
        assert_eq!(visible("Ærøskøbing 🐦"), "Ærøskøbing 🐦");
    }

    proptest! {
        #[test]
        fn clipping_keeps_to_its_columns(text in "\\PC*", columns in 1usize..40) {
            prop_assert!(super::columns(&clipped(&text, columns)) <= columns);
        }
    }
}
