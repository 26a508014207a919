//! Users: names of two words, addresses, passwords.

use super::dice::Dice;
use crate::profile::Quantiles;

const FIRST: [&str; 64] = [
    "Ada", "Alma", "Anker", "Arne", "Asta", "Bente", "Birk", "Bodil", "Carla", "Dagny", "Ebbe",
    "Edith", "Ejnar", "Ella", "Elof", "Esther", "Finn", "Frida", "Gerda", "Gorm", "Grete",
    "Halfdan", "Hanne", "Helge", "Hilda", "Holger", "Ida", "Inger", "Ivar", "Jens", "Jette",
    "Johan", "Karla", "Kirsten", "Knud", "Laila", "Lars", "Lone", "Magnus", "Maja", "Merete",
    "Mogens", "Nanna", "Niels", "Nora", "Olaf", "Otto", "Palle", "Petra", "Rasmus", "Rikke",
    "Rosa", "Signe", "Sigurd", "Sofie", "Svend", "Thea", "Tove", "Troels", "Ulla", "Vera", "Viggo",
    "Villy", "Yrsa",
];
const LAST: [&str; 64] = [
    "Agerbo",
    "Bakke",
    "Birkelund",
    "Bjerg",
    "Brink",
    "Bruun",
    "Dalgaard",
    "Dam",
    "Eng",
    "Engholm",
    "Falk",
    "Fjord",
    "Gaard",
    "Grav",
    "Hald",
    "Hansted",
    "Hav",
    "Hede",
    "Hjort",
    "Holm",
    "Hvid",
    "Kilde",
    "Kjeld",
    "Klit",
    "Krage",
    "Kvist",
    "Lerke",
    "Lind",
    "Lund",
    "Lyng",
    "Marsk",
    "Mose",
    "Munk",
    "Nygaard",
    "Odde",
    "Overby",
    "Pil",
    "Ravn",
    "Rosen",
    "Ryle",
    "Sand",
    "Siv",
    "Skov",
    "Sneppe",
    "Sommer",
    "Spove",
    "Steen",
    "Storm",
    "Strand",
    "Sund",
    "Svane",
    "Tang",
    "Terne",
    "Thorn",
    "Toft",
    "Vad",
    "Vang",
    "Vester",
    "Vibe",
    "Vig",
    "Vinter",
    "Vold",
    "Winther",
    "Ærø",
];
/// Domains that no one can own (RFC 2606, section 3).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Makes the users of one trace.
#[derive(Debug)]
pub(super) struct People {
    multiplier: u64,
    offset: u64,
}

impl People {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            // Odd, so that multiplying permutes the pairs, of which there are a power of two.
            multiplier: 2 * dice.below(1 << 30) + 1,
            offset: dice.below(1 << 30),
        }
    }

    /// The name of the user with this number. Every number has another name, of two words with one
    /// space between; once all pairs of words are used up the last word ends in digits.
    pub(super) fn name(&self, number: usize) -> String {
        let pairs = (FIRST.len() * LAST.len()) as u64;
        let round = number as u64 / pairs;
        let pair = (number as u64 % pairs * self.multiplier + self.offset) % pairs;
        // The low bits of a multiplication are poorly mixed: take the first name from the high.
        let first = FIRST[(pair / LAST.len() as u64) as usize];
        let last = LAST[((pair + pair / LAST.len() as u64) % LAST.len() as u64) as usize];
        match round {
            0 => format!("{first} {last}"),
            _ => format!("{first} {last}{}", round + 1),
        }
    }
}

/// An address for a user, as unique as the name.
pub(super) fn email(dice: &mut Dice, name: &str, plus: f64) -> String {
    let separator = match dice.happens(plus) {
        true => "+",
        false => dice.one_of(&[".", "-", "_"]),
    };
    let local = name.replace(' ', separator);
    let local = local.replace('Æ', "Ae").replace('ø', "oe");
    format!("{local}@{}", dice.one_of(&DOMAINS))
}

/// A password of any printable characters of ASCII but the space: `"` and `\` too.
pub(super) fn password(dice: &mut Dice, lengths: &Quantiles) -> String {
    let length = lengths.at(dice.level()).round().max(1.0) as usize;
    let printable = |_| char::from(b'!' + dice.below(94) as u8);
    (0..length).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_hold_one_space() {
        for seed in 0..3 {
            let people = People::new(&mut Dice::new(seed));
            let names: HashSet<String> = (0..10_000).map(|number| people.name(number)).collect();
            assert_eq!(names.len(), 10_000);
            assert!(names.iter().all(|name| name.matches(' ').count() == 1));
        }
    }

    #[test]
    fn passwords_hold_every_printable_character() {
        let lengths = Quantiles::from_rows(&[(0.0, 5.0), (1.0, 10.0)]);
        let mut dice = Dice::new(1);
        let all: HashSet<char> = (0..2000)
            .flat_map(|_| password(&mut dice, &lengths).chars().collect::<Vec<_>>())
            .collect();
        assert_eq!(all, ('!'..='~').collect());
    }
}
