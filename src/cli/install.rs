//! `cart install`.

use super::change::{ChangeArgs, carry_out};
use super::request::{Demands, database, gather, is_known, request};
use super::tpkg::{self, Job, TpkgArgs};
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::facts;
use crate::facts::tpkg::Turn;
use crate::package::digest::{Md5, Sha256};
use crate::plan::install::install;
use crate::plan::tpkg::wish::Wish;
use clap::Args;
use std::collections::BTreeSet;

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
    /// Call a UBOS package so, whatever it says itself; for a single source
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Accept symbolic links that lead out of the package
    #[arg(long)]
    pub allow_external_links: bool,
    /// Go on where other versions of a package are held
    #[arg(long)]
    pub include_held: bool,
    /// Where packages of tpkg go.
    #[command(flatten)]
    pub tpkg: TpkgArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Installs packages, all in one transaction.
pub fn run(args: &InstallArgs, app: &mut App) -> Result<Exit, Failure> {
    refuse_digest_for_many(args)?;
    let what = || match args.sources.as_slice() {
        [one] => format!("cannot install `{one}`"),
        many => format!("cannot install {} packages", many.len()),
    };
    install_all(args, app).doing(what)
}

fn install_all(args: &InstallArgs, app: &App) -> Result<Exit, Failure> {
    let demands =
        Demands { md5: args.md5, sha256: args.sha256, external_links: args.allow_external_links };
    // Names that the index does not have may be those of tpkg packages, where there are sources.
    let has_sources = !args.tpkg.sources(app)?.is_empty();
    let is_wish = |word: &&String| has_sources && !is_known(word);
    let wishes: Vec<Wish> =
        args.sources.iter().filter(is_wish).map(|word| Wish::parse(word)).collect();
    let others = args.sources.iter().filter(|word| !is_wish(word));
    let requests = others.map(|word| request(word, demands));
    let mut requests = requests.collect::<Result<Vec<_>, _>>()?;
    for request in &mut requests {
        request.name.clone_from(&args.name);
    }
    crate::sys::interrupt::watch_or_fail()?;
    let db = database(app, args.change.dry_run)?;
    let (tpkgs, arrived) = tpkg::split(gather(app, &requests)?);
    let tpkgs = tpkg::complete(app, &db, (tpkgs, Turn::Beside), (&wishes, &args.tpkg))?;
    let base = args.tpkg.base(app)?;
    let names: BTreeSet<String> =
        arrived.iter().map(|one| one.new.package.name.to_string()).collect();
    carry_out(app, &db, &args.change, &|| {
        let mut installed = facts::library(&db, &names)?;
        if args.include_held {
            for one in &mut installed {
                one.hold = None;
            }
        }
        let liberties = args.tpkg.liberties();
        let job = Job { coming: &tpkgs, leaving: &[], base: base.clone(), liberties };
        match (arrived.is_empty(), tpkgs.is_empty()) {
            (_, true) => Ok(install(&arrived, &installed)?),
            (true, false) => tpkg::plan(app, &db, &job),
            (false, false) => {
                let mut plan = install(&arrived, &installed)?;
                plan.merge(tpkg::plan(app, &db, &job)?);
                Ok(plan)
            }
        }
    })
}

/// A digest belongs to one download; which of many was meant would be a guess.
fn refuse_digest_for_many(args: &InstallArgs) -> Result<(), Failure> {
    let option = match (args.md5, args.sha256, &args.name) {
        (Some(_), ..) => "--md5",
        (None, Some(_), _) => "--sha256",
        (None, None, Some(_)) => "--name",
        (None, None, None) => return Ok(()),
    };
    if args.sources.len() == 1 {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("`{option}` goes with a single source"))
        .hint("install the sources one by one, each with its digest"))
}
