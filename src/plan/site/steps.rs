//! From what a package means to steps; neighbours at places become one step.

use super::deployment::{Part, context_of};
use super::pieces::{Piece, Placed, Statements};
use super::spots::Spots;
use super::{Side, SiteAsk};
use crate::db::{ResourceKind, SiteResource};
use crate::package::ubos::Kind;
use crate::package::ubos::item::UnitPhase;
use crate::package::ubos::name::{Context, HostName, SiteId};
use crate::package::ubos::role::{AppContext, RoleName};
use crate::plan::Plan;
use crate::site::database::{Provisioned, Server};
use crate::site::unit::UnitName;
use crate::step::AnyStep;
use crate::step::check_templates::CheckTemplates;
use crate::step::drop_database::DropDatabase;
use crate::step::dump_database::DumpDatabase;
use crate::step::load_database::LoadDatabase;
use crate::step::place_items::{Content, PlaceItems, Placing, Source, Thing};
use crate::step::provision_database::ProvisionDatabase;
use crate::step::run_sql::RunSql;
use crate::step::site_variables::{MadeDatabase, SiteVariables, Text};
use crate::step::switch_unit::{Switch, SwitchUnit};
use crate::step::take_items::{TakeItems, Taking};
use crate::step::ubos_script::{Operation, UbosScript, When};
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Steps in the making.
pub(super) struct Steps<'a> {
    spots: &'a Spots,
    taken: Vec<Taking>,
    brought: Vec<Placing>,
    made: BTreeSet<RelPath>,
    /// Whether data come from a backup, and those that are there go.
    restores: bool,
}

/// Where a step has left what it made of a database, or where it is written down, relative to the
/// state.
fn result_of(part: &Part, role: RoleName, name: &str) -> String {
    format!("{}-{}-{name}.db", part.variables, role.as_str())
}

/// Where the data of a database wait, relative to the state.
pub(super) fn dump_of(site: &SiteId, number: u32) -> String {
    format!("sites/{site}/old/{number}.dump")
}

/// What messages call a database.
pub(super) fn title_of(part: &Part, name: &str) -> String {
    format!("`{name}` of `{}`", part.name())
}

/// What is known of a database that is deployed.
pub(super) fn provisioned(
    resources: &[SiteResource],
    part: &Part,
    role: RoleName,
    name: &str,
) -> Option<Provisioned> {
    let is = |one: &&SiteResource| {
        one.appconfig.as_ref() == Some(&part.app.id)
            && one.package.as_ref() == Some(part.name())
            && one.kind.as_str() == role.as_str()
            && one.name == name
    };
    let found = resources.iter().find(is)?;
    serde_json::from_value(found.value.clone()).ok()
}

impl<'a> Steps<'a> {
    pub(super) fn new(spots: &'a Spots, ask: &SiteAsk<'_>) -> Self {
        let restores = ask.restored.is_some();
        Self { spots, taken: Vec::new(), brought: Vec::new(), made: BTreeSet::new(), restores }
    }

    /// Makes the databases of a package that comes, and writes its variables down.
    pub(super) fn begin(
        plan: &mut Plan,
        (site, part): (&SiteId, &Part),
        pieces: (&[Piece], &[&Piece]),
    ) {
        let mut databases = Vec::new();
        for piece in pieces.0 {
            let Piece::Database(database) = piece else { continue };
            let result = result_of(part, database.role, &database.name);
            plan.step(ProvisionDatabase {
                title: title_of(part, &database.name),
                wanted: database.wanted.clone(),
                owner: database.owner.clone(),
                result: result.clone(),
            });
            let kind = match database.wanted.server {
                Server::Mysql => ResourceKind::Mysql,
                Server::Postgresql => ResourceKind::Postgresql,
                Server::Sqlite => ResourceKind::Sqlite,
            };
            let resource = SiteResource {
                appconfig: Some(part.app.id.clone()),
                package: Some(part.name().clone()),
                kind,
                name: database.name.clone(),
                value: serde_json::Value::Null,
            };
            databases.push(MadeDatabase { site: site.clone(), resource, result });
        }
        let all = pieces.0.iter().chain(pieces.1.iter().copied());
        plan.step(SiteVariables {
            package: part.name().to_string(),
            file: part.variables.clone(),
            values: part.values.clone(),
            databases,
            texts: texts(part, all),
            files: BTreeMap::new(),
        });
    }

    /// Writes the variables of a package down that is deployed, and what is known of its databases.
    pub(super) fn begin_old(
        plan: &mut Plan,
        (resources, part): (&[SiteResource], &Part),
        pieces: (&[Piece], &[Piece]),
    ) {
        let mut files = BTreeMap::new();
        for piece in pieces.0 {
            let Piece::Database(database) = piece else { continue };
            let found = provisioned(resources, part, database.role, &database.name);
            let result = result_of(part, database.role, &database.name);
            let name = result.rsplit('/').next().unwrap_or_default().to_owned();
            files.extend(found.and_then(|there| Some((name, serde_json::to_value(there).ok()?))));
        }
        plan.step(SiteVariables {
            package: part.name().to_string(),
            file: part.variables.clone(),
            values: part.values.clone(),
            databases: Vec::new(),
            texts: texts(part, pieces.1.iter()),
            files,
        });
    }

