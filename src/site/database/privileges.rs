//! What an app may do in its database, as a manifest says it in SQL.

use super::Server;

/// What may stand in a `GRANT` on a whole database of `MariaDB`. Nothing here reaches beyond that
/// database, and nobody can hand it on.
const MYSQL: &[&str] = &[
    "ALTER",
    "ALTER ROUTINE",
    "CREATE",
    "CREATE ROUTINE",
    "CREATE TEMPORARY TABLES",
    "CREATE VIEW",
    "DELETE",
    "DELETE HISTORY",
    "DROP",
    "EVENT",
    "EXECUTE",
    "INDEX",
    "INSERT",
    "LOCK TABLES",
    "REFERENCES",
    "SELECT",
    "SHOW VIEW",
    "TRIGGER",
    "UPDATE",
];
/// What may stand in a `GRANT` on tables of `PostgreSQL`.
const POSTGRESQL: &[&str] =
    &["DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"];
const ALL: &str = "ALL PRIVILEGES";

/// Privileges that a server knows, in capital letters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Plain", into = "Plain")]
pub struct Privileges {
    server: Server,
    words: Vec<String>,
}

/// The form in which they are written down.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Plain {
    server: Server,
    words: Vec<String>,
}

impl From<Privileges> for Plain {
    fn from(Privileges { server, words }: Privileges) -> Self {
        Self { server, words }
    }
}

impl TryFrom<Plain> for Privileges {
    type Error = String;

    fn try_from(plain: Plain) -> Result<Self, String> {
        Self::parse(plain.server, &plain.words.join(","))
    }
}

impl Privileges {
    /// Reads a list with commas; says what is wrong otherwise.
    pub fn parse(server: Server, text: &str) -> Result<Self, String> {
        let known = match server {
            Server::Mysql => MYSQL,
            Server::Postgresql => POSTGRESQL,
            // A file knows no privileges.
            Server::Sqlite => return Ok(Self { server, words: vec![ALL.to_owned()] }),
        };
        let mut words = Vec::new();
        for part in text.split(',') {
            let word = part.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
            let word = if word == "ALL" { ALL.to_owned() } else { word };
            if word != ALL && !known.contains(&word.as_str()) {
                let (part, title) = (part.trim().escape_debug(), server.title());
                return Err(format!("`{part}` is no privilege in a database of {title}"));
            }
            if !words.contains(&word) {
                words.push(word);
            }
        }
        // It cannot stand beside others.
        if words.iter().any(|word| word == ALL) {
            words = vec![ALL.to_owned()];
        }
        Ok(Self { server, words })
    }

    /// Tells whether they are all that there are.
    pub fn are_all(&self) -> bool {
        self.words.iter().any(|word| word == ALL)
    }

    /// The list for a `GRANT`.
    pub fn list(&self) -> String {
        self.words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_server_knows_gets_into_a_statement() {
        let list = |server, text: &str| Privileges::parse(server, text).map(|one| one.list());
        assert_eq!(list(Server::Mysql, "select,  insert").unwrap(), "SELECT, INSERT");
        assert_eq!(list(Server::Mysql, "all").unwrap(), ALL);
        assert_eq!(
            list(Server::Mysql, "create temporary  tables").unwrap(),
            "CREATE TEMPORARY TABLES"
        );
        assert_eq!(list(Server::Postgresql, "ALL privileges, select").unwrap(), ALL);
        for bad in ["", "select,", "grant option", "super", "file", "select ON *.*", "select; DROP"]
        {
            assert!(list(Server::Mysql, bad).is_err(), "{bad}");
            assert!(list(Server::Postgresql, bad).is_err(), "{bad}");
        }
        assert!(list(Server::Postgresql, "lock tables").unwrap_err().contains("PostgreSQL"));
        let text = r#"{"server":"mysql","words":["SELECT ON *.* TO x; --"]}"#;
        assert!(serde_json::from_str::<Privileges>(text).is_err(), "nor by the journal");
    }
}
