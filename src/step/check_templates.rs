//! Evaluates templates that are scripts before anything is changed, with something in the place of
//! what is not known yet: one that cannot be evaluated is met while the old site is still there.

use super::place_items::Source;
use super::site_variables::Values;
use super::{Cx, Said, Step, ubos_run};
use crate::error::Failure;
use crate::sys::path::RelPath;
use std::path::PathBuf;

/// Templates of one package.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CheckTemplates {
    /// What messages call the package.
    pub package: String,
    /// Its folder of code, relative to the state.
    pub code: RelPath,
    /// Its variables.
    pub values: Values,
    /// The templates.
    pub templates: Vec<Source>,
}

impl Step for CheckTemplates {
    type Undo = ();

    fn describe(&self) -> String {
        format!("try the templates of `{}`", self.package.escape_debug())
    }

    /// They change nothing, so that trying them is looking.
    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        for source in &self.templates {
            let (file, shown): (PathBuf, String) = match source {
                Source::Package(path) => (cx.state.path_of(self.code.join(path)), path.to_string()),
                Source::Code => (cx.state.path_of(&self.code), ".".into()),
                Source::Host(path) => {
                    let root = super::place_files::root(cx)?;
                    (root.path_of(path), format!("/{path}"))
                }
            };
            let template =
                ubos_run::Template { package: &self.package, source: &shown, file: &file };
            ubos_run::render(&template, &self.values, cx)?;
        }
        Ok(())
    }

    fn apply(&self, _undo: &(), _cx: &Cx<'_>) -> Result<Said, Failure> {
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> CheckTemplates {
    let (code, values, templates) = (RelPath::parse("x").unwrap(), Values::new(), Vec::new());
    CheckTemplates { package: "mock".into(), code, values, templates }
}
