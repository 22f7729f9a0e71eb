//! From a name on the command line to the package that it means, and how packages are shown.

use super::app::App;
use crate::db::{Db, Hold, PackageRow};
use crate::error::{Exit, Failure};
use crate::facts;
use crate::facts::tpkg::{is_tpkg, tpkg_title};
use crate::sys::clock::Moment;
use crate::ui::suggest;
use serde::Serialize;

/// A package in an answer.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    format: &'a str,
    vendor: &'a str,
    name: &'a str,
    version: &'a str,
    package_version: &'a str,
    tree: &'a str,
    files: u64,
    size: u64,
    source: &'a str,
    source_kind: &'a str,
    md5: Option<&'a str>,
    sha256: Option<&'a str>,
    commit: Option<&'a str>,
    trust: &'a str,
    installed: String,
    transaction: i64,
    held: Option<&'a str>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(row: &'a PackageRow, hold: Option<&'a Hold>) -> Self {
        Self {
            format: &row.format,
            vendor: &row.vendor,
            name: &row.name,
            version: &row.version,
            package_version: &row.package_version,
            tree: &row.tree,
            files: row.files,
            size: row.size,
            source: &row.source,
            source_kind: &row.source_kind,
            md5: row.md5.as_deref(),
            sha256: row.sha256.as_deref(),
            commit: row.commit.as_deref(),
            trust: &row.trust,
            installed: Moment(row.installed).rfc3339(),
            transaction: row.txn,
            held: hold.map(|hold| hold.reason.as_str()),
        }
    }
}

/// The name by which messages call the package of `row`.
pub(super) fn title(row: &PackageRow) -> String {
    if is_tpkg(row) {
        return tpkg_title(row);
    }
    format!("{}-{}-{}", row.vendor, row.name, row.version)
}

/// The one installed package that `text` means.
pub(super) fn the_one(db: Option<&Db>, text: &str) -> Result<PackageRow, Failure> {
    let Some(db) = db else { return Err(missing(text, &[])) };
    let mut found = facts::find(db, text)?;
    match (found.pop(), found.as_slice()) {
        (None, _) => Err(missing(text, &db.package_names()?)),
        (Some(one), []) => Ok(one.row),
        (Some(last), others) => {
            let all = others.iter().map(|one| &one.row).chain([&last.row]);
            let names: Vec<_> = all
                .map(|row| format!("{}-{}-{}", row.vendor, row.name, row.package_version))
                .collect();
            let text = format!("`{text}` could be any of {}", names.join(", "));
            Err(Failure::new(Exit::Conflict, text).hint(format!("say `{}`, for example", names[0])))
        }
    }
}

/// The failure for a name that no installed package has.
pub(super) fn missing(text: &str, names: &[String]) -> Failure {
    let failure = Failure::new(Exit::NotFound, format!("no installed package is called `{text}`"));
    match suggest(text, names) {
        Some(name) => failure.hint(format!("did you mean `{name}`?")),
        None => failure.hint("`cart list` shows what is installed"),
    }
}

/// The database, for a command that changes something; a name that cannot be there fails without
/// making one.
pub(super) fn existing(app: &App, text: &str) -> Result<Db, Failure> {
    if app.has_database() { app.changing() } else { Err(missing(text, &[])) }
}
