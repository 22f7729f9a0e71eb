//! The sites that words of the command line mean, and what becomes of one.

use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_with};
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::facts::site::{look, root_of, site_facts};
use crate::package::ubos::name::SiteId;
use crate::package::ubos::site::Site;
use crate::plan::Plan;
use crate::plan::site::{Farewell, Points, Restored, SiteAsk, change, draft, kept_points};
use crate::sys::clock::Moment;
use crate::ui::report::{self, Form};
use crate::ui::suggest;
use crate::ui::teller::Teller;
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;

/// The site that `text` means: its host name, its identifier, or the beginning of that.
pub(super) fn find(sites: &[Site], text: &str) -> Result<Site, Failure> {
    let begin = text.trim_end_matches('.');
    let exact = |site: &&Site| site.called() == text || site.id.as_str() == text;
    let near = |site: &&Site| begin.len() > 3 && site.id.as_str().starts_with(begin);
    if let Some(site) = sites.iter().find(exact) {
        return Ok(site.clone());
    }
    let mut found = sites.iter().filter(near);
    match (found.next(), found.next()) {
        (Some(site), None) => Ok(site.clone()),
        (Some(_), Some(_)) => {
            let text = format!("`{}` could be any of several sites", text.escape_debug());
            Err(Failure::new(Exit::Conflict, text).hint("write more of the identifier"))
        }
        (None, _) => {
            let names: Vec<String> = sites.iter().map(Site::called).collect();
            let shown = text.escape_debug();
            let failure = Failure::new(Exit::NotFound, format!("there is no site `{shown}`"));
            Err(match suggest(text, &names) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`cart site list` shows what there is"),
            })
        }
    }
}

/// The sites that a command names, or all of them.
pub(super) fn wanted(db: &Db, names: &[String], all: bool) -> Result<Vec<Site>, Failure> {
    let sites = db.sites()?;
    if all {
        return Ok(sites);
    }
    names.iter().map(|name| find(&sites, name)).collect()
}

/// The database, where there is one.
pub(super) fn existing(app: &App) -> Result<Db, Failure> {
    if app.has_database() {
        return app.changing();
    }
    Err(Failure::new(Exit::NotFound, "there are no sites").hint("`cart site deploy` makes one"))
}

/// Which sites a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// One that was named: its answer is the command's.
    One,
    /// As many as there are: answers are those of sites, even of one or none.
    Many,
}

impl Scope {
    /// Of so many that were named.
    pub(super) fn of(count: usize) -> Self {
        if count == 1 { Self::One } else { Self::Many }
    }
}

#[derive(Serialize)]
struct Told {
    sites: Vec<One>,
}

#[derive(Serialize)]
struct One {
    site: String,
    siteid: String,
    exit: u8,
    answer: Value,
}

/// Does `work` for each site until one fails. In JSON, the answers about several are one document.
pub(super) fn each(
    app: &mut App,
    (sites, scope): (&[Site], Scope),
    work: &dyn Fn(&App, &Site, &Teller<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    if app.form() == Form::Text || scope == Scope::One {
        for site in sites {
            work(app, site, &teller(app))?;
        }
        return Ok(Exit::Done);
    }
    let (mut told, mut exit) = (Told { sites: Vec::new() }, 0);
    for site in sites {
        let kept = RefCell::default();
        let outcome = work(app, site, &teller(app).keeping(&kept));
        if let Err(failure) = &outcome {
            exit = failure.exit as u8;
            kept.replace(serde_json::to_value(report::body(failure)).unwrap_or_default());
        }
        let (answer, siteid) = (kept.into_inner(), site.id.to_string());
        told.sites.push(One { site: site.called(), siteid, exit, answer });
        if exit != 0 {
            app.answer_with(exit);
            break;
        }
    }
    app.printer().json(&told);
    Ok(Exit::Done)
}

/// Tells about one site.
pub(super) fn teller(app: &App) -> Teller<'_> {
    Teller::new(app.printer(), app.form(), app.agrees())
}

/// What is to become of a site.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Becoming<'a> {
    /// What it is to be; nothing where it is undeployed.
    pub(super) site: Option<&'a Site>,
    /// The backup from which its data come.
    pub(super) restored: Option<&'a Restored>,
    /// Whether scripts of what leaves are asked.
    pub(super) farewell: Farewell,
}

impl<'a> Becoming<'a> {
    /// It is deployed.
    pub(super) fn site(site: &'a Site) -> Self {
        Self { site: Some(site), ..Self::default() }
    }
}

/// Makes the site `id` what is wanted, or nothing.
pub(super) fn become_of(
    (app, db): (&App, &Db),
    (id, site): (&SiteId, Becoming<'_>),
    (options, teller): (&ChangeArgs, &Teller<'_>),
) -> Result<Exit, Failure> {
    let now = Moment::now();
    // What is random is drawn once, however often the plan is made.
    let drawn: RefCell<Option<Points>> = RefCell::default();
    carry_out_with(app, db, (options, teller), &|| {
        let (plan, points) = plan((app, db), (id, site), (now, drawn.borrow().as_ref()))?;
        drawn.replace(Some(points));
        Ok(plan)
    })
}

fn plan(
    (app, db): (&App, &Db),
    (id, becoming): (&SiteId, Becoming<'_>),
    (now, drawn): (Moment, Option<&Points>),
) -> Result<(Plan, Points), Failure> {
    let Becoming { site, restored, farewell } = becoming;
    let facts = site_facts(db, (app.layout(), app.config()?), (id, site), now)?;
    if site.is_none() && facts.old.is_none() {
        let text = "the site is not deployed any more";
        return Err(Failure::new(Exit::NotFound, text));
    }
    let mut kept = drawn.cloned().unwrap_or_default();
    kept.extend(kept_points(&facts));
    let ask = SiteAsk { id, wanted: site, kept: &kept, facts: &facts, restored, farewell };
    let draft = draft(&ask)?;
    let looked = look(&root_of(app.layout())?, &draft.paths())?;
    let plan = change(&ask, &draft, &looked)?;
    Ok((plan, draft.points()))
}
