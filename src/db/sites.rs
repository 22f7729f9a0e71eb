//! Sites of UBOS apps: rows that change in the commit of the transaction that deploys them.

use super::{Db, DbError, Result};
use crate::package::ubos::Installable;
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::{AppConfigId, PackageName, PointName, SiteId};
use crate::package::ubos::site::{Host, Site};
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};

/// The kind of reservation that a port of a site is: `tcp/5001`.
pub const SITE_PORT: &str = "site-port";

/// A site as it was deployed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewSite {
    /// What its file says, all that was missing there made.
    pub site: Site,
    /// What lies at it, in the order of deploying.
    pub packages: Vec<SitePackage>,
    /// What its packages were given, beyond what steps have learned.
    pub resources: Vec<SiteResource>,
}

/// A package at a site.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SitePackage {
    /// The app with accessories that it is a part of.
    pub appconfig: AppConfigId,
    /// What was deployed, as its manifest said then.
    pub installable: Installable,
    /// Its tree below the library.
    pub place: RelPath,
    /// The values of its customization points.
    pub points: BTreeMap<PointName, Chosen>,
}

/// Something that a package at a site was given.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SiteResource {
    /// To which app with accessories; nothing where it is the site's own.
    pub appconfig: Option<AppConfigId>,
    /// To which package; nothing where it is the site's own.
    pub package: Option<PackageName>,
    /// What it is.
    pub kind: ResourceKind,
    /// What its manifest calls it; of a folder its path below the root directory.
    pub name: String,
    /// What is known of it, as JSON; may be secret.
    pub value: serde_json::Value,
}

/// The kinds of what packages at sites are given.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A database of `MariaDB`.
    Mysql,
    /// A database of `PostgreSQL`.
    Postgresql,
    /// A database that is a file.
    Sqlite,
    /// A port of TCP.
    Tcp,
    /// A port of UDP.
    Udp,
    /// A folder that was made to hold others.
    Folder,
}

impl ResourceKind {
    const ALL: [Self; 6] =
        [Self::Mysql, Self::Postgresql, Self::Sqlite, Self::Tcp, Self::Udp, Self::Folder];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Folder => "folder",
        }
    }
}

/// A site with everything that is recorded of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployedSite {
    /// What was deployed, and what it was given.
    pub new: NewSite,
    /// When.
    pub at: Moment,
    /// By which transaction.
    pub txn: i64,
}

impl Db {
    /// Records a site in the place of what was recorded of it.
    pub(super) fn put_site(&self, new: &NewSite, txn: i64) -> Result<()> {
        let id = new.site.id.as_str();
        let hostname = match &new.site.host {
            Host::Any => Some("*"),
            Host::Name(name) => Some(name.as_str()),
            Host::Onion => None,
        };
        let json = self.to_json("site", &new.site)?;
        self.answer(self.connection.execute("DELETE FROM site WHERE id = ?1", [id]))?;
        let sql = "INSERT INTO site (id, hostname, json, at, txn) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![id, hostname, json, Moment::now().0, txn];
        self.answer(self.connection.execute(sql, values))?;
        for (ordinal, package) in (0i64..).zip(&new.packages) {
            let sql = "INSERT INTO site_package \
                       (site, appconfig, name, ordinal, package, place, manifest, points) \
                       SELECT ?1, ?2, ?3, ?4, id, ?5, ?6, ?7 FROM package \
                       WHERE place = ?5 AND removed_by IS NULL";
            let values = params![
                id,
                package.appconfig.as_str(),
                package.installable.name.as_str(),
                ordinal,
                package.place.as_str(),
                self.to_json("manifest", &package.installable)?,
                self.to_json("list of values", &package.points)?,
            ];
            let added = self.connection.execute(sql, values);
            self.expect_one(added, "a package of the site was removed meanwhile")?;
        }
        new.resources.iter().try_for_each(|one| self.give_site(&new.site.id, one))?;
        self.free_ports(id)
    }

