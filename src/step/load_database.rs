//! Puts a dump into a database that the same transaction has made: with the rights of the database's
//! owner alone, as a dump may come from a backup that anybody has written.
//!
//! Going back is the work of the step that has made the database: it drops it.

use super::database_client::{Call, SECRET};
use super::{Cx, Said, Step, database_file, provision_database};
use crate::error::{Exit, Failure};
use crate::package::ubos::site::Secret;
use crate::site::database::{self, Database, Server, dump, mysql, postgresql};
use crate::sys::checkpoint::checkpoint;
use crate::sys::random;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};

/// What is loaded, and where to.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LoadDatabase {
    /// What messages call it.
    pub title: String,
    /// The result of the step that has made it, relative to the state.
    pub database: String,
    /// The dump, relative to the state.
    pub from: String,
}

impl LoadDatabase {
    /// The dump as the client is to read it.
    fn adapted(&self, server: Server, cx: &Cx<'_>) -> Result<File, Failure> {
        let broken = |error: std::io::Error| {
            Failure::new(Exit::Failed, format!("cannot read a dump: {error}"))
        };
        let mut from = BufReader::new(cx.state.open_file(&self.from)?);
        let room = cx.room()?;
        room.remove_file("adapted")?;
        let file = room.scratch_file("adapted")?;
        let mut to = BufWriter::new(file.try_clone().map_err(broken)?);
        dump::adapt(server, &random::hex(16)?, &mut from, &mut to).map_err(broken)?;
        to.flush().map_err(broken)?;
        Ok(file)
    }

    fn load(&self, database: &Database, cx: &Cx<'_>) -> Result<(), Failure> {
        let doing = format!("load the database {}", self.title.escape_debug());
        let credential: Secret = database::draw_credential()?;
        let open = match database.server {
            Server::Mysql => mysql::open,
            Server::Postgresql => postgresql::open,
            Server::Sqlite => {
                return database_file::load(cx, &database.name, cx.state.open_file(&self.from)?);
            }
        };
        let dump = self.adapted(database.server, cx)?;
        let room = cx.room()?;
        let administrator = |statements: &str| {
            let call = Call::administrator(cx, database.server, "")?.saying(cx, statements)?;
            call.hiding(&credential.0).run(cx, &doing).map(drop)
        };
        administrator(&open(database, Some(&credential)))?;
        checkpoint("load_database: the door is open");
        let loading = Call::loading(cx, database, (&room, &credential))?;
        let loaded = loading.reading(dump).run(cx, &doing);
        room.remove_file(SECRET)?;
        administrator(&open(database, None))?;
        loaded.map(drop)
    }
}

impl Step for LoadDatabase {
    type Undo = ();

    fn describe(&self) -> String {
        format!("load what was kept into the database {}", self.title.escape_debug())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.state.open_file(&self.from)?;
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let there = provision_database::read(cx, &self.database)?;
        checkpoint("load_database: before");
        self.load(&there.database, cx)?;
        checkpoint("load_database: after");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> LoadDatabase {
    let (result, _) = super::provision_database::tests::file_with(world, "x");
    // The same content: going back is not its own work.
    let bytes = super::provision_database::tests::bytes_of(world, &result);
    world.state.write_new("staging/dump", &bytes, 0o600).unwrap();
    LoadDatabase {
        title: "`maindb` of `wiki`".into(),
        database: result,
        from: "staging/dump".into(),
    }
}
