//! Where the passphrase of encrypted files comes from: a file, the environment, the terminal.

use super::app::App;
use crate::error::{Exit, Failure, FsError};
use crate::format::tpkg::crypt::Passphrase;
use crate::sys::{fs, host};
use crate::ui::secret::ask_secret;
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The variable that may hold it.
const VARIABLE: &str = "CART_PASSPHRASE";
/// The longest file of a passphrase, in bytes.
const LONGEST: u64 = 4096;
const OTHERWISE: &str = "give it with `--passphrase-file FILE`, or in `CART_PASSPHRASE`";

/// The option for the passphrase.
#[derive(Args, Clone, Debug, Default)]
pub struct PassphraseArgs {
    /// Read the passphrase of encrypted files from the first line of FILE
    ///
    /// Otherwise `CART_PASSPHRASE` counts, and where that is unset the terminal is asked.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Whether a passphrase that is typed has to be typed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Something is encrypted with it: a slip of the finger would make it unreadable.
    Encrypt,
    /// Something is decrypted with it: a wrong one is told at once.
    Decrypt,
}

/// Gets the passphrase for the package `title`.
pub fn passphrase(
    app: &App,
    args: &PassphraseArgs,
    (title, purpose): (&str, Purpose),
) -> Result<Passphrase, Failure> {
    if let Some(path) = &args.passphrase_file {
        let line = first_line(path)?;
        let empty = || Failure::new(Exit::Usage, format!("`{}` is empty", path.display()));
        return Passphrase::new(line).ok_or_else(empty);
    }
    if let Some(found) = host::variable(VARIABLE).and_then(Passphrase::new) {
        return Ok(found);
    }
    let ask = |question: &str| {
        let answer = ask_secret(app.printer(), question, OTHERWISE)?.and_then(Passphrase::new);
        answer.ok_or_else(|| Failure::new(Exit::Refused, "no passphrase was given").hint(OTHERWISE))
    };
    let title = title.escape_debug();
    let first = ask(&format!("passphrase for `{title}`:"))?;
    if purpose == Purpose::Encrypt && ask("the same again:")? != first {
        return Err(Failure::new(Exit::Refused, "the two passphrases are not the same"));
    }
    Ok(first)
}

fn first_line(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let file = fs::open_for_reading(path)?;
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| FsError::new("read", path, error))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
