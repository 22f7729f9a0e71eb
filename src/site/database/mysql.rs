//! Statements for `MariaDB`.

use super::{Database, Wanted};
use crate::package::ubos::site::Secret;

/// Makes the database and its user; what is left of an earlier try goes first.
pub fn create(database: &Database, wanted: &Wanted, credential: &Secret) -> String {
    let Database { name, user, .. } = database;
    let charset = wanted.charset.as_ref().map_or("utf8mb4", |word| word.as_str());
    let collate = match (&wanted.collate, &wanted.charset) {
        (Some(word), _) => Some(word.as_str()),
        (None, None) => Some("utf8mb4_general_ci"),
        // Of the original's collation other character sets know nothing.
        (None, Some(charset)) => (charset.as_str() == "utf8mb4").then_some("utf8mb4_general_ci"),
    };
    let collate = collate.map(|word| format!(" COLLATE '{word}'")).unwrap_or_default();
    format!(
        "{}CREATE DATABASE `{name}` CHARACTER SET '{charset}'{collate};\n\
         CREATE USER '{user}'@'localhost' IDENTIFIED BY '{}';\n{}",
        drop(database),
        credential.0,
        grant(database, wanted)
    )
}

/// Lets the user do what the app may do, and nothing else.
pub fn grant(Database { name, user, .. }: &Database, wanted: &Wanted) -> String {
    let list = wanted.privileges.list();
    format!(
        "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{user}'@'localhost';\n\
         GRANT {list} ON `{name}`.* TO '{user}'@'localhost';\n"
    )
}

/// Lets the user do everything in the database, while a dump is loaded.
pub fn grant_all(Database { name, user, .. }: &Database) -> String {
    format!("GRANT ALL PRIVILEGES ON `{name}`.* TO '{user}'@'localhost';\n")
}

/// Removes both, where they are there.
pub fn drop(Database { name, user, .. }: &Database) -> String {
    format!("DROP DATABASE IF EXISTS `{name}`;\nDROP USER IF EXISTS '{user}'@'localhost';\n")
}
