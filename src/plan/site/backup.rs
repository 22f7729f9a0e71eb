//! Backups: what is deployed, written to one archive while the site waits; and the data of one, for
//! a deployment.

use super::deployment::path;
use super::pieces::{Kept, Piece};
use super::spots::Spots;
use super::steps::{self, dump_of, provisioned, title_of};
use super::{Draft, Points, Side, SiteAsk, web};
use crate::facts::site::Looked;
use crate::package::ubos::name::{AppConfigId, Bucket, PackageName};
use crate::package::ubos::site::Site;
use crate::package::ubos::site_file::{self, Telling};
use crate::plan::{Plan, Refusal, Resource};
use crate::site::backup::{Place, Text};
use crate::step::connect_site::SiteTls;
use crate::step::dump_database::DumpDatabase;
use crate::step::forget_variables::ForgetVariables;
use crate::step::site_variables::{SiteVariables, Values};
use crate::step::switch_unit::Switch;
use crate::step::use_backup::{Datum, UseBackup, Wanted};
use crate::step::write_backup::WriteBackup;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A backup from which a site is restored.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Where its data lie, relative to the state.
    pub data: BTreeMap<Place, RelPath>,
    /// What was at the site then.
    pub packages: BTreeSet<(AppConfigId, PackageName)>,
}

impl Restored {
    /// Where the data of a bucket lie.
    pub(super) fn find(&self, kept: &Kept) -> Option<&RelPath> {
        self.data.get(&place_of(kept)?)
    }
}

fn place_of(kept: &Kept) -> Option<Place> {
    Some(Place {
        app: AppConfigId::parse(&kept.app).ok()?,
        package: PackageName::parse(&kept.package).ok()?,
        role: kept.role,
        bucket: Bucket::parse(&kept.bucket).ok()?,
    })
}

/// Puts the data of a backup where the deployment takes them from.
pub(super) fn take(
    plan: &mut Plan,
    ask: &SiteAsk<'_>,
    (new, spots): (&Side, &Spots),
) -> Result<(), Refusal> {
    let Some(restored) = ask.restored else { return Ok(()) };
    let site = &new.deployment.site;
    let mut left: BTreeSet<&Place> = restored.data.keys().collect();
    left.retain(|place| site.apps.iter().any(|app| app.id == place.app));
    let mut data = Vec::new();
    for piece in new.pieces.iter().flatten() {
        let (kept, is_database) = match piece {
            Piece::Placed(placed) => (placed.bucket.as_ref(), false),
            Piece::Database(database) => (database.bucket.as_ref(), true),
            _ => continue,
        };
        let Some(kept) = kept else { continue };
        left.retain(|place| place_of(kept).as_ref() != Some(place));
        let (Some(from), Some(number)) = (restored.find(kept), spots.kept_as(kept)) else {
            continue;
        };
        let to = if is_database {
            Wanted::Dump(path(&dump_of(ask.id, number))?)
        } else {
            Wanted::Kept(number)
        };
        data.push(Datum { from: from.clone(), to });
    }
    if !data.is_empty() {
        plan.step(UseBackup { data });
    }
    plan.warnings.extend(left.into_iter().map(|Place { package, bucket, .. }| {
        format!("data of `{package}` are not restored: nothing has the bucket `{bucket}` any more")
    }));
    Ok(())
}

/// Plans a backup of what is deployed, to the file `to`.
pub fn backup(
    ask: &SiteAsk<'_>,
    (draft, looked): (&Draft, &Looked),
    to: &Path,
) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(format!("back up the site `{}`", super::shown(ask)));
    plan.resources.insert(Resource::Site(ask.id.clone()));
    let (Some(old), Some(facts)) = (&draft.old, &ask.facts.old) else { return Ok(plan) };
    let resources = facts.new.resources.as_slice();
    let site = with_points(&facts.new.site, &super::kept_points(ask.facts));
    let parts = || old.deployment.parts.iter().zip(&old.pieces);
    let folder = format!("sites/{}/old", ask.id);
    let mut texts = vec![(Text::Site(site.id.clone()), format!("{folder}/site.json"))];
    let mut files =
        BTreeMap::from([("site.json".to_owned(), site_file::to_json(&site, Telling::Everything))]);
    for app in &site.apps {
        let name = format!("{}.json", app.id);
        texts.push((Text::App(app.id.clone()), format!("{folder}/{name}")));
        files.insert(name, site_file::app(app));
    }
    let mut seen = BTreeSet::new();
    for (part, _) in parts().filter(|(part, _)| seen.insert(part.name().clone())) {
        let manifest = ask.facts.manifest_of(&part.place, part.name());
        texts.push((Text::Installable(part.name().clone()), manifest));
    }
    plan.step(SiteVariables {
        package: ask.id.to_string(),
        file: path(&format!("{folder}/site"))?,
        values: Values::new(),
        databases: Vec::new(),
        texts: Vec::new(),
        files,
    });
    for (part, pieces) in parts().rev() {
        steps::switch_for_site(&mut plan, part, pieces, Switch::Off);
    }
    web::suspend(&mut plan, ask, &site);
    let mut kept: Vec<(Place, PathBuf)> = Vec::new();
    let mut number = 0;
    for (part, pieces) in parts() {
        for piece in pieces {
            match piece {
                Piece::Placed(placed) => {
                    let place = placed.bucket.as_ref().and_then(place_of);
                    let real = looked.spots.get(&placed.at).map_or(&placed.at, |spot| &spot.path);
                    let root = format!("{}/", ask.facts.places.root);
                    kept.extend(place.map(|place| (place, Path::new(&root).join(real))));
                }
                Piece::Database(database) => {
                    let place = database.bucket.as_ref().and_then(place_of);
                    let there = provisioned(resources, part, database.role, &database.name);
                    let (Some(place), Some(there)) = (place, there) else { continue };
                    let dump = dump_of(ask.id, number);
                    number += 1;
                    kept.push((place, ask.facts.state.join(&dump)));
                    plan.step(DumpDatabase {
                        title: title_of(part, &database.name),
                        database: there.database,
                        to: dump,
                    });
                }
                _ => {}
            }
        }
    }
    let started = ask.facts.places.now.1.clone();
    plan.step(WriteBackup { to: to.to_owned(), started, texts, kept });
    for (part, pieces) in parts() {
        steps::switch_for_site(&mut plan, part, pieces, Switch::On);
    }
    let tls = if site.tls.is_some() { SiteTls::Kept } else { SiteTls::None };
    web::resume(&mut plan, ask, (&old.deployment, tls))?;
    plan.after.push(ForgetVariables { folder: path(&format!("sites/{}", ask.id))? }.into());
    Ok(plan)
}

/// The site with the values that its points have: those that were made, too.
fn with_points(site: &Site, points: &Points) -> Site {
    let mut site = site.clone();
    for app in &mut site.apps {
        for ((id, package), values) in points {
            if id == app.id.as_str() && !values.is_empty() {
                app.points.insert(package.clone(), values.clone());
            }
        }
    }
    site
}