    /// Keeps the data of databases that the new deployment wants; what nobody needs any more goes
    /// when it has happened.
    pub(super) fn keep_databases(
        &self,
        plan: &mut Plan,
        (site, resources, part): (&SiteId, &[SiteResource], &Part),
        pieces: &[Piece],
    ) {
        for piece in pieces {
            let Piece::Database(database) = piece else { continue };
            let found = provisioned(resources, part, database.role, &database.name);
            let Some(there) = found else { continue };
            let title = title_of(part, &database.name);
            let kept = database.bucket.as_ref().and_then(|kept| self.spots.kept_as(kept));
            if let Some(number) = kept.filter(|_| !self.restores) {
                plan.step(DumpDatabase {
                    title: title.clone(),
                    database: there.database.clone(),
                    to: dump_of(site, number),
                });
            }
            plan.after.push(AnyStep::from(DropDatabase { title, database: there.database }));
        }
    }

    /// Loads what was kept.
    pub(super) fn load_databases(
        &self,
        plan: &mut Plan,
        (site, part): (&SiteId, &Part),
        pieces: &[Piece],
    ) {
        for piece in pieces {
            let Piece::Database(database) = piece else { continue };
            let kept = database.bucket.as_ref().and_then(|kept| self.spots.kept_as(kept));
            let Some(number) = kept else { continue };
            plan.step(LoadDatabase {
                title: title_of(part, &database.name),
                database: result_of(part, database.role, &database.name),
                from: dump_of(site, number),
            });
        }
    }

    /// Takes something away that is deployed.
    pub(super) fn take(&mut self, plan: &mut Plan, part: &Part, piece: &Piece) {
        match piece {
            Piece::Placed(placed) => {
                let path = self.spots.real(placed);
                let kept = self.spots.kept(placed).filter(|_| !self.restores);
                self.taken.push(Taking::Thing { path, kept });
            }
            Piece::Script(script) => {
                self.flush_taken(plan, part);
                script_step(plan, script);
            }
            Piece::Unit { name, phase: UnitPhase::Deploy, brought } => {
                self.flush_taken(plan, part);
                plan.step(switched(part, (name, brought), Switch::Off));
            }
            // Databases go after the commit, and with them what statements have done.
            Piece::Unit { .. } | Piece::Database(_) | Piece::Sql(_) => {}
        }
    }

    /// Brings something that is new.
    pub(super) fn bring(&mut self, plan: &mut Plan, part: &Part, piece: &Piece) {
        match piece {
            Piece::Placed(placed) => {
                if !self.spots.is_replaced(placed) {
                    self.add(placed);
                }
            }
            Piece::Unit { phase: UnitPhase::SuspendResume, .. } | Piece::Database(_) => {}
            other => {
                self.flush_brought(plan, part);
                Self::run(plan, part, other);
            }
        }
    }

    /// Runs scripts only when what follows is put back, in their order.
    pub(super) fn run_back(plan: &mut Plan, pieces: &[Piece]) {
        for piece in pieces.iter().rev() {
            if let Piece::Script(script) = piece {
                plan.step(UbosScript { when: When::Back, ..(**script).clone() });
            }
        }
    }

    /// Runs a script or statements, or starts a unit.
    pub(super) fn run(plan: &mut Plan, part: &Part, piece: &Piece) {
        match piece {
            Piece::Script(script) => script_step(plan, script),
            Piece::Sql(sql) => plan.step(statements(part, sql)),
            Piece::Unit { name, brought, .. } => {
                plan.step(switched(part, (name, brought), Switch::On));
            }
            Piece::Placed(_) | Piece::Database(_) => {}
        }
    }

    fn add(&mut self, placed: &Placed) {
        let path = self.spots.real(placed);
        self.parents(path.parent().as_ref());
        let mut thing = with_data(&placed.thing, self.spots.kept(placed));
        if let (true, Thing::Folder { inner_mode, file_mode, .. }) = (self.restores, &mut thing) {
            (*inner_mode, *file_mode) = placed.restored;
        }
        self.brought.push(Placing { path, what: thing, owner: placed.owner.clone() });
    }

    fn parents(&mut self, folder: Option<&RelPath>) {
        for path in folder.map(|path| self.spots.parents_of(path)).unwrap_or_default() {
            if self.made.insert(path.clone()) {
                self.brought.push(Placing { path, what: Thing::Parent, owner: None });
            }
        }
    }

    /// Makes the folders that all of the site finds.
    pub(super) fn common_folders(&mut self, side: &Side) {
        for path in self.spots.common(side) {
            self.parents(Some(&path));
        }
    }

