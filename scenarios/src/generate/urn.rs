//! Drawing users in proportion to what is left of their quotas.

use super::dice::Dice;

/// An urn of balls in numbered colours, from which balls are drawn in O(log colours).
///
/// A binary indexed tree of counts (Fenwick, "A New Data Structure for Cumulative Frequency
/// Tables", 1994).
#[derive(Debug, Clone)]
pub(super) struct Urn {
    tree: Vec<u64>,
    balls: u64,
}

impl Urn {
    /// An empty urn for this many colours.
    pub(super) fn new(colours: usize) -> Self {
        Self { tree: vec![0; colours + 1], balls: 0 }
    }

    /// Adds balls of a colour.
    pub(super) fn add(&mut self, colour: usize, balls: u64) {
        self.balls += balls;
        let mut node = colour + 1;
        while let Some(count) = self.tree.get_mut(node) {
            *count += balls;
            node += node & node.wrapping_neg();
        }
    }

    /// Removes one ball of a colour, of which there must be one.
    pub(super) fn remove(&mut self, colour: usize) {
        self.balls -= 1;
        let mut node = colour + 1;
        while let Some(count) = self.tree.get_mut(node) {
            *count -= 1;
            node += node & node.wrapping_neg();
        }
    }

    /// The colour of a ball drawn at random and put back; none from an empty urn.
    pub(super) fn draw(&self, dice: &mut Dice) -> Option<usize> {
        if self.balls == 0 {
            return None;
        }
        let mut target = dice.below(self.balls);
        let mut node = 0;
        let mut step = (self.tree.len() - 1).checked_ilog2().map_or(0, |log| 1 << log);
        while step > 0 {
            if let Some(&count) = self.tree.get(node + step)
                && count <= target
            {
                node += step;
                target -= count;
            }
            step /= 2;
        }
        Some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ball_is_drawn_once_and_no_other() {
        for colours in [1, 2, 3, 7, 8, 9] {
            let quota = |colour: usize| (colour as u64 * 5) % 4;
            let mut urn = Urn::new(colours);
            (0..colours).for_each(|colour| urn.add(colour, quota(colour)));
            let mut dice = Dice::new(3);
            let mut drawn = vec![0; colours];
            while let Some(colour) = urn.draw(&mut dice) {
                urn.remove(colour);
                drawn[colour] += 1;
            }
            assert_eq!(drawn, (0..colours).map(quota).collect::<Vec<_>>());
        }
    }

    #[test]
    fn colours_are_drawn_in_proportion() {
        let mut urn = Urn::new(3);
        [1, 0, 3].into_iter().enumerate().for_each(|(colour, balls)| urn.add(colour, balls));
        let mut dice = Dice::new(5);
        let of_the_first = (0..10_000).filter(|_| urn.draw(&mut dice) == Some(0)).count();
        assert!(of_the_first.abs_diff(2500) < 150, "{of_the_first}");
    }
}
