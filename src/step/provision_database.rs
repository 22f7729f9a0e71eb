//! Makes a new, empty database for an app, with a user of its own.
//!
//! Names and password are drawn when the step is prepared, so that no plan holds them. What came of
//! it is written to the file `result` ([`Provisioned`] as JSON, for nobody else to read), from which
//! later steps of the same transaction take it, and from which variables are filled. Going back drops
//! both; a database that was there before is never touched, since nobody else has these names.

use super::accounts::{Accounts, Kind, Who};
use super::database_client::{self, Call};
use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step, database_file, folders};
use crate::error::{Exit, Failure};
use crate::package::ubos::site::Secret;
use crate::site::database::{self, Database, Provisioned, Server, Wanted, mysql, postgresql};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::{host, tree};
use std::path::{Path, PathBuf};

/// A database that an app needs.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProvisionDatabase {
    /// What messages call it: the manifest's name, and whose it is.
    pub title: String,
    /// What it is to be like.
    pub wanted: Wanted,
    /// Whose the file is, user and group, where it is one.
    pub owner: Option<(Who, Who)>,
    /// Where the result is written, relative to the state.
    pub result: String,
}

/// What was drawn, and what was there before.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Undo {
    database: Database,
    credential: Secret,
    before: Vec<Before>,
    missing: Vec<PathBuf>,
}

/// Reads what a step of this kind has left at `result`.
pub fn read(cx: &Cx<'_>, result: &str) -> Result<Provisioned, Failure> {
    let text = cx.state.read(result, LONGEST)?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot read what is known of a database: {error}"))
    })
}

/// The longest result.
const LONGEST: u64 = 64 << 10;

impl ProvisionDatabase {
    fn create(&self, undo: &Undo, cx: &Cx<'_>) -> Result<(), Failure> {
        let Undo { database, credential, .. } = undo;
        let doing = format!("make the database {}", self.title.escape_debug());
        let administrator = |name: &str, statements: &str| {
            let call = Call::administrator(cx, database.server, name)?.saying(cx, statements)?;
            call.hiding(&credential.0).run(cx, &doing).map(drop)
        };
        match database.server {
            Server::Mysql => administrator("", &mysql::create(database, &self.wanted, credential)),
            Server::Postgresql => {
                administrator("", &postgresql::create(database, &self.wanted, credential))?;
                checkpoint("provision_database: half of it");
                administrator(database.name.as_str(), &postgresql::grant(database, &self.wanted))
            }
            Server::Sqlite => database_file::create(cx, &database.name, self.owner()?),
        }
    }

    fn owner(&self) -> Result<Option<(u32, u32)>, Failure> {
        let Some((user, group)) = self.owner.as_ref().filter(|_| host::is_root()) else {
            return Ok(None);
        };
        let root = Dir::open(Path::new("/"))?;
        let user = Accounts::below(None, Kind::Users).id(&root, user)?;
        let group = Accounts::below(None, Kind::Groups).id(&root, group)?;
        user.zip(group).map(Some).ok_or_else(|| {
            let text =
                format!("there is no account for the database {}", self.title.escape_debug());
            Failure::new(Exit::Failed, text)
        })
    }

    fn provisioned(undo: &Undo, cx: &Cx<'_>) -> Provisioned {
        let Undo { database, credential, .. } = undo;
        let settings = &cx.config.databases;
        let (called, host, port) = match database.server {
            Server::Mysql => {
                (database.name.to_string(), settings.mysql.host.clone(), Some(settings.mysql.port))
            }
            Server::Postgresql => {
                let settings = &settings.postgresql;
                (database.name.to_string(), settings.host.clone(), Some(settings.port))
            }
            Server::Sqlite => {
                let path = database_file::called(cx, &database.name);
                (path.display().to_string(), String::new(), None)
            }
        };
        let credential = credential.clone();
        Provisioned { database: database.clone(), credential, called, host, port }
    }

    fn file(&self, bytes: Vec<u8>) -> [NewFile; 1] {
        [NewFile { path: self.result.clone(), bytes, mode: 0o600, owner: None }]
    }
}

impl Step for ProvisionDatabase {
    type Undo = Undo;

    fn describe(&self) -> String {
        let (title, server) = (self.title.escape_debug(), self.wanted.server.title());
        format!("make the database {title} of {server}, and a user for it")
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Undo, Failure> {
        self.owner()?;
        database_client::check(cx, self.wanted.server)?;
        let result = cx.state.path_of(&self.result);
        let mut missing = folders::missing(result.parent().unwrap_or(&result));
        if self.wanted.server == Server::Sqlite {
            missing.extend(folders::missing(&database_file::place(cx)));
        }
        Ok(Undo {
            database: Database::draw(self.wanted.server)?,
            credential: database::draw_credential()?,
            before: files::look(cx, &self.file(Vec::new()))?,
            missing,
        })
    }

    fn apply(&self, undo: &Undo, cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("provision_database: before");
        self.create(undo, cx)?;
        checkpoint("provision_database: it is there");
        let text = serde_json::to_vec(&Self::provisioned(undo, cx)).map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot write a result: {error}"))
        })?;
        let parent = Path::new(&self.result).parent();
        if let Some(parent) = parent.filter(|parent| !parent.as_os_str().is_empty()) {
            cx.state.make_dirs(parent, 0o700)?;
        }
        files::write(cx, &self.file(text))?;
        Ok(Said::default())
    }

    fn revert(&self, undo: &Undo, cx: &Cx<'_>) -> Result<(), Failure> {
        super::drop_database::remove(cx, &undo.database, &self.title)?;
        checkpoint("provision_database: it is gone again");
        files::put_back(cx, &self.file(Vec::new()), &undo.before)?;
        folders::remove_empty(&undo.missing)
    }
}

/// Removes the folder of a database that is a file.
pub(super) fn remove_file(cx: &Cx<'_>, database: &Database) -> Result<(), Failure> {
    let place = database_file::place(cx);
    if crate::sys::fs::kind_of(&place).is_some() {
        tree::remove(&Dir::open(&place)?, database.name.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> ProvisionDatabase {
    ProvisionDatabase {
        title: "`maindb` of `wiki`".into(),
        wanted: Wanted::parse(Server::Sqlite, "all privileges", (None, None)).unwrap(),
        owner: None,
        result: "sites/s1/resources/maindb.json".into(),
    }
}

#[cfg(test)]
pub(super) mod tests;
