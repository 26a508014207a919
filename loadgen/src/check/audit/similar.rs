//! Recognising a message that came back in another form.

use limosa_reports::run::ledger::Entry;
use std::borrow::Cow;
use std::collections::HashMap;

/// Texts that share at least this much (Dice 1945, over pairs of neighbouring characters) are taken
/// for two forms of one.
const ALIKE: f64 = 0.5;
/// Where comparing all of one author's pairs would read more bytes, only equal forms are paired.
const MAX_BYTES: usize = 32 << 20;
/// What a comparison costs beside the texts, in bytes of text.
const COMPARISON_BYTES: usize = 64;

/// Pairs missing messages with unexpected ones of the same author, best match first. Both lists
/// lose what was paired.
pub(super) fn pair<'a>(
    lost: &mut Vec<&'a Entry>,
    strangers: &mut Vec<&'a str>,
) -> Vec<(&'a Entry, &'a str)> {
    let exhaustive = bytes_to_compare(lost, strangers) <= MAX_BYTES;
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
            by_form.entry(form(&unescaped(stranger))).or_default().push(s);
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

/// How much text is read where each of the one is compared with each of the other.
fn bytes_to_compare(lost: &[&Entry], strangers: &[&str]) -> usize {
    let lost_bytes: usize = lost.iter().map(|entry| entry.intent.detail.len()).sum();
    let strangers_bytes: usize = strangers.iter().map(|text| text.len() + COMPARISON_BYTES).sum();
    lost_bytes
        .saturating_mul(strangers.len())
        .saturating_add(strangers_bytes.saturating_mul(lost.len()))
}

fn keep_untaken<T>(items: &mut Vec<T>, taken: &[bool]) {
    let mut flags = taken.iter();
    items.retain(|_| flags.next() == Some(&false));
}

fn likeness(sent: &str, found: &str) -> f64 {
    let found = &unescaped(found);
    if form(sent) == form(found) || is_cut_off(sent, found) { 1.0 } else { dice(sent, found) }
}

/// A text without what stores are known to change: case, blanks at the ends, a number's notation,
/// characters that an encoding replaced. Where these are most of it, nothing else would be left to
/// tell two texts apart, so they stay.
fn form(text: &str) -> String {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.to_string();
    }
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = if 2 * plain.len() < text.chars().count() { text } else { &plain };
    kept.to_ascii_lowercase()
}

/// The text that was escaped for HTML.
fn unescaped(text: &str) -> Cow<'_, str> {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        // Last: an escaped `&lt;` is `&amp;lt;`.
        ("&amp;", "&"),
    ];
    if !text.contains('&') {
        return text.into();
    }
    let unescaped = ENTITIES
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
    unescaped.into()
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
    use crate::check::testing::Script;

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
            ("<3", "&lt;3"),
            ("\"&<>'", "&quot;&amp;&lt;&gt;&#39;"),
            ("&lt;", "&amp;lt;"),
            ("it's", "it&#x27;s"),
        ] {
            assert!(likeness(sent, found) >= ALIKE, "{sent} {found}");
        }
        assert!(likeness("hello there, how are you", "Who is the fairest of them") < ALIKE);
        for (sent, found) in [("日本語", "中国"), ("!", "?"), ("日本語 1", "한국어 1"), ("😀", "")]
        {
            assert!(likeness(sent, found) < ALIKE, "{sent} {found}");
        }
    }

    /// A hundred pairs of a megabyte each would take minutes to compare.
    #[test]
    fn long_texts_are_paired_in_time() {
        let long = |n: usize| format!("{n} {}", "ab ".repeat(300_000));
        let mut script = Script::new();
        for n in 0..10 {
            script.tweet("a", &long(n)).ok();
        }
        let entries = script.entries();
        let found: Vec<String> = (0..10).map(|n| long(n).to_uppercase()).collect();
        let mut lost: Vec<&Entry> = entries.iter().collect();
        let mut strangers: Vec<&str> = found.iter().map(String::as_str).collect();
        assert!(bytes_to_compare(&lost, &strangers) > MAX_BYTES);
        assert!(bytes_to_compare(&lost[..1], &strangers[..1]) < MAX_BYTES);
        assert_eq!(pair(&mut lost, &mut strangers).len(), 10);
    }
}
