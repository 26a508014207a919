//! Experiments: a target of one's own, brought up, put under load and taken down.
//!
//! - [`child`]: the reference server as a child process.
//! - [`fleet`]: several of them on one temporary database.
//! - [`demo`]: a clean replay, and one with a planted loss that must be found.

pub mod child;
pub mod demo;
pub mod fleet;
