//! Packages of tpkg on a host, as a person meets them: each test names what it states, most of them
//! after the original's own (tpkg specification, 6).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that drive the program from outside, and fail where they cannot"
)]

mod cases;
mod config;
mod files;
mod host;
mod host_services;
mod import;
mod life;
mod needs;
mod old_tpkg;
mod scripts;
mod seed;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod undo;
mod user;
