//! `cart site`: sites of UBOS apps, from their making to their end.

pub mod backup;
mod certificate;
pub mod create;
pub mod deploy;
pub mod list;
mod named;
pub mod redeploy;
pub mod restore;
pub mod show;
pub mod status;
pub mod undeploy;
pub mod update;

use super::app::App;
use crate::error::{Exit, Failure};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart site deploy blog.json
  cart site list
  cart site undeploy blog.example.org";

/// The arguments of `cart site`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SiteArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a site file
    ///
    /// Identifiers and the administrator's password are made; `cart site deploy` takes the file.
    Create(create::CreateArgs),
    /// Deploy sites, for the first time or again
    ///
    /// Each site of the files is deployed in a transaction of its own, with the newest releases of
    /// its packages in the library. What is deployed there is undone with the manifest that it was
    /// deployed with, and its data are kept by their retention buckets; then installers of packages
    /// that are new run, and upgraders of those that were there. When anything fails, the site is
    /// put back as it was.
    Deploy(deploy::DeployArgs),
    /// Deploy sites again as they are
    ///
    /// With the newest releases of their packages in the library, as `deploy` does.
    Redeploy(redeploy::RedeployArgs),
    /// Deploy sites again for whose packages the library has other releases
    Update(update::UpdateArgs),
    /// Undeploy sites, with their data
    ///
    /// Uninstallers run first, then everything is undone in reverse. The data of the site go, too,
    /// so without `--yes` this is asked.
    Undeploy(undeploy::UndeployArgs),
    /// Write the data of sites to archives
    ///
    /// What has a retention bucket, with the site file and the manifests, one archive for each site, in
    /// the format of UBOS. The site waits meanwhile. Archives hold passwords, and keys for TLS.
    Backup(backup::BackupArgs),
    /// Deploy a site with the data of a backup
    ///
    /// With the releases of its packages that the library has now; the data come by their retention
    /// buckets, with owners and modes of the manifests of now, and upgraders run. A bucket that the
    /// backup does not have begins empty. Data of a site that is there are replaced.
    Restore(restore::RestoreArgs),
    /// List the sites
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show what is deployed at a site
    ///
    /// Without passwords, keys and private customization points.
    Show(show::ShowArgs),
    /// Tell how sites are doing
    ///
    /// Looks for each file and folder that was deployed, and for newer releases in the library. The
    /// exit status is 1 when something is missing.
    Status(status::StatusArgs),
}

/// Runs the command on sites that was asked for.
pub fn run(args: &SiteArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Create(args) => create::run(args, app),
        Command::Deploy(args) => deploy::run(args, app),
        Command::Redeploy(args) => redeploy::run(args, app),
        Command::Update(args) => update::run(args, app),
        Command::Undeploy(args) => undeploy::run(args, app),
        Command::Backup(args) => backup::run(args, app),
        Command::Restore(args) => restore::run(args, app),
        Command::List(args) => list::run(args, app),
        Command::Show(args) => show::run(args, app),
        Command::Status(args) => status::run(args, app),
    }
}
