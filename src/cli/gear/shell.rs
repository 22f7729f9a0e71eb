//! `cart gear shell`.

use super::exec;
use super::found;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use crate::sys::host;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear shell blog
  cart gear shell blog > session.log";

/// The arguments of `cart gear shell`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShellArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

/// Opens a shell as the gear. Of the caller's environment it gets the kind of terminal alone, and of
/// files that say how to begin only the gear's own `.bash_profile`.
pub fn run(args: &ShellArgs, app: &mut App) -> Result<Exit, Failure> {
    found::reading(app, &args.name)?;
    let profile = app.layout().gears().join(args.name.as_str());
    let profile = profile.join("app-root/data/.bash_profile");
    let words = ["/bin/bash", "--noprofile", "--rcfile"].map(Into::into);
    let command: Vec<_> = words.into_iter().chain([profile.into_os_string()]).collect();
    let mut more = vec![("PS1".to_owned(), format!("[{} \\W]\\$ ", args.name).into())];
    more.extend(host::variable_os("TERM").map(|term| ("TERM".to_owned(), term)));
    exec::hand_over(app, &args.name, (&command, more))
}
