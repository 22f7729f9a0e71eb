//! Undoing: the inverse of a finished transaction, as a plan of its own.

use super::externals::add_again;
use super::gear::externals_of;
use super::gear::{
    Data, Farewell, Former, RollBack, Wanted, activate_again, add_cluster, add_deployed,
    add_reconnection, add_restored, add_returned, bring_back, destroy, expose, put_back,
    remove as remove_cartridges, roll_back, start, stop, unexpose,
};
use super::hold;
use super::install::package_resource;
use super::remove::add_removal;
use super::tpkg::services::add_told_back;
use super::tpkg::undo::{add_let_go, add_undone};
use super::{Plan, Refusal, Resource};
use crate::db::{
    Change, ExternalRow, GearRole, InversePart, NewCartridge, NewEndpoint, TxnRow, TxnState,
};
use crate::error::Exit;
use crate::facts::tpkg::Back;
use crate::facts::{DeployFacts, Gear, MemberFacts, Newer, Stashed, UndoFacts};
use crate::package::ident::GearName;
use crate::step::lock_files::{LockFiles, Turn};
use crate::step::place_trees::{PlaceTrees, Placing};

/// Plans the undoing of a finished transaction. The data of a gear that was upgraded stays as it is.
pub fn undo(facts: &UndoFacts) -> Result<Plan, Refusal> {
    undo_with(facts, Data::Stays)
}

/// The same; `data` says what becomes of that of a gear that was upgraded.
pub fn undo_with(facts: &UndoFacts, data: Data) -> Result<Plan, Refusal> {
    refuse(facts)?;
    let TxnRow { id, title, .. } = &facts.row;
    let mut plan = Plan::new(format!("undo transaction {id} ({title})"));
    plan.undoes = Some(*id);
    let wanted = facts.inverse.parts.iter();
    let brings_back = wanted.clone().any(|part| {
        matches!(
            part,
            InversePart::RestorePackages
                | InversePart::RestoreGear { .. }
                | InversePart::ReturnCartridge { .. }
        ) || *part == InversePart::Tpkgs && needs_stash(facts)
    });
    if brings_back {
        add_trees(&mut plan, facts)?;
    }
    for part in wanted {
        if let InversePart::RollBackGear { name, cartridges, endpoints } = part {
            add_roll_back(&mut plan, facts, (name, cartridges, endpoints), data)?;
        } else {
            add_part(&mut plan, part, facts)?;
        }
    }
    if facts.has_told {
        plan.records.push(Change::Withdraw { txn: *id });
        plan.inverse.parts.push(InversePart::RestoreTold);
        plan.summary.push("what was told of the domain and of cartridges is taken back".into());
    }
    Ok(plan)
}

fn refuse(facts: &UndoFacts) -> Result<(), Refusal> {
    let TxnRow { id, state, .. } = &facts.row;
    let conflict = |text: String| Err(Refusal::new(Exit::Conflict, text));
    if let Some(by) = facts.undone_by {
        return conflict(format!("transaction {id} was undone already, by transaction {by}"));
    }
    match state {
        TxnState::Finished | TxnState::Committed => {}
        TxnState::Undone => {
            return conflict(format!("transaction {id} failed and was put back then"));
        }
        TxnState::Running | TxnState::Unwinding | TxnState::Stuck | TxnState::Held => {
            return Err(Refusal::new(
                Exit::Stuck,
                format!("transaction {id} is not over: it is {}", state.as_str()),
            )
            .hint("`cart recover` brings it to an end"));
        }
    }
    if facts.inverse.parts.is_empty() {
        return Err(Refusal::new(
            Exit::Conflict,
            format!("transaction {id} has changed nothing that `undo` could take back"),
        ));
    }
    Ok(())
}

/// Tells whether packages of tpkg come back, or files that theirs have taken the places of.
fn needs_stash(facts: &UndoFacts) -> bool {
    let acts = facts.tpkgs.iter().flat_map(|way| &way.steps).flat_map(|step| &step.acts);
    let mut returns = acts.filter(|(_, back, _)| matches!(back, Back::Return { .. }));
    returns.next().is_some() || facts.tpkgs.as_ref().is_some_and(|way| !way.back.is_empty())
}

