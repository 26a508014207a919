//! A small picture for each user, drawn from the name: five by five tiles, the same left and right.
//!
//! MiniTwit asks Gravatar for one, by a hash of the e-mail address, which tells a third party who
//! reads what, and everybody an address that can be guessed. The name is public anyway.

use sha2::{Digest, Sha256};

/// Columns and rows.
const SIZE: usize = 5;
/// The columns that are drawn; the others mirror them.
const DRAWN: usize = SIZE.div_ceil(2);

/// What is to be drawn in a square of five units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identicon {
    /// The colour's angle, in degrees.
    pub(super) hue: u16,
    /// The tiles as the data of an SVG path.
    pub(super) path: String,
}

impl Identicon {
    /// The picture of this user.
    pub(super) fn of(name: &str) -> Self {
        let hash = Sha256::digest(name.as_bytes());
        let hue = u16::from_be_bytes([hash[0], hash[1]]) % 360;
        let mut path = String::new();
        for row in 0..SIZE {
            for column in 0..SIZE {
                let tile = row * DRAWN + column.min(SIZE - 1 - column);
                let middle = row == SIZE / 2 && column == SIZE / 2;
                // The middle is always drawn, so that nobody has an empty picture.
                if hash[2 + tile] & 1 == 1 || middle {
                    path += &format!("M{column} {row}h1v1h-1z");
                }
            }
        }
        Self { hue, path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn tiles(path: &str) -> HashSet<(usize, usize)> {
        let place = |tile: &str| {
            let (column, row) = tile.strip_suffix("h1v1h-1z").unwrap().split_once(' ').unwrap();
            (column.parse().unwrap(), row.parse().unwrap())
        };
        path.split('M').skip(1).map(place).collect()
    }

    #[test]
    fn everybody_has_a_picture_that_is_symmetric_and_not_empty() {
        for name in (0..500).map(|n| n.to_string()) {
            let tiles = tiles(&Identicon::of(&name).path);
            assert!(tiles.contains(&(2, 2)));
            assert!(
                tiles.iter().all(|&(column, row)| tiles.contains(&(4 - column, row))),
                "{name}"
            );
            assert!(tiles.iter().all(|&(column, row)| column < SIZE && row < SIZE), "{name}");
        }
    }

    #[test]
    fn a_name_keeps_its_picture_and_others_have_others() {
        assert_eq!(Identicon::of("Ann"), Identicon::of("Ann"));
        let pictures: HashSet<_> =
            (0..500).map(|n| Identicon::of(&n.to_string())).map(|i| (i.hue, i.path)).collect();
        assert!(pictures.len() > 495, "{}", pictures.len());
    }
}
