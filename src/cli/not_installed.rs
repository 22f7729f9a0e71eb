//! What a source has, for `cart info` and `cart files`: it is gathered as for an installation, and
//! nothing is installed.

use super::app::App;
use super::files::Shown;
use super::request::{gather, is_source, source};
use crate::db::NewPackage;
use crate::error::{Context, Exit, Failure};
use crate::gather::Arrival;
use crate::package::Package;
use crate::package::file_table::{Content, Entry};
use crate::package::note::Note;
use crate::package::provenance::Provenance;
use crate::package::tpkg::{Place, Tpkg, TpkgContent, TpkgFile};
use crate::sys::interrupt;
use crate::ui::format;
use crate::ui::report::Form;
use crate::ui::table::Table;
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'a> {
    manifest: &'a Package,
    provenance: &'a Provenance,
    notes: &'a [Note],
}

/// Tells whether a word that names no installed package may name a source.
pub(super) fn is_meant(failure: &Failure, word: &str) -> bool {
    failure.exit == Exit::NotFound && is_source(word)
}

/// Gets what the source has.
fn get(app: &App, word: &str) -> Result<Arrival, Failure> {
    interrupt::watch_or_fail()?;
    let request = source(word)?;
    let got = gather(app, &[request])?.into_iter().next();
    got.ok_or_else(|| Failure::new(Exit::NotFound, format!("`{word}` has no package")))
}

/// Shows what is known about the package of a source.
pub(super) fn info(app: &App, word: &str) -> Result<Exit, Failure> {
    let got = get(app, word).doing(|| format!("cannot look at `{word}`"))?;
    let NewPackage { package, table: files, provenance, notes, .. } = &got.new;
    if app.form() == Form::Json {
        app.printer().json(&Answer { manifest: package, provenance, notes });
        return Ok(Exit::Done);
    }
    let software = package.default_software();
    let versions: Vec<_> = package.software.iter().map(|one| one.version.as_str()).collect();
    let size = format::size(files.size());
    let mut rows = vec![
        ("Package", package.title()),
        ("Name", software.display_name.clone()),
        ("Description", software.description.trim().to_owned()),
        ("Format", package.format.as_str().to_owned()),
        ("Release", package.package_version.to_string()),
        ("Versions", versions.join(", ")),
        ("License", software.license.clone()),
        ("Source", provenance.source.clone()),
        ("SHA-256", provenance.sha256.map(|digest| digest.to_string()).unwrap_or_default()),
        ("Size", format!("{size} in {} entries", files.entries().len())),
    ];
    rows.extend(package.tpkg.iter().flat_map(|tpkg| of_tpkg(tpkg)));
    let externals: Vec<_> = package.externals.iter().map(|one| one.name.to_string()).collect();
    rows.push(("Externals", externals.join(", ")));
    let mut table = Table::headless();
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        table.row([*name, value]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}

/// What is particular to packages of tpkg.
fn of_tpkg(tpkg: &Tpkg) -> Vec<(&'static str, String)> {
    let words = |all: &[crate::package::tpkg::Requirement]| {
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let services = tpkg.files.iter().filter(|file| file.init.is_some());
    let services: Vec<_> = services.map(|file| file.path.to_string()).collect();
    vec![
        ("File", tpkg.file_name.clone()),
        ("Maintainer", tpkg.maintainer.clone()),
        ("Systems", tpkg.operating_systems.join(", ")),
        ("Hardware", tpkg.architectures.join(", ")),
        ("Needs", words(&tpkg.dependencies)),
        ("Not beside", words(&tpkg.conflicts)),
        ("Services", services.join(", ")),
    ]
}

/// Lists the files of the package of a source; those of a tpkg package as its metadata name them.
pub(super) fn files(app: &App, word: &str) -> Result<Vec<Shown>, Failure> {
    let got = get(app, word).doing(|| format!("cannot look at `{word}`"))?;
    Ok(match &got.new.package.tpkg {
        Some(tpkg) => tpkg.files.iter().map(placed).collect(),
        None => got.new.table.entries().iter().map(entry).collect(),
    })
}

fn placed(file: &TpkgFile) -> Shown {
    let (kind, size, sha256, target) = match &file.content {
        TpkgContent::Directory => ("directory", None, None, None),
        TpkgContent::File { size, sha256 } => ("file", Some(*size), Some(sha256.to_string()), None),
        TpkgContent::Link(target) => ("link", None, None, Some(target.clone())),
    };
    let path = match file.place {
        Place::Reloc => file.path.to_string(),
        Place::Root => format!("/{}", file.path),
    };
    Shown { path, kind: kind.into(), mode: format!("{:04o}", file.mode()), size, sha256, target }
}

fn entry(entry: &Entry) -> Shown {
    let (kind, size, sha256, target) = match &entry.content {
        Content::Directory => ("directory", None, None, None),
        Content::File { size, sha256 } => ("file", Some(*size), Some(sha256.to_string()), None),
        Content::Link(target) => ("link", None, None, Some(target.clone())),
    };
    let mode = format!("{:04o}", entry.mode);
    Shown { path: entry.path.to_string(), kind: kind.into(), mode, size, sha256, target }
}
