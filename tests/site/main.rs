//! Sites of UBOS apps, as a person meets them: packages are installed, deployed, deployed again and
//! undeployed, and each script hears what the seed on scripts in manifests says that it hears.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that drive the program from outside, and fail where they cannot"
)]

mod bad;
mod data;
mod databases;
mod externals;
#[path = "../real/public.rs"]
mod fetch;
#[expect(dead_code, reason = "tests of tpkg use the rest of it")]
#[path = "../tpkg/host.rs"]
mod host;
mod items;
mod life;
mod package;
mod real;
mod records;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod web;

/// Says that a test cannot state anything here.
fn skip(name: &str, reason: &str) {
    println!("SKIP: site::{name}: {reason}");
}
