//! Roles: what a package does at the web server, at a database or at the host.

use super::item::{Item, Source, Task};
use super::name::{Context, HostName, WellKnownName};

/// A role, in the order in which roles are deployed; everything is undone in the reverse order
/// (UBOS specification, 1.2).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// A `MariaDB`.
    Mysql,
    /// A `PostgreSQL`.
    Postgresql,
    /// Databases that are files (no part of the original's format, which passes over the role).
    Sqlite,
    /// The host itself.
    Generic,
    /// A Tomcat.
    Tomcat8,
    /// The Apache that every site has.
    Apache2,
}

impl RoleName {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Mysql, Self::Postgresql, Self::Sqlite, Self::Generic, Self::Tomcat8, Self::Apache2];

    /// The name as manifests and variables have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
            Self::Generic => "generic",
            Self::Tomcat8 => "tomcat8",
            Self::Apache2 => "apache2",
        }
    }

    /// The role that manifests call `text`.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Tells whether it is one of databases.
    pub fn is_database(self) -> bool {
        matches!(self, Self::Mysql | Self::Postgresql | Self::Sqlite)
    }

    /// Tells whether an app has a context there, and items a folder that relative names begin in.
    pub fn is_web(self) -> bool {
        matches!(self, Self::Apache2 | Self::Tomcat8)
    }
}

/// What a package does at one role.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Role {
    /// Which one.
    pub name: RoleName,
    /// What is made, in order.
    pub items: Vec<Item>,
    /// What is run when the package is new at a site.
    pub installers: Vec<Task>,
    /// What is run when it was there before.
    pub upgraders: Vec<Task>,
    /// What is run before it leaves (the seed on scripts; the original never reads it).
    pub uninstallers: Vec<Task>,
    /// Packages of the distribution that must be there.
    pub depends: Vec<HostName>,
    /// Where the app lies at a site; every app has one at its web server, no accessory has.
    pub context: Option<AppContext>,
    /// Modules of Apache that must be active.
    pub apache_modules: Vec<HostName>,
    /// Modules of PHP that must be active.
    pub php_modules: Vec<HostName>,
    /// What lies below `/.well-known/`.
    pub well_known: Vec<(WellKnownName, WellKnown)>,
}

impl Role {
    /// A role at which nothing is done yet.
    pub fn new(name: RoleName) -> Self {
        Self {
            name,
            items: Vec::new(),
            installers: Vec::new(),
            upgraders: Vec::new(),
            uninstallers: Vec::new(),
            depends: Vec::new(),
            context: None,
            apache_modules: Vec::new(),
            php_modules: Vec::new(),
            well_known: Vec::new(),
        }
    }
}

/// Where an app lies at a site.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppContext {
    /// There, unless the site says otherwise.
    Default(Context),
    /// There and nowhere else.
    Fixed(Context),
}

/// One entry below `/.well-known/` (UBOS specification, 1.4).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WellKnown {
    /// These bytes.
    Value(Vec<u8>),
    /// What this text becomes.
    Template(Source),
    /// Another place.
    Location {
        /// The URL.
        url: String,
        /// The HTTP status, 300 to 399.
        status: u16,
    },
    /// Rules for robots, merged with those of the other apps; only in `robots.txt`.
    Robots {
        /// Paths below the context that they may visit.
        allow: Vec<String>,
        /// Paths below the context that they may not visit.
        disallow: Vec<String>,
    },
    /// Who is asked about accounts, merged with those of the other apps; only in `webfinger`.
    Webfinger(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_there_before_what_is_configured_with_them() {
        let order: Vec<_> = RoleName::ALL.iter().map(|role| role.as_str()).collect();
        assert_eq!(order, ["mysql", "postgresql", "sqlite", "generic", "tomcat8", "apache2"]);
        let mut sorted = RoleName::ALL;
        sorted.sort();
        assert_eq!(sorted, RoleName::ALL);
        for role in RoleName::ALL {
            assert_eq!(RoleName::named(role.as_str()), Some(role));
        }
        assert_eq!(RoleName::named("tomca8"), None);
    }
}
