//! When things in a gear were last changed: what a step puts back gets its time back, too.

use crate::error::Failure;
use crate::sys::fs::{Dir, Time};
use std::collections::BTreeMap;

/// The times of paths below a gear's home.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Times(BTreeMap<String, Time>);

impl Times {
    /// Reads those of `paths`; what does not exist has none.
    pub(super) fn of(home: &Dir, paths: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut times = Self::default();
        for path in paths {
            if let Some(time) = home.changed(&path)? {
                times.0.insert(path, time);
            }
        }
        Ok(times)
    }

    /// Sets them again, the deepest first: a folder's time changes with what is done in it.
    pub(super) fn put_back(&self, home: &Dir) -> Result<(), Failure> {
        for (path, time) in self.0.iter().rev() {
            if home.has(path)? {
                home.set_changed(path, *time)?;
            }
        }
        Ok(())
    }
}
