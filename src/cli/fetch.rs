//! `cart fetch`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::digest::{Md5, Sha256};
use clap::Args;
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

/// Downloads, verifies and unpacks a source into a new directory.
pub fn run(_args: &FetchArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
