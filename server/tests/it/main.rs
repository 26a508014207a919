//! The server as its clients see it: started on a free port, spoken to over TCP.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod api;
mod browser;
mod crowd;
mod faults;
mod group_commit;
mod hostile;
mod kit;
mod latest;
mod life;
mod limits;
mod openapi;
mod ops;
mod pages;
mod pages_browser;
mod pages_safety;
mod postgres;
mod proxy;
mod visitor;
