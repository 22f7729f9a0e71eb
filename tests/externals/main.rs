//! The shipped externals (`externals/`), called as the contract has it: `NAME PACKAGE install|remove` with
//! the data on standard input. On a host of their own (namespaces, with what they change laid over the
//! real thing) where root may have one, and below another root for everybody.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that drives programs from outside, and fails where it cannot"
)]

mod accounts;
mod bridges;
mod contract;
mod engine;
mod files;
mod hostile;
mod kernel;
mod scene;
