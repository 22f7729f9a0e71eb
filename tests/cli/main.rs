//! The real binary under a root of its own: whole stdout, stderr, status and resulting tree.

#![expect(clippy::disallowed_methods, reason = "tests run the program and look at the disk")]

mod basics;
mod completions;
mod help;
mod support;
