//! The program `cart`: what the command line asks for, and its exit code. Inside gears it goes by
//! the names of the commands that cartridges call, too.

use cartwright::inside::{self, Call};
use cartwright::{cli, gear, sandbox, sys};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().map(|name| Path::new(name).file_name().unwrap_or_default());
    let rest = arguments.get(1..).unwrap_or_default();
    match name.and_then(|name| name.to_str()) {
        Some("logshifter") => {
            sys::process::set_umask();
            let outcome = gear::logshifter::run(rest, sys::host::variable_os, std::io::stdin());
            ExitCode::from(cli::end_command(outcome))
        }
        Some(sandbox::SUPERVISOR) => ExitCode::from(sandbox::supervise()),
        Some(sandbox::ENTER) => {
            let number = rest.first().and_then(|number| number.to_str()).unwrap_or_default();
            ExitCode::from(sandbox::enter(number))
        }
        // The administrator's commands of the original are commands of `cart`, too.
        Some(name @ ("oo-env-var-add" | "oo-env-var-remove")) => {
            sys::process::set_umask();
            let mut line = vec![OsString::from("cart"), name.into()];
            line.extend_from_slice(rest);
            ExitCode::from(cli::run(&line))
        }
        Some(name) if gear::git::HOOKS.contains(&name) => {
            sys::process::set_umask();
            sys::process::heed_end_of_parent();
            ExitCode::from(cli::run_hook(name))
        }
        // What these run keeps the mode mask of whoever called.
        Some(name) if inside::is_command(name) => {
            let variables = sys::host::variables();
            let out = &mut std::io::stdout();
            let mut call = Call { name, arguments: rest, variables: &variables, out };
            ExitCode::from(cli::end_inside(inside::run(&mut call)))
        }
        _ => {
            sys::process::set_umask();
            ExitCode::from(cli::run(&arguments))
        }
    }
}
