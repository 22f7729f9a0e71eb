//! `cart site backup`.

use super::named::{Scope, each, existing, wanted};
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_with};
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::site::{look, root_of, site_facts};
use crate::package::ubos::site::Site;
use crate::plan::site::{Points, SiteAsk, backup, draft};
use crate::sys::clock::Moment;
use crate::sys::fs::{Kind, kind_of};
use crate::ui::teller::Teller;
use clap::Args;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cart site backup blog.example.org
  cart site backup --all --out /srv/backups";

/// The arguments of `cart site backup`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BackupArgs {
    /// The sites: host names, identifiers or their beginnings
    #[arg(required_unless_present = "all", value_name = "SITE")]
    pub sites: Vec<String>,
    /// Every site
    #[arg(long, conflicts_with = "sites")]
    pub all: bool,
    /// The archive, or the directory for archives [default: `site-ID-TIME.ubos-backup` here]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Writes the data of sites to archives, one for each.
pub fn run(args: &BackupArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = existing(app)?;
    let sites = wanted(&db, &args.sites, args.all)?;
    let out = args.out.clone().unwrap_or_else(|| ".".into());
    let is_folder = kind_of(&out) == Some(Kind::Directory);
    if sites.len() > 1 && !is_folder {
        let text = format!("`{}` is no directory, and there are several sites", out.display());
        return Err(Failure::new(Exit::Usage, text).hint("give `--out` a directory"));
    }
    each(app, (&sites, Scope::of(args.sites.len())), &|app, site, teller| {
        let now = Moment::now();
        let to = if is_folder { out.join(file_name(site, now)) } else { out.clone() };
        let to = std::path::absolute(&to).unwrap_or(to);
        one((app, &db), (site, &to), (&args.change, now, teller))
            .doing(|| format!("cannot back up the site `{}`", site.called()))?;
        if !args.change.dry_run {
            app.printer().talk(&format!("wrote `{}`", to.display()));
        }
        Ok(Exit::Done)
    })
}

fn file_name(site: &Site, now: Moment) -> String {
    let time: String = now.rfc3339().chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
    format!("site-{}-{}.ubos-backup", site.id, time.replace('T', "-"))
}

fn one(
    (app, db): (&App, &Db),
    (site, to): (&Site, &Path),
    (options, now, teller): (&ChangeArgs, Moment, &Teller<'_>),
) -> Result<Exit, Failure> {
    carry_out_with(app, db, (options, teller), &|| {
        let facts = site_facts(db, (app.layout(), app.config()?), (&site.id, None), now)?;
        let kept = Points::new();
        let ask = SiteAsk::of_deployed((&site.id, &kept), &facts);
        let draft = draft(&ask)?;
        let looked = look(&root_of(app.layout())?, &draft.paths())?;
        Ok(backup(&ask, (&draft, &looked), to)?)
    })
}
