//! Databases: what they are called, what an app may do there, and the statements that make and
//! remove them.
//!
//! Names and passwords are drawn here and hold letters and digits alone; words of a manifest are
//! checked against lists. So no statement needs to quote what it cannot trust.

pub mod dump;
pub mod mysql;
pub mod postgresql;
mod privileges;

pub use privileges::Privileges;

use crate::error::FsError;
use crate::package::ubos::role::RoleName;
use crate::package::ubos::site::Secret;
use crate::sys::random;
use serde_json::{Value, json};
use std::fmt;

/// The kinds of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Server {
    /// `MariaDB`, by the name of the role.
    Mysql,
    /// `PostgreSQL`.
    Postgresql,
    /// `SQLite`: a file, and no server.
    Sqlite,
}

impl Server {
    /// The name as variables and rows have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mysql => "MariaDB",
            Self::Postgresql => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// The server of a role; nothing where the role has none.
    pub fn of(role: RoleName) -> Option<Self> {
        match role {
            RoleName::Mysql => Some(Self::Mysql),
            RoleName::Postgresql => Some(Self::Postgresql),
            RoleName::Sqlite => Some(Self::Sqlite),
            RoleName::Generic | RoleName::Tomcat8 | RoleName::Apache2 => None,
        }
    }
}

/// A name of ours for a database or its user: a letter, then letters and digits, at most 32. It is
/// never an option, a wildcard or a quote.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        let fine = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && text.starts_with(|c: char| c.is_ascii_lowercase());
        fine.then(|| Self(text.to_owned()))
    }

    fn draw() -> Result<Self, FsError> {
        Ok(Self(random::text(16, LETTERS)?))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not the name of a database"))
    }
}

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A database, without anything that is secret: enough to dump and to drop it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Database {
    /// Of which kind.
    pub server: Server,
    /// What the server calls it.
    pub name: Name,
    /// The user that may use it, who goes with it.
    pub user: Name,
}

/// A database that is there for an app, and how the app reaches it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provisioned {
    /// What it is.
    #[serde(flatten)]
    pub database: Database,
    /// Its password; 16 letters and digits.
    pub credential: Secret,
    /// What an app calls it: the name, or the path of a file.
    pub called: String,
    /// The host; empty for a file.
    pub host: String,
    /// The port; nothing for a file.
    pub port: Option<u16>,
}

impl Database {
    /// Draws names that nobody has yet.
    pub fn draw(server: Server) -> Result<Self, FsError> {
        Ok(Self { server, name: Name::draw()?, user: Name::draw()? })
    }
}

/// To whom a database belongs at its server: neither to its user, who may do no more than the manifest
/// says, nor to the administrator, with whose rights nothing of a dump may be done.
pub fn owner(database: &Database) -> String {
    format!("{}o", database.name)
}

/// Draws a password.
pub fn draw_credential() -> Result<Secret, FsError> {
    Ok(Secret(random::text(16, ALPHABET)?))
}

impl Provisioned {
    /// The variables of the database that a manifest calls `item`, by full name: those of the
    /// original, `appconfig.<role>.{dbname,dbhost,dbport,dbuser,dbusercredential}.<item>`.
    pub fn variables(&self, item: &str) -> Vec<(String, Value)> {
        let role = self.database.server.as_str();
        [
            ("dbname", json!(self.called)),
            ("dbhost", json!(self.host)),
            ("dbport", json!(self.port)),
            ("dbuser", json!(self.database.user)),
            ("dbusercredential", json!(self.credential.0)),
        ]
        .into_iter()
        .map(|(name, value)| (format!("appconfig.{role}.{name}.{item}"), value))
        .collect()
    }

    /// The same before there is one, for looking whether templates can be evaluated: the original's
    /// `9999` for all of them.
    pub fn placeholders(server: Server, item: &str) -> Vec<(String, Value)> {
        let role = server.as_str();
        ["dbname", "dbhost", "dbport", "dbuser", "dbusercredential"]
            .map(|name| {
                let value = if name == "dbport" { json!(9999) } else { json!("9999") };
                (format!("appconfig.{role}.{name}.{item}"), value)
            })
            .to_vec()
    }
}

/// A character set or collation, as a manifest names it: letters, digits, `_`, `-`, `.` and `@`, not
/// beginning with `-`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Word(String);

impl Word {
    /// Reads one; says what is wrong otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
        let is_fine =
            (1..=64).contains(&text.len()) && text.chars().all(fine) && !text.starts_with('-');
        let wrong = || format!("`{}` is no character set or collation", text.escape_debug());
        is_fine.then(|| Self(text.to_owned())).ok_or_else(wrong)
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// What a new database is to be like.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wanted {
    /// Of which kind.
    pub server: Server,
    /// What the app may do there.
    pub privileges: Privileges,
    /// The character set; `utf8mb4` or `UTF8` where nothing is said.
    pub charset: Option<Word>,
    /// The collation; that of the character set where nothing is said.
    pub collate: Option<Word>,
}

impl Wanted {
    /// Reads what a manifest says of a database; says what is wrong otherwise.
    pub fn parse(
        server: Server,
        privileges: &str,
        (charset, collate): (Option<&str>, Option<&str>),
    ) -> Result<Self, String> {
        Ok(Self {
            server,
            privileges: Privileges::parse(server, privileges)?,
            charset: charset.map(Word::parse).transpose()?,
            collate: collate.map(Word::parse).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_hold_nothing_that_a_statement_or_command_line_would_read() {
        for bad in ["", "1a", "-a", "a b", "a'b", "a`b", "a\"b", "a%", "a_b", "A", "a\nb", "ä"] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
        assert!(Name::parse(&"a".repeat(33)).is_none());
        let one = Database::draw(Server::Mysql).unwrap();
        let other = Database::draw(Server::Mysql).unwrap();
        assert_ne!(one, other);
        for name in [&one.name, &one.user] {
            assert_eq!(Name::parse(name.as_str()), Some(name.clone()));
            assert_eq!(name.as_str().len(), 16);
        }
        let read: Result<Name, _> = serde_json::from_str("\"x; DROP\"");
        assert!(read.is_err());
    }

    #[test]
    fn words_of_manifests_are_words() {
        assert!(Word::parse("utf8mb4_general_ci").is_ok() && Word::parse("en_US.UTF-8").is_ok());
        for bad in ["", "-x", "a b", "a'", "a;b", "a`", "a\"b", "ü"] {
            assert!(Word::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_app_finds_its_database_under_the_names_of_the_original() {
        let database = Database {
            server: Server::Postgresql,
            name: Name::parse("abc").unwrap(),
            user: Name::parse("def").unwrap(),
        };
        let there = Provisioned {
            database,
            credential: Secret("geheim".into()),
            called: "abc".into(),
            host: "localhost".into(),
            port: Some(5432),
        };
        let all = there.variables("maindb");
        assert!(all.contains(&("appconfig.postgresql.dbport.maindb".into(), json!(5432))));
        assert!(
            all.contains(&("appconfig.postgresql.dbusercredential.maindb".into(), json!("geheim")))
        );
        assert!(!format!("{there:?}").contains("geheim"));
        let before = Provisioned::placeholders(Server::Postgresql, "maindb");
        let names =
            |all: &[(String, Value)]| all.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), names(&all));
        let text = serde_json::to_string(&there).unwrap();
        assert_eq!(serde_json::from_str::<Provisioned>(&text).unwrap(), there);
    }
}

#[cfg(test)]
pub(crate) mod servers;
