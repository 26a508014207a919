//! The colours, by what they stand for, on light and on dark paper.
//!
//! Those of data are M. Okabe's and K. Ito's, which colour-blind readers can tell apart ("Color
//! Universal Design", 2008), with lighter ones of the same set, or of the same hue, on dark paper.

use crate::run::operation::Ack;
use std::fmt::Write as _;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Behind everything.
    Paper,
    /// Texts.
    Ink,
    /// Axes and their texts.
    Faint,
    /// Grid lines.
    Grid,
    /// The stretch of an outage.
    Band,
    /// Every second phase of the run.
    Phase,
    /// Acknowledged commands, and service time.
    Acknowledged,
    /// Rejected commands.
    Rejected,
    /// Commands that were never sent.
    NotSent,
    /// Commands without an answer that tells.
    Indeterminate,
    /// Response time, and what the target reported.
    Second,
}

type Rgb = (u8, u8, u8);

impl Role {
    const ALL: [Self; 11] = [
        Self::Paper,
        Self::Ink,
        Self::Faint,
        Self::Grid,
        Self::Band,
        Self::Phase,
        Self::Acknowledged,
        Self::Rejected,
        Self::NotSent,
        Self::Indeterminate,
        Self::Second,
    ];

    /// The role of commands that ended in the given way.
    pub(super) fn of(ack: Ack) -> Self {
        match ack {
            Ack::Acknowledged => Self::Acknowledged,
            Ack::Rejected => Self::Rejected,
            Ack::NotSent => Self::NotSent,
            Ack::Indeterminate => Self::Indeterminate,
        }
    }

    /// The role of the first, second... of several alike, in pictures that show no outcomes beside
    /// acknowledged ones; from the fifth on, all share one.
    pub(super) fn of_series(index: usize) -> Self {
        [Self::Second, Self::Indeterminate, Self::NotSent, Self::Rejected]
            .get(index)
            .copied()
            .unwrap_or(Self::Faint)
    }

    /// On light paper. No two roles share a colour, so that a page can tell them apart.
    pub(super) fn light(self) -> Rgb {
        match self {
            Self::Paper => (0xff, 0xff, 0xff),
            Self::Ink => (0x1b, 0x1f, 0x24),
            Self::Faint => (0x5b, 0x64, 0x70),
            Self::Grid => (0xe2, 0xe6, 0xea),
            Self::Band => (0xfb, 0xe3, 0xd4),
            Self::Phase => (0xf3, 0xf5, 0xf8),
            Self::Acknowledged => (0x00, 0x72, 0xb2),
            Self::Rejected => (0xe6, 0x9f, 0x00),
            Self::NotSent => (0xcc, 0x79, 0xa7),
            Self::Indeterminate => (0xd5, 0x5e, 0x00),
            Self::Second => (0x00, 0x9e, 0x73),
        }
    }

    fn dark(self) -> Rgb {
        match self {
            Self::Paper => (0x16, 0x19, 0x1d),
            Self::Ink => (0xe8, 0xea, 0xed),
            Self::Faint => (0xa3, 0xac, 0xb8),
            Self::Grid => (0x30, 0x36, 0x3d),
            Self::Band => (0x45, 0x2a, 0x1b),
            Self::Phase => (0x1f, 0x24, 0x2a),
            Self::Acknowledged => (0x56, 0xb4, 0xe9),
            Self::Rejected => (0xf0, 0xe4, 0x42),
            Self::NotSent => (0xe3, 0x9f, 0xc6),
            Self::Indeterminate => (0xff, 0x8f, 0x45),
            Self::Second => (0x2c, 0xc7, 0x9b),
        }
    }
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// The rules by which a page in dark mode gives the pictures in it the dark colours: what is
/// painted carries the light ones as attributes, which a rule outweighs.
pub(in crate::render) fn dark_rules() -> String {
    let mut rules = String::new();
    for role in Role::ALL {
        let (light, dark) = (hex(role.light()), hex(role.dark()));
        for property in ["fill", "stroke"] {
            // Writing to a String cannot fail.
            let _ = write!(rules, "svg [{property}=\"{light}\"]{{{property}:{dark}}}");
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance and contrast as WCAG 2.2 defines them.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let luminance = |(red, green, blue): Rgb| {
            let linear = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        };
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn texts_can_be_read_on_both_papers() {
        for role in [Role::Ink, Role::Faint] {
            for paper in [Role::Paper, Role::Band, Role::Phase] {
                assert!(contrast(role.light(), paper.light()) >= 4.5, "{role:?} on {paper:?}");
                assert!(contrast(role.dark(), paper.dark()) >= 4.5, "{role:?} on {paper:?}");
            }
        }
    }

    #[test]
    fn no_two_roles_share_a_colour() {
        for (index, one) in Role::ALL.into_iter().enumerate() {
            for other in &Role::ALL[index + 1..] {
                assert_ne!(one.light(), other.light());
                assert_ne!(one.dark(), other.dark());
            }
        }
    }
}
