//! The conventions of a gear: what lies where in its home, its variables, addresses, state and
//! repository, what its scripts may say, and the commands that it finds.
//!
//! Mechanisms only: every function does one thing at once, below a descriptor of the gear's home.
//! Whether it can be undone, and in what order things happen, is the business of `step`. Nothing
//! here opens the database, takes a lock or runs anything that belongs to a package.

pub mod action;
pub mod dependencies;
pub mod deployment;
pub mod endpoints;
pub mod environ;
pub mod environment;
mod files;
pub mod frontend;
pub mod git;
pub mod globs;
pub mod home;
pub mod hooks;
pub mod identity;
pub mod locking;
pub mod logs;
pub mod logshifter;
pub mod owner;
pub mod processes;
pub mod published;
pub mod registry;
pub mod replies;
pub mod sdk;
pub mod snapshot;
pub mod ssh_key;
pub mod state;
pub mod unit;
pub mod variables;
