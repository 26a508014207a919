//! Randomness that can be repeated.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws from a seeded ChaCha8.
///
/// The sampling is spelled out rather than left to a library, so that a seed gives the same trace
/// whatever the version of that library.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Evenly from 0 up to, not including, `bound`; 0 for a bound of 0.
    ///
    /// Multiply and shift (Lemire, "Fast Random Integer Generation in an Interval", 2019) without
    /// its rejection: the bias is below bound / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into something of this length, which must not be 0.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One of several.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// Evenly from 0 up to, not including, 1.
    pub(super) fn level(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.level() < probability
    }

    /// Shuffles (Fisher and Yates, in Durstenfeld's form).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_repeat_with_the_seed() {
        let mut dice = Dice::new(1);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[dice.index(6)] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 500), "{counts:?}");
        let (mut a, mut b) = (Dice::new(7), Dice::new(7));
        assert!((0..100).all(|_| a.below(1 << 40) == b.below(1 << 40)));
    }

    #[test]
    fn the_stream_of_a_seed_is_fixed() {
        let mut dice = Dice::new(2020);
        let drawn: Vec<u64> = (0..5).map(|_| dice.below(1000)).collect();
        assert_eq!(drawn, [73, 748, 288, 871, 956]);
    }
}