/// Brings everything back that the transaction took away, and ends the keeping of its stash.
fn add_trees(plan: &mut Plan, facts: &UndoFacts) -> Result<(), Refusal> {
    let id = facts.row.id;
    if facts.row.keeps.is_none() {
        let text = format!("what transaction {id} took away is not kept any more");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("`stash_limit` in cart-config(5) says how much is kept; install it anew"));
    }
    let placing = |one: &Stashed| Placing { from: one.from.clone(), to: one.to.clone() };
    // Cartridges come back into homes that are locked.
    let homes: Vec<_> =
        facts.inverse.parts.iter().filter_map(|part| returning(part, facts)).collect();
    let turned = |(gear, dir): &(&Gear, &String), turn| LockFiles {
        gear: gear.identity.clone(),
        dir: (*dir).clone(),
        patterns: Vec::new(),
        turn,
    };
    for home in &homes {
        plan.step(turned(home, Turn::Unlock));
    }
    if !facts.stashed.is_empty() {
        plan.step(PlaceTrees { trees: facts.stashed.iter().map(placing).collect() });
    }
    for home in homes.iter().rev() {
        plan.step(turned(home, Turn::Lock));
    }
    plan.records.push(Change::ReleaseStash { txn: id });
    Ok(())
}

/// The gear into which a cartridge comes back, and its folder there.
fn returning<'a>(part: &'a InversePart, facts: &'a UndoFacts) -> Option<(&'a Gear, &'a String)> {
    let InversePart::ReturnCartridge { name, cartridge, .. } = part else { return None };
    living(facts, name).ok().map(|(gear, _)| (gear, &cartridge.dir))
}

fn add_part(plan: &mut Plan, part: &InversePart, facts: &UndoFacts) -> Result<(), Refusal> {
    match part {
        InversePart::RemovePackages => remove_packages(plan, facts),
        InversePart::RestorePackages => {
            restore_packages(plan, facts);
            Ok(())
        }
        InversePart::Tpkgs | InversePart::LetGo => {
            let Some(way) = &facts.tpkgs else { return Ok(()) };
            match part {
                InversePart::LetGo => add_let_go(plan, way),
                _ => add_undone(plan, way, (facts.row.id, &facts.externals)),
            }
        }
        InversePart::DestroyGear { name } => {
            let (gear, bytes) = living(facts, name)?;
            plan.merge(destroy(gear, Farewell::Silent, *bytes, &facts.externals)?);
            Ok(())
        }
        InversePart::RestoreGear { name, started } => restore_gear(plan, facts, (name, *started)),
        InversePart::RemoveCartridges { name, dirs } => {
            let members = changed(facts, name)?;
            let bytes = living(facts, name).map_or(0, |(_, bytes)| *bytes);
            plan.merge(remove_cartridges(members, dirs, bytes)?);
            Ok(())
        }
        InversePart::ReturnCartridge { name, cartridge, .. } => {
            let first = facts.inverse.parts.iter().find_map(|part| match part {
                InversePart::ReturnCartridge { name: of, cartridge, .. } if of == name => {
                    Some(cartridge)
                }
                _ => None,
            });
            // All of a gear's cartridges come back together.
            if first == Some(cartridge) { return_cartridges(plan, facts, name) } else { Ok(()) }
        }
        InversePart::ConnectFrontend { name } => {
            let destroyed = facts.destroyed.iter().find(|gear| gear.identity.name == *name);
            match destroyed {
                Some(gear) => add_reconnection(plan, gear),
                None => add_reconnection(plan, &living(facts, name)?.0),
            }
        }
        InversePart::ExposeGear { name } => {
            plan.merge(expose(&living(facts, name)?.0, facts.outside.as_ref())?);
            Ok(())
        }
        InversePart::UnexposeGear { name } => {
            plan.merge(unexpose(&living(facts, name)?.0)?);
            Ok(())
        }
        InversePart::ActivateDeployment { name, deployment } => {
            living(facts, name)?;
            let mut all = facts.deployed.iter();
            let Some(deployed) = all.find(|one| one.gear.identity.name == *name) else {
                return Ok(());
            };
            plan.merge(activate_again(deployed, (deployment, facts.now))?);
            Ok(())
        }
        InversePart::UpdateCluster { name } => update_cluster(plan, facts, name),
        InversePart::HomeAsBefore { name } => add_former_home(plan, facts, name),
        InversePart::StartGear { name } => {
            plan.merge(start(&living(facts, name)?.0));
            Ok(())
        }
        InversePart::StopGear { name } => {
            plan.merge(stop(&living(facts, name)?.0));
            Ok(())
        }
        InversePart::Withdraw | InversePart::RestoreTold | InversePart::Holds => {
            add_rows(plan, part, facts)
        }
        InversePart::Variables { name, folder, changed } => {
            let (gear, _) = living(facts, name)?;
            let mut variables = facts.variables.iter();
            let Some((_, now)) = variables.find(|(of, _)| of == name) else { return Ok(()) };
            plan.merge(put_back(gear, now, (folder, changed))?);
            Ok(())
        }
        InversePart::SiteDeployment { site } => Err(not_of_a_site(site)),
        InversePart::Services { tell, services } => {
            add_told_back(plan, (*tell, services));
            Ok(())
        }
        // Handled where it is known what becomes of the data.
        InversePart::RollBackGear { .. } => Ok(()),
        InversePart::HostLinks { links } => {
            super::shims::add(plan, links.clone());
            Ok(())
        }
        InversePart::Unit { was, becomes } => {
            super::unit::add(plan, was.clone(), becomes.clone());
            Ok(())
        }
    }
}

