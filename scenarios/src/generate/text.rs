//! Messages of a wanted length out of a small list of words.

use super::dice::Dice;

/// Words by length: the first list holds those of one letter. So a text of any length can be closed
/// with a word that fits.
const WORDS: [&[&str]; 11] = [
    &["a", "I"],
    &["at", "by", "in", "it", "no", "of", "on", "to", "up", "we"],
    &[
        "all", "and", "bay", "bog", "day", "eel", "fen", "fog", "ice", "low", "mud", "one", "sea",
        "sky", "the", "wet",
    ],
    &[
        "bank", "bird", "calm", "cold", "dawn", "dusk", "flat", "gull", "here", "long", "moon",
        "over", "rain", "reed", "sand", "tide", "wind", "wing", "year",
    ],
    &[
        "again", "below", "cloud", "coast", "crane", "creek", "drift", "early", "flock", "grass",
        "heron", "marsh", "night", "north", "quiet", "river", "shore", "stilt", "storm", "under",
        "water",
    ],
    &[
        "across", "autumn", "before", "curlew", "dunlin", "feeder", "godwit", "harbor", "island",
        "meadow", "plover", "salted", "shadow", "silver", "spring", "stones", "summer", "toward",
        "wander", "winter",
    ],
    &[
        "another", "between", "channel", "evening", "feather", "flooded", "journey", "lagoons",
        "lapwing", "morning", "mudflat", "passage", "redknot", "seabird", "shallow", "weather",
        "whisper",
    ],
    &[
        "distance", "eastward", "flatland", "midnight", "moulting", "mudflats", "northern",
        "redshank", "saltpans", "southern", "thousand", "tidemark", "together", "twilight",
        "westward", "whimbrel",
    ],
    &[
        "afternoon",
        "estuaries",
        "grassland",
        "migration",
        "moonlight",
        "peninsula",
        "saltmarsh",
        "sandbanks",
        "sandpiper",
        "shorebird",
        "shoreline",
        "sometimes",
        "turnstone",
        "waterfowl",
        "yesterday",
    ],
    &[
        "breakwater",
        "everywhere",
        "greenshank",
        "lighthouse",
        "phalaropes",
        "shorebirds",
        "stillwater",
        "tidewaters",
        "travelling",
        "waterlines",
    ],
    &["breakwaters", "countryside", "northwester", "thunderhead", "undisturbed", "windflowers"],
];

/// Characters that stand for one of ASCII in the same place, as a typesetter or a Dane would.
const RESPELT: [(char, char); 7] =
    [(' ', '—'), ('.', '…'), ('e', 'é'), ('a', 'å'), ('o', 'ø'), (' ', '–'), ('i', 'ï')];

/// How texts are to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Share of the texts with a character beyond ASCII.
    pub(super) non_ascii: f64,
    /// How many of those such a text has on average, from 1 to 2.
    pub(super) wide_chars: f64,
}

/// A text of exactly this many characters (at least one).
pub(super) fn text(dice: &mut Dice, length: usize, style: Style) -> String {
    let length = length.max(1);
    if !dice.happens(style.non_ascii) {
        return sentence(dice, length);
    }
    if length >= 4 && dice.happens(style.wide_chars - 1.0) {
        return format!("“{}”", sentence(dice, length - 2));
    }
    if length >= 2 && dice.happens(0.75) {
        let quoted = sentence(dice, length - 1);
        // A quotation may begin or end in another message. A U+FEFF comes from a careless paste.
        return match dice.below(2000) {
            0 => format!("\u{feff}{quoted}"),
            n if n % 2 == 0 => format!("“{quoted}"),
            _ => format!("{quoted}”"),
        };
    }
    let plain = sentence(dice, length);
    respell(dice, &plain)
}

/// Puts one character beyond ASCII in the place of one that it can stand for.
fn respell(dice: &mut Dice, plain: &str) -> String {
    let start = dice.index(RESPELT.len());
    for (from, to) in RESPELT.iter().cycle().skip(start).take(RESPELT.len()) {
        if plain.contains(*from) {
            return plain.replacen(*from, to.encode_utf8(&mut [0; 4]), 1);
        }
    }
    "…".repeat(plain.chars().count())
}

/// Words with spaces between, a capital first and a full stop last, of exactly this length.
fn sentence(dice: &mut Dice, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let longest = WORDS.len();
    let mut left = length.saturating_sub(1);
    while left > longest {
        // Leave room for a space and one more word of at least two letters.
        let letters = 2 + dice.index(longest.min(left - 3) - 1);
        let word = dice.one_of(WORDS[letters - 1]);
        text.push_str(word);
        text.push(' ');
        left -= letters + 1;
    }
    if left > 0 {
        text.push_str(dice.one_of(WORDS[left - 1]));
    }
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { non_ascii: 0.0, wide_chars: 1.0 };

    #[test]
    fn words_stand_in_the_list_of_their_length() {
        for (length, words) in (1..).zip(WORDS) {
            for word in words {
                assert_eq!((word.len(), word.is_ascii()), (length, true), "{word}");
            }
        }
    }

    #[test]
    fn every_length_is_met_exactly() {
        let mut dice = Dice::new(1);
        for length in 1..400 {
            for non_ascii in [0.0, 1.0] {
                let style = Style { non_ascii, wide_chars: 1.5 };
                let text = text(&mut dice, length, style);
                assert_eq!(text.chars().count(), length, "{text:?}");
                assert_eq!(text.is_ascii(), non_ascii == 0.0, "{text:?}");
                assert!(!text.contains("  "), "{text:?}");
            }
        }
    }

    #[test]
    fn a_text_reads_like_one() {
        let mut dice = Dice::new(9);
        let texts = [13, 40, 70].map(|length| text(&mut dice, length, PLAIN));
        assert_eq!(
            texts,
            [
                "Mudflats bay.",
                "Night year plover ice westward flatland.",
                "Meadow waterlines stillwater toward wander the northwester waterlines."
            ]
        );
    }
}
