//! Taking over what tpkg itself has installed: everything stays as it is, but it is ours from now on.

use super::cron;
use crate::db::{Answer, Change, ExternalState, InversePart, NewExternal, NewPackage, NewPlaced};
use crate::facts::tpkg::{Settled, TpkgHost};
use crate::gather::Arrival;
use crate::package::external::Asker;
use crate::plan::install::in_library;
use crate::plan::{Plan, Refusal, Resource};
use crate::step::place_trees::{PlaceTrees, Placing};

/// A package to be taken over.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its copy, as it lay in the database.
    pub arrival: &'a Arrival,
    /// The name of its file there, by which externals know it.
    pub file_name: &'a str,
    /// What is there of it.
    pub settled: &'a Settled,
}

/// What is to be taken over.
#[derive(Clone, Debug)]
pub struct TakeOver<'a> {
    /// The base, as scripts see it.
    pub base: &'a str,
    /// The packages.
    pub packages: Vec<Known<'a>>,
    /// The host.
    pub host: &'a TpkgHost,
    /// What nobody has used yet, for the keys of requests to externals.
    pub tag: &'a str,
}

/// Plans taking over. Nothing on the host is changed, and no script or external is called.
pub fn take_over(ask: &TakeOver<'_>) -> Result<Plan, Refusal> {
    let count = ask.packages.len();
    let packages = if count == 1 { "1 package".into() } else { format!("{count} packages") };
    let mut plan = Plan::new(format!("take over {packages} of tpkg in `{}`", ask.base));
    let mut trees = Vec::new();
    let mut asked = 0;
    for one in &ask.packages {
        let new = &one.arrival.new;
        plan.resources.insert(Resource::HostFiles);
        plan.resources.insert(super::resource(new.package.name.as_str()));
        trees.push(Placing { from: one.arrival.from.clone(), to: in_library(&new.place)? });
        record(&mut plan, ask, one);
        for (ordinal, (name, data)) in one.settled.externals.iter().enumerate() {
            let asker = Asker {
                format: new.package.format,
                vendor: String::new(),
                name: new.package.name.to_string(),
                gear: None,
                home: ask.base.to_owned(),
                file: one.file_name.to_owned(),
            };
            plan.records.push(Change::AskExternal(Box::new(NewExternal {
                key: format!("tpkg-{}-{asked}", ask.tag),
                asker,
                ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
                name: name.clone(),
                data: data.clone(),
                mode: "exec".into(),
                strict: false,
                answer: Answer {
                    state: ExternalState::Done,
                    detail: Some("tpkg has called it".into()),
                },
            })));
            asked += 1;
        }
        describe(&mut plan, one);
    }
    if !trees.is_empty() {
        plan.step(PlaceTrees { trees });
        plan.inverse.parts.push(InversePart::LetGo);
    }
    Ok(plan)
}

fn record(plan: &mut Plan, ask: &TakeOver<'_>, one: &Known<'_>) {
    let new = &one.arrival.new;
    let mut package = new.package.clone();
    let (mut files, mut needs, mut clashes) = (one.settled.placed.clone(), Vec::new(), Vec::new());
    if let Some(tpkg) = &mut package.tpkg {
        let lines = cron::there((ask.base, one.file_name), &tpkg.files, ask.host);
        files.extend(lines);
        tpkg.files.retain(|file| file.init.is_some());
        needs.clone_from(&tpkg.dependencies);
        clashes.clone_from(&tpkg.conflicts);
        one.file_name.clone_into(&mut tpkg.file_name);
    }
    plan.records.push(Change::AddPackage(Box::new(NewPackage { package, ..new.clone() })));
    plan.records.push(Change::Place(Box::new(NewPlaced {
        place: new.place.clone(),
        base: ask.base.to_owned(),
        file_name: one.file_name.to_owned(),
        files,
        needs,
        clashes,
    })));
}

fn describe(plan: &mut Plan, one: &Known<'_>) {
    let title = one.arrival.new.package.title();
    let (files, externals) = (one.settled.placed.len(), one.settled.externals.len());
    let asked = if externals == 0 { String::new() } else { format!(", {externals} externals") };
    plan.summary.push(format!("`{title}`: {files} places{asked}"));
    if one.settled.missing > 0 {
        let text = format!("`{title}`: {} of its files are not there", one.settled.missing);
        plan.warnings.push(text);
    }
}
