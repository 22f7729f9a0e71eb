//! What a transaction changes in the database, applied in its one commit.

use super::{
    Answer, Db, DbError, GearRole, NewExternal, NewPlaced, NewSite, Result, SiteResource, Telling,
};
use crate::package::Package;
use crate::package::file_table::{Content, FileTable};
use crate::package::ident::GearName;
use crate::package::note::Note;
use crate::package::provenance::Provenance;
use crate::package::ubos::name::SiteId;
use crate::package::version::Version;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;
use rusqlite::params;

/// One change of what is installed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A package came into the library.
    AddPackage(Box<NewPackage>),
    /// A package left the library; its tree waits in the transaction's stash.
    RemovePackage {
        /// Its id.
        id: i64,
    },
    /// A package that comes in the same commit has put files on the host.
    Place(Box<NewPlaced>),
    /// A removed package came back from the stash.
    RestorePackage {
        /// Its id.
        id: i64,
    },
    /// What a transaction had taken away came back; its stash is empty.
    ReleaseStash {
        /// The transaction.
        txn: i64,
    },
    /// A gear came into being.
    AddGear(Box<NewGear>),
    /// A gear was destroyed; its home waits in the transaction's stash.
    DestroyGear {
        /// Its id.
        id: i64,
    },
    /// A destroyed gear came back from the stash.
    RestoreGear {
        /// Its id.
        id: i64,
    },
    /// Cartridges came into a gear.
    AddCartridges {
        /// The gear's id.
        gear: i64,
        /// The cartridges.
        cartridges: Vec<NewCartridge>,
        /// Where they listen.
        endpoints: Vec<NewEndpoint>,
        /// The folders of all of the gear's cartridges, in the order of configuring.
        order: Vec<String>,
    },
    /// A cartridge left a gear; its folder waits in the transaction's stash.
    RemoveCartridge {
        /// The gear's id.
        gear: i64,
        /// The cartridge's folder.
        dir: String,
    },
    /// Cartridges of a gear became other releases, or became again what they were.
    UpgradeCartridges {
        /// The gear's id.
        gear: i64,
        /// The cartridges, as they are now.
        cartridges: Vec<NewCartridge>,
        /// The variables of the endpoints that are gone.
        gone: Vec<String>,
        /// The endpoints that came.
        endpoints: Vec<NewEndpoint>,
    },
    /// A gear's endpoints got public ports, or lost them; those that it lost are free again.
    SetPublicPorts {
        /// Its id.
        id: i64,
        /// Its identifier.
        uuid: String,
        /// The variable of each endpoint's private port, and its public port.
        ports: Vec<(String, Option<u16>)>,
    },
    /// A cartridge or the administrator told something.
    Tell(Telling),
    /// What a transaction had told holds no more: it is being undone.
    Withdraw {
        /// The transaction.
        txn: i64,
    },
    /// What a transaction had withdrawn holds again.
    RestoreTold {
        /// The transaction.
        by: i64,
    },
    /// A package stays as it is from now on.
    Hold {
        /// Its vendor.
        vendor: String,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A package is not held any more.
    Release {
        /// The hold's id.
        hold: i64,
    },
    /// A package that was let go is held again.
    HoldAgain {
        /// The hold's id.
        hold: i64,
    },
    /// An external was asked for something.
    AskExternal(Box<NewExternal>),
    /// What was asked for is not wanted any more.
    WithdrawExternal {
        /// The request.
        key: String,
        /// What came of taking it back.
        answer: Answer,
    },
    /// What was asked for is wanted by another version of the package now.
    KeepExternal {
        /// The request.
        key: String,
        /// The version's file name.
        holder: String,
        /// Its place in that version's list.
        ordinal: u32,
    },
    /// A site was deployed, for the first time or again.
    PutSite(Box<NewSite>),
    /// A package at a site was given something.
    GiveSite {
        /// The site.
        site: SiteId,
        /// What.
        resource: SiteResource,
    },
    /// A site was undeployed.
    RemoveSite {
        /// The site.
        id: SiteId,
    },
    /// It became known what came of a request, or that is different now.
    AnswerExternal {
        /// The request.
        key: String,
        /// What came of it.
        answer: Answer,
    },
}

/// A package to be recorded.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewPackage {
    /// What its manifest says.
    pub package: Package,
    /// Its directory below the library.
    pub place: RelPath,
    /// Its files.
    pub table: FileTable,
    /// Where it came from.
    pub provenance: Provenance,
    /// What the reader had to say.
    pub notes: Vec<Note>,
}

