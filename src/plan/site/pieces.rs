//! What the manifest of a package means at a site: things at places, scripts, ports and so on, in
//! order.

mod words;

use super::deployment::Part;
use crate::db::DeployedSite;
use crate::error::Exit;
use crate::facts::site::{SiteFacts, Tree};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::{
    Item, ItemKind, Mode, Names, Run, Runner, Script, Source, Sql, Task, TaskPhase, UnitPhase,
};
use crate::package::ubos::point::PointKind;
use crate::package::ubos::role::{Role, RoleName};
use crate::plan::Refusal;
use crate::site::database::{Server, Wanted};
use crate::site::unit::UnitName;
use crate::step::accounts::Who;
use crate::step::place_items::{Content, Source as From, Thing};
use crate::step::site_variables::{FOR_SCRIPTS, Values};
use crate::step::ubos_script::{Call, Folders, Operation, Rights, UbosScript, When};
use crate::sys::path::RelPath;
use crate::template::ubos::{Scope, Value};
use std::cell::Cell;
use std::path::PathBuf;
use words::Sort;

/// Something at a place on the host.
pub(super) struct Placed {
    /// The place, as the manifest names it: below the root directory, perhaps through links.
    pub(super) at: RelPath,
    /// What it is.
    pub(super) thing: Thing,
    /// Whose it is.
    pub(super) owner: Option<(Who, Who)>,
    /// Where its data are found again, where they are kept.
    pub(super) bucket: Option<Kept>,
    /// The modes of folders and files in data that come from a backup.
    pub(super) restored: (Mode, Mode),
}

/// By what kept data are found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    pub(super) app: String,
    pub(super) package: String,
    pub(super) role: RoleName,
    pub(super) bucket: String,
    /// Which of several places.
    pub(super) number: usize,
}

/// One part of deploying or undeploying a package.
pub(super) enum Piece {
    /// Something at a place.
    Placed(Placed),
    /// A script.
    Script(Box<UbosScript>),
    /// A unit of systemd.
    Unit {
        /// Which one.
        name: UnitName,
        /// When it is started.
        phase: UnitPhase,
        /// Its file in the package, where that brings one.
        brought: Option<PathBuf>,
    },
    /// A database.
    Database(Database),
    /// Statements.
    Sql(Statements),
}

/// A database of a package.
pub(super) struct Database {
    pub(super) role: RoleName,
    /// What the manifest calls it.
    pub(super) name: String,
    pub(super) wanted: Wanted,
    /// Whose it is, where it is a file.
    pub(super) owner: Option<(Who, Who)>,
    /// By what its data are found again, where they are kept.
    pub(super) bucket: Option<Kept>,
}

/// Statements for a database.
pub(super) struct Statements {
    pub(super) server: Server,
    pub(super) role: RoleName,
    /// What the manifest calls the database.
    pub(super) database: String,
    /// What messages call them.
    pub(super) source: String,
    pub(super) content: Content,
    /// The file that they become where they are rendered, relative to the state.
    pub(super) text: String,
    pub(super) delimiter: char,
}

/// What pieces are made with.
pub(super) struct Maker<'a> {
    pub(super) facts: &'a SiteFacts,
    pub(super) part: &'a Part,
    /// The tree of its package, where that is to be looked into.
    tree: Option<&'a Tree>,
    scope: Scope,
    /// How many files of statements there are.
    texts: Cell<u32>,
}

impl<'a> Maker<'a> {
    /// Works on `part`; what it names in its package has to be there.
    pub(super) fn new(facts: &'a SiteFacts, part: &'a Part) -> Result<Self, Refusal> {
        let scope = scope(&part.check)?;
        Ok(Self { facts, part, tree: facts.trees.get(&part.place), scope, texts: Cell::new(0) })
    }

    /// Works on what was deployed: nothing is asked of its tree any more.
    pub(super) fn of_old(facts: &'a SiteFacts, part: &'a Part) -> Result<Self, Refusal> {
        let scope = scope(&part.check)?;
        Ok(Self { facts, part, tree: None, scope, texts: Cell::new(0) })
    }

