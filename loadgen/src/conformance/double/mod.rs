//! A test double: a correct microblog in memory, with a switch for every deviation that the walk
//! must find. It speaks HTTP by hand, since the faults of real servers include broken HTTP.

mod service;
mod switches;
mod wire;

pub(super) use service::Service;
pub(super) use switches::Switches;
pub(super) use wire::{Double, hostile};
