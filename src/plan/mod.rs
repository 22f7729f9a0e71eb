//! Plans: what a request means on this host, as data. Pure: facts in, plan or refusal out.
//!
//! Planning cannot fetch, look at a disk or ask a question. The same plan is shown, printed as
//! JSON, compared after the locks are taken, and run.

pub mod domain;
pub mod externals;
pub mod gear;
pub mod hold;
pub mod install;
pub mod old_releases;
pub mod remove;
pub mod requests;
pub mod shims;
pub mod site;
pub mod tpkg;
pub mod undo;
pub mod unit;
pub mod upgrade;

use crate::db::{Change, Inverse, Reservation};
use crate::error::{Exit, Explain};
use crate::package::ident::GearName;
use crate::package::ubos::name::SiteId;
use crate::step::AnyStep;
use crate::sys::lock::Sharing;
use std::collections::BTreeSet;
use std::fmt;

/// What will be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it does, as an imperative: "install `x`".
    pub title: String,
    /// What the user reads of it beyond the steps.
    pub summary: Vec<String>,
    /// The reversible steps.
    pub steps: Vec<AnyStep>,
    /// What changes in the database, in the commit.
    pub records: Vec<Change>,
    /// What only runs forward, after the commit.
    pub after: Vec<AnyStep>,
    /// The scarce things that it takes.
    pub reservations: Vec<Reservation>,
    /// What it locks.
    pub resources: BTreeSet<Resource>,
    /// What `undo` will ask for.
    pub inverse: Inverse,
    /// The bytes that stay in the stash for `undo`, where something does.
    pub keeps: Option<u64>,
    /// What the user should know, but need not act on.
    pub warnings: Vec<String>,
    /// What cannot be undone.
    pub irreversible: Vec<String>,
    /// Whether it goes beyond what was named, so that the user must agree.
    pub consent: Consent,
    /// The transaction that it undoes.
    pub undoes: Option<i64>,
    /// What becomes of it when it is cut off.
    pub cut_off: CutOff,
}

/// What becomes of a transaction that a crash cuts off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutOff {
    /// It is put back.
    #[default]
    PutBack,
    /// It goes on when it is asked for again, or recovered: an upgrade (DESIGN, 5).
    GoOn,
}

impl Plan {
    /// Makes a plan that does nothing yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            summary: Vec::new(),
            steps: Vec::new(),
            records: Vec::new(),
            after: Vec::new(),
            reservations: Vec::new(),
            resources: BTreeSet::new(),
            inverse: Inverse::default(),
            keeps: None,
            warnings: Vec::new(),
            irreversible: Vec::new(),
            consent: Consent::Given,
            undoes: None,
            cut_off: CutOff::PutBack,
        }
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.records.is_empty()
    }

    /// Adds a step.
    pub fn step(&mut self, step: impl Into<AnyStep>) {
        self.steps.push(step.into());
    }

    /// Adds what another plan does; its title is a line of the summary.
    pub(crate) fn merge(&mut self, other: Self) {
        self.summary.push(other.title);
        self.summary.extend(other.summary);
        self.steps.extend(other.steps);
        self.after.extend(other.after);
        self.records.extend(other.records);
        self.reservations.extend(other.reservations);
        self.resources.extend(other.resources);
        self.warnings.extend(other.warnings);
        self.irreversible.extend(other.irreversible);
        self.inverse.parts.extend(other.inverse.parts);
        self.keeps = match (self.keeps, other.keeps) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
        };
        self.consent = self.consent.max(other.consent);
    }

    /// Tells whether `other` would do the same; how it is described does not count (a gear that
    /// runs grows while the plan is read).
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        (&self.steps, &self.records, &self.after, &self.reservations)
            == (&other.steps, &other.records, &other.after, &other.reservations)
    }

    /// What the steps do, in words.
    pub fn descriptions(&self) -> Vec<String> {
        self.steps.iter().chain(&self.after).map(AnyStep::describe).collect()
    }
}

/// Whether the user must agree before a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Asking for it was agreeing.
    Given,
    /// It takes away what was named: a person at a terminal is asked.
    Courtesy,
    /// It goes beyond what was named, or cannot be undone: without consent it is refused.
    Needed,
}

/// Something that is locked while a transaction runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The packages called so, of one vendor: installed or removed by us alone.
    Package(String),
    /// The same packages, used but not changed: others may use them too.
    PackageInUse(String),
    /// One gear.
    Gear(GearName),
    /// One site.
    Site(SiteId),
    /// The links of the host that lead to our commands.
    HostLinks,
    /// What packages of tpkg put on the host: one after the other, as they may want the same place.
    HostFiles,
}

/// How the journal marks a resource that is used, not changed.
const SHARED: &str = " (shared)";

impl Resource {
    /// The words under which the journal keeps it.
    pub fn journaled(&self) -> String {
        match self {
            Self::PackageInUse(_) => format!("{self}{SHARED}"),
            Self::Package(_)
            | Self::Gear(_)
            | Self::Site(_)
            | Self::HostLinks
            | Self::HostFiles => self.to_string(),
        }
    }

    /// Tells whether the lock called `name` is that of a package.
    pub fn is_package(name: &str) -> bool {
        name.starts_with("package ")
    }

    /// Takes the journal's words apart: the name of the lock, and whether it is shared.
    pub fn lock_of(journaled: &str) -> (&str, Sharing) {
        match journaled.strip_suffix(SHARED) {
            Some(name) => (name, Sharing::Shared),
            None => (journaled, Sharing::Exclusive),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(name) | Self::PackageInUse(name) => write!(f, "package {name}"),
            Self::Gear(name) => write!(f, "gear {name}"),
            Self::Site(id) => write!(f, "site {id}"),
            Self::HostLinks => f.write_str("host links"),
            Self::HostFiles => f.write_str("host files"),
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    text: String,
    exit: Exit,
    hint: Option<String>,
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { text: text.into(), exit, hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        self.exit
    }
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
