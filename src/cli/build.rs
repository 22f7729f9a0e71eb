//! `cart build`.

use super::passphrase::{self, PassphraseArgs, Purpose};
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::pack::{self, Compress, Order, USUAL_TIME};
use crate::package::note::{Level, Note};
use crate::sys::{host, interrupt};
use crate::ui::format;
use crate::ui::report::Form;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cart build ./mypackage
  cart build . --out dist --compress bz2
  cart build ./secrets --passphrase-file ~/.passphrase --json";

/// The arguments of `cart build`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BuildArgs {
    /// The package's directory: with `tpkg.yml` or `tpkg.xml`, a cartridge, or a UBOS package
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The directory for the file [default: the one in which DIR lies]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to compress
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub compress: How,
    /// Where the passphrase comes from
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// How a package is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// With gzip
    #[default]
    Gzip,
    /// With bzip2: smaller and slower, for tpkg packages alone
    Bz2,
    /// Not at all
    No,
}

impl From<How> for Compress {
    fn from(how: How) -> Self {
        match how {
            How::Gzip => Self::Gzip,
            How::Bz2 => Self::Bzip2,
            How::No => Self::No,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    path: String,
    title: &'a str,
    sha256: String,
    length: u64,
    entries: usize,
    notes: &'a [Note],
}

/// Packs a directory into a file that can be installed.
pub fn run(args: &BuildArgs, app: &mut App) -> Result<Exit, Failure> {
    build(args, app).doing(|| format!("cannot build `{}`", args.dir.display()))
}

fn build(args: &BuildArgs, app: &App) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    let order = Order {
        from: &args.dir,
        into: args.out.as_deref(),
        compress: args.compress.into(),
        time: time()?,
        limits: &app.config()?.archive,
    };
    let watch = app.progress().watch(&args.dir.display().to_string());
    let mut ask =
        |title: &str| passphrase::passphrase(app, &args.passphrase, (title, Purpose::Encrypt));
    let packed = pack::pack(&order, &mut ask, &*watch);
    watch.finish();
    let packed = packed?;
    let notes = packed.notes.as_slice();
    if app.form() == Form::Json {
        app.printer().json(&Answer {
            path: packed.path.display().to_string(),
            title: &packed.title,
            sha256: packed.sha256.to_string(),
            length: packed.length,
            entries: packed.entries,
            notes,
        });
        return Ok(Exit::Done);
    }
    let printer = app.printer();
    for note in notes {
        let text = format!("{}: {}", note.file, note.text);
        match note.level {
            Level::Advice => printer.talk(&text),
            Level::Warning | Level::Error => printer.warn(&text),
        }
    }
    printer.data(&packed.path.display().to_string());
    let (entries, size) = (packed.entries, format::size(packed.length));
    printer.talk(&format!("{entries} entries, {size}, SHA-256 {}", packed.sha256));
    Ok(Exit::Done)
}

/// The time of the members: `SOURCE_DATE_EPOCH`, where somebody set it.
fn time() -> Result<u64, Failure> {
    let Some(text) = host::variable("SOURCE_DATE_EPOCH") else { return Ok(USUAL_TIME) };
    // The most that every tar archive can hold.
    let time = text.parse().ok().filter(|time| *time < 1 << 33);
    time.ok_or_else(|| {
        let text = format!("`SOURCE_DATE_EPOCH` is `{}`", text.escape_debug());
        Failure::new(Exit::Usage, text).hint("set it to seconds since 1970, or unset it")
    })
}
