//! `cart install`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::digest::{Md5, Sha256};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart install static-web
  cart install --md5 d41d8cd98f00b204e9800998ecf8427e https://example.org/diy.tar.gz
  cart install ./my-cartridge git://example.org/other.git#v2";

/// The arguments of `cart install`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InstallArgs {
    /// What to install: names in the index, URLs, git repositories with `#commit`, archives,
    /// directories, manifests
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Demand this MD5 of the download; for a single source
    #[arg(long, value_name = "HEX", value_parser = Md5::parse)]
    pub md5: Option<Md5>,
    /// Demand this SHA-256 of the download; for a single source
    #[arg(long, value_name = "HEX", value_parser = Sha256::parse)]
    pub sha256: Option<Sha256>,
    /// Accept symbolic links that lead out of the package
    #[arg(long)]
    pub allow_external_links: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Installs packages, all in one transaction.
pub fn run(args: &InstallArgs, _app: &mut App) -> Result<Exit, Failure> {
    refuse_digest_for_many(args)?;
    super::pending()
}

/// A digest belongs to one download; which of many was meant would be a guess.
fn refuse_digest_for_many(args: &InstallArgs) -> Result<(), Failure> {
    let option = match (args.md5, args.sha256) {
        (Some(_), _) => "--md5",
        (None, Some(_)) => "--sha256",
        (None, None) => return Ok(()),
    };
    if args.sources.len() == 1 {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("`{option}` goes with a single source"))
        .hint("install the sources one by one, each with its digest"))
}
