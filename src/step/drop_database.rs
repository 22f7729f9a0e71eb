//! Removes a database with its user: after the commit alone, as nothing would bring it back. (One
//! that is a file waits in the stash, and comes back.)

use super::database_client::Call;
use super::{Cx, Said, Step, database_file, provision_database};
use crate::error::Failure;
use crate::site::database::{Database, Server, mysql, postgresql};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{self, Dir};
use crate::sys::tree;

/// A database that nobody needs any more.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DropDatabase {
    /// What messages call it.
    pub title: String,
    /// Which one.
    pub database: Database,
}

/// Its folder's name in the stash.
const KEPT: &str = "database";

/// Removes a database and whoever belongs to it, where they are there.
pub(super) fn remove(cx: &Cx<'_>, database: &Database, title: &str) -> Result<(), Failure> {
    let statements = match database.server {
        Server::Mysql => mysql::drop(database),
        Server::Postgresql => postgresql::drop(database),
        Server::Sqlite => return provision_database::remove_file(cx, database),
    };
    let call = Call::administrator(cx, database.server, "")?.saying(cx, &statements)?;
    let (title, name) = (title.escape_debug(), &database.name);
    // By its name somebody can remove it by hand.
    call.run(cx, &format!("remove the database {title}, there called `{name}`")).map(drop)
}

impl Step for DropDatabase {
    type Undo = ();

    fn describe(&self) -> String {
        let (title, server) = (self.title.escape_debug(), self.database.server.title());
        format!("remove the database {title} of {server}, and its user")
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("drop_database: before");
        if self.database.server != Server::Sqlite {
            remove(cx, &self.database, &self.title)?;
            return Ok(Said::default());
        }
        let (place, room) = (database_file::place(cx), cx.room()?);
        let name = self.database.name.as_str();
        if fs::kind_of(&place).is_some() && Dir::open(&place)?.has(name)? && !room.has(KEPT)? {
            tree::move_to(&Dir::open(&place)?, name, &room, KEPT)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let room = cx.room()?;
        if room.has(KEPT)? {
            let place = Dir::open(&database_file::place(cx))?;
            tree::move_to(&room, KEPT, &place, self.database.name.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DropDatabase {
    let (_, there) = super::provision_database::tests::file_with(world, "x");
    DropDatabase { title: "`maindb` of `wiki`".into(), database: there.database }
}
