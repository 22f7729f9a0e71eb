//! From what a package means to steps; neighbours at places become one step.

use super::Side;
use super::deployment::{Part, context_of};
use super::pieces::{Piece, Placed};
use super::spots::Spots;
use crate::error::Exit;
use crate::package::ubos::item::UnitPhase;
use crate::package::ubos::{Kind, role::AppContext};
use crate::plan::{Plan, Refusal};
use crate::step::check_templates::CheckTemplates;
use crate::step::place_items::{Content, PlaceItems, Placing, Source, Thing};
use crate::step::site_variables::SiteVariables;
use crate::step::take_items::{TakeItems, Taking};
use crate::step::ubos_script::{Operation, UbosScript};
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// Steps in the making.
pub(super) struct Steps<'a> {
    spots: &'a Spots,
    taken: Vec<Taking>,
    brought: Vec<Placing>,
    made: BTreeSet<RelPath>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(spots: &'a Spots) -> Self {
        Self { spots, taken: Vec::new(), brought: Vec::new(), made: BTreeSet::new() }
    }

    /// Writes the variables of a package down.
    pub(super) fn variables(&self, plan: &mut Plan, part: &Part) {
        plan.step(SiteVariables {
            package: part.name().to_string(),
            file: part.variables.clone(),
            values: part.values.clone(),
        });
    }

    /// Takes something away that is deployed.
    pub(super) fn take(
        &mut self,
        plan: &mut Plan,
        part: &Part,
        piece: &Piece,
    ) -> Result<(), Refusal> {
        match piece {
            Piece::Placed(placed) => {
                let path = self.spots.real(placed);
                self.taken.push(Taking::Thing { path, kept: self.spots.kept(placed) });
                Ok(())
            }
            Piece::Script(script) => {
                self.flush_taken(plan, part);
                self.script(plan, script);
                Ok(())
            }
            Piece::Unit { phase, .. } if *phase == UnitPhase::SuspendResume => Ok(()),
            other => not_yet(part, other),
        }
    }

    /// Brings something that is new.
    pub(super) fn bring(
        &mut self,
        plan: &mut Plan,
        part: &Part,
        piece: &Piece,
    ) -> Result<(), Refusal> {
        match piece {
            Piece::Placed(placed) => {
                if !self.spots.is_replaced(placed) {
                    self.add(placed);
                }
                Ok(())
            }
            Piece::Script(script) => {
                self.flush_brought(plan, part);
                self.script(plan, script);
                Ok(())
            }
            other => not_yet(part, other),
        }
    }

    /// Runs a task.
    pub(super) fn run(
        &mut self,
        plan: &mut Plan,
        part: &Part,
        piece: Piece,
    ) -> Result<(), Refusal> {
        match piece {
            Piece::Script(script) => {
                self.script(plan, &script);
                Ok(())
            }
            other => not_yet(part, &other),
        }
    }

    fn script(&self, plan: &mut Plan, script: &UbosScript) {
        if script.operation == Operation::Upgrade {
            let (source, package) = (&script.source, &script.package);
            plan.irreversible.push(format!("what `{source}` of `{package}` does elsewhere"));
        }
        plan.step(script.clone());
    }

    fn add(&mut self, placed: &Placed) {
        let path = self.spots.real(placed);
        self.parents(path.parent().as_ref());
        let thing = with_data(&placed.thing, self.spots.kept(placed));
        self.brought.push(Placing { path, what: thing, owner: placed.owner });
    }

    fn parents(&mut self, folder: Option<&RelPath>) {
        for path in folder.map(|path| self.spots.parents_of(path)).unwrap_or_default() {
            if self.made.insert(path.clone()) {
                self.brought.push(Placing { path, what: Thing::Parent, owner: None });
            }
        }
    }

    /// Makes the folders that all of the site finds.
    pub(super) fn common_folders(&mut self, side: &Side) {
        for path in self.spots.common(side) {
            self.parents(Some(&path));
        }
    }

    pub(super) fn flush_taken(&mut self, plan: &mut Plan, part: &Part) {
        if !self.taken.is_empty() {
            let acts = std::mem::take(&mut self.taken);
            plan.step(TakeItems { package: part.name().to_string(), acts });
        }
    }

    pub(super) fn flush_brought(&mut self, plan: &mut Plan, part: &Part) {
        if !self.brought.is_empty() {
            plan.step(PlaceItems {
                package: part.name().to_string(),
                code: part.code.clone(),
                variables: part.variables.clone(),
                acts: std::mem::take(&mut self.brought),
            });
        }
    }
}

fn with_data(thing: &Thing, number: Option<u32>) -> Thing {
    let mut thing = thing.clone();
    match &mut thing {
        Thing::Folder { kept, .. } | Thing::File { kept, .. } | Thing::Tree { kept, .. } => {
            *kept = number;
        }
        Thing::Parent | Thing::Link { .. } => {}
    }
    thing
}

fn not_yet(part: &Part, piece: &Piece) -> Result<(), Refusal> {
    let what = match piece {
        Piece::Database { .. } => "a database",
        Piece::Sql { .. } => "statements for a database",
        Piece::Unit { .. } => "a unit of systemd",
        Piece::Placed(_) | Piece::Script(_) => return Ok(()),
    };
    let text = format!("`{}` has {what}, which `cart` cannot deploy yet", part.name());
    Err(Refusal::new(Exit::Conflict, text))
}

/// Templates that are scripts are tried before anything is changed.
pub(super) fn check_templates(plan: &mut Plan, new: &Side) {
    for (part, pieces) in new.deployment.parts.iter().zip(&new.pieces) {
        let templates: Vec<Source> = pieces.iter().filter_map(perl_template).collect();
        if !templates.is_empty() {
            plan.step(CheckTemplates {
                package: part.name().to_string(),
                code: part.code.clone(),
                values: part.check.clone(),
                templates,
            });
        }
    }
}

fn perl_template(piece: &Piece) -> Option<Source> {
    match piece {
        Piece::Placed(Placed { thing: Thing::File { content: Content::Perl(source), .. }, .. }) => {
            Some(source.clone())
        }
        _ => None,
    }
}

/// A line about a package that comes.
pub(super) fn describe(part: &Part) -> String {
    let name = part.name();
    match &part.manifest().kind {
        Kind::App => {
            let own = part.app.context.as_ref().map(|context| context.as_str());
            let usual = context_of(part.manifest()).map(|context| match context {
                AppContext::Default(context) | AppContext::Fixed(context) => context.as_str(),
            });
            let at = own.or(usual).filter(|at| !at.is_empty()).unwrap_or("/");
            format!("`{name}` at `{at}`")
        }
        Kind::Accessory(_) => format!("`{name}`, an accessory of `{}`", part.app.app),
    }
}
