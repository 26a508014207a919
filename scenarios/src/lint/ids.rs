//! Which ids were seen, kept as ranges: a trace without gaps costs one range, whatever its length.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What an id is among those seen before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Above every one before it.
    Ahead,
    /// New, but below `highest`.
    Back {
        /// The highest id before.
        highest: i64,
    },
    /// Seen before.
    Repeated,
}

/// A range of ids: its last id, and the line on which its first id stands.
#[derive(Debug)]
struct Range {
    last: i64,
    line: u64,
}

/// The ids seen.
#[derive(Debug, Default)]
pub struct Ids {
    ranges: BTreeMap<i64, Range>,
}

impl Ids {
    /// Notes the id of a line.
    pub fn insert(&mut self, id: i64, line: u64) -> Seen {
        let highest = self.ranges.last_key_value().map(|(_, range)| range.last);
        let below = self.ranges.range_mut(..=id).next_back();
        let joins_below = match below {
            Some((_, range)) if range.last >= id => return Seen::Repeated,
            Some((_, range)) if range.last.checked_add(1) == Some(id) => {
                range.last = id;
                true
            }
            _ => false,
        };
        let above = id.checked_add(1).and_then(|next| self.ranges.remove(&next));
        let last = above.map_or(id, |range| range.last);
        if joins_below {
            if let Some((_, range)) = self.ranges.range_mut(..=id).next_back() {
                range.last = last;
            }
        } else {
            self.ranges.insert(id, Range { last, line });
        }
        match highest {
            Some(highest) if id < highest => Seen::Back { highest },
            _ => Seen::Ahead,
        }
    }

    /// The gaps between the lowest id and the highest, each with the line of the first id after.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (RangeInclusive<i64>, u64)> {
        let after = self.ranges.iter().skip(1);
        self.ranges
            .values()
            .zip(after)
            .map(|(before, (first, range))| (before.last + 1..=first - 1, range.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_agree_with_a_plain_set(input in prop::collection::vec(-20i64..20, 0..60)) {
            let mut ids = Ids::default();
            let mut set = BTreeSet::new();
            for (line, &id) in (1..).zip(&input) {
                let highest = set.last().copied();
                let expected = match highest {
                    _ if set.contains(&id) => Seen::Repeated,
                    Some(highest) if id < highest => Seen::Back { highest },
                    _ => Seen::Ahead,
                };
                prop_assert_eq!(ids.insert(id, line), expected);
                set.insert(id);
            }
            let mut missing = BTreeSet::new();
            for (gap, line) in ids.gaps() {
                prop_assert_eq!(input[line as usize - 1], gap.end() + 1);
                missing.extend(gap);
            }
            if let (Some(&low), Some(&high)) = (set.first(), set.last()) {
                prop_assert_eq!(missing, (low..=high).filter(|id| !set.contains(id)).collect());
            }
        }
    }

    #[test]
    fn the_ends_of_the_numbers_do_not_overflow() {
        let mut ids = Ids::default();
        assert_eq!(ids.insert(i64::MAX, 1), Seen::Ahead);
        assert_eq!(ids.insert(i64::MIN, 2), Seen::Back { highest: i64::MAX });
        assert_eq!(ids.insert(i64::MAX, 3), Seen::Repeated);
        let gaps: Vec<_> = ids.gaps().collect();
        assert_eq!(gaps, [(i64::MIN + 1..=i64::MAX - 1, 1)]);
    }
}