/// A gear to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewGear {
    /// Its name.
    pub name: GearName,
    /// Its identifier, also the name of its account.
    pub uuid: String,
    /// The number that its addresses are made from.
    pub slot: u32,
    /// Its own user and group, where it has them.
    pub owner: Option<(u32, u32)>,
    /// Whether the host has an account for it.
    pub account: bool,
    /// How its processes are kept apart from the host.
    pub sandbox: String,
    /// Its cartridges, in the order of configuring.
    pub cartridges: Vec<NewCartridge>,
    /// Where they listen.
    pub endpoints: Vec<NewEndpoint>,
    /// The application that it belongs to.
    pub app: GearName,
    /// The name under which it is asked for.
    #[serde(default)]
    pub dns: Option<String>,
    /// What it is in a scaled application.
    #[serde(default)]
    pub role: Option<GearRole>,
}

/// A cartridge in a gear to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewCartridge {
    /// The directory of its package below the library: packages that come in the same commit have
    /// no id yet.
    pub place: RelPath,
    /// The software version that it runs.
    pub software: Version,
    /// Its folder in the gear.
    pub dir: String,
    /// Whether it is the primary cartridge.
    pub is_primary: bool,
}

/// An endpoint in a gear to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewEndpoint {
    /// The folder of its cartridge.
    pub dir: String,
    /// The variable that holds the port.
    pub name: String,
    /// The address.
    pub address: std::net::Ipv4Addr,
    /// The port.
    pub port: u16,
    /// The port under which others reach it, where it has one.
    pub public_port: Option<u16>,
    /// What is spoken there.
    pub protocols: Vec<String>,
}

impl Db {
    /// Applies `changes` inside the open write transaction `txn`.
    pub(super) fn apply(&self, changes: &[Change], txn: i64) -> Result<()> {
        changes.iter().try_for_each(|change| match change {
            Change::AddPackage(new) => self.add_package(new, txn),
            Change::RemovePackage { id } => self.remove_package(*id, txn),
            Change::Place(new) => self.place(new),
            Change::RestorePackage { id } => {
                // It counts as installed by whoever brought it back, for an undo of the undo.
                let sql = "UPDATE package SET removed_by = NULL, txn = ?2 WHERE id = ?1";
                let done = self.connection.execute(sql, params![id, txn]);
                self.expect_one(done, "the package is not there any more")
            }
            Change::ReleaseStash { txn } => {
                let sql = "UPDATE txn SET keeps = NULL WHERE id = ?1 AND keeps IS NOT NULL";
                self.exactly_one(sql, *txn, "the stash was given up meanwhile")
            }
            Change::AddGear(new) => self.add_gear(new, txn),
            Change::DestroyGear { id } => {
                let sql =
                    "UPDATE gear SET destroyed_by = ?2 WHERE id = ?1 AND destroyed_by IS NULL";
                let done = self.connection.execute(sql, params![id, txn]);
                self.expect_one(done, "the gear was destroyed meanwhile")
            }
            Change::RestoreGear { id } => {
                let sql = "UPDATE gear SET destroyed_by = NULL WHERE id = ?1";
                self.exactly_one(sql, *id, "the gear is not there any more")
            }
            Change::AddCartridges { gear, cartridges, endpoints, order } => {
                self.add_cartridges(*gear, cartridges)?;
                self.add_endpoints(*gear, endpoints)?;
                self.arrange_cartridges(*gear, order)
            }
            Change::UpgradeCartridges { gear, cartridges, gone, endpoints } => {
                self.remove_endpoints(*gear, gone)?;
                self.upgrade_cartridges(*gear, cartridges)?;
                self.add_endpoints(*gear, endpoints)
            }
            Change::RemoveCartridge { gear, dir } => self.remove_cartridge(*gear, dir),
            Change::SetPublicPorts { id, uuid, ports } => self.set_public_ports(*id, uuid, ports),
            Change::Tell(telling) => self.tell(telling, txn),
            Change::Withdraw { txn: told } => self.withdraw(*told, txn),
            Change::RestoreTold { by } => self.restore_told(*by, txn),
            Change::Hold { vendor, name, reason } => self.hold((vendor, name), reason, txn),
            Change::Release { hold } => self.release(*hold, txn),
            Change::HoldAgain { hold } => self.hold_again(*hold, txn),
            Change::AskExternal(new) => self.ask_external(new, txn),
            Change::WithdrawExternal { key, answer } => self.withdraw_external(key, answer, txn),
            Change::KeepExternal { key, holder, ordinal } => {
                self.keep_external(key, holder, *ordinal)
            }
            Change::AnswerExternal { key, answer } => self.answer_external(key, answer),
            Change::PutSite(new) => self.put_site(new, txn),
            Change::GiveSite { site, resource } => self.give_site(site, resource),
            Change::RemoveSite { id } => self.remove_site(id),
        })
    }

