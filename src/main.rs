//! The program `cart`: what the command line asks for, and its exit code. Inside gears it goes by
//! the names of the commands that cartridges call, too.

use cartwright::{cli, gear};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cartwright::sys::process::set_umask();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().map(|name| Path::new(name).file_name().unwrap_or_default());
    match name.and_then(|name| name.to_str()) {
        Some("logshifter") => {
            let rest = arguments.get(1..).unwrap_or_default();
            let outcome =
                gear::logshifter::run(rest, cartwright::sys::host::variable_os, std::io::stdin());
            ExitCode::from(cli::end_command(outcome))
        }
        // The administrator's commands of the original are commands of `cart`, too.
        Some(name @ ("oo-env-var-add" | "oo-env-var-remove")) => {
            let rest = arguments.iter().skip(1).cloned();
            let arguments: Vec<OsString> =
                [OsString::from("cart"), name.into()].into_iter().chain(rest).collect();
            ExitCode::from(cli::run(&arguments))
        }
        _ => ExitCode::from(cli::run(&arguments)),
    }
}
