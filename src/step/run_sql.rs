//! Runs statements of a package in a database that the same transaction has made, as the server's
//! administrator (UBOS specification, 1.3, `sqlscript`).
//!
//! Going back is the work of the step that has made the database: it drops it.

use super::database_client::Call;
use super::{Cx, Said, Step, database_file, provision_database};
use crate::error::{Exit, Failure};
use crate::site::database::Server;
use crate::sys::checkpoint::checkpoint;

/// Statements of a package.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunSql {
    /// The app or accessory.
    pub package: String,
    /// What the manifest calls the file.
    pub source: String,
    /// Of which kind the database is.
    pub server: Server,
    /// The result of the step that has made the database, relative to the state.
    pub database: String,
    /// The statements: the package's own file, or what became of a template; relative to the state.
    pub file: String,
    /// What ends a statement. `PostgreSQL` knows `;` alone, as in the original.
    pub delimiter: char,
}

/// The longest file for a database without a server.
const LONGEST: u64 = 64 << 20;

impl Step for RunSql {
    type Undo = ();

    fn describe(&self) -> String {
        let (source, package) = (self.source.escape_debug(), self.package.escape_debug());
        let server = self.server.title();
        format!("run the statements `{source}` of `{package}` as the administrator of {server}")
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let there = provision_database::read(cx, &self.database)?;
        checkpoint("run_sql: before");
        let name = &there.database.name;
        if there.database.server == Server::Sqlite {
            let text = String::from_utf8(cx.state.read(&self.file, LONGEST)?).map_err(|_| {
                let source = self.source.escape_debug();
                Failure::new(Exit::Failed, format!("`{source}` is not UTF-8"))
            })?;
            let parts: Vec<&str> = match self.delimiter {
                ';' => vec![&text],
                other => text.split(other).collect(),
            };
            database_file::run(cx, name, &parts)?;
            return Ok(Said::default());
        }
        let call = Call::administrator(cx, there.database.server, name.as_str())?;
        let call = match (there.database.server, self.delimiter) {
            (Server::Mysql, other) if other != ';' => call.delimited(other),
            _ => call,
        };
        let (source, package) = (self.source.escape_debug(), self.package.escape_debug());
        let file = cx.state.open_file(&self.file)?;
        call.reading(file).run(cx, &format!("run `{source}` of `{package}`"))?;
        checkpoint("run_sql: after");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RunSql {
    let (result, _) = super::provision_database::tests::file_with(world, "x");
    // It changes nothing: going back is not its own work.
    world.state.write_new("staging/sql", b"SELECT count(*) FROM t;", 0o600).unwrap();
    RunSql {
        package: "wiki".into(),
        source: "sql/look.sql".into(),
        server: Server::Sqlite,
        database: result,
        file: "staging/sql".into(),
        delimiter: ';',
    }
}
