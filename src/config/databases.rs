//! Where the servers of databases are that sites use, and as whom they are told what to do.

use std::path::PathBuf;

/// The servers of databases.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Databases {
    /// The `MariaDB`.
    pub mysql: Mysql,
    /// The `PostgreSQL`.
    pub postgresql: Postgresql,
    /// Databases that are files.
    pub sqlite: Sqlite,
}

/// The `MariaDB` of this host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mysql {
    /// The socket by which it is told what to do.
    pub socket: PathBuf,
    /// Its administrator, whom it knows by the account that calls.
    pub user: String,
    /// A file of options for its programs, where the administrator needs a password.
    pub options: Option<PathBuf>,
    /// The host that apps are told.
    pub host: String,
    /// The port that apps are told.
    pub port: u16,
}

/// The `PostgreSQL` of this host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgresql {
    /// The folder of its socket, by which it is told what to do.
    pub socket: PathBuf,
    /// Its administrator.
    pub user: String,
    /// The account of the host by which it knows the administrator; only root can become it.
    pub account: String,
    /// The host that apps are told, and by which dumps are loaded.
    pub host: String,
    /// The port, of the socket as well.
    pub port: u16,
}

/// Databases that are files.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sqlite {
    /// The folder in which each of them has one of its own, below the root directory.
    pub folder: PathBuf,
}

impl Default for Mysql {
    fn default() -> Self {
        Self {
            socket: "/run/mysqld/mysqld.sock".into(),
            user: "root".into(),
            options: None,
            host: "localhost".into(),
            port: 3306,
        }
    }
}

impl Default for Postgresql {
    fn default() -> Self {
        Self {
            socket: "/run/postgresql".into(),
            user: "postgres".into(),
            account: "postgres".into(),
            host: "localhost".into(),
            port: 5432,
        }
    }
}

impl Default for Sqlite {
    fn default() -> Self {
        Self { folder: "/ubos/lib/sqlite".into() }
    }
}
