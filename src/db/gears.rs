//! Questions about gears.

use super::{Db, NewEndpoint, NewGear, Result};
use rusqlite::Row;

/// What a gear is in a scaled application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GearRole {
    /// The first one, with the web proxy and the repository.
    Head,
    /// A copy of the head's web framework.
    Web,
}

impl GearRole {
    /// The word that stands in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Web => "web",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Head, Self::Web].into_iter().find(|role| role.as_str() == text)
    }
}

/// One gear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GearRow {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its identifier.
    pub uuid: String,
    /// The number that its addresses are made from.
    pub slot: u32,
    /// Its own user, where it has one.
    pub uid: Option<u32>,
    /// Its own group, where it has one.
    pub gid: Option<u32>,
    /// Whether the host has an account for it.
    pub account: bool,
    /// How its processes are confined.
    pub sandbox: String,
    /// When it was created.
    pub created: i64,
    /// The application that it belongs to.
    pub app: String,
    /// The name under which it is asked for.
    pub dns: Option<String>,
    /// What it is in a scaled application.
    pub role: Option<GearRole>,
}

/// A cartridge of a gear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GearCartridgeRow {
    /// Its package.
    pub package: i64,
    /// The software version that it runs.
    pub software: String,
    /// Its folder in the gear.
    pub dir: String,
    /// Whether it is the primary cartridge.
    pub is_primary: bool,
    /// When it was set up last, in milliseconds since 1970.
    pub configured: i64,
}

/// An endpoint of a gear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GearEndpointRow {
    /// The folder of its cartridge.
    pub dir: String,
    /// The variable that holds the port.
    pub name: String,
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The port under which others reach it.
    pub public_port: Option<u16>,
    /// What is spoken there.
    pub protocols: Vec<String>,
}

/// As it will be read once it is recorded.
impl From<&NewEndpoint> for GearEndpointRow {
    fn from(new: &NewEndpoint) -> Self {
        Self {
            dir: new.dir.clone(),
            name: new.name.clone(),
            address: new.address.to_string(),
            port: new.port,
            public_port: new.public_port,
            protocols: new.protocols.clone(),
        }
    }
}

/// As it will be read once it is recorded; it has no number and no moment yet.
impl From<&NewGear> for GearRow {
    fn from(new: &NewGear) -> Self {
        Self {
            id: 0,
            name: new.name.to_string(),
            uuid: new.uuid.clone(),
            slot: new.slot,
            uid: new.owner.map(|(uid, _)| uid),
            gid: new.owner.map(|(_, gid)| gid),
            account: new.account,
            sandbox: new.sandbox.clone(),
            created: 0,
            app: new.app.to_string(),
            dns: new.dns.clone(),
            role: new.role,
        }
    }
}

const COLUMNS: &str = "id, name, uuid, slot, uid, gid, account, sandbox, created, dns, \
                       coalesce(app, name), role";

fn read_gear(row: &Row<'_>) -> rusqlite::Result<GearRow> {
    Ok(GearRow {
        id: row.get(0)?,
        name: row.get(1)?,
        uuid: row.get(2)?,
        slot: row.get(3)?,
        uid: row.get(4)?,
        gid: row.get(5)?,
        account: row.get(6)?,
        sandbox: row.get(7)?,
        created: row.get(8)?,
        dns: row.get(9)?,
        app: row.get(10)?,
        role: row.get::<_, Option<String>>(11)?.as_deref().and_then(GearRole::read),
    })
}

impl Db {
    fn gear_rows(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<GearRow>> {
        let sql = format!("SELECT {COLUMNS} FROM gear {rest}");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map(values, read_gear)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Every living gear, by name.
    pub fn gears(&self) -> Result<Vec<GearRow>> {
        self.gear_rows("WHERE destroyed_by IS NULL ORDER BY name", [])
    }

    /// The living gear called `name`.
    pub fn gear(&self, name: &str) -> Result<Option<GearRow>> {
        let rows = self.gear_rows("WHERE destroyed_by IS NULL AND name = ?1", [name])?;
        Ok(rows.into_iter().next())
    }

    /// The living gears of the application `app`, the oldest first.
    pub fn gears_of_app(&self, app: &str) -> Result<Vec<GearRow>> {
        self.gear_rows("WHERE destroyed_by IS NULL AND app = ?1 ORDER BY id", [app])
    }

    /// The gears whose homes wait in the stash of transaction `txn`.
    pub fn gears_destroyed_by(&self, txn: i64) -> Result<Vec<GearRow>> {
        self.gear_rows("WHERE destroyed_by = ?1 ORDER BY name", [txn])
    }

    /// The gear's cartridges, in the order of configuring.
    pub fn gear_cartridges(&self, gear: i64) -> Result<Vec<GearCartridgeRow>> {
        let sql = "SELECT package, software, dir, is_primary, coalesce(configured, 0) \
                   FROM gear_cartridge WHERE gear = ?1 ORDER BY position";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([gear], |row| {
                Ok(GearCartridgeRow {
                    package: row.get(0)?,
                    software: row.get(1)?,
                    dir: row.get(2)?,
                    is_primary: row.get(3)?,
                    configured: row.get(4)?,
                })
            })?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Where the gear's cartridges listen, by variable.
    pub fn gear_endpoints(&self, gear: i64) -> Result<Vec<GearEndpointRow>> {
        let sql = "SELECT dir, name, address, port, public_port, protocols FROM endpoint \
                   WHERE gear = ?1 ORDER BY name";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([gear], |row| {
                let endpoint = GearEndpointRow {
                    dir: row.get(0)?,
                    name: row.get(1)?,
                    address: row.get(2)?,
                    port: row.get(3)?,
                    public_port: row.get(4)?,
                    protocols: Vec::new(),
                };
                Ok((endpoint, row.get::<_, String>(5)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let rows = self.answer(rows)?;
        rows.into_iter()
            .map(|(endpoint, protocols)| {
                let protocols = self.parse_json("list of protocols", &protocols)?;
                Ok(GearEndpointRow { protocols, ..endpoint })
            })
            .collect()
    }
}