    /// Records what a package at a site was given.
    pub(super) fn give_site(&self, site: &SiteId, one: &SiteResource) -> Result<()> {
        let sql = "INSERT INTO site_resource (site, appconfig, package, kind, name, value) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![
            site.as_str(),
            one.appconfig.as_ref().map_or("", AppConfigId::as_str),
            one.package.as_ref().map_or("", PackageName::as_str),
            one.kind.as_str(),
            one.name,
            one.value.to_string(),
        ];
        self.answer(self.connection.execute(sql, values)).map(drop)
    }

    /// Forgets a site.
    pub(super) fn remove_site(&self, id: &SiteId) -> Result<()> {
        let done = self.connection.execute("DELETE FROM site WHERE id = ?1", [id.as_str()]);
        self.expect_one(done, "the site is not there any more")?;
        self.free_ports(id.as_str())
    }

    /// Ports that the site does not have any more are anybody's.
    fn free_ports(&self, id: &str) -> Result<()> {
        let sql = "DELETE FROM reservation WHERE kind = ?2 AND gear = ?1 AND value NOT IN \
                   (SELECT kind || '/' || value FROM site_resource \
                    WHERE site = ?1 AND kind IN ('tcp', 'udp'))";
        self.answer(self.connection.execute(sql, [id, SITE_PORT])).map(drop)
    }

    /// Every site, by host name, and by identifier where there is none.
    pub fn sites(&self) -> Result<Vec<Site>> {
        let sql = "SELECT json FROM site ORDER BY hostname, id";
        let rows: rusqlite::Result<Vec<String>> =
            self.connection.prepare(sql).and_then(|mut select| {
                let rows = select.query_map([], |row| row.get(0))?;
                rows.collect()
            });
        self.answer(rows)?.iter().map(|json| self.parse_json("site", json)).collect()
    }

    /// The site with this identifier.
    pub fn site(&self, id: &SiteId) -> Result<Option<DeployedSite>> {
        let sql = "SELECT json, at, txn FROM site WHERE id = ?1";
        let row = self.connection.query_row(sql, [id.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, Moment(row.get(1)?), row.get(2)?))
        });
        let Some((json, at, txn)) = self.answer(row.optional())? else { return Ok(None) };
        let site = self.parse_json("site", &json)?;
        let (packages, resources) = (self.site_packages(id)?, self.site_resources(id)?);
        Ok(Some(DeployedSite { new: NewSite { site, packages, resources }, at, txn }))
    }

    /// The folders that all sites but this one have made to hold others.
    pub fn site_folders(&self, but: &SiteId) -> Result<BTreeSet<String>> {
        let sql = "SELECT DISTINCT name FROM site_resource WHERE kind = 'folder' AND site <> ?1";
        Ok(self.texts(sql, but, |row| row.get(0))?.into_iter().collect())
    }

    fn site_packages(&self, id: &SiteId) -> Result<Vec<SitePackage>> {
        let sql = "SELECT appconfig, place, manifest, points FROM site_package \
                   WHERE site = ?1 ORDER BY ordinal";
        let rows =
            self.texts(sql, id, |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
        let read = |[appconfig, place, manifest, points]: [String; 4]| {
            Ok(SitePackage {
                appconfig: AppConfigId::parse(&appconfig).map_err(|error| odd(&error))?,
                place: RelPath::parse(&place).map_err(|error| odd(&error))?,
                installable: self.parse_json("manifest", &manifest)?,
                points: self.parse_json("list of values", &points)?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    fn site_resources(&self, id: &SiteId) -> Result<Vec<SiteResource>> {
        let sql = "SELECT appconfig, package, kind, name, value FROM site_resource \
                   WHERE site = ?1 ORDER BY appconfig, package, kind, name";
        let rows = self.texts(sql, id, |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })?;
        let read = |[appconfig, package, kind, name, value]: [String; 5]| {
            let kind = ResourceKind::ALL.into_iter().find(|one| one.as_str() == kind);
            let kind = kind.ok_or_else(|| DbError::Changed("a resource is of no kind".into()))?;
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let appconfig = some(appconfig).map(|text| AppConfigId::parse(&text)).transpose();
            let package = some(package).map(|text| PackageName::parse(&text)).transpose();
            Ok(SiteResource {
                appconfig: appconfig.map_err(|error| odd(&error))?,
                package: package.map_err(|error| odd(&error))?,
                kind,
                name,
                value: self.parse_json("resource", &value)?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    fn texts<T>(
        &self,
        sql: &str,
        id: &SiteId,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let rows = self.connection.prepare(sql).and_then(|mut select| {
            let rows = select.query_map([id.as_str()], |row| read(row))?;
            rows.collect()
        });
        self.answer(rows)
    }
}

fn odd(error: &dyn std::error::Error) -> DbError {
    DbError::Changed(format!("the record of a site cannot be read: {error}"))
}
