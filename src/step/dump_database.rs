//! Writes everything that is in a database to a file: for the database that comes after it, or for a
//! backup.

use super::database_client::{self, Call};
use super::{Cx, Said, Step, database_file};
use crate::error::{Exit, Failure};
use crate::site::database::{Database, Server};
use crate::sys::checkpoint::checkpoint;

/// What is dumped, and where to.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DumpDatabase {
    /// What messages call it.
    pub title: String,
    /// Which one.
    pub database: Database,
    /// The file, relative to the state. It must not be there, and its folder must.
    pub to: String,
}

impl Step for DumpDatabase {
    type Undo = ();

    fn describe(&self) -> String {
        format!("keep what is in the database {}", self.title.escape_debug())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        if cx.state.has(&self.to)? {
            let text = format!("`{}` is there already", cx.state.path_of(&self.to).display());
            return Err(Failure::new(Exit::Conflict, text).hint("move it away"));
        }
        database_client::check(cx, self.database.server)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        // What an earlier try has left is half a dump.
        cx.state.remove_file(&self.to)?;
        checkpoint("dump_database: before");
        if self.database.server == Server::Sqlite {
            database_file::dump(cx, &self.database.name, &cx.state.path_of(&self.to))?;
            cx.state.set_mode(&self.to, 0o600)?;
        } else {
            let file = cx.state.create_file(&self.to, 0o600)?;
            let doing = format!("write down the database {}", self.title.escape_debug());
            Call::dump(cx, &self.database)?.writing(file).run(cx, &doing)?;
        }
        checkpoint("dump_database: after");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(cx.state.remove_file(&self.to)?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DumpDatabase {
    let (_, there) = super::provision_database::tests::file_with(world, "x");
    let to = "staging/dump".into();
    DumpDatabase { title: "`maindb` of `wiki`".into(), database: there.database, to }
}
