//! A set of command ids that stays small whether they come densely, as those of a whole trace, or
//! with gaps, as those of a shard: ids in blocks of 65,536, each a sorted list while it holds few and
//! a bitmap once it holds many (Chambi, Lemire, Kaser and Godin, 2016: Better bitmap performance with
//! Roaring bitmaps).

use std::collections::BTreeMap;

/// A list takes as much room as the bitmap at this length.
const FEW: usize = 4096;
const WORDS: usize = 1024;

/// A set of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdSet {
    blocks: BTreeMap<i64, Block>,
    len: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Few(Vec<u16>),
    Many(Box<[u64; WORDS]>),
}

impl IdSet {
    /// Adds an id; `false` where it was there already.
    pub fn insert(&mut self, id: i64) -> bool {
        let (block, low) = split(id);
        let is_new = self.blocks.entry(block).or_insert_with(|| Block::Few(Vec::new())).insert(low);
        self.len += u64::from(is_new);
        is_new
    }

    /// Whether an id is there.
    pub fn contains(&self, id: i64) -> bool {
        let (block, low) = split(id);
        self.blocks.get(&block).is_some_and(|block| block.contains(low))
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

fn split(id: i64) -> (i64, u16) {
    (id >> 16, id as u16)
}

impl Block {
    fn insert(&mut self, low: u16) -> bool {
        match self {
            Self::Few(list) => {
                let Err(place) = list.binary_search(&low) else { return false };
                if list.len() < FEW {
                    list.insert(place, low);
                    return true;
                }
                let mut words = Box::new([0; WORDS]);
                for low in list {
                    words[usize::from(*low >> 6)] |= 1 << (*low & 63);
                }
                *self = Self::Many(words);
                self.insert(low)
            }
            Self::Many(words) => {
                let word = &mut words[usize::from(low >> 6)];
                let bit = 1 << (low & 63);
                let is_new = *word & bit == 0;
                *word |= bit;
                is_new
            }
        }
    }

    fn contains(&self, low: u16) -> bool {
        match self {
            Self::Few(list) => list.binary_search(&low).is_ok(),
            Self::Many(words) => words[usize::from(low >> 6)] & (1 << (low & 63)) != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(
            starts in prop::collection::vec((any::<i64>(), 1..9_000_i64, 1..4_i64), 0..6)
        ) {
            let mut ids = IdSet::default();
            let mut plain = BTreeSet::new();
            for (start, count, step) in starts {
                for id in (0..count).map(|nth| start.wrapping_add(nth * step)) {
                    prop_assert_eq!(ids.insert(id), plain.insert(id));
                }
            }
            prop_assert_eq!(ids.len(), plain.len() as u64);
            prop_assert_eq!(ids.is_empty(), plain.is_empty());
            for id in &plain {
                for near in [*id, id.wrapping_add(1), id.wrapping_add(1 << 16)] {
                    prop_assert_eq!(ids.contains(near), plain.contains(&near));
                }
            }
        }
    }
}
