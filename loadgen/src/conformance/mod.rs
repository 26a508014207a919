//! Conformance: walks the simulator API against any server and tells where it deviates.
//!
//! A *case* states one rule of the protocol and tries it. The walk runs every case in order and
//! learns on the way: a server that spells a key otherwise, or answers 200 for 204, deviates in
//! the case that is about it and nowhere else. What a client can live with is expressed as a
//! [`Waiver`](waiver::Waiver), one setting of a [`Profile`](crate::profile::Profile).
//!
//! | module | what |
//! |---|---|
//! | [`case`] | what a case is, and how it can end |
//! | `cases` | the rules, one file per part of the API |
//! | `client` | one request at a time, whatever the target does |
//! | `contact` | is the API there at all, and under which prefix |
//! | `walk` | from case to case, and `latest` put back at the end |
//! | [`waiver`] | deviations as settings of a profile, and the profile file |
//! | [`report`] | what was found |
//! | [`table`] | the same for people |
//!
//! The walk writes to its target: about 25 users whose names begin with `limosa-`, some 150
//! messages of theirs and a few edges between them.

pub mod case;
mod cases;
mod client;
mod contact;
mod raw;
pub mod report;
pub mod table;
pub mod waiver;
mod walk;

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;
pub use contact::NotTheApi;
pub use walk::{Options, walk};
