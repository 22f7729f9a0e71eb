//! Statements for `MariaDB`.
//!
//! Each database has an owner besides its user ([`super::owner`]), who may do everything in it and nothing
//! elsewhere: dumps are loaded by it, and what they define runs with its rights. It is locked but for
//! that moment.

use super::{Database, Wanted, owner};
use crate::package::ubos::site::Secret;

/// Makes the database, its user and its owner; what is left of an earlier try goes first.
pub fn create(database: &Database, wanted: &Wanted, credential: &Secret) -> String {
    let Database { name, user, .. } = database;
    let owner = owner(database);
    let charset = wanted.charset.as_ref().map_or("utf8mb4", |word| word.as_str());
    let collate = match &wanted.collate {
        Some(word) => Some(word.as_str()),
        // Of the original's collation other character sets know nothing.
        None => (charset == "utf8mb4").then_some("utf8mb4_general_ci"),
    };
    let collate = collate.map(|word| format!(" COLLATE '{word}'")).unwrap_or_default();
    format!(
        "{}CREATE DATABASE `{name}` CHARACTER SET '{charset}'{collate};\n\
         CREATE USER '{owner}'@'localhost' IDENTIFIED BY '{}' ACCOUNT LOCK;\n\
         GRANT ALL PRIVILEGES ON `{name}`.* TO '{owner}'@'localhost';\n\
         CREATE USER '{user}'@'localhost' IDENTIFIED BY '{}';\n\
         GRANT {} ON `{name}`.* TO '{user}'@'localhost';\n",
        drop(database),
        credential.0,
        credential.0,
        wanted.privileges.list()
    )
}

/// Lets the owner log in with a password, or locks it.
pub fn open(database: &Database, credential: Option<&Secret>) -> String {
    let owner = owner(database);
    match credential {
        Some(credential) => {
            let password = &credential.0;
            format!("ALTER USER '{owner}'@'localhost' IDENTIFIED BY '{password}' ACCOUNT UNLOCK;\n")
        }
        None => format!("ALTER USER '{owner}'@'localhost' ACCOUNT LOCK;\n"),
    }
}

/// Removes all of them, where they are there.
pub fn drop(database: &Database) -> String {
    let Database { name, user, .. } = database;
    let owner = owner(database);
    format!(
        "DROP DATABASE IF EXISTS `{name}`;\n\
         DROP USER IF EXISTS '{user}'@'localhost', '{owner}'@'localhost';\n"
    )
}
