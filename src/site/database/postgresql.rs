//! Statements for `PostgreSQL`.
//!
//! Each database belongs to a role of its own ([`super::owner`]), by which dumps are loaded: what a dump
//! holds is then done with the rights of that role and never with those of the administrator. It can
//! log in only while that is going on. An app that may do everything is a member of it, so that it can
//! change what was loaded for it.

use super::{Database, Wanted, owner};
use crate::package::ubos::site::Secret;
use std::fmt::Write;

/// What is said first in every session: a statement that fails must not get into the server's log,
/// where it would show a password.
const QUIETLY: &str = "SET log_min_error_statement = panic;\nSET log_statement = 'none';\n\
                       SET client_min_messages = warning;\n";

/// Makes the database and its roles, in the administrator's own database; what is left of an earlier
/// try goes first.
pub fn create(database: &Database, wanted: &Wanted, credential: &Secret) -> String {
    let Database { name, user, .. } = database;
    let owner = owner(database);
    let charset = wanted.charset.as_ref().map_or("UTF8", |word| word.as_str());
    let collate = wanted.collate.as_ref().map(|word| format!(" LC_COLLATE '{}'", word.as_str()));
    let mut text = drop(database);
    let _ = write!(
        text,
        "CREATE ROLE \"{owner}\" NOLOGIN;\n\
         CREATE ROLE \"{user}\" LOGIN PASSWORD '{}';\n\
         CREATE DATABASE \"{name}\" OWNER \"{owner}\" TEMPLATE template0 ENCODING '{charset}'{};\n\
         REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC;\n\
         GRANT CONNECT, TEMPORARY ON DATABASE \"{name}\" TO \"{user}\";\n",
        credential.0,
        collate.unwrap_or_default()
    );
    if wanted.privileges.are_all() {
        let _ = writeln!(text, "GRANT \"{owner}\" TO \"{user}\";");
    }
    text
}

/// Lets the user do what the app may do in tables to come, whoever makes them; in the new database.
pub fn grant(database: &Database, wanted: &Wanted) -> String {
    let user = &database.user;
    let list = wanted.privileges.list();
    let mut text = String::from(QUIETLY);
    for whose in [String::new(), format!("FOR ROLE \"{}\" ", owner(database))] {
        let begin = format!("ALTER DEFAULT PRIVILEGES {whose}IN SCHEMA public GRANT");
        let _ = writeln!(text, "{begin} {list} ON TABLES TO \"{user}\";");
        let _ = writeln!(text, "{begin} USAGE, SELECT, UPDATE ON SEQUENCES TO \"{user}\";");
    }
    let _ = writeln!(text, "GRANT USAGE ON SCHEMA public TO \"{user}\";");
    if wanted.privileges.are_all() {
        let _ = writeln!(text, "GRANT CREATE ON SCHEMA public TO \"{user}\";");
    }
    text
}

/// Lets the owner log in with a password, or never again.
pub fn open(database: &Database, credential: Option<&Secret>) -> String {
    let owner = owner(database);
    match credential {
        Some(credential) => {
            format!("{QUIETLY}ALTER ROLE \"{owner}\" LOGIN PASSWORD '{}';\n", credential.0)
        }
        None => format!("{QUIETLY}ALTER ROLE \"{owner}\" NOLOGIN PASSWORD NULL;\n"),
    }
}

/// Removes the database and its roles, where they are there; whoever is connected is thrown out.
pub fn drop(database: &Database) -> String {
    let Database { name, user, .. } = database;
    let owner = owner(database);
    format!(
        "{QUIETLY}DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE);\n\
         DROP ROLE IF EXISTS \"{user}\";\nDROP ROLE IF EXISTS \"{owner}\";\n"
    )
}
