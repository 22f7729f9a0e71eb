//! Facts about variables: those of one gear, those of the whole domain.

use crate::db::{Change, Db, Saying, Scope, Telling, ToldRow};
use crate::error::Failure;
use crate::gear::environ::{Shared, SharedVariable};
use crate::gear::variables::{self, Place};
use crate::layout::Layout;
use crate::package::ident::{EnvName, GearName};
use crate::sys::fs::Dir;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// The variables of a gear, as they are in its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// What users set.
    pub user: BTreeMap<EnvName, OsString>,
    /// What the platform says.
    pub platform: BTreeMap<EnvName, OsString>,
    /// The names of the domain's variables.
    pub shared: BTreeSet<String>,
}

impl Variables {
    /// Reads the variables of the gear called `name`.
    pub fn read(db: &Db, layout: &Layout, name: &GearName) -> Result<Self, Failure> {
        let home = Dir::open(&layout.gears().join(name.as_str()))?;
        Ok(Self {
            user: variables::list(&home, Place::User)?,
            platform: variables::list(&home, Place::Platform)?,
            shared: shared(db)?.0.into_keys().collect(),
        })
    }

    /// Those in one place.
    pub fn at(&self, place: Place) -> &BTreeMap<EnvName, OsString> {
        match place {
            Place::User => &self.user,
            Place::Platform => &self.platform,
        }
    }
}

/// The variables of the whole domain.
pub fn shared(db: &Db) -> Result<Shared, Failure> {
    let one = |row: ToldRow| {
        let publisher = publisher(row.gear.as_deref(), row.dir.as_deref());
        (row.name, SharedVariable { value: row.value, publisher })
    };
    Ok(Shared(db.domain_variables()?.into_iter().map(one).collect()))
}

/// Adds to `shared` what a transaction has been told so far and has not committed yet.
pub fn add_pending<'a>(shared: &mut Shared, changes: impl Iterator<Item = &'a Change>) {
    for change in changes {
        let Change::Tell(Telling { scope: Scope::Domain, publisher: by, name, saying }) = change
        else {
            continue;
        };
        let (gear, dir) = (by.as_ref().map(|by| &*by.gear), by.as_ref().map(|by| &*by.dir));
        let new = |value: &String| SharedVariable {
            value: value.clone(),
            publisher: publisher(gear, dir),
        };
        match saying {
            Saying::Is(value) => {
                shared.0.insert(name.clone(), new(value));
            }
            Saying::IsUnlessThere(value) => {
                shared.0.entry(name.clone()).or_insert_with(|| new(value));
            }
            Saying::IsGone => {
                shared.0.remove(name);
            }
        }
    }
}

/// Who published something, in a word.
pub fn publisher(gear: Option<&str>, dir: Option<&str>) -> String {
    match (gear, dir) {
        (Some(gear), Some(dir)) => format!("{gear}/{dir}"),
        (Some(gear), None) => gear.to_owned(),
        (None, _) => "administrator".to_owned(),
    }
}
