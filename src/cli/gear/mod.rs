//! `cart gear`: gears, from their making to their end.

pub mod activate;
pub mod add;
pub mod boot;
pub mod configure;
pub mod control;
pub mod create;
pub mod deploy;
pub mod deployment;
pub mod deployments;
pub mod destroy;
pub mod env;
pub mod exec;
pub mod expose;
mod found;
pub mod halt;
pub mod list;
pub mod logs;
mod many;
mod offered;
pub mod receive;
pub mod reload;
pub mod remove;
mod resolve;
pub mod restart;
pub mod restore;
pub mod rollback;
pub mod scale;
pub mod shell;
pub mod show;
pub mod snapshot;
pub mod ssh_key;
pub mod start;
pub mod status;
pub mod stop;
mod submodules;
pub mod threaddump;
pub mod tidy;
mod told;
mod unpacked;
pub mod upgrade;

pub(super) use many::side_by_side;
pub(super) use status::memory;

use super::app::App;
use crate::error::{Exit, Failure};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart gear create blog static-web --start
  cart gear status blog
  cart gear destroy blog";

/// The arguments of `cart gear`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct GearArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a gear out of cartridges
    ///
    /// Cartridges that are not installed yet are installed in the same transaction. When a script
    /// of a cartridge fails, everything is put back.
    Create(create::CreateArgs),
    /// Add cartridges to a gear
    ///
    /// What they require is added, too. A gear that runs goes on running, and the cartridges are
    /// started in it. When a script fails, everything is put back.
    Add(add::AddArgs),
    /// Remove cartridges from a gear
    ///
    /// They are stopped, their `teardown` runs, their addresses are free again. The cartridge that
    /// the gear was made for, and what others require, stay.
    Remove(remove::RemoveArgs),
    /// Upgrade gears to the newest releases in the library
    ///
    /// Of each cartridge the newest release that has its software version. Where that is compatible
    /// the gear goes on running; else it stops, and `setup` runs again. When a script fails, or the
    /// gear does not listen afterwards where it did before, everything is put back. An upgrade that
    /// was cut off goes on.
    Upgrade(upgrade::UpgradeArgs),
    /// Bring back the releases that a gear had before its last upgrade
    ///
    /// Their files, variables and endpoints come back, without the network; data stays as it is.
    Rollback(rollback::RollbackArgs),
    /// List the gears
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show what a gear is made of
    ///
    /// Shows its home, cartridges, state and endpoints.
    Show(show::ShowArgs),
    /// Start a gear
    ///
    /// The cartridges are started one after the other, the primary last; then the gear's endpoints
    /// are probed, and silence is told with the end of its log. With `--all`, every gear.
    Start(start::StartArgs),
    /// Stop a gear
    ///
    /// It stays stopped, over restarts of the host too, until it is started again. With `--force`
    /// its processes are killed, without asking its cartridges.
    Stop(stop::StopArgs),
    /// Restart a gear
    ///
    /// Each cartridge is told to restart, the primary last. One that is stopped is started. The gears
    /// of a scaled application restart by batches, while its web proxy sends requests to the others;
    /// when one does not listen afterwards, everything is put back.
    Restart(restart::RestartArgs),
    /// Let a gear read its configuration again
    ///
    /// A started gear's cartridges are told `reload`, any other's `force-reload`.
    Reload(reload::ReloadArgs),
    /// Throw away what a gear does not need
    ///
    /// Stops the gear, empties its own temporary folder, tells its cartridges to tidy up, starts
    /// it again, and collects the garbage in its repository. One that is stopped stays stopped.
    Tidy(tidy::TidyArgs),
    /// Let a gear tell what its threads do
    ///
    /// Only cartridges that list `threaddump` in `Additional-Control-Actions` are asked; where the
    /// answer goes, its log mostly, is theirs to choose. The gear has to be started.
    Threaddump(threaddump::ThreaddumpArgs),
    /// Call an action of a gear's cartridges by hand
    ///
    /// Calls `bin/control ACTION` of all cartridges or of one, between the hooks of the gear's
    /// application. Actions: start, stop, restart, reload, force-reload, status, tidy, threaddump,
    /// pre-receive, post-receive, pre-repo-archive, update-configuration, pre-build, build, deploy,
    /// post-deploy, pre-snapshot, post-snapshot, pre-restore, post-restore, update-cluster,
    /// enable-server, disable-server.
    Control(control::ControlArgs),
    /// Start a gear because the host has started
    ///
    /// One that its user has stopped, or never started, stays as it is. `cart doctor
    /// --install-unit` writes a unit that does this at each start of the host.
    Boot(boot::BootArgs),
    /// Stop a gear because the host goes down
    ///
    /// Unlike after `stop`, `boot` starts it again.
    Halt(halt::HaltArgs),
    /// Tell how a gear is doing
    ///
    /// Asks each cartridge, shows what it says, and ends with the exit status that it gave.
    Status(status::StatusArgs),
    /// Build a new version of a gear's application and put it to use
    ///
    /// The gear is stopped, a deployment is made of what its repository has, built, and put to use.
    /// When anything before the end fails, the gear goes on with the version that it had.
    Deploy(deploy::DeployArgs),
    /// List the deployments that a gear keeps
    Deployments(deployments::DeploymentsArgs),
    /// Work on one deployment of a gear
    Deployment(deployment::DeploymentArgs),
    /// Change how many gears a scaled application has
    ///
    /// The application was made with `gear create --scale`. New gears get its web framework and the
    /// deployment that it uses, and are started where it runs; then its web proxy is told. Of gears
    /// that are too many, the youngest go. When anything fails, everything is put back.
    Scale(scale::ScaleArgs),
    /// Put a deployment to use that a gear keeps
    ///
    /// The gear is stopped, sees that deployment, and is started again. When anything before the
    /// end fails, it goes on with the one that it had.
    Activate(activate::ActivateArgs),
    /// Tell or change how a gear is deployed
    ///
    /// Without an option it tells. With fewer deployments to keep, the oldest go at the next
    /// deployment.
    Configure(configure::ConfigureArgs),
    /// Save what is in a gear, as an archive
    ///
    /// The gear is stopped, packed, and started again, whatever fails. The archive goes to standard
    /// output, or to a file; what a gear can be restored from is all in it. Of a scaled application
    /// that is its head; its web proxy and the other gears go on serving.
    Snapshot(snapshot::SnapshotArgs),
    /// Bring back what is in a snapshot
    ///
    /// Data, deployments and repository become those of the archive; with `--as`, in a new gear. When
    /// anything before the end fails, the gear goes on as it was. Of a scaled application its head is
    /// restored, and the other gears get the deployment that it gets.
    Restore(restore::RestoreArgs),
    /// See to who may push to a gear over ssh
    SshKey(ssh_key::SshKeyArgs),
    /// What a push over ssh calls
    #[command(hide = true)]
    Serve(ssh_key::ServeArgs),
    /// What the hooks of a gear's repository call
    #[command(hide = true)]
    Receive(receive::ReceiveArgs),
    /// Destroy a gear with everything in it
    ///
    /// The gear is stopped first. Its data goes too, so without `--yes` this is asked.
    Destroy(destroy::DestroyArgs),
    /// Give a gear public ports
    ///
    /// Endpoints that ask for a public port get one, which nginx passes on to them.
    #[command(after_help = expose::EXPOSE_EXAMPLES)]
    Expose(expose::ExposeArgs),
    /// Take a gear's public ports away
    #[command(after_help = expose::UNEXPOSE_EXAMPLES)]
    Unexpose(expose::ExposeArgs),
    /// Look after the variables of a gear
    Env(env::EnvArgs),
    /// Run a command in a gear's environment
    ///
    /// The command runs as the gear: as its user, with its environment, in its home. Its exit
    /// status becomes that of cart.
    Exec(exec::ExecArgs),
    /// Open a shell in a gear
    ///
    /// It runs as the gear, as `exec` does. Without a terminal it reads its commands from standard
    /// input.
    Shell(shell::ShellArgs),
    /// Show what a gear's logs say
    ///
    /// Shows the last lines of each of its log files.
    Logs(logs::LogsArgs),
}

