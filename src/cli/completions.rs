//! `cart completions`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  cart completions bash > ~/.local/share/bash-completion/completions/cart
  cart completions fish > ~/.config/fish/completions/cart.fish";

/// The arguments of `cart completions`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Prints the completions for a shell.
pub fn run(args: &CompletionsArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "cart", &mut script);
    app.printer().pass_on(&script);
    Ok(Exit::Done)
}
