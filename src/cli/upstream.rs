//! Asking the sources of installed packages what they offer now.

use super::app::App;
use crate::config::Config;
use crate::db::{Db, PackageRow};
use crate::error::{Exit, Explain, Failure};
use crate::facts::{Offer, Standing, Whence};
use crate::format::MANIFEST;
use crate::gather::{self, Gatherer, Known, Upstream};
use crate::source::locator::Source;
use clap::Args;

/// Whether and how long sources are asked.
#[derive(Args, Clone, Debug)]
pub struct AskArgs {
    /// Ask no source: what the library and the index have is all there is
    #[arg(long)]
    pub offline: bool,
    /// Give each source that long to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

/// Why a source has nothing to say of its package.
#[derive(Clone, Debug)]
pub(super) enum Silence {
    /// It is of a kind that says nothing.
    Mute(String),
    /// It did not answer, or not what can be understood.
    Failed {
        /// In a line.
        text: String,
        /// The code of the failure.
        exit: Exit,
    },
}

impl Silence {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Mute(text) | Self::Failed { text, .. } => text,
        }
    }
}

/// Adds to each of `standings` what its source offers; gives, for each, why that says nothing.
pub(super) fn ask(
    app: &App,
    db: Option<&Db>,
    (standings, args): (&mut [Standing], &AskArgs),
) -> Result<Vec<Option<Silence>>, Failure> {
    let mut silent: Vec<Option<Silence>> = standings.iter().map(|_| None).collect();
    let Some(db) = db.filter(|_| !args.offline) else { return Ok(silent) };
    let (mut known, mut whose) = (Vec::new(), Vec::new());
    for (at, (standing, silent)) in standings.iter().zip(&mut silent).enumerate() {
        if standing.row.source_kind == Whence::Index.as_str() {
            continue;
        }
        match known_of(db, &standing.row) {
            Ok(one) => {
                known.push(one);
                whose.push(at);
            }
            Err(failure) => *silent = Some(failed(&failure.summary, failure.exit)),
        }
    }
    if known.is_empty() {
        return Ok(silent);
    }
    gather::sweep(app.layout())?;
    let gatherer = Gatherer::new(app.layout(), &hurried(app.config()?, args.timeout));
    let progress = app.progress();
    let watcher = |number: usize| {
        let label = known.get(number).map(|one| one.source.to_string());
        progress.watch(&label.unwrap_or_default())
    };
    let answers = gatherer.look(&known, &watcher)?;
    for (at, answer) in whose.into_iter().zip(answers) {
        if let (Some(standing), Some(silent)) = (standings.get_mut(at), silent.get_mut(at)) {
            *silent = match answer {
                Ok(upstream) => add_offer(standing, upstream),
                Err(error) => {
                    let exit = error.exit();
                    if matches!(exit, Exit::Interrupted | Exit::Terminated) {
                        return Err(Failure::from(error));
                    }
                    let causes = Failure::from(error);
                    let text: Vec<_> =
                        std::iter::once(causes.summary).chain(causes.causes).collect();
                    Some(failed(&text.join(": "), exit))
                }
            };
        }
    }
    Ok(silent)
}

fn failed(text: &str, exit: Exit) -> Silence {
    Silence::Failed { text: text.to_owned(), exit }
}

fn known_of(db: &Db, row: &PackageRow) -> Result<Known, Failure> {
    if row.source.contains("=redacted") {
        let text = "its address had a secret in it, which is not kept: `cart install` it anew";
        return Err(Failure::new(Exit::Source, text));
    }
    let source = Source::parse(&row.source).map_err(Failure::from)?;
    let manifest = db.file(row.id, MANIFEST)?.and_then(|file| file.sha256);
    Ok(Known { source, commit: row.commit.clone(), manifest, name: row.name.clone() })
}

/// The settings, with `seconds` for everything that is asked.
fn hurried(config: &Config, seconds: u64) -> Config {
    let mut config = config.clone();
    let download = &mut config.download;
    for limit in
        [&mut download.connect_timeout, &mut download.stall_timeout, &mut download.total_timeout]
    {
        *limit = (*limit).min(seconds);
    }
    download.retries = 0;
    config
}

/// Adds what `upstream` offers to `standing`; gives why it offers nothing.
fn add_offer(standing: &mut Standing, upstream: Upstream) -> Option<Silence> {
    let offered = match upstream {
        Upstream::Same => return None,
        Upstream::Silent(why) => return Some(Silence::Mute(format!("its source is {why}"))),
        Upstream::Offers(offered) => offered,
    };
    let gather::Offered { release, place, .. } = offered;
    let line = &release.line;
    if (line.vendor.as_str(), line.name.as_str()) != (&*standing.row.vendor, &*standing.row.name) {
        let text = format!("its source is the package `{}-{}` now", line.vendor, line.name);
        return Some(failed(&text, Exit::Conflict));
    }
    let is_installed = place.is_some_and(|place| standing.places.contains(&place));
    if !(is_installed && release.version == standing.installed) {
        standing.offers.push(Offer {
            version: release.version,
            compatible: release.compatible,
            from: Whence::Upstream,
            is_source: true,
        });
    }
    None
}
