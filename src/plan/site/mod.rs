//! Sites of UBOS apps: what deploying, deploying again and undeploying mean.
//!
//! One transaction for one site. What was deployed is undone with the manifest and the values that
//! it was deployed with, and waits in the stash; then comes what is new, with the data that are
//! kept; then installers or upgraders run (UBOS specification, 2.2). Whatever fails, all of it is
//! put back in reverse.

mod backup;
mod by_heart;
mod check;
mod deployment;
mod externals;
mod leaving;
mod pieces;
mod spots;
mod steps;
mod values;
mod web;

pub use backup::{Restored, backup};
pub use deployment::Points;

use super::{Consent, Plan, Refusal, Resource};
use crate::db::{Change, InversePart, NewSite, SITE_PORT, SitePackage, SiteResource};
use crate::db::{Reservation, ResourceKind};
use crate::facts::site::{Looked, SiteFacts};
use crate::package::ubos::item::TaskPhase;
use crate::package::ubos::name::SiteId;
use crate::package::ubos::site::Site;
use crate::step::forget_variables::ForgetVariables;
use crate::step::switch_unit::Switch;
use crate::step::take_items::{TakeItems, Taking};
use crate::step::ubos_script::Operation;
use crate::sys::path::RelPath;
use deployment::{Deployment, Part, path};
use pieces::{Maker, Piece, had};
use spots::Spots;
use std::collections::BTreeSet;
use steps::Steps;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct SiteAsk<'a> {
    /// The site.
    pub id: &'a SiteId,
    /// What it is to become; nothing where it is undeployed.
    pub wanted: Option<&'a Site>,
    /// Values that customization points have already.
    pub kept: &'a Points,
    /// Everything that there is to know.
    pub facts: &'a SiteFacts,
    /// The backup from which its data come, where it is restored.
    pub restored: Option<&'a Restored>,
    /// Whether scripts of what leaves are asked.
    pub farewell: Farewell,
}

/// Whether scripts of packages that leave are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Farewell {
    /// They are.
    #[default]
    Asked,
    /// They are left out, since one of them cannot succeed.
    Unasked,
}

impl<'a> SiteAsk<'a> {
    /// Asks nothing but what there is.
    pub fn of_deployed((id, kept): (&'a SiteId, &'a Points), facts: &'a SiteFacts) -> Self {
        Self { id, wanted: None, kept, facts, restored: None, farewell: Farewell::Asked }
    }
}

/// A request that was thought through, but for the places that it needs.
pub struct Draft {
    old: Option<Side>,
    new: Option<Side>,
}

/// A deployment with what each of its packages means.
struct Side {
    deployment: Deployment,
    /// For each part, in order.
    pieces: Vec<Vec<Piece>>,
    /// What is run for each part, beyond its items.
    tasks: Vec<Tasks>,
    /// Folders that are there for all of it.
    folders: Vec<RelPath>,
}

/// What is run for a package beyond its items.
#[derive(Default)]
struct Tasks {
    /// Installers or upgraders, when the items are there; of what leaves the upgraders, should it stay
    /// after all.
    first: Vec<Piece>,
    /// The same, when the site answers.
    resumed: Vec<Piece>,
    /// Uninstallers, where the package leaves.
    uninstall: Vec<Piece>,
}

/// Thinks a request through. Templates and names are resolved here, so that nothing is begun that
/// could be known to fail.
pub fn draft(ask: &SiteAsk<'_>) -> Result<Draft, Refusal> {
    let old = match &ask.facts.old {
        Some(old) => Some(draft_old(ask, deployment::of_old(ask.facts, old)?)?),
        None => None,
    };
    let new = match ask.wanted {
        Some(wanted) => {
            check::site(ask.facts, wanted)?;
            Some(draft_new(ask, deployment::of_new(ask.facts, wanted, ask.kept)?)?)
        }
        None => None,
    };
    Ok(Draft { old, new })
}

fn draft_old(ask: &SiteAsk<'_>, deployment: Deployment) -> Result<Side, Refusal> {
    let (mut pieces, mut tasks) = (Vec::new(), Vec::new());
    for part in &deployment.parts {
        let maker = Maker::of_old(ask.facts, part)?;
        pieces.push(maker.items(Operation::Undeploy)?);
        let upgrade = |phase| maker.tasks(|role| &role.upgraders, (Operation::Upgrade, phase));
        let (first, resumed) = (upgrade(TaskPhase::Deployed)?, upgrade(TaskPhase::Resumed)?);
        tasks.push(Tasks { first, resumed, uninstall: maker.uninstall()? });
    }
    Ok(Side { deployment, pieces, tasks, folders: Vec::new() })
}

