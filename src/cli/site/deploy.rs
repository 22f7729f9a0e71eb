//! `cart site deploy`.

use super::certificate::certify;
use super::named::{Becoming, Scope, become_of, each};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::cli::request::database;
use crate::error::{Context, Exit, Failure};
use crate::format::ubos::{Fill, sites};
use crate::package::note::Notes;
use crate::package::ubos::site::Site;
use crate::sys::fs;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// The longest site file, in bytes.
const LONGEST: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  cart site deploy blog.json
  cart site deploy --template blog.json wiki.json --dry-run
  cart site deploy - --json";

/// The arguments of `cart site deploy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeployArgs {
    /// The site files; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Make identifiers, the administrator's password and the certificate where they are missing
    ///
    /// A certificate is made where the site file has `tls`, but no `key` and no `crt` in it; the site
    /// signs it itself.
    #[arg(long)]
    pub template: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Deploys sites, each in a transaction of its own.
pub fn run(args: &DeployArgs, app: &mut App) -> Result<Exit, Failure> {
    let fill = if args.template { Fill::Missing(&certify) } else { Fill::Nothing };
    let mut all: Vec<Site> = Vec::new();
    for file in &args.files {
        let what = || format!("cannot deploy what `{}` says", file.escape_debug());
        all.extend(read(app, file, fill).doing(what)?);
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = all.iter().find(|site| !seen.insert(site.id.clone())) {
        let text = format!("the site `{}` is there twice", twice.id);
        return Err(Failure::new(Exit::Conflict, text).hint("keep one of them"));
    }
    let db = database(app, args.change.dry_run)?;
    each(app, (&all, Scope::of(all.len())), &|app, site, teller| {
        become_of((app, &db), (&site.id, Becoming::site(site)), (&args.change, teller))
            .doing(|| format!("cannot deploy the site `{}`", site.called()))
    })
}

/// The sites of a file. What a text names that begins with `@` lies relative to it.
fn read(app: &App, file: &str, fill: Fill<'_>) -> Result<Vec<Site>, Failure> {
    let (bytes, folder) = if file == "-" {
        (from_stdin()?, std::path::absolute(".").unwrap_or_default())
    } else {
        let path = std::path::absolute(file).unwrap_or_else(|_| file.into());
        let text = fs::read_text(&path)?;
        (text.into_bytes(), path.parent().unwrap_or(Path::new("/")).to_owned())
    };
    let include = |name: &str| {
        let text = fs::read_text(&folder.join(name));
        text.map_err(|error| format!("{error}: {}", error.source))
    };
    let mut notes = Notes::default();
    let name = if file == "-" { "standard input" } else { file };
    let read = sites((name, &bytes), fill, &include, &mut notes);
    for note in notes.as_slice() {
        let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
        app.printer().warn(&format!("{}{line}: {}", note.file, note.text));
    }
    read.map_err(|error| {
        let mut failure = Failure::from(error);
        // What is said of manifests is not of use here.
        failure.hints = vec!["`cart site create` writes a site file to begin with".into()];
        failure
    })
}

fn from_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().take(LONGEST).read_to_end(&mut bytes).map_err(|error| {
        let mut failure = Failure::new(Exit::Failed, "cannot read standard input");
        failure.causes.push(error.to_string());
        failure
    })?;
    Ok(bytes)
}
