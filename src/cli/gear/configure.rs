//! `cart gear configure`: how a gear is deployed.

use super::env::{Target, change};
use super::found;
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::facts::DeployFacts;
use crate::gear::deployment::{DeploySettings, DeploymentType};
use crate::gear::variables::Place;
use crate::package::ident::GearName;
use crate::plan::gear::VariablesRequest;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::{Args, ValueEnum};
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear configure blog
  cart gear configure blog --keep-deployments 3
  cart gear configure blog --deployment-branch live --auto-deploy false";

/// The arguments of `cart gear configure`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ConfigureArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The branch that is deployed
    #[arg(long, value_name = "BRANCH", value_parser = branch)]
    pub deployment_branch: Option<String>,
    /// Whether a push to that branch deploys
    #[arg(long, value_name = "BOOL")]
    pub auto_deploy: Option<bool>,
    /// What the gear is deployed from
    #[arg(long, value_name = "TYPE", value_enum)]
    pub deployment_type: Option<Type>,
    /// How many deployments are kept, the one in use among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub keep_deployments: Option<u16>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What a gear is deployed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Type {
    /// Its repository
    Git,
    /// Archives of what was built elsewhere
    Binary,
}

#[derive(Serialize)]
struct Answer<'a> {
    gear: &'a str,
    deployment: &'a DeploySettings,
}

/// A name that git takes for a branch, and that no command line takes for something else.
fn branch(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
    let parts_fit = text.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with(['.'])
            && part.strip_suffix(".lock").is_none()
    });
    if text.len() <= 200 && parts_fit && text.chars().all(fits) && !text.contains("..") {
        Ok(text.to_owned())
    } else {
        Err("it is no branch's name: letters, digits, `-`, `_`, `.` and `/` make one".to_owned())
    }
}

/// Shows or changes how a gear is deployed.
pub fn run(args: &ConfigureArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut set = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        set.extend(value.map(|value| (format!("OPENSHIFT_{name}"), value)));
    };
    add("DEPLOYMENT_BRANCH", args.deployment_branch.clone());
    add("AUTO_DEPLOY", args.auto_deploy.map(|on| on.to_string()));
    let kind = args.deployment_type.map(|kind| match kind {
        Type::Git => "git",
        Type::Binary => "binary",
    });
    add("DEPLOYMENT_TYPE", kind.map(str::to_owned));
    add("KEEP_DEPLOYMENTS", args.keep_deployments.map(|many| many.to_string()));
    if set.is_empty() {
        return show(args, app);
    }
    let ask = VariablesRequest { place: Place::Platform, set, unset: Vec::new() };
    change(app, &Target::Gear(args.name.clone()), &ask, &args.change)
}

fn show(args: &ConfigureArgs, app: &App) -> Result<Exit, Failure> {
    let (_db, gear) = found::reading(app, &args.name)?;
    let settings = DeployFacts::of(app.layout(), gear)?.settings;
    if app.form() == Form::Json {
        app.printer().json(&Answer { gear: args.name.as_str(), deployment: &settings });
        return Ok(Exit::Done);
    }
    let kind = match settings.kind {
        DeploymentType::Git => "git",
        DeploymentType::Binary => "binary",
    };
    let mut table = Table::headless();
    table.row(["deployment branch", &settings.branch]);
    table.row(["auto deploy", &settings.auto_deploy.to_string()]);
    table.row(["deployment type", kind]);
    table.row(["deployments kept", &settings.keep.to_string()]);
    app.printer().table(&table);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::branch;

    #[test]
    fn a_branch_has_a_name_that_git_takes() {
        for good in ["master", "release/1.2", "a-b_c"] {
            assert_eq!(branch(good).as_deref(), Ok(good));
        }
        for bad in ["", "-x", "a..b", "a b", "/a", "a/", "a/.b", "a.lock", "é", "a~1"] {
            assert!(branch(bad).is_err(), "{bad}");
        }
    }
}