fn draft_new(ask: &SiteAsk<'_>, deployment: Deployment) -> Result<Side, Refusal> {
    let (mut pieces, mut tasks, mut folders) = (Vec::new(), Vec::new(), Vec::new());
    for part in &deployment.parts {
        check::roles(part)?;
        let maker = Maker::new(ask.facts, part)?;
        pieces.push(maker.items(Operation::Deploy)?);
        let was_there = match ask.restored {
            Some(restored) => {
                let own = (part.app.id.clone(), part.name().clone());
                restored.packages.contains(&own)
            }
            None => had(ask.facts.old.as_ref(), part),
        };
        let run = |phase| {
            if was_there {
                maker.tasks(|role| &role.upgraders, (Operation::Upgrade, phase))
            } else {
                maker.tasks(|role| &role.installers, (Operation::Install, phase))
            }
        };
        let (first, resumed) = (run(TaskPhase::Deployed)?, run(TaskPhase::Resumed)?);
        tasks.push(Tasks { first, resumed, uninstall: Vec::new() });
        folders.extend(common_folders(&maker)?);
    }
    folders.dedup();
    Ok(Side { deployment, pieces, tasks, folders })
}

/// Folders that a package finds: the site's and the app's own, and one for what is temporary.
fn common_folders(maker: &Maker<'_>) -> Result<Vec<RelPath>, Refusal> {
    use crate::package::ubos::role::RoleName;
    let part = maker.part;
    let is_web = part.manifest().role(RoleName::Apache2).is_some();
    let mut names = vec!["host.tmpdir"];
    if is_web {
        names.extend(["site.apache2.sitedocumentdir", "appconfig.apache2.dir"]);
    }
    let texts = names.into_iter().filter_map(|name| part.text(name));
    texts.map(|text| maker.absolute(text)).collect()
}

impl Draft {
    /// The places that have to be looked at.
    pub fn paths(&self) -> BTreeSet<RelPath> {
        let sides = self.old.iter().chain(&self.new);
        let pieces = sides.clone().flat_map(|side| side.pieces.iter().flatten());
        let places = pieces.filter_map(|piece| match piece {
            Piece::Placed(placed) => Some(placed.at.clone()),
            _ => None,
        });
        places.chain(sides.flat_map(|side| side.folders.iter().cloned())).collect()
    }

    /// Tells whether a package that is deployed is so afterwards, in this release or another.
    fn keeps(&self, part: &Part) -> bool {
        let mut parts = self.new.iter().flat_map(|new| &new.deployment.parts);
        parts.any(|one| one.app.id == part.app.id && one.name() == part.name())
    }

    /// What the customization points are, for a second look at the same request: what is random is
    /// drawn once.
    pub fn points(&self) -> Points {
        let parts = self.new.iter().flat_map(|side| &side.deployment.parts);
        parts
            .map(|part| ((part.app.id.to_string(), part.name().clone()), part.points.clone()))
            .collect()
    }
}

/// The values that points had in what is deployed.
pub fn kept_points(facts: &SiteFacts) -> Points {
    let packages = facts.old.iter().flat_map(|old| &old.new.packages);
    packages
        .map(|one| ((one.appconfig.to_string(), one.installable.name.clone()), one.points.clone()))
        .collect()
}

/// Plans what was thought through, with the places as they are.
pub fn change(ask: &SiteAsk<'_>, draft: &Draft, looked: &Looked) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(title(ask));
    plan.resources.insert(Resource::Site(ask.id.clone()));
    let spots = Spots::new(ask, draft, looked)?;
    if let Some(new) = &draft.new {
        steps::check_templates(&mut plan, new);
    }
    if let Some(old) = &draft.old {
        leaving::undeploy(&mut plan, ask, (draft, old, &spots))?;
    }
    if let Some(new) = &draft.new {
        deploy(&mut plan, ask, (new, &spots))?;
    }
    let unused: Vec<Taking> =
        spots.unused_folders().into_iter().map(|path| Taking::Folder { path }).collect();
    if !unused.is_empty() {
        plan.step(TakeItems { package: shown(ask), acts: unused });
    }
    record(&mut plan, ask, (draft, &spots))?;
    Ok(plan)
}