    /// The items of all roles, in order.
    pub(super) fn items(&self, operation: Operation) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = self.point_files()?;
        for role in &self.part.manifest().roles {
            for item in &role.items {
                self.item(role, item, operation, &mut pieces)?;
            }
        }
        Ok(pieces)
    }

    /// Files with the values of customization points, for programs that read them.
    fn point_files(&self) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        for point in self.part.manifest().points.iter().filter(|point| !point.private) {
            let begin = format!("installable.customizationpoints.{}", point.name);
            let Some(file) = self.part.text(&format!("{begin}.filename")) else { continue };
            let content = Content::Value(format!("{begin}.value"));
            // Passwords are the web server's business and nobody else's.
            let mode = if point.kind == PointKind::Password { 0o640 } else { 0o644 };
            pieces.push(Piece::Placed(Placed {
                at: self.absolute(file)?,
                thing: Thing::File { content, mode: Some(mode), kept: None },
                owner: self.owner_of("root", self.part.text("apache2.gname").unwrap_or("root"))?,
                bucket: None,
                restored: (Mode::Preserve, Mode::Preserve),
            }));
        }
        Ok(pieces)
    }

    fn item(
        &self,
        role: &Role,
        item: &Item,
        operation: Operation,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Refusal> {
        match &item.kind {
            ItemKind::File { names, .. }
            | ItemKind::Directory { names, .. }
            | ItemKind::Tree { names, .. }
            | ItemKind::Symlink { names, .. } => {
                for (number, name) in names.as_slice().iter().enumerate() {
                    pieces.push(Piece::Placed(Placed {
                        at: self.place(role, name)?,
                        thing: self.thing(&item.kind, name)?,
                        owner: self.owner(&item.kind)?,
                        bucket: self.bucket(role, item, number),
                        restored: words::restored(&item.kind),
                    }));
                }
            }
            ItemKind::Script(script) => {
                let script = self.script(role, script, (operation, TaskPhase::Deployed))?;
                pieces.push(Piece::Script(Box::new(script)));
            }
            ItemKind::Unit { kind, name, phase } => {
                let name = UnitName::new(&self.render(name)?, *kind);
                let name = name.map_err(wrong)?;
                let brought = self.unit_file(&name);
                pieces.push(Piece::Unit { name, phase: *phase, brought });
            }
            ItemKind::Database { name, privileges, charset, collate } => {
                let words = (charset.as_deref(), collate.as_deref());
                let wanted = Wanted::parse(self.server(role)?, privileges, words);
                let bucket =
                    item.keep.as_ref().map(|bucket| self.kept(role.name, bucket.as_str(), 0));
                pieces.push(Piece::Database(Database {
                    role: role.name,
                    name: name.to_string(),
                    wanted: wanted.map_err(wrong)?,
                    owner: self.owner_of_file(role)?,
                    bucket,
                }));
            }
            ItemKind::Sql(sql) => pieces.push(Piece::Sql(self.statements(role, sql)?)),
            ItemKind::Port { .. } => {}
        }
        Ok(())
    }

    fn server(&self, role: &Role) -> Result<Server, Refusal> {
        Server::of(role.name).ok_or_else(|| {
            let text =
                format!("role `{}` of `{}` has no databases", role.name.as_str(), self.part.name());
            Refusal::new(Exit::Conflict, text)
        })
    }

    fn statements(&self, role: &Role, sql: &Sql) -> Result<Statements, Refusal> {
        let database = sql.database.to_string();
        let (Source::File(path) | Source::Template(path, _)) = &sql.content else {
            return Err(wrong("statements have to be in a file".into()));
        };
        let known = super::values::databases(&self.part.installable);
        if !known.iter().any(|one| *one == (role.name, database.clone())) {
            let text = format!(
                "`{}` of `{}` is for the database `{database}`, which role `{}` does not have",
                path.of(&database).escape_debug(),
                self.part.name(),
                role.name.as_str()
            );
            return Err(Refusal::new(Exit::Conflict, text));
        }
        self.texts.set(self.texts.get() + 1);
        Ok(Statements {
            server: self.server(role)?,
            role: role.name,
            source: path.of(&database),
            content: self.content(&sql.content, &database)?,
            text: format!("{}-{}.sql", self.part.variables, self.texts.get()),
            delimiter: sql.delimiter,
            database,
        })
    }

    /// The tasks of one phase, of all roles in order.
    pub(super) fn tasks(
        &self,
        of: impl Fn(&Role) -> &[Task],
        (operation, phase): (Operation, TaskPhase),
    ) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        for role in &self.part.manifest().roles {
            for task in of(role).iter().filter(|task| task.phase == phase) {
                pieces.push(match &task.run {
                    Run::Script(script) => {
                        let script = self.script(role, script, (operation, phase))?;
                        Piece::Script(Box::new(script))
                    }
                    Run::Sql(sql) => Piece::Sql(self.statements(role, sql)?),
                });
            }
        }
        Ok(pieces)
    }

    /// What installers, and uninstallers, do before anything of the package leaves.
    pub(super) fn uninstall(&self) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        let how = |phase| (Operation::Uninstall, phase);
        for phase in [TaskPhase::Deployed, TaskPhase::Resumed] {
            let installers = self.tasks(|role| &role.installers, how(phase))?;
            // Statements say what an installer does, not what takes it back.
            pieces.extend(installers.into_iter().filter(|one| matches!(one, Piece::Script(_))));
            pieces.extend(self.tasks(|role| &role.uninstallers, how(phase))?);
        }
        pieces.reverse();
        Ok(pieces)
    }

    fn bucket(&self, role: &Role, item: &Item, number: usize) -> Option<Kept> {
        if let ItemKind::File { names: Names::Many(_), .. } | ItemKind::Symlink { .. } = &item.kind
        {
            return None;
        }
        item.keep.as_ref().map(|bucket| self.kept(role.name, bucket.as_str(), number))
    }

    /// By what the data of a bucket are found again.
    pub(super) fn kept(&self, role: RoleName, bucket: &str, number: usize) -> Kept {
        Kept {
            app: self.part.app.id.to_string(),
            package: self.part.name().to_string(),
            role,
            bucket: bucket.to_owned(),
            number,
        }
    }

    fn script(
        &self,
        role: &Role,
        script: &Script,
        (operation, phase): (Operation, TaskPhase),
    ) -> Result<UbosScript, Refusal> {
        let source = self.source(&script.source, "", Sort::File)?;
        let file = match &source {
            From::Package(path) => self.part.code_path.join(path),
            From::Code => self.part.code_path.clone(),
            From::Host(path) => {
                std::path::Path::new(&format!("{}/", self.facts.places.root)).join(path)
            }
        };
        let to = self.part.text(&format!("appconfig.{}.dir", role.name.as_str()));
        let to = to.filter(|_| role.name.is_web()).unwrap_or_default().to_owned();
        Ok(UbosScript {
            package: self.part.name().to_string(),
            source: self.render(&script.source.of(""))?,
            file,
            call: match (script.runner, phase) {
                (Runner::Exec, _) => Call::Exec,
                (Runner::Perl, TaskPhase::Deployed) => Call::Perl,
                (Runner::Perl, TaskPhase::Resumed) => Call::PerlAfterResume,
            },
            operation,
            variables: format!("{}{FOR_SCRIPTS}", self.part.variables),
            secrets: self.secrets(),
            folders: Folders { from: self.part.code_path.display().to_string(), to },
            rights: if self.facts.is_root { Rights::Root } else { Rights::Caller },
            when: When::Forward,
        })
    }

    /// The variables that nobody is shown.
    fn secrets(&self) -> Vec<String> {
        let points = self.part.manifest().points.iter();
        let secret = points.filter(|point| point.private || point.kind == PointKind::Password);
        secret
            .map(|point| format!("installable.customizationpoints.{}.value", point.name))
            .collect()
    }
}

fn wrong(text: String) -> Refusal {
    Refusal::new(Exit::Conflict, text)
}

fn scope(values: &Values) -> Result<Scope, Refusal> {
    let mut scope = Scope::default();
    for (name, value) in values {
        let value: &Chosen = value;
        scope
            .put(name.as_str(), Value::Fixed(value.clone()))
            .map_err(|error| Refusal::new(Exit::Failed, error.to_string()))?;
    }
    Ok(scope)
}

/// Tells whether an app with accessories had a package before.
pub(super) fn had(old: Option<&DeployedSite>, part: &Part) -> bool {
    let same = |one: &crate::db::SitePackage| {
        one.appconfig == part.app.id && one.installable.name == *part.name()
    };
    old.is_some_and(|old| old.new.packages.iter().any(same))
}
