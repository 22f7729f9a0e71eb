//! `cart fetch`.

use super::request::source;
use super::usage::redact;
use crate::archive::Modes;
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::gather::{Content, Gatherer};
use crate::package::digest::{Md5, Sha256};
use crate::package::provenance::Provenance;
use crate::source::digest::Checks;
use crate::sys::interrupt;
use crate::ui::format;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cart fetch https://example.org/diy.tar.gz --into diy
  cart fetch --raw ./backup.zip --into backup";

/// The arguments of `cart fetch`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct FetchArgs {
    /// What to fetch: a URL, a git repository with `#commit`, an archive, a directory, a manifest
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The directory to make; it must not exist yet
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// Take what comes, whether it is a package or not
    #[arg(long)]
    pub raw: bool,
    /// Demand this MD5 of the download
    #[arg(long, value_name = "HEX", value_parser = Md5::parse)]
    pub md5: Option<Md5>,
    /// Demand this SHA-256 of the download
    #[arg(long, value_name = "HEX", value_parser = Sha256::parse)]
    pub sha256: Option<Sha256>,
}

#[derive(Serialize)]
struct Answer {
    into: String,
    files: usize,
    size: u64,
    provenance: Provenance,
}

/// Downloads, verifies and unpacks a source into a new directory.
pub fn run(args: &FetchArgs, app: &mut App) -> Result<Exit, Failure> {
    fetch(args, app).doing(|| format!("cannot fetch `{}`", redact(&args.source)))
}

fn fetch(args: &FetchArgs, app: &App) -> Result<Exit, Failure> {
    let mut request = source(&args.source)?;
    request.checks = Checks { md5: args.md5, sha256: args.sha256 };
    request.modes = Modes::AsPacked;
    if args.raw {
        request.content = Content::Raw;
    }
    interrupt::watch_or_fail()?;
    let gatherer = Gatherer::new(app.layout(), app.config()?);
    let watch = app.progress().watch(&request.what.to_string());
    let fetched = gatherer.fetch_into(&request, &args.into, &*watch)?;
    let (files, size) = (fetched.table.entries().len(), fetched.table.size());
    let into = args.into.display().to_string();
    if app.form() == Form::Json {
        app.printer().json(&Answer { into, files, size, provenance: fetched.provenance });
        return Ok(Exit::Done);
    }
    let printer = app.printer();
    fetched
        .notes
        .as_slice()
        .iter()
        .for_each(|note| printer.warn(&format!("{}: {}", note.file, note.text)));
    if let Some(digest) = fetched.provenance.sha256 {
        printer.talk(&format!("SHA-256 {digest}"));
    }
    if let Some(commit) = &fetched.provenance.commit {
        printer.talk(&format!("commit {commit}"));
    }
    printer.talk(&format!("{files} entries, {} in `{into}`", format::size(size)));
    Ok(Exit::Done)
}
