//! The kinds of reversible change, and the laws that each of them keeps.
//!
//! A step prepares (looks, and copies what going back will need into the stash), applies, and can
//! be reverted whether applying finished, half-finished or never began. Steps are data: they are
//! written to the journal and read back by another process after a crash. A step never plans and
//! never opens the database; what it learned it says, and the engine writes it down.
//!
//! A new kind is one new file, its `mod` line, and its line in the table at the bottom.

pub mod accounts;
pub mod authorize_key;
pub mod await_endpoints;
pub mod call_external;
pub mod call_init;
pub mod check_cartridge;
pub mod check_endpoints;
pub mod check_templates;
pub mod clear_rewritten;
pub mod collect_garbage;
pub mod connect_frontend;
pub mod connect_site;
pub mod control;
pub mod copy_deployment;
mod cx;
mod database_client;
mod database_file;
pub mod deliver_event;
pub mod dependency_dirs;
pub mod dispatch_events;
pub mod drop_database;
pub mod drop_deployments;
pub mod drop_variables;
pub mod dump_database;
pub mod empty_temporary;
pub mod end_processes;
pub mod endpoints;
mod files;
mod folders;
pub mod forget_variables;
mod gear_files;
pub mod git_repo;
mod heard;
mod hints;
mod host_call;
pub mod host_links;
mod host_move;
mod host_program;
pub mod host_script;
pub mod init_status;
mod instance;
pub mod keep_home;
pub mod keep_repo;
#[cfg(test)]
mod laws;
pub mod load_database;
pub mod lock_files;
pub mod make_deployment;
pub mod make_gear;
pub mod make_user;
pub mod overlay_cartridge;
pub mod place_cartridge;
pub mod place_files;
pub mod place_items;
pub mod place_trees;
pub mod provision_database;
mod proxy;
pub mod record_deployment;
mod redact;
pub mod remove_cartridge;
pub mod render_templates;
pub mod resolve_externals;
pub mod restore_home;
pub mod rotate;
mod ruby;
pub mod run_extension;
pub mod run_phase;
pub mod run_script;
pub mod run_sql;
mod same_files;
pub mod sandboxed;
mod script;
pub mod set_state;
pub mod show_deployment;
pub mod site_variables;
pub mod stash_gear;
pub mod stash_trees;
pub mod status;
pub mod switch_unit;
pub mod take_items;
pub mod tell_proxy;
mod times;
mod ubos_run;
pub mod ubos_script;
pub mod update_cluster;
pub mod upgrade_files;
pub mod upgrade_script;
pub mod use_backup;
pub mod write_backup;
pub mod write_events;
pub mod write_snapshot;
pub mod write_unit;
pub mod write_variable;

pub use cx::Cx;

use crate::db::Change;
use crate::error::Failure;
use crate::sys::checkpoint::enter;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One kind of reversible change.
pub trait Step: Serialize + DeserializeOwned {
    /// What going back needs; durable before [`Step::apply`] begins.
    type Undo: Serialize + DeserializeOwned;

    /// Says what the step does, as an imperative without a full stop.
    fn describe(&self) -> String;