/// The facts about a gear that sees other deployments afterwards, and its children.
fn cluster<'a>(facts: &'a UndoFacts, name: &GearName) -> Option<&'a DeployFacts> {
    facts.deployed.iter().find(|one| one.gear.identity.name == *name)
}

fn update_cluster(plan: &mut Plan, facts: &UndoFacts, name: &GearName) -> Result<(), Refusal> {
    living(facts, name)?;
    let Some(head) = cluster(facts, name) else { return Ok(()) };
    let gone = facts.inverse.parts.iter().filter_map(|part| match part {
        InversePart::DestroyGear { name } => Some(name),
        _ => None,
    });
    let of_app =
        |gear: &&Gear| gear.row.role == Some(GearRole::Web) && gear.row.app == head.gear.row.app;
    let back: Vec<&Gear> = facts.destroyed.iter().filter(of_app).collect();
    add_cluster(plan, head, (&gone.collect::<Vec<_>>(), &back))
}

fn restore_packages(plan: &mut Plan, facts: &UndoFacts) {
    for one in &facts.removed {
        plan.records.push(Change::RestorePackage { id: one.row.id });
        plan.resources.insert(package_resource(&one.row.vendor, &one.row.name));
        plan.summary.push(format!("`{}` comes back", one.package.title()));
    }
    plan.inverse.parts.push(InversePart::RemovePackages);
}

fn not_of_a_site(site: &str) -> Refusal {
    let text = format!("what a transaction did to the site `{site}` is not undone");
    Refusal::new(Exit::Conflict, text).hint(
        "deploy it again as it was, or undeploy it; `cart site backup` keeps data that \
         `cart site restore` brings back",
    )
}

fn restore_gear(
    plan: &mut Plan,
    facts: &UndoFacts,
    (name, started): (&GearName, bool),
) -> Result<(), Refusal> {
    let mut destroyed = facts.destroyed.iter();
    let Some(gear) = destroyed.find(|gear| gear.identity.name == *name) else {
        let text = format!("the gear `{name}` is not kept any more");
        return Err(Refusal::new(Exit::Conflict, text));
    };
    if facts.gears.iter().any(|(living, _)| living.identity.name == *name) {
        let text = format!("another gear is called `{name}` now");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint(format!("destroy it first: `cart gear destroy {name}`")));
    }
    let head = facts.inverse.parts.iter().find_map(|part| match part {
        InversePart::UpdateCluster { name } => cluster(facts, name),
        _ => None,
    });
    match head.filter(|_| gear.row.role == Some(GearRole::Web)) {
        Some(head) => {
            add_restored(plan, (gear, false), facts)?;
            add_deployed(plan, (head, gear), (started, facts.now))
        }
        None => add_restored(plan, (gear, started), facts),
    }
}

/// Adds what puts rows back that stand for nothing on the disk.
fn add_rows(plan: &mut Plan, part: &InversePart, facts: &UndoFacts) -> Result<(), Refusal> {
    match part {
        InversePart::RestoreTold => {
            plan.records.push(Change::RestoreTold { by: facts.row.id });
            plan.inverse.parts.push(InversePart::Withdraw);
            plan.summary.push("what was told holds again".into());
            Ok(())
        }
        InversePart::Holds => hold::add_undone(plan, &facts.holds, &facts.held),
        // Whatever a transaction told is withdrawn when it is undone.
        _ => Ok(()),
    }
}