/// What messages call the site.
fn shown(ask: &SiteAsk<'_>) -> String {
    let old = ask.facts.old.as_ref().map(|old| &old.new.site);
    let site = ask.wanted.or(old);
    site.map_or_else(|| ask.id.to_string(), Site::called)
}

fn title(ask: &SiteAsk<'_>) -> String {
    let verb = match (&ask.facts.old, ask.wanted) {
        (_, Some(_)) if ask.restored.is_some() => "restore",
        (None, _) => "deploy",
        (Some(_), Some(_)) => "redeploy",
        (Some(_), None) => "undeploy",
    };
    format!("{verb} the site `{}`", shown(ask))
}

/// Brings what is wanted, and runs installers or upgraders.
fn deploy(
    plan: &mut Plan,
    ask: &SiteAsk<'_>,
    (new, spots): (&Side, &Spots),
) -> Result<(), Refusal> {
    let mut steps = Steps::new(spots, ask);
    let parts = || new.deployment.parts.iter().zip(&new.pieces).zip(&new.tasks);
    web::announce(plan, ask, &new.deployment.site)?;
    web::missing_php(plan, ask);
    backup::take(plan, ask, (new, spots))?;
    steps.common_folders(new);
    for ((part, pieces), tasks) in parts() {
        plan.resources.insert(Resource::PackageInUse(format!("ubos-{}", part.name())));
        plan.summary.push(steps::describe(part));
        plan.summary.extend(steps::depends(part));
        by_heart::warn(plan, ask, part);
        externals::add_coming(plan, ask, part)?;
        let run: Vec<&Piece> = tasks.first.iter().chain(&tasks.resumed).collect();
        Steps::begin(plan, (ask.id, part), (pieces, &run));
        for piece in pieces {
            steps.bring(plan, part, piece);
        }
        steps.flush_brought(plan, part);
    }
    for ((part, pieces), _) in parts() {
        steps.load_databases(plan, (ask.id, part), pieces);
    }
    for ((part, _), tasks) in parts() {
        tasks.first.iter().for_each(|piece| Steps::run(plan, part, piece));
    }
    for ((part, pieces), _) in parts() {
        steps::switch_for_site(plan, part, pieces, Switch::On);
    }
    web::resume(plan, ask, (&new.deployment, web::tls_of(&new.deployment.site)))?;
    for ((part, _), tasks) in parts() {
        tasks.resumed.iter().for_each(|piece| Steps::run(plan, part, piece));
    }
    Ok(())
}

/// Rows, ports, and what happens when it is over.
fn record(
    plan: &mut Plan,
    ask: &SiteAsk<'_>,
    (draft, spots): (&Draft, &Spots),
) -> Result<(), Refusal> {
    match &draft.new {
        None => {
            plan.records.push(Change::RemoveSite { id: ask.id.clone() });
            plan.consent = plan.consent.max(Consent::Courtesy);
        }
        Some(new) => {
            let parts = &new.deployment.parts;
            let packages = parts.iter().map(|part| SitePackage {
                appconfig: part.app.id.clone(),
                installable: part.installable.clone(),
                place: part.place.clone(),
                points: part.points.clone(),
            });
            let ports: Vec<SiteResource> =
                parts.iter().flat_map(|part| part.ports.clone()).collect();
            reserve(plan, ask, &ports);
            let mut site = new.deployment.site.clone();
            site.last_updated = Some(ask.facts.places.now.1.clone());
            let resources = ports.into_iter().chain(spots.folder_rows()).collect();
            let new = NewSite { site, packages: packages.collect(), resources };
            plan.records.push(Change::PutSite(Box::new(new)));
        }
    }
    plan.inverse.parts.push(InversePart::SiteDeployment { site: shown(ask) });
    plan.after.push(ForgetVariables { folder: path(&format!("sites/{}", ask.id))? }.into());
    Ok(())
}

/// Takes the ports that the site does not have yet.
fn reserve(plan: &mut Plan, ask: &SiteAsk<'_>, ports: &[SiteResource]) {
    let old = ask.facts.old.iter().flat_map(|old| &old.new.resources);
    let old: Vec<(ResourceKind, &serde_json::Value)> =
        old.map(|one| (one.kind, &one.value)).collect();
    for port in ports.iter().filter(|port| !old.contains(&(port.kind, &port.value))) {
        plan.reservations.push(Reservation {
            kind: SITE_PORT.into(),
            value: format!("{}/{}", port.kind.as_str(), port.value),
            gear: ask.id.to_string(),
        });
    }
}
