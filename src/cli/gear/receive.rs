//! `cart gear receive`: what the hooks of a gear's repository call when somebody pushes.
//!
//! The build belongs to `pre-receive`: git takes the push only when that succeeds, so what fails is
//! told to the pusher, the branch stays where it was, and pushing again tries again.

use super::deploy::{Wish, deploy_wish, give_to_builder};
use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, OnFailure};
use crate::error::{Context, Exit, Failure};
use crate::facts::DeployFacts;
use crate::gear::action::Action;
use crate::gear::deployment::DeploySettings;
use crate::layout::Layout;
use crate::package::ident::GearName;
use crate::plan::gear::{Rotation, builder};
use crate::sys::fs;
use crate::sys::host;
use crate::sys::path::RelPath;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most that is read of what git tells of a push.
const LONGEST: u64 = 1 << 20;

/// The arguments of `cart gear receive`.
#[derive(Args, Debug)]
pub struct ReceiveArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The hook that calls
    #[arg(value_name = "HOOK", value_enum)]
    pub hook: Hook,
}

/// A hook of a gear's repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Hook {
    /// Before the push is taken.
    PreReceive,
    /// After it was taken.
    PostReceive,
}

/// One line of what git tells: a name, what it meant and what it is to mean.
struct Update {
    new: String,
    name: String,
}

impl Update {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ').skip(1).map(str::to_owned);
        Some(Self { new: words.next()?, name: words.next()? })
    }

    fn removes(&self) -> bool {
        self.new.chars().all(|digit| digit == '0')
    }
}

/// The command line for the hook `name`, which git has started in a gear's repository.
pub fn line_of_hook(name: &str) -> Result<Vec<OsString>, Failure> {
    let stray = || {
        Failure::new(Exit::Usage, format!("`{name}` was not called by git in a gear's repository"))
    };
    let place = host::variable_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let place = fs::resolve(&place)?;
    let [gear, state] = [2, 4].map(|up| place.ancestors().nth(up).map(Path::to_owned));
    let (Some(gear), Some(state)) = (gear, state) else { return Err(stray()) };
    let gear = gear.file_name().and_then(|name| name.to_str()).ok_or_else(stray)?.to_owned();
    let mut line: Vec<OsString> = vec!["cart".into(), "--yes".into()];
    if !fs::resolve(Layout::of_this_user().state()).is_ok_and(|own| own == state) {
        let root = state.to_str().and_then(|text| text.strip_suffix("/var/lib/cartwright"));
        line.extend(["--root".into(), root.ok_or_else(stray)?.into()]);
    }
    line.extend(["gear", "receive", &gear, name].map(OsString::from));
    Ok(line)
}

/// Deploys what is pushed.
pub fn run(args: &ReceiveArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut told = String::new();
    let (db, gear) = found::reading(app, &args.name)?;
    drop(db);
    let input = std::io::stdin().lock().take(LONGEST).read_to_string(&mut told);
    input.map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot read what git tells of the push: {error}"))
    })?;
    if builder(&gear).is_some() {
        let action = match args.hook {
            Hook::PreReceive => Action::PreReceive,
            Hook::PostReceive => Action::PostReceive,
        };
        return give_to_builder(app, (&args.name, &unwinding()), &[action])
            .map_err(for_who_pushes)
            .doing(|| format!("the builder of the gear `{}` failed", args.name));
    }
    match args.hook {
        Hook::PreReceive => receive(args, app, &told)
            .map_err(for_who_pushes)
            .doing(|| format!("cannot deploy what is pushed to the gear `{}`", args.name)),
        // Everything has happened before the push was taken.
        Hook::PostReceive => Ok(Exit::Done),
    }
}

/// Whoever pushes has no options, and can only come again.
fn for_who_pushes(mut failure: Failure) -> Failure {
    if failure.exit == Exit::Busy {
        failure.hints = vec!["push again when that is over".into()];
    }
    failure
}

fn receive(args: &ReceiveArgs, app: &App, told: &str) -> Result<Exit, Failure> {
    let (_db, gear) = found::reading(app, &args.name)?;
    let facts = DeployFacts::of(app.layout(), gear)?;
    let DeploySettings { branch, auto_deploy, .. } = &facts.settings;
    let reference = format!("refs/heads/{branch}");
    let mut updates = told.lines().filter_map(Update::read);
    let Some(update) = updates.find(|update| update.name == reference) else {
        app.printer().talk(&format!("nothing is deployed: that is the branch `{branch}` alone"));
        return Ok(Exit::Done);
    };
    if update.removes() {
        let text = format!("the branch `{branch}` is the one that is deployed, and stays");
        return Err(Failure::new(Exit::Refused, text)
            .hint("`cart gear configure --deployment-branch` makes another one that"));
    }
    if !auto_deploy {
        let text = format!("pushes are not deployed; `cart gear deploy {}` does it", args.name);
        app.printer().talk(&text);
        return Ok(Exit::Done);
    }
    let wish = Wish {
        commit: Some(update.new),
        name: branch.clone(),
        incoming: incoming(app, args),
        rotation: Rotation::Told,
    };
    deploy_wish(app, (&args.name, &unwinding()), &|_| wish.clone())
}

/// A push has no options.
fn unwinding() -> ChangeArgs {
    ChangeArgs { dry_run: false, on_failure: OnFailure::Unwind }
}

/// Where git keeps the objects of the push, below those of the repository, until it is taken.
fn incoming(app: &App, args: &ReceiveArgs) -> Option<RelPath> {
    let folder = fs::resolve(Path::new(&host::variable_os("GIT_QUARANTINE_PATH")?)).ok()?;
    let home = app.layout().gears().join(args.name.as_str());
    let objects = fs::resolve(&home.join(format!("git/{}.git/objects", args.name))).ok()?;
    RelPath::parse(folder.strip_prefix(objects).ok()?.to_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::Update;

    #[test]
    fn lines_of_git_are_read_and_a_removal_is_known() {
        let zeros = "0".repeat(40);
        let update = Update::read(&format!("{zeros} 12ab refs/heads/a b")).unwrap();
        assert_eq!((update.new.as_str(), update.name.as_str()), ("12ab", "refs/heads/a b"));
        assert!(!update.removes());
        assert!(Update::read(&format!("12ab {zeros} refs/heads/x")).unwrap().removes());
        assert!(Update::read("12ab").is_none());
    }
}
