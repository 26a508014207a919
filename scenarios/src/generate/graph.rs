//! Who follows whom, so far.

use super::dice::Dice;
use super::urn::Urn;
use std::collections::HashSet;

/// How often a draw is repeated before the graph is searched for a pair that will do.
const TRIES: usize = 32;

/// The follow edges. A pair that was followed once is never followed again, as in the course's
/// trace: no follow is a duplicate, whatever was unfollowed between.
#[derive(Debug, Default)]
pub(super) struct Graph {
    ever: HashSet<(u32, u32)>,
    standing: Vec<(u32, u32)>,
    /// How many each user has ever followed.
    followed: Vec<usize>,
}

impl Graph {
    /// Adds an edge that never was: from `user` if there is one, else from the first user of whom
    /// there is one; to whom is drawn from the urn. None when everyone has followed everyone.
    pub(super) fn follow(
        &mut self,
        dice: &mut Dice,
        user: usize,
        users: usize,
        followees: &Urn,
    ) -> Option<(usize, usize)> {
        self.followed.resize(users, 0);
        if self.ever.len() == users * (users - 1) {
            return None;
        }
        let can_follow = |user: &usize| self.followed[*user] < users - 1;
        let user = match can_follow(&user) {
            true => user,
            false => (0..users).find(can_follow)?,
        };
        let fits = |whom: &usize| *whom != user && !self.ever.contains(&pair(user, *whom));
        let drawn = (0..TRIES).find_map(|_| followees.draw(dice).filter(fits));
        // The first to have registered are the most followed: they are who is left to be drawn.
        let whom = drawn.or_else(|| (0..users).find(fits))?;
        self.ever.insert(pair(user, whom));
        self.standing.push(pair(user, whom));
        self.followed[user] += 1;
        Some((user, whom))
    }

    /// Removes any edge. None when there is none.
    pub(super) fn unfollow(&mut self, dice: &mut Dice) -> Option<(usize, usize)> {
        if self.standing.is_empty() {
            return None;
        }
        let index = dice.index(self.standing.len());
        let (user, whom) = self.standing.swap_remove(index);
        Some((user as usize, whom as usize))
    }

    /// A pair that was never an edge. None when none was found.
    pub(super) fn strangers(&self, dice: &mut Dice, users: usize) -> Option<(usize, usize)> {
        (0..TRIES)
            .map(|_| (dice.index(users), dice.index(users)))
            .find(|&(user, whom)| user != whom && !self.ever.contains(&pair(user, whom)))
    }
}

/// Users are numbered from 0 and far fewer than 2^32: each is held in memory.
fn pair(user: usize, whom: usize) -> (u32, u32) {
    (user as u32, whom as u32)
}