/// Runs the command on gears that was asked for.
pub fn run(args: &GearArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Create(args) => create::run(args, app),
        Command::Add(args) => add::run(args, app),
        Command::Remove(args) => remove::run(args, app),
        Command::Upgrade(args) => upgrade::run(args, app),
        Command::Rollback(args) => rollback::run(args, app),
        Command::List(args) => list::run(args, app),
        Command::Show(args) => show::run(args, app),
        Command::Start(args) => start::run(args, app),
        Command::Stop(args) => stop::run(args, app),
        Command::Restart(args) => restart::run(args, app),
        Command::Reload(args) => reload::run(args, app),
        Command::Tidy(args) => tidy::run(args, app),
        Command::Threaddump(args) => threaddump::run(args, app),
        Command::Control(args) => control::run(args, app),
        Command::Boot(args) => boot::run(args, app),
        Command::Halt(args) => halt::run(args, app),
        Command::Shell(args) => shell::run(args, app),
        Command::Status(args) => status::run(args, app),
        Command::Deploy(args) => deploy::run(args, app),
        Command::Deployments(args) => deployments::run(args, app),
        Command::Deployment(args) => deployment::run(args, app),
        Command::Scale(args) => scale::run(args, app),
        Command::Activate(args) => activate::run(args, app),
        Command::Configure(args) => configure::run(args, app),
        Command::Snapshot(args) => snapshot::run(args, app),
        Command::Restore(args) => restore::run(args, app),
        Command::SshKey(args) => ssh_key::run(args, app),
        Command::Serve(args) => ssh_key::serve(args, app),
        Command::Receive(args) => receive::run(args, app),
        Command::Destroy(args) => destroy::run(args, app),
        Command::Expose(args) => expose::expose(args, app),
        Command::Unexpose(args) => expose::unexpose(args, app),
        Command::Env(args) => env::run(args, app),
        Command::Exec(args) => exec::run(args, app),
        Command::Logs(args) => logs::run(args, app),
    }
}
