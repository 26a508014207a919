//! What the commands so far have made of users and follow edges.

use std::collections::{HashMap, HashSet};

/// The users that stand, and who follows whom.
#[derive(Debug, Default)]
pub(crate) struct World {
    users: HashMap<String, u32>,
    edges: HashSet<(u32, u32)>,
}

impl World {
    /// The user's number, if registered.
    pub(crate) fn user(&self, name: &str) -> Option<u32> {
        self.users.get(name).copied()
    }

    /// Registers a user. False if there is one of that name.
    pub(crate) fn register(&mut self, name: &str) -> bool {
        if self.users.contains_key(name) {
            return false;
        }
        let number = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        self.users.insert(name.to_owned(), number);
        true
    }

    /// Adds an edge. False if it stands already.
    pub(crate) fn follow(&mut self, user: u32, whom: u32) -> bool {
        self.edges.insert((user, whom))
    }

    /// Removes an edge. False if there is none.
    pub(crate) fn unfollow(&mut self, user: u32, whom: u32) -> bool {
        self.edges.remove(&(user, whom))
    }

    /// How many users are registered.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    /// How many follow edges stand.
    pub(crate) fn edges(&self) -> usize {
        self.edges.len()
    }
}