    pub(super) fn flush_taken(&mut self, plan: &mut Plan, part: &Part) {
        if !self.taken.is_empty() {
            let acts = std::mem::take(&mut self.taken);
            plan.step(TakeItems { package: part.name().to_string(), acts });
        }
    }

    pub(super) fn flush_brought(&mut self, plan: &mut Plan, part: &Part) {
        if !self.brought.is_empty() {
            plan.step(PlaceItems {
                package: part.name().to_string(),
                code: part.code.clone(),
                variables: part.variables.clone(),
                acts: std::mem::take(&mut self.brought),
            });
        }
    }
}

fn script_step(plan: &mut Plan, script: &UbosScript) {
    if matches!(script.operation, Operation::Upgrade | Operation::Uninstall) {
        let (source, package) = (&script.source, &script.package);
        plan.irreversible.push(format!("what `{source}` of `{package}` does elsewhere"));
    }
    plan.step(script.clone());
}

fn switched(part: &Part, (unit, brought): (&UnitName, &Option<PathBuf>), to: Switch) -> SwitchUnit {
    let package = part.name().to_string();
    SwitchUnit { package, unit: unit.clone(), to, brought: brought.clone() }
}

/// Switches the units of a package that are there only while its site answers.
pub(super) fn switch_for_site(plan: &mut Plan, part: &Part, pieces: &[Piece], to: Switch) {
    for piece in pieces {
        if let Piece::Unit { name, phase: UnitPhase::SuspendResume, brought } = piece {
            plan.step(switched(part, (name, brought), to));
        }
    }
}

fn statements(part: &Part, sql: &Statements) -> RunSql {
    let file = match &sql.content {
        Content::Copy(Source::Package(path)) => part.code.join(path).to_string(),
        _ => sql.text.clone(),
    };
    RunSql {
        package: part.name().to_string(),
        source: sql.source.clone(),
        server: sql.server,
        database: result_of(part, sql.role, &sql.database),
        file,
        delimiter: sql.delimiter,
    }
}

/// The statements that have to become files first.
fn texts<'b>(part: &Part, pieces: impl Iterator<Item = &'b Piece>) -> Vec<Text> {
    let statements = pieces.filter_map(|piece| match piece {
        Piece::Sql(sql) if !matches!(sql.content, Content::Copy(Source::Package(_))) => Some(sql),
        _ => None,
    });
    let text = |sql: &Statements| Text {
        code: part.code.clone(),
        content: sql.content.clone(),
        to: sql.text.clone(),
    };
    statements.map(text).collect()
}

fn with_data(thing: &Thing, number: Option<u32>) -> Thing {
    let mut thing = thing.clone();
    match &mut thing {
        Thing::Folder { kept, .. } | Thing::File { kept, .. } | Thing::Tree { kept, .. } => {
            *kept = number;
        }
        Thing::Parent | Thing::Link { .. } => {}
    }
    thing
}

/// Templates that are scripts are tried before anything is changed.
pub(super) fn check_templates(plan: &mut Plan, new: &Side) {
    for (part, pieces) in new.deployment.parts.iter().zip(&new.pieces) {
        let templates: Vec<Source> = pieces.iter().filter_map(perl_template).collect();
        if !templates.is_empty() {
            plan.step(CheckTemplates {
                package: part.name().to_string(),
                code: part.code.clone(),
                values: part.check.clone(),
                templates,
            });
        }
    }
}

fn perl_template(piece: &Piece) -> Option<Source> {
    match piece {
        Piece::Placed(Placed {
            thing: Thing::File { content: Content::Perl(source), .. }, ..
        })
        | Piece::Sql(Statements { content: Content::Perl(source), .. }) => Some(source.clone()),
        _ => None,
    }
}

/// The packages of the host that a package wants to be there, as the original's host names them.
pub(super) fn depends(part: &Part) -> Option<String> {
    let roles = part.manifest().roles.iter();
    let names: BTreeSet<&str> =
        roles.flat_map(|role| &role.depends).map(HostName::as_str).collect();
    let all: Vec<&str> = names.into_iter().collect();
    let text = || {
        let (name, all) = (part.name(), all.join("`, `"));
        format!("`{name}` needs of the host what Arch calls `{all}`; see to it that it is there")
    };
    (!all.is_empty()).then(text)
}

/// A line about a package that comes.
pub(super) fn describe(part: &Part) -> String {
    let name = part.name();
    match &part.manifest().kind {
        Kind::App => {
            let own = part.app.context.as_ref().map(Context::as_str);
            let usual = context_of(part.manifest()).map(|context| match context {
                AppContext::Default(context) | AppContext::Fixed(context) => context.as_str(),
            });
            let at = own.or(usual).filter(|at| !at.is_empty()).unwrap_or("/");
            format!("`{name}` at `{at}`")
        }
        Kind::Accessory(_) => format!("`{name}`, an accessory of `{}`", part.app.app),
    }
}
