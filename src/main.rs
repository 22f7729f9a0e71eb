//! The program `cart`: what the command line asks for, and its exit code.

use cartwright::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    ExitCode::from(cli::run(&arguments))
}