    fn set_public_ports(&self, id: i64, uuid: &str, ports: &[(String, Option<u16>)]) -> Result<()> {
        for (name, port) in ports {
            let sql = "UPDATE endpoint SET public_port = ?3 WHERE gear = ?1 AND name = ?2";
            let done = self.connection.execute(sql, params![id, name, port]);
            self.expect_one(done, "the endpoint is not there any more")?;
        }
        let sql = "DELETE FROM reservation WHERE kind = 'public-port' AND gear = ?2 AND \
                   value NOT IN (SELECT CAST(public_port AS TEXT) FROM endpoint \
                                 WHERE gear = ?1 AND public_port IS NOT NULL)";
        self.answer(self.connection.execute(sql, params![id, uuid])).map(drop)
    }

    fn exactly_one(&self, sql: &str, id: i64, otherwise: &str) -> Result<()> {
        self.expect_one(self.connection.execute(sql, [id]), otherwise)
    }

    pub(super) fn expect_one(&self, done: rusqlite::Result<usize>, otherwise: &str) -> Result<()> {
        match self.answer(done)? {
            1 => Ok(()),
            _ => Err(DbError::Changed(otherwise.to_owned())),
        }
    }

    fn add_package(&self, new: &NewPackage, txn: i64) -> Result<()> {
        let NewPackage { package, place, table, provenance, notes } = new;
        let sql = "INSERT INTO package (format, vendor, name, version, package_version, tree, place, \
                   size, files, source, source_kind, md5, sha256, commit_id, trust, installed, txn, \
                   manifest, notes) VALUES \
                   (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)";
        let manifest = self.to_json("manifest", package)?;
        let notes = self.to_json("list of notes", notes)?;
        let added = self.connection.prepare_cached(sql).and_then(|mut insert| {
            insert.insert(params![
                package.format.as_str(),
                package.vendor.as_str(),
                package.name.as_str(),
                package.version.as_str(),
                package.package_version.as_str(),
                table.digest().to_string(),
                place.as_str(),
                signed(table.size()),
                signed(table.entries().len() as u64),
                provenance.source,
                provenance.kind.as_str(),
                provenance.md5.map(|digest| digest.to_string()),
                provenance.sha256.map(|digest| digest.to_string()),
                provenance.commit,
                provenance.trust.as_str(),
                Moment::now().0,
                txn,
                manifest,
                notes,
            ])
        });
        let id = self.answer(added)?;
        self.answer(self.add_files(id, table))
    }

    fn add_files(&self, id: i64, table: &FileTable) -> rusqlite::Result<()> {
        let sql = "INSERT INTO file (package, path, kind, mode, size, sha256, target) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = self.connection.prepare_cached(sql)?;
        for entry in table.entries() {
            let (kind, size, digest, target) = match &entry.content {
                Content::Directory => ("directory", None, None, None),
                Content::File { size, sha256 } => {
                    ("file", Some(signed(*size)), Some(sha256.0), None)
                }
                Content::Link(target) => ("link", None, None, Some(target)),
            };
            insert.execute(params![
                id,
                entry.path.as_str(),
                kind,
                entry.mode,
                size,
                digest,
                target
            ])?;
        }
        Ok(())
    }

    fn remove_package(&self, id: i64, txn: i64) -> Result<()> {
        let sql = "UPDATE package SET removed_by = ?2 WHERE id = ?1 AND removed_by IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM gear_cartridge JOIN gear ON gear.id = gear \
                                   WHERE package = ?1 AND destroyed_by IS NULL) \
                   AND NOT EXISTS (SELECT 1 FROM site_package WHERE package = ?1)";
        let done = self.connection.execute(sql, params![id, txn]);
        self.expect_one(done, "somebody began to use the package meanwhile")
    }

