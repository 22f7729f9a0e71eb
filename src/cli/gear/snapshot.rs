//! `cart gear snapshot`.

use super::found;
use crate::archive::sealed::Lock;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud};
use crate::cli::passphrase::{PassphraseArgs, Purpose, passphrase};
use crate::error::{Context, Exit, Failure, FsError};
use crate::facts::DeployFacts;
use crate::gather::{self, Staging};
use crate::package::ident::GearName;
use crate::plan::gear::snapshot;
use crate::progress::Watch;
use crate::sys::fs::{self, Dir, Kind, kind_of};
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use crate::ui::report::Form;
use clap::Args;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cart gear snapshot blog > blog.tar.gz
  cart gear snapshot blog --output /srv/blog.tar.gz
  cart gear snapshot blog --encrypt --recipient age1… > blog.tar.gz.age";

/// The archive's name in staging.
const NAME: &str = "snapshot.tar.gz";
/// How many bytes are handed out at a time.
const PIECE: usize = 256 << 10;

/// The arguments of `cart gear snapshot`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SnapshotArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Write to FILE instead of standard output; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Encrypt the archive as `age` does, with a passphrase or for whoever has a key
    #[arg(long)]
    pub encrypt: bool,
    /// The public key of one who is to read it, instead of a passphrase; may come again
    #[arg(long = "recipient", value_name = "KEY", requires = "encrypt")]
    pub recipients: Vec<String>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Takes a snapshot of a gear.
pub fn run(args: &SnapshotArgs, app: &mut App) -> Result<Exit, Failure> {
    take(args, app).doing(|| format!("cannot take a snapshot of the gear `{}`", args.name))
}

fn take(args: &SnapshotArgs, app: &App) -> Result<Exit, Failure> {
    if !args.change.dry_run {
        refuse_target(args, app)?;
    }
    let db = found::changing(app, &args.name)?;
    interrupt::watch_or_fail()?;
    // Whoever is asked is asked while the gear runs.
    let lock = lock(args, app)?;
    gather::sweep(app.layout())?;
    let staging = Staging::in_state(app.layout())?;
    let path = staging.dir().path_of(NAME);
    let below = path.strip_prefix(app.layout().state()).ok().and_then(|path| path.to_str());
    let to = below.and_then(|below| RelPath::parse(below).ok());
    let to =
        to.ok_or_else(|| Failure::new(Exit::Failed, "the staging directory lies elsewhere"))?;
    carry_out_aloud(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        Ok(snapshot(&DeployFacts::of_app(&db, app.layout(), gear)?, &to)?)
    })?;
    if args.change.dry_run {
        return Ok(Exit::Done);
    }
    let packed = Packed { file: staging.dir().open_file(NAME)?, lock: lock.as_ref() };
    let watch = app.progress().watch(args.name.as_str());
    let handed = match &args.output {
        Some(file) => packed.into_file(file, &*watch),
        None => packed.write(io::stdout().lock(), &*watch).map(drop),
    };
    watch.finish();
    handed.doing(|| "the gear goes on, but its snapshot could not be handed out".into())?;
    if let Some(file) = &args.output {
        app.printer().talk(&format!("wrote `{}`", file.display()));
    }
    Ok(Exit::Done)
}

fn refuse_target(args: &SnapshotArgs, app: &App) -> Result<(), Failure> {
    let usage = |text: String| Failure::new(Exit::Usage, text).hint("name a file: `--output FILE`");
    match &args.output {
        None if io::stdout().is_terminal() => {
            Err(usage("an archive is nothing for a terminal".into()))
        }
        None if app.form() == Form::Json => Err(usage(
            "the archive and the answer in JSON cannot both go to standard output".into(),
        )),
        Some(file) if kind_of(file) == Some(Kind::Directory) => {
            Err(usage(format!("`{}` is a directory", file.display())))
        }
        Some(file) => place(file).map(drop),
        None => Ok(()),
    }
}

fn lock(args: &SnapshotArgs, app: &App) -> Result<Option<Lock>, Failure> {
    if !args.encrypt {
        return Ok(None);
    }
    if !args.recipients.is_empty() {
        return Ok(Some(Lock::of_keys(&args.recipients)?));
    }
    if args.change.dry_run {
        return Ok(None);
    }
    let found = passphrase(app, &args.passphrase, (args.name.as_str(), Purpose::Encrypt))?;
    Ok(Some(Lock::Passphrase(found.reveal().into())))
}

/// The directory in which `file` lies, and its name there.
fn place(file: &Path) -> Result<(Dir, PathBuf), Failure> {
    let Some(name) = file.file_name() else {
        return Err(Failure::new(Exit::Usage, "that is no name of a file"));
    };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((Dir::open(&fs::resolve(parent.unwrap_or(Path::new(".")))?)?, PathBuf::from(name)))
}

/// An archive that is ready.
struct Packed<'a> {
    file: File,
    lock: Option<&'a Lock>,
}

impl Packed<'_> {
    /// Writes it to `file`, which appears whole or not at all.
    fn into_file(self, file: &Path, watch: &dyn Watch) -> Result<(), Failure> {
        let (folder, name) = place(file)?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(&name);
        beside.push(".cart-new");
        folder.remove_file(&beside)?;
        let made = folder.create_file(&beside, 0o600)?;
        let written = self.write(made, watch).and_then(|made| {
            made.sync_all().map_err(|error| FsError::new("write", file, error))?;
            Ok(folder.rename(&beside, &folder, &name)?)
        });
        if written.is_err() {
            // The first error is the one to tell of.
            let _ = folder.remove_file(&beside);
        }
        written
    }

    fn write<W: Write>(mut self, mut to: W, watch: &dyn Watch) -> Result<W, Failure> {
        let total = self.file.metadata().map(|meta| meta.len()).ok();
        let fail = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Failed, format!("cannot write the archive: {error}"))
        };
        if let Some(lock) = self.lock {
            watch.phase("encrypt", total);
            let mut work = |to: &mut dyn Write| copy(&mut self.file, to, watch);
            let mut to = lock.seal(to, &mut work)?;
            to.flush().map_err(|error| fail(&error))?;
            return Ok(to);
        }
        watch.phase("write", total);
        let copied = copy(&mut self.file, &mut to, watch).and_then(|()| to.flush());
        copied.map_err(|error| fail(&error))?;
        Ok(to)
    }
}

fn copy(from: &mut File, to: &mut dyn Write, watch: &dyn Watch) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        interrupt::check().map_err(|signal| io::Error::new(io::ErrorKind::Interrupted, signal))?;
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(piece.get(..count).unwrap_or_default())?;
        watch.advance(count as u64);
    }
}
