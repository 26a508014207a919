//! Recognising a message that came back in another form.

use limosa_reports::run::ledger::Entry;
use std::collections::HashMap;

/// Texts that share at least this much (Dice 1945, over pairs of neighbouring characters) are taken
/// for two forms of one.
const ALIKE: f64 = 0.5;
/// Beyond so many comparisons for one author, only equal forms are paired.
const MAX_COMPARISONS: usize = 250_000;

/// Pairs missing messages with unexpected ones of the same author, best match first. Both lists
/// lose what was paired.
pub(super) fn pair<'a>(
    lost: &mut Vec<&'a Entry>,
    strangers: &mut Vec<&'a str>,
) -> Vec<(&'a Entry, &'a str)> {
    let exhaustive = lost.len().saturating_mul(strangers.len()) <= MAX_COMPARISONS;
    let mut candidates = Vec::new();
    if exhaustive {
        for (l, entry) in lost.iter().enumerate() {
            for (s, stranger) in strangers.iter().enumerate() {
                let likeness = likeness(&entry.intent.detail, stranger);
                if likeness >= ALIKE {
                    candidates.push((likeness, l, s));
                }
            }
        }
    } else {
        let mut by_form: HashMap<String, Vec<usize>> = HashMap::new();
        for (s, stranger) in strangers.iter().enumerate().rev() {
            by_form.entry(form(stranger)).or_default().push(s);
        }
        for (l, entry) in lost.iter().enumerate() {
            if let Some(s) = by_form.get_mut(&form(&entry.intent.detail)).and_then(Vec::pop) {
                candidates.push((1.0, l, s));
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut lost_taken = vec![false; lost.len()];
    let mut strangers_taken = vec![false; strangers.len()];
    let mut pairs = Vec::new();
    for (_, l, s) in candidates {
        if !lost_taken[l] && !strangers_taken[s] {
            lost_taken[l] = true;
            strangers_taken[s] = true;
            pairs.push((lost[l], strangers[s]));
        }
    }
    keep_untaken(lost, &lost_taken);
    keep_untaken(strangers, &strangers_taken);
    pairs
}

fn keep_untaken<T>(items: &mut Vec<T>, taken: &[bool]) {
    let mut flags = taken.iter();
    items.retain(|_| flags.next() == Some(&false));
}

fn likeness(sent: &str, found: &str) -> f64 {
    if form(sent) == form(found) || is_cut_off(sent, found) { 1.0 } else { dice(sent, found) }
}

/// A text without what stores are known to change: case, blanks at the ends, a number's notation,
/// characters that an encoding replaced.
fn form(text: &str) -> String {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => text
            .chars()
            .filter(|c| c.is_alphanumeric() && c.is_ascii())
            .map(|c| c.to_ascii_lowercase())
            .collect(),
    }
}

fn is_cut_off(sent: &str, found: &str) -> bool {
    !found.is_empty() && sent.starts_with(found)
}

fn dice(a: &str, b: &str) -> f64 {
    let mut pairs: HashMap<(char, char), i64> = HashMap::new();
    let mut count_a = 0;
    for pair in a.chars().zip(a.chars().skip(1)) {
        *pairs.entry(pair).or_default() += 1;
        count_a += 1;
    }
    let mut count_b = 0;
    let mut shared = 0;
    for pair in b.chars().zip(b.chars().skip(1)) {
        count_b += 1;
        if let Some(count) = pairs.get_mut(&pair).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    if count_a + count_b == 0 {
        0.0
    } else {
        2.0 * f64::from(shared) / f64::from(count_a + count_b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stores_do_to_texts_is_recognised() {
        for (sent, found) in [
            ("007", "7"),
            ("1e5", "100000"),
            ("  hello ", "hello"),
            ("Größe zählt", "Gr??e z?hlt"),
            ("a long message that was cut", "a long mess"),
            ("HELLO there", "hello there"),
            ("hello there, how are you", "hello there, how are you!"),
        ] {
            assert!(likeness(sent, found) >= ALIKE, "{sent} {found}");
        }
        assert!(likeness("hello there, how are you", "Who is the fairest of them") < ALIKE);
    }
}
