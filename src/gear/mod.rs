//! The conventions of gears: what lies where in a home, which variables there are, what a state
//! is, what scripts say. Mechanisms only: nothing here opens the database or takes a lock.

pub mod endpoints;
pub mod environment;
pub mod git;
pub mod globs;
pub mod home;
pub mod identity;
pub mod logshifter;
pub mod replies;
pub mod sdk;
pub mod state;