fn add_roll_back(
    plan: &mut Plan,
    facts: &UndoFacts,
    (name, cartridges, endpoints): (&GearName, &[NewCartridge], &[NewEndpoint]),
    data: Data,
) -> Result<(), Refusal> {
    let txn = facts.row.id;
    let mut homes = facts.kept_homes.iter().filter(|home| home.gear == name.as_str());
    let Some(home) = homes.next().filter(|_| facts.row.keeps.is_some()) else {
        let text = format!("the gear `{name}` as it was before transaction {txn} is not kept");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("`stash_limit` in cart-config(5) says how much is kept"));
    };
    if data == Data::AsKept && home.was_running {
        let text = format!("the gear `{name}` ran during its upgrade: its data was not kept");
        return Err(Refusal::new(Exit::Conflict, text).hint("leave `--with-data` out"));
    }
    let ask = RollBack {
        cartridges,
        endpoints,
        kept: &home.path,
        keeper: txn,
        returning: &facts.returning,
        data,
        withdrawn: &facts.withdrawn,
    };
    let (_, bytes) = living(facts, name)?;
    let mut back = roll_back(changed(facts, name)?, &ask, *bytes)?;
    if data == Data::AsKept && home.newer.count > 0 {
        let Newer { some, count } = &home.newer;
        let more = if *count > some.len() { ", …" } else { "" };
        let lost = format!("{count} files are newer and are lost: {}{more}", some.join(", "));
        back.warnings.push(lost);
    }
    plan.merge(back);
    Ok(())
}

/// Puts back the home that a restore has kept.
fn add_former_home(plan: &mut Plan, facts: &UndoFacts, name: &GearName) -> Result<(), Refusal> {
    let (txn, (_, bytes)) = (facts.row.id, living(facts, name)?);
    let mut homes = facts.kept_homes.iter().filter(|home| home.gear == name.as_str());
    let Some(home) = homes.next().filter(|_| facts.row.keeps.is_some()) else {
        let text = format!("the gear `{name}` as it was before transaction {txn} is not kept");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("`stash_limit` in cart-config(5) says how much is kept"));
    };
    let Some(deployed) = cluster(facts, name) else { return Ok(()) };
    let (kept, live) = (&home.path, home.live.as_deref());
    let former = Former { kept, keeper: txn, live, bytes: *bytes };
    plan.merge(bring_back(deployed, former, facts.now)?);
    Ok(())
}

fn remove_packages(plan: &mut Plan, facts: &UndoFacts) -> Result<(), Refusal> {
    // What the gears use that go in the same plan is used no longer.
    let mut leaving = facts.installed.clone();
    for part in &facts.inverse.parts {
        for one in &mut leaving {
            let goes = match part {
                InversePart::DestroyGear { name } => Some(name),
                InversePart::RemoveCartridges { name, dirs } => {
                    Some(name).filter(|_| dirs.contains(&one.package.name.to_string()))
                }
                _ => None,
            };
            one.used_by.retain(|user| goes.is_none_or(|name| name.as_str() != user));
        }
    }
    add_removal(plan, &leaving)
}

fn return_cartridges(plan: &mut Plan, facts: &UndoFacts, name: &GearName) -> Result<(), Refusal> {
    let mut returned = Vec::new();
    for part in &facts.inverse.parts {
        let InversePart::ReturnCartridge { name: of, cartridge, endpoints } = part else {
            continue;
        };
        if of != name {
            continue;
        }
        let mut packages = facts.returning.iter();
        let Some(package) = packages.find(|one| one.place == cartridge.place) else {
            let text = format!("the package of `{}` is not installed any more", cartridge.dir);
            return Err(Refusal::new(Exit::Conflict, text).hint("bring it back first"));
        };
        plan.resources.insert(Resource::PackageInUse(format!(
            "{}-{}",
            package.package.vendor, package.package.name
        )));
        let wanted = Wanted {
            package: package.package.clone(),
            place: cartridge.place.clone(),
            software: Some(cartridge.software.clone()),
        };
        returned.push((wanted, cartridge, endpoints.as_slice()));
    }
    let members = changed(facts, name)?;
    for (wanted, ..) in &returned {
        let of_gear =
            |row: &&ExternalRow| row.asker.gear.as_ref() == Some(&members.gear.identity.uuid);
        let own = externals_of(&facts.withdrawn, &wanted.package).filter(of_gear);
        add_again(plan, own, &facts.externals)?;
    }
    add_returned(plan, members, &returned)
}

fn changed<'a>(facts: &'a UndoFacts, name: &GearName) -> Result<&'a MemberFacts, Refusal> {
    living(facts, name)?;
    let mut members = facts.members.iter();
    members.find(|one| one.gear.identity.name == *name).ok_or_else(|| {
        Refusal::new(Exit::Conflict, format!("the gear `{name}` is not there any more"))
    })
}

fn living<'a>(facts: &'a UndoFacts, name: &GearName) -> Result<&'a (Gear, u64), Refusal> {
    facts.gears.iter().find(|(gear, _)| gear.identity.name == *name).ok_or_else(|| {
        Refusal::new(Exit::Conflict, format!("the gear `{name}` is not there any more"))
            .hint("`cart history` shows which transaction destroyed it")
    })
}