    /// Looks, and copies into the stash what going back will need. Changes nothing visible.
    fn prepare(&self, cx: &Cx<'_>) -> Result<Self::Undo, Failure>;

    /// Makes the change. May run again after a crash.
    fn apply(&self, undo: &Self::Undo, cx: &Cx<'_>) -> Result<Said, Failure>;

    /// Puts things back, whether `apply` finished, half-finished or never began.
    fn revert(&self, undo: &Self::Undo, cx: &Cx<'_>) -> Result<(), Failure>;

    /// Tells whether code of a package runs, whose effects only its inverse can take back.
    fn runs_scripts(&self) -> bool {
        false
    }

    /// Tells whether all that [`Step::revert`] takes back are processes: none outlives a power cut, and
    /// so the undo record need not.
    fn is_undone_by_a_power_cut(&self) -> bool {
        false
    }
}

/// What a step learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, serde::Deserialize)]
pub struct Said {
    /// Rows for the transaction's one commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Change>,
    /// Steps to run next, directly behind this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<AnyStep>,
    /// What a script wants the user to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// What a script has brought about, in its own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<String>,
    /// What a script calls an error, though it may have succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What is for whoever looks for a fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub debug: Vec<String>,
    /// What went not quite as it should.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The bits of the exit status by which an original tells what has gone wrong though all in all
    /// it has happened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub status: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Said {
    /// Adds what was learned next.
    pub(crate) fn merge(&mut self, more: Self) {
        self.records.extend(more.records);
        self.then.extend(more.then);
        self.messages.extend(more.messages);
        self.results.extend(more.results);
        self.errors.extend(more.errors);
        self.debug.extend(more.debug);
        self.warnings.extend(more.warnings);
        self.status |= more.status;
    }
}

macro_rules! steps {
    ($($module:ident :: $kind:ident),+ $(,)?) => {
        /// Any step, as it stands in a plan and in the journal.
        #[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum AnyStep {
            $(
                #[doc = concat!("See [`", stringify!($module), "`].")]
                $kind($module::$kind),
            )+
        }

        impl AnyStep {
            /// The kind's name, as it stands in the journal.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => stringify!($module),)+ }
            }

            /// See [`Step::describe`].
            pub fn describe(&self) -> String {
                match self { $(Self::$kind(step) => step.describe(),)+ }
            }

            /// See [`Step::prepare`]; the undo record comes as JSON.
            pub fn prepare(&self, cx: &Cx<'_>) -> Result<Value, Failure> {
                enter(self.kind(), "prepare");
                match self { $(Self::$kind(step) => cx::encode(&step.prepare(cx)?),)+ }
            }

            /// See [`Step::apply`].
            pub fn apply(&self, undo: &Value, cx: &Cx<'_>) -> Result<Said, Failure> {
                enter(self.kind(), "apply");
                match self { $(Self::$kind(step) => step.apply(&cx::decode(undo)?, cx),)+ }
            }

            /// See [`Step::revert`].
            pub fn revert(&self, undo: &Value, cx: &Cx<'_>) -> Result<(), Failure> {
                enter(self.kind(), "revert");
                match self { $(Self::$kind(step) => step.revert(&cx::decode(undo)?, cx),)+ }
            }

            /// See [`Step::runs_scripts`].
            pub fn runs_scripts(&self) -> bool {
                match self { $(Self::$kind(step) => step.runs_scripts(),)+ }
            }

            /// See [`Step::is_undone_by_a_power_cut`].
            pub fn is_undone_by_a_power_cut(&self) -> bool {
                match self { $(Self::$kind(step) => step.is_undone_by_a_power_cut(),)+ }
            }
        }

        $(
            impl From<$module::$kind> for AnyStep {
                fn from(step: $module::$kind) -> Self {
                    Self::$kind(step)
                }
            }
        )+

        /// Every kind, with the maker of its sample.
        #[cfg(test)]
        const SAMPLES: &[(&str, fn(&laws::World) -> AnyStep)] =
            &[$((stringify!($module), |world| $module::sample(world).into())),+];
    };
}

steps! {
    authorize_key::AuthorizeKey,
    await_endpoints::AwaitEndpoints,
    call_external::CallExternal,
    call_init::CallInit,
    check_cartridge::CheckCartridge,
    check_endpoints::CheckEndpoints,
    check_templates::CheckTemplates,
    clear_rewritten::ClearRewritten,
    collect_garbage::CollectGarbage,
    connect_frontend::ConnectFrontend,
    connect_site::ConnectSite,
    control::Control,
    copy_deployment::CopyDeployment,
    dependency_dirs::DependencyDirs,
    deliver_event::DeliverEvent,
    dispatch_events::DispatchEvents,
    drop_database::DropDatabase,
    drop_deployments::DropDeployments,
    drop_variables::DropVariables,
    dump_database::DumpDatabase,
    empty_temporary::EmptyTemporary,
    end_processes::EndProcesses,
    endpoints::ClaimEndpoints,
    forget_variables::ForgetVariables,
    git_repo::GitRepo,
    host_links::HostLinks,
    host_script::HostScript,
    keep_home::KeepHome,
    keep_repo::KeepRepo,
    load_database::LoadDatabase,
    lock_files::LockFiles,
    make_deployment::MakeDeployment,
    make_gear::MakeGear,
    make_user::MakeUser,
    overlay_cartridge::OverlayCartridge,
    place_cartridge::PlaceCartridge,
    place_files::PlaceFiles,
    place_items::PlaceItems,
    place_trees::PlaceTrees,
    provision_database::ProvisionDatabase,
    record_deployment::RecordDeployment,
    remove_cartridge::RemoveCartridge,
    render_templates::RenderTemplates,
    resolve_externals::ResolveExternals,
    rotate::Rotate,
    restore_home::RestoreHome,
    run_extension::RunExtension,
    run_phase::RunPhase,
    run_script::RunScript,
    run_sql::RunSql,
    set_state::SetState,
    show_deployment::ShowDeployment,
    site_variables::SiteVariables,
    stash_gear::StashGear,
    stash_trees::StashTrees,
    switch_unit::SwitchUnit,
    take_items::TakeItems,
    tell_proxy::TellProxy,
    ubos_script::UbosScript,
    update_cluster::UpdateCluster,
    upgrade_files::UpgradeFiles,
    upgrade_script::UpgradeScript,
    use_backup::UseBackup,
    write_backup::WriteBackup,
    write_events::WriteEvents,
    write_snapshot::WriteSnapshot,
    write_unit::WriteUnit,
    write_variable::WriteVariable,
}
