//! A set of command ids that takes a bit for each where they are dense, as those of a trace are.

use std::collections::HashMap;

const WORDS: usize = 8;
const PAGE: i64 = 64 * WORDS as i64;

/// A set of ids.
#[derive(Debug, Default)]
pub(super) struct IdSet {
    pages: HashMap<i64, [u64; WORDS]>,
}

impl IdSet {
    /// Adds an id; returns whether it is new.
    pub(super) fn insert(&mut self, id: i64) -> bool {
        let (page, word, bit) = place(id);
        let word = &mut self.pages.entry(page).or_default()[word];
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        let (page, word, bit) = place(id);
        self.pages.get(&page).is_some_and(|words| words[word] & bit != 0)
    }

    pub(super) fn remove(&mut self, id: i64) {
        let (page, word, bit) = place(id);
        if let Some(words) = self.pages.get_mut(&page) {
            words[word] &= !bit;
        }
    }
}

fn place(id: i64) -> (i64, usize, u64) {
    let within = id.rem_euclid(PAGE) as usize;
    (id.div_euclid(PAGE), within / 64, 1 << (within % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in(
            ids in prop::collection::vec(prop_oneof![-600_i64..600, any::<i64>()], 0..200),
        ) {
            let mut known = BTreeSet::new();
            let mut set = IdSet::default();
            for id in &ids {
                prop_assert_eq!(set.insert(*id), known.insert(*id));
            }
            for id in ids.iter().step_by(2) {
                known.remove(id);
                set.remove(*id);
            }
            for id in ids.into_iter().chain(-600..600) {
                prop_assert_eq!(set.contains(id), known.contains(&id));
            }
        }
    }
}
