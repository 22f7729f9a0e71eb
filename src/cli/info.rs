//! `cart info`.

use super::not_installed;
use super::package::{Shown, the_one, title};
use crate::cli::app::App;
use crate::db::{Db, PackageRow};
use crate::error::{Exit, Failure};
use crate::facts::tpkg::{TpkgInfo, is_tpkg, tpkg_info};
use crate::package::Package;
use crate::package::note::Note;
use crate::sys::clock::Moment;
use crate::ui::format;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart info static-web
  cart info redhat-diy-0.1 --json";

/// The arguments of `cart info`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InfoArgs {
    /// The package: a name, `name-version`, `vendor-name`, `vendor-name-version`, or where one comes
    /// from
    #[arg(value_name = "PACKAGE")]
    pub package: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    package: Shown<'a>,
    manifest: &'a Package,
    used_by: &'a [String],
    notes: &'a [Note],
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpkg: Option<&'a TpkgInfo>,
}

/// Shows what is known about a package.
pub fn run(args: &InfoArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let row = match the_one(db.as_ref(), &args.package) {
        Err(failure) if not_installed::is_meant(&failure, &args.package) => {
            return not_installed::info(app, &args.package);
        }
        found => found?,
    };
    let Some(db) = db else { return Ok(Exit::NotFound) };
    let manifest = db.manifest(row.id)?;
    let notes = db.notes(row.id)?;
    let used_by = used_by(&db, &row)?;
    let hold = db.hold_on(&row.vendor, &row.name)?;
    let tpkg = is_tpkg(&row).then(|| tpkg_info(&db, &row, &manifest)).transpose()?;
    let path = app.layout().library().join(&row.place).display().to_string();
    if app.form() == Form::Json {
        let package = Shown::new(&row, hold.as_ref());
        let (manifest, used_by, notes) = (&manifest, used_by.as_slice(), notes.as_slice());
        let answer = Answer { package, manifest, used_by, notes, path, tpkg: tpkg.as_ref() };
        app.printer().json(&answer);
        return Ok(Exit::Done);
    }
    let mut table = facts(&row, &manifest, (&used_by, &path));
    if let Some(tpkg) = &tpkg {
        add_tpkg(&mut table, tpkg);
    }
    if let Some(hold) = hold {
        let since = app.printer().moment(Moment(hold.since));
        table.row(["Held", &format!("{} (since {since}, by user {})", hold.reason, hold.user)]);
    }
    app.printer().table(&table);
    for note in notes {
        let at = note.line.map(|line| format!(":{line}")).unwrap_or_default();
        app.printer().warn(&format!("{}{at}: {}", note.file, note.text));
    }
    Ok(Exit::Done)
}

/// What is particular to packages of tpkg.
fn add_tpkg(table: &mut Table, tpkg: &TpkgInfo) {
    let size = format::size(tpkg.placed_size);
    for (name, value) in [
        ("Base", tpkg.base.clone()),
        ("File", tpkg.file_name.clone()),
        ("Maintainer", tpkg.maintainer.clone()),
        ("Systems", tpkg.operating_systems.join(", ")),
        ("Hardware", tpkg.architectures.join(", ")),
        ("Needs", tpkg.needs.join(", ")),
        ("Needed by", tpkg.needed_by.join(", ")),
        ("Not beside", tpkg.conflicts.join(", ")),
        ("Externals", tpkg.externals.join(", ")),
        ("Services", tpkg.services.join(", ")),
        ("On the host", format!("{size} in {} files", tpkg.placed)),
    ] {
        if !value.is_empty() {
            table.row([name, &value]);
        }
    }
}

fn used_by(db: &Db, row: &PackageRow) -> Result<Vec<String>, Failure> {
    let uses = db.package_uses()?.into_iter();
    Ok(uses.filter(|used| used.package == row.id).map(|used| used.gear).collect())
}

fn facts(row: &PackageRow, manifest: &Package, (used_by, path): (&[String], &str)) -> Table {
    let software = manifest.default_software();
    let versions: Vec<_> = manifest.software.iter().map(|one| one.version.as_str()).collect();
    let trust = match row.trust.as_str() {
        "md5-only" => "md5-only: MD5 finds damage, not intent".to_owned(),
        other => other.to_owned(),
    };
    let mut table = Table::headless();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            table.row([name, value]);
        }
    };
    add("Package", &title(row));
    add("Name", &software.display_name);
    add("Description", software.description.trim());
    add("Format", &row.format);
    add("Release", &row.package_version);
    add("Versions", &versions.join(", "));
    add("License", &software.license);
    for (name, value) in manifest.offers() {
        add(name, &value);
    }
    add("Website", &software.website);
    add("Source", &row.source);
    add("Trust", &trust);
    add("SHA-256", row.sha256.as_deref().unwrap_or_default());
    add("MD5", row.md5.as_deref().unwrap_or_default());
    add("Commit", row.commit.as_deref().unwrap_or_default());
    add("Tree", &row.tree);
    add("Size", &format!("{} in {} entries", format::size(row.size), row.files));
    add("Used by", &used_by.join(", "));
    add("Path", path);
    table
}
