//! `cart gear ssh-key`: who may push to a gear over ssh; and what their pushes call.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::gear::git::Git;
use crate::gear::ssh_key::SshKey;
use crate::package::ident::GearName;
use crate::plan::gear::ssh_keys;
use crate::step::authorize_key::Deed;
use crate::sys::fs::{self, Dir};
use crate::sys::host;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  cart gear ssh-key add blog id_ed25519.pub
  cart gear ssh-key list blog
  cart gear ssh-key remove blog ann@home";

const ADD_EXAMPLES: &str = "\
Examples:
  cart gear ssh-key add blog id_ed25519.pub
  cart gear ssh-key add blog /tmp/ann.pub --dry-run";

const LIST_EXAMPLES: &str = "\
Examples:
  cart gear ssh-key list blog
  cart gear ssh-key list blog --json";

const REMOVE_EXAMPLES: &str = "\
Examples:
  cart gear ssh-key remove blog ann@home
  cart gear ssh-key remove blog ann@home --dry-run";

/// The longest `authorized_keys` that is read.
const LONGEST: u64 = 1 << 20;

/// The arguments of `cart gear ssh-key`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SshKeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let whoever has a key push to a gear
    ///
    /// They log in as the user who runs `cart`, and can do nothing but push to this gear's
    /// repository and fetch from it: `git push ssh://USER@HOST/NAME`.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// List the keys that let people push to a gear
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Take such a key away
    #[command(visible_alias = "rm", after_help = REMOVE_EXAMPLES)]
    Remove(RemoveArgs),
}

/// The arguments of `cart gear ssh-key add`.
#[derive(Args, Debug)]
struct AddArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    name: GearName,
    /// The file with the public key
    #[arg(value_name = "FILE")]
    file: std::path::PathBuf,
    /// How the change is to be made.
    #[command(flatten)]
    change: ChangeArgs,
}

/// The arguments of `cart gear ssh-key list`.
#[derive(Args, Debug)]
struct ListArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    name: GearName,
}

/// The arguments of `cart gear ssh-key remove`.
#[derive(Args, Debug)]
struct RemoveArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    name: GearName,
    /// The key's comment, or the key itself
    #[arg(value_name = "KEY")]
    key: String,
    /// How the change is to be made.
    #[command(flatten)]
    change: ChangeArgs,
}

/// The arguments of `cart gear serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

#[derive(Serialize)]
struct Answer {
    gear: String,
    keys: Vec<SshKey>,
}

/// Runs the command on keys that was asked for.
pub fn run(args: &SshKeyArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Add(args) => {
            add(args, app).doing(|| format!("cannot add a key of the gear `{}`", args.name))
        }
        Command::List(args) => list(args, app),
        Command::Remove(args) => {
            remove(args, app).doing(|| format!("cannot remove a key of the gear `{}`", args.name))
        }
    }
}

fn add(args: &AddArgs, app: &App) -> Result<Exit, Failure> {
    let text = fs::read_text(&args.file)?;
    let key = SshKey::parse(text.lines().next().unwrap_or_default())?;
    let line = key.line(&args.name, (&host::this_program(), app.layout().root()))?;
    change(app, (&args.name, &args.change), (&[line], Deed::Add))
}

fn remove(args: &RemoveArgs, app: &App) -> Result<Exit, Failure> {
    let is_it = |key: &SshKey| key.comment == args.key || key.key == args.key;
    let mut lines = present(app)?;
    lines.retain(|line| {
        SshKey::of_line(line).is_some_and(|(gear, key)| gear == args.name.as_str() && is_it(&key))
    });
    if lines.is_empty() {
        let text = format!("the gear `{}` has no key `{}`", args.name, args.key.escape_debug());
        return Err(Failure::new(Exit::NotFound, text)
            .hint(format!("`cart gear ssh-key list {}` shows what there is", args.name)));
    }
    change(app, (&args.name, &args.change), (&lines, Deed::Remove))
}

fn change(
    app: &App,
    (name, options): (&GearName, &ChangeArgs),
    what: (&[String], Deed),
) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    let file = app.layout().authorized_keys();
    carry_out(app, &db, options, &|| {
        let gear = found::gear(app, &db, name)?;
        Ok(ssh_keys(&gear, (&file, &present(app)?), what))
    })
}

/// The lines of the file.
fn present(app: &App) -> Result<Vec<String>, Failure> {
    let file = app.layout().authorized_keys();
    if fs::kind_of(&file).is_none() {
        return Ok(Vec::new());
    }
    let folder = Dir::open(file.parent().unwrap_or(Path::new("/")))?;
    let bytes = folder.read(file.file_name().map_or(Path::new(""), Path::new), LONGEST)?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

fn list(args: &ListArgs, app: &App) -> Result<Exit, Failure> {
    found::reading(app, &args.name)?;
    let all = present(app)?;
    let own = all.iter().filter_map(|line| SshKey::of_line(line));
    let keys: Vec<SshKey> =
        own.filter(|(gear, _)| gear == args.name.as_str()).map(|(_, key)| key).collect();
    if app.form() == Form::Json {
        app.printer().json(&Answer { gear: args.name.to_string(), keys });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["KIND", "COMMENT", "KEY"]);
    for key in &keys {
        table.row([&key.kind, &key.comment, &key.key]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}

/// Serves git to somebody who has logged in with a key: the gear's repository, whatever path they name.
pub fn serve(args: &ServeArgs, app: &mut App) -> Result<Exit, Failure> {
    let (_db, _gear) = found::reading(app, &args.name)?;
    let asked = host::variable("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    let service = ["receive-pack", "upload-pack"].into_iter().find(|service| {
        ["git-", "git "].iter().any(|git| asked.starts_with(&format!("{git}{service} ")))
    });
    let Some(service) = service else {
        let text = format!("with this key one can push to the gear `{}` alone", args.name);
        return Err(Failure::new(Exit::Refused, text));
    };
    let home = app.layout().gears().join(args.name.as_str());
    let repository = home.join(format!("git/{}.git", args.name));
    let status = Git::find(None)?.serve(service, &repository)?;
    app.answer_with(status);
    Ok(Exit::Done)
}
