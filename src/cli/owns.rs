//! `cart owns`.

use super::package::title;
use crate::cli::app::App;
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::sys::fs;
use crate::sys::path::RelPath;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cart owns /var/lib/cartwright/gears/blog/static-web/usr/server.pl
  cart owns ~/.local/share/cartwright/gears/blog/.env/HOME";

/// The arguments of `cart owns`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct OwnsArgs {
    /// The file
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// Whom a file belongs to.
#[derive(Debug, Default, Serialize)]
struct Owner {
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gear: Option<String>,
    path: String,
}

/// Tells which package or gear a file belongs to. Links are followed first: what is asked for is
/// the file, not the name.
pub fn run(args: &OwnsArgs, app: &mut App) -> Result<Exit, Failure> {
    let path = fs::resolve(&args.path).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.exit = Exit::NotFound;
        failure
    })?;
    let db = app.reading()?;
    let owner = match &db {
        Some(db) => match find(app, db, &path)? {
            None => on_host(app, db, &args.path)?,
            found => found,
        },
        None => None,
    };
    let Some(owner) = owner else {
        let text = format!("`{}` belongs to no package and no gear", path.display());
        return Err(Failure::new(Exit::NotFound, text));
    };
    match app.form() {
        Form::Json => app.printer().json(&owner),
        Form::Text => {
            let whose = [owner.gear.map(|gear| format!("gear {gear}")), owner.package];
            app.printer().data(&whose.into_iter().flatten().collect::<Vec<_>>().join("  "));
        }
    }
    Ok(Exit::Done)
}

fn find(app: &App, db: &Db, path: &Path) -> Result<Option<Owner>, Failure> {
    let state = fs::resolve(app.layout().state())?;
    if let Ok(inside) = path.strip_prefix(state.join("library")) {
        return in_library(db, inside);
    }
    if let Ok(inside) = path.strip_prefix(state.join("gears")) {
        return in_gear(db, inside);
    }
    Ok(None)
}

/// What a package has put on the host: the name itself counts, link or not.
fn on_host(app: &App, db: &Db, path: &Path) -> Result<Option<Owner>, Failure> {
    let root = fs::resolve(app.layout().root().unwrap_or(Path::new("/")))?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let real = fs::resolve(parent)?.join(name);
    let inside = real.strip_prefix(&root).ok().and_then(Path::to_str);
    let Some(inside) = inside.and_then(|text| RelPath::parse(text).ok()) else { return Ok(None) };
    let mut titles = Vec::new();
    for holder in db.holders(&inside)? {
        titles.extend(db.package(holder.package)?.map(|row| title(&row)));
    }
    let path = real.display().to_string();
    let package = Some(titles.join(", ")).filter(|titles| !titles.is_empty());
    Ok(package.map(|package| Owner { package: Some(package), gear: None, path }))
}

/// `<format>/<vendor>-<name>/<version>-<digest>/<path>`.
fn in_library(db: &Db, inside: &Path) -> Result<Option<Owner>, Failure> {
    let place: PathBuf = inside.components().take(3).collect();
    let rest: PathBuf = inside.components().skip(3).collect();
    let Some(row) = db.package_at(&place.to_string_lossy())? else { return Ok(None) };
    let rest = rest.to_string_lossy().into_owned();
    if !rest.is_empty() && db.file(row.id, &rest)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Owner { package: Some(title(&row)), gear: None, path: rest }))
}

/// `<gear>/<folder of a cartridge, perhaps>/<path>`.
fn in_gear(db: &Db, inside: &Path) -> Result<Option<Owner>, Failure> {
    let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy());
    let Some(gear) = parts.next() else { return Ok(None) };
    let Some(row) = db.gear(&gear)? else { return Ok(None) };
    let folder = parts.next().unwrap_or_default();
    let rest = parts.collect::<Vec<_>>().join("/");
    let mut owner = Owner { gear: Some(row.name), path: rest.clone(), package: None };
    for cartridge in db.gear_cartridges(row.id)? {
        if cartridge.dir == folder
            && (rest.is_empty() || db.file(cartridge.package, &rest)?.is_some())
        {
            owner.package = db.package(cartridge.package)?.map(|row| title(&row));
        }
    }
    Ok(Some(owner))
}
