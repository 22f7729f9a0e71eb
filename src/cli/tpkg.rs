//! Packages of the format tpkg, for the commands that bring them and take them away.

use super::app::App;
use super::passphrase::{PassphraseArgs, Purpose, passphrase};
use super::request::gather;
use super::tpkg_choice::{Choice, choose};
use crate::db::{Db, PackageRow};
use crate::error::{Exit, Failure};
use crate::facts::Externals;
use crate::facts::tpkg::{
    Turn, Wanted, dependents_first, in_conflict, is_tpkg, tpkg_facts, with_dependents,
    with_prerequisites,
};
use crate::gather::Arrival;
use crate::package::ident::FormatName;
use crate::plan::Plan;
use crate::plan::tpkg::wish::Wish;
use crate::plan::tpkg::{Coming, Conflicts, Foreign, Liberties, TpkgAsk, change};
use crate::sys::fs::Dir;
use crate::sys::host;
use clap::Args;
use std::path::PathBuf;

/// The options of commands that bring packages of this format.
#[derive(Args, Clone, Debug, Default)]
pub struct TpkgArgs {
    /// Put relocatable tpkg packages below this directory [default: `$TPKG_HOME`, else `tpkg.base`]
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// Look for tpkg packages there as well, a directory or URL with `metadata.yml`; repeatable
    #[arg(long = "source", value_name = "PLACE")]
    pub tpkg_sources: Vec<String>,
    /// Let tpkg packages take the place of files that belong to no package
    #[arg(long)]
    pub replace_foreign: bool,
    /// Remove installed tpkg packages beside which one that comes cannot be
    #[arg(long)]
    pub force_replace: bool,
    /// The passphrase of encrypted files.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

impl TpkgArgs {
    pub(super) fn liberties(&self) -> Liberties {
        let foreign = if self.replace_foreign { Foreign::Replaced } else { Foreign::Refused };
        let conflicts = if self.force_replace { Conflicts::Removed } else { Conflicts::Refused };
        Liberties { foreign, conflicts, ..Liberties::default() }
    }

    /// Where to look: the command line's places and those of the settings.
    pub(super) fn sources(&self, app: &App) -> Result<Vec<String>, Failure> {
        Ok(self.tpkg_sources.iter().chain(&app.config()?.tpkg.sources).cloned().collect())
    }

    /// The base: what the command line says, else the environment, else the settings.
    pub(super) fn base(&self, app: &App) -> Result<PathBuf, Failure> {
        let named = self.base.clone();
        let named = named.or_else(|| host::variable_os("TPKG_HOME").map(PathBuf::from));
        let base = match named {
            Some(base) => base,
            None => app.config()?.tpkg.base.clone(),
        };
        if base.is_absolute() {
            return Ok(base);
        }
        let text = format!("the base `{}` is not absolute", base.display());
        Err(Failure::new(Exit::Usage, text).hint("say `--base /opt/tpkg`, for example"))
    }
}

/// What is to be done with packages of this format.
pub(super) struct Job<'a> {
    /// What comes, beside or in the place of what is installed.
    pub(super) coming: &'a [(Arrival, Turn)],
    pub(super) leaving: &'a [PackageRow],
    pub(super) base: PathBuf,
    pub(super) liberties: Liberties,
}

/// What comes for `given` and the names of `wishes`: themselves, and what they need of sources.
pub(super) fn complete(
    app: &App,
    db: &Db,
    (given, turn): (Vec<Arrival>, Turn),
    (wishes, args): (&[Wish], &TpkgArgs),
) -> Result<Vec<(Arrival, Turn)>, Failure> {
    let sources = args.sources(app)?;
    let upgrades = turn == Turn::InPlace;
    let requests = if wishes.is_empty() && sources.is_empty() {
        Vec::new()
    } else {
        choose(app, db, &Choice { wishes, given: &given, sources: &sources, upgrades })?
    };
    let mut coming: Vec<_> = given.into_iter().map(|one| (one, turn)).collect();
    if !requests.is_empty() {
        let (more, others) = split(gather(app, &requests)?);
        if let Some(other) = others.first() {
            let source = &other.new.provenance.source;
            let text = format!("`{source}` is no package of tpkg, as the source says");
            return Err(Failure::new(Exit::Source, text));
        }
        // One release of a name, as the choice was made.
        coming.extend(more.into_iter().map(|one| (one, Turn::InPlace)));
    }
    let state = Dir::create(app.layout().state(), 0o711)?;
    for (one, _) in coming.iter_mut().filter(|(one, _)| one.is_encrypted()) {
        let title = one.new.package.title();
        let passphrase = passphrase(app, &args.passphrase, (&title, Purpose::Decrypt))?;
        one.decrypt(&state, &passphrase)?;
    }
    Ok(coming)
}

/// Splits what arrived into packages of this format and all others.
pub(super) fn split(arrived: Vec<Arrival>) -> (Vec<Arrival>, Vec<Arrival>) {
    arrived.into_iter().partition(|one| one.new.package.format == FormatName::Tpkg)
}

/// Plans `job`.
pub(super) fn plan(app: &App, db: &Db, job: &Job<'_>) -> Result<Plan, Failure> {
    let mut there = Vec::new();
    let mut coming: Vec<&(Arrival, Turn)> = Vec::new();
    for both @ (one, _) in job.coming {
        let place = one.new.place.as_str();
        let twice = coming.iter().any(|(other, _)| other.new.place == one.new.place);
        if twice || db.package_at(place)?.is_some() {
            there.push(format!("`{}` is installed already", one.new.package.title()));
        } else {
            coming.push(both);
        }
    }
    let wanted: Vec<_> = coming
        .iter()
        .map(|(one, turn)| Wanted { package: &one.new.package, tree: &one.from, turn: *turn })
        .collect();
    if wanted.is_empty() && job.leaving.is_empty() {
        let mut plan = Plan::new("install nothing");
        plan.summary = there;
        return Ok(plan);
    }
    let mut leaving = job.leaving.to_vec();
    if job.liberties.conflicts == Conflicts::Removed {
        let packages: Vec<_> = wanted.iter().map(|one| one.package).collect();
        leaving.extend(in_conflict(db, &packages)?);
    }
    let facts = tpkg_facts((db, app.layout()), &job.base, &wanted, &leaving)?;
    let coming = coming.iter().zip(&facts.arriving).zip(&facts.replaced);
    let ask = TpkgAsk {
        coming: coming
            .map(|(((arrival, _), places), old)| Coming {
                arrival,
                places,
                replaces: old.iter().collect(),
            })
            .collect(),
        leaving: facts.leaving.iter().collect(),
        facts: &facts,
        externals: &Externals::look(app.layout(), app.config()?),
        liberties: job.liberties,
    };
    let mut plan = change(&ask)?;
    plan.summary.extend(there);
    Ok(plan)
}

/// How far a removal goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    /// What needs a package that goes goes, too.
    pub(super) dependents: bool,
    /// What only packages need that go goes, too.
    pub(super) prerequisites: bool,
}

/// The packages of this format among `rows` that go, and those that go with them; in order.
pub(super) fn leaving(
    db: &Db,
    rows: &[PackageRow],
    reach: Reach,
) -> Result<Vec<PackageRow>, Failure> {
    let mut rows: Vec<PackageRow> = rows.iter().filter(|row| is_tpkg(row)).cloned().collect();
    if reach.dependents {
        rows = with_dependents(db, &rows)?;
    }
    if reach.prerequisites {
        rows = with_prerequisites(db, &rows)?;
    }
    dependents_first(db, rows)
}
