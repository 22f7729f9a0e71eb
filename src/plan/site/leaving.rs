//! Undoing what is deployed, before something else comes or for good.

use super::deployment::Part;
use super::pieces::Piece;
use super::spots::Spots;
use super::steps::{self, Steps};
use super::{Draft, Farewell, Side, SiteAsk, Tasks, externals, web};
use crate::plan::{Consent, Plan, Refusal};
use crate::step::switch_unit::Switch;

/// Undoes what is deployed: what leaves for good is uninstalled, then everything goes, in reverse.
pub(super) fn undeploy(
    plan: &mut Plan,
    ask: &SiteAsk<'_>,
    (draft, old, spots): (&Draft, &Side, &Spots),
) -> Result<(), Refusal> {
    let mut steps = Steps::new(spots, ask);
    let resources = ask.facts.old.as_ref().map(|old| old.new.resources.as_slice());
    let resources = resources.unwrap_or_default();
    let parts = || old.deployment.parts.iter().zip(&old.pieces).zip(&old.tasks).rev();
    for ((part, pieces), tasks) in parts() {
        Steps::begin_old(plan, (resources, part), (pieces, &tasks.uninstall));
    }
    for ((part, pieces), _) in parts() {
        steps::switch_for_site(plan, part, pieces, Switch::Off);
    }
    uninstall(plan, ask, (draft, old));
    for ((part, pieces), _) in parts() {
        steps.keep_databases(plan, (ask.id, resources, part), pieces);
    }
    for ((part, pieces), _) in parts() {
        for piece in pieces.iter().rev() {
            if ask.farewell == Farewell::Asked || !matches!(piece, Piece::Script(_)) {
                steps.take(plan, part, piece);
            }
        }
        steps.flush_taken(plan, part);
        if !draft.keeps(part) {
            externals::add_leaving(plan, ask, part)?;
        }
    }
    if draft.new.is_none() {
        web::disconnect(plan, ask, &old.deployment.site);
    }
    spots.lost(plan);
    Ok(())
}

/// Lets the site wait, and uninstalls what leaves for good. Should it stay after all, it hears
/// `upgrade`, as after a restoration, and not `install`: its data are there.
fn uninstall(plan: &mut Plan, ask: &SiteAsk<'_>, (draft, old): (&Draft, &Side)) {
    let parts = old.deployment.parts.iter().zip(&old.tasks).rev();
    let leaves: Vec<(&Part, &Tasks)> = parts.filter(|(part, _)| !draft.keeps(part)).collect();
    let is_asked = |tasks: &Tasks| ask.farewell == Farewell::Asked && !tasks.uninstall.is_empty();
    for (_, tasks) in leaves.iter().filter(|(_, tasks)| is_asked(tasks)) {
        Steps::run_back(plan, &tasks.resumed);
    }
    web::suspend(plan, ask, &old.deployment.site);
    for (part, tasks) in leaves {
        plan.summary.push(format!("`{}` leaves", part.name()));
        plan.consent = plan.consent.max(Consent::Courtesy);
        if is_asked(tasks) {
            Steps::run_back(plan, &tasks.first);
            tasks.uninstall.iter().for_each(|piece| Steps::run(plan, part, piece));
        }
    }
}
