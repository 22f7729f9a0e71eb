//! The real binary under a root of its own: whole stdout, stderr, status and resulting tree.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests run the program and look at the disk"
)]

mod basics;
mod build;
mod completions;
mod help;
mod lint;
mod support;
