//! A set of command ids that stays small whether they come densely, as those of a whole trace, or
//! with gaps, as those of a shard: a roaring bitmap (Chambi, Lemire, Kaser and Godin, 2016: Better
//! bitmap performance with Roaring bitmaps).

use roaring::RoaringTreemap;

/// A set of ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdSet {
    /// The ids' bits: negative ones are large numbers here, and lie as densely.
    bits: RoaringTreemap,
}

impl IdSet {
    /// Adds an id; `false` where it was there already.
    pub fn insert(&mut self, id: i64) -> bool {
        self.bits.insert(id.cast_unsigned())
    }

    /// Takes an id out; `false` where it was not there.
    pub fn remove(&mut self, id: i64) -> bool {
        self.bits.remove(id.cast_unsigned())
    }

    /// Whether an id is there.
    pub fn contains(&self, id: i64) -> bool {
        self.bits.contains(id.cast_unsigned())
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.bits.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
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
            for id in plain.clone().iter().step_by(3) {
                prop_assert_eq!(ids.remove(*id), plain.remove(id));
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