    fn add_gear(&self, new: &NewGear, txn: i64) -> Result<()> {
        let sql = "INSERT INTO gear (name, uuid, slot, uid, gid, account, sandbox, created, txn, dns, app, \
                   role) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let added = self.connection.execute(
            sql,
            params![
                new.name.as_str(),
                new.uuid,
                new.slot,
                new.owner.map(|(uid, _)| uid),
                new.owner.map(|(_, gid)| gid),
                new.account,
                new.sandbox,
                Moment::now().0,
                txn,
                new.dns,
                new.app.as_str(),
                new.role.map(GearRole::as_str)
            ],
        );
        self.answer(added)?;
        let gear = self.connection.last_insert_rowid();
        self.add_cartridges(gear, &new.cartridges)?;
        self.add_endpoints(gear, &new.endpoints)
    }

    fn add_cartridges(&self, gear: i64, cartridges: &[NewCartridge]) -> Result<()> {
        for (position, cartridge) in (0i64..).zip(cartridges) {
            let sql = "INSERT INTO gear_cartridge \
                       (gear, position, package, software, dir, is_primary, configured) \
                       SELECT ?1, ?2, id, ?4, ?5, ?6, ?7 FROM package \
                       WHERE place = ?3 AND removed_by IS NULL";
            let NewCartridge { place, software, dir, is_primary } = cartridge;
            let (place, software, now) = (place.as_str(), software.as_str(), Moment::now().0);
            let values = params![gear, position, place, software, dir, is_primary, now];
            let added = self.connection.execute(sql, values);
            self.expect_one(added, "a cartridge of the gear was removed meanwhile")?;
        }
        Ok(())
    }

    fn add_endpoints(&self, gear: i64, endpoints: &[NewEndpoint]) -> Result<()> {
        for endpoint in endpoints {
            let sql = "INSERT INTO endpoint (gear, dir, name, address, port, public_port, protocols) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let NewEndpoint { dir, name, address, port, public_port, protocols } = endpoint;
            let protocols = self.to_json("list of protocols", protocols)?;
            let values =
                params![gear, dir, name, address.to_string(), port, public_port, protocols];
            self.answer(self.connection.execute(sql, values))?;
        }
        Ok(())
    }
}

impl Db {
    fn arrange_cartridges(&self, gear: i64, order: &[String]) -> Result<()> {
        for (position, dir) in (0i64..).zip(order) {
            let sql = "UPDATE gear_cartridge SET position = ?3 WHERE gear = ?1 AND dir = ?2";
            let done = self.connection.execute(sql, params![gear, dir, position]);
            self.expect_one(done, "a cartridge of the gear was removed meanwhile")?;
        }
        Ok(())
    }

    fn upgrade_cartridges(&self, gear: i64, cartridges: &[NewCartridge]) -> Result<()> {
        for NewCartridge { place, software, dir, .. } in cartridges {
            let sql = "UPDATE gear_cartridge SET configured = ?5, software = ?4, package = \
                       (SELECT id FROM package WHERE place = ?3 AND removed_by IS NULL) \
                       WHERE gear = ?1 AND dir = ?2 AND EXISTS \
                       (SELECT id FROM package WHERE place = ?3 AND removed_by IS NULL)";
            let values = params![gear, dir, place.as_str(), software.as_str(), Moment::now().0];
            let done = self.connection.execute(sql, values);
            self.expect_one(
                done,
                "a cartridge of the gear, or its package, was removed meanwhile",
            )?;
        }
        Ok(())
    }

    fn remove_endpoints(&self, gear: i64, names: &[String]) -> Result<()> {
        for name in names {
            let sql = "DELETE FROM reservation WHERE kind = 'public-port' AND value IN \
                       (SELECT CAST(public_port AS TEXT) FROM endpoint \
                        WHERE gear = ?1 AND name = ?2 AND public_port IS NOT NULL)";
            self.answer(self.connection.execute(sql, params![gear, name]))?;
            let sql = "DELETE FROM endpoint WHERE gear = ?1 AND name = ?2";
            let done = self.connection.execute(sql, params![gear, name]);
            self.expect_one(done, "an endpoint of the gear was removed meanwhile")?;
        }
        Ok(())
    }

    fn remove_cartridge(&self, gear: i64, dir: &str) -> Result<()> {
        let sql = "DELETE FROM reservation WHERE kind = 'public-port' AND value IN \
                   (SELECT CAST(public_port AS TEXT) FROM endpoint \
                    WHERE gear = ?1 AND dir = ?2 AND public_port IS NOT NULL)";
        self.answer(self.connection.execute(sql, params![gear, dir]))?;
        let sql = "DELETE FROM endpoint WHERE gear = ?1 AND dir = ?2";
        self.answer(self.connection.execute(sql, params![gear, dir]))?;
        let sql = "DELETE FROM gear_cartridge WHERE gear = ?1 AND dir = ?2";
        let done = self.connection.execute(sql, params![gear, dir]);
        self.expect_one(done, "the cartridge is not in the gear any more")
    }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
