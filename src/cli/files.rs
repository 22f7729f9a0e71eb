//! `cart files`.

use super::not_installed;
use super::package::the_one;
use crate::cli::app::App;
use crate::db::{Db, Placed};
use crate::error::{Exit, Failure};
use crate::facts::tpkg::is_tpkg;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  cart files static-web
  cart files static-web --json";

/// The arguments of `cart files`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct FilesArgs {
    /// The package, or where one comes from
    #[arg(value_name = "PACKAGE")]
    pub package: String,
}

#[derive(Serialize)]
struct Answer {
    files: Vec<Shown>,
}

#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) mode: String,
    pub(super) size: Option<u64>,
    pub(super) sha256: Option<String>,
    pub(super) target: Option<String>,
}

/// Lists the files of a package.
pub fn run(args: &FilesArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let row = match the_one(db.as_ref(), &args.package) {
        Err(failure) if not_installed::is_meant(&failure, &args.package) => {
            let files = not_installed::files(app, &args.package)?;
            match app.form() {
                Form::Text => files.iter().for_each(|file| app.printer().data(&file.path)),
                Form::Json => app.printer().json(&Answer { files }),
            }
            return Ok(Exit::Done);
        }
        found => found?,
    };
    let files = db.as_ref().map_or(Ok(Vec::new()), |db: &Db| db.files(row.id))?;
    let placed = db.as_ref().map_or(Ok(Vec::new()), |db: &Db| db.placed(row.id))?;
    if is_tpkg(&row) {
        on_host(app, &placed);
        return Ok(Exit::Done);
    }
    match app.form() {
        Form::Text => files.iter().for_each(|file| app.printer().data(&file.path)),
        Form::Json => {
            let files = files.into_iter().map(|file| Shown {
                path: file.path,
                kind: file.kind,
                mode: format!("{:04o}", file.mode),
                size: file.size,
                sha256: file.sha256.map(|digest| digest.to_string()),
                target: file.target,
            });
            app.printer().json(&Answer { files: files.collect() });
        }
    }
    Ok(Exit::Done)
}

/// What a package has put on the host, with the paths that it has there.
fn on_host(app: &App, placed: &[Placed]) {
    let root = app.layout().root().unwrap_or(Path::new("/")).to_path_buf();
    let path = |one: &Placed| root.join(one.path.as_path()).display().to_string();
    match app.form() {
        Form::Text => placed.iter().for_each(|one| app.printer().data(&path(one))),
        Form::Json => {
            let files = placed.iter().map(|one| Shown {
                path: path(one),
                kind: one.kind.as_str().to_owned(),
                mode: format!("{:04o}", one.mode),
                size: one.size,
                sha256: one.sha256.map(|digest| digest.to_string()),
                target: one.target.clone(),
            });
            app.printer().json(&Answer { files: files.collect() });
        }
    }
}
