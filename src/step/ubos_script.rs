//! Runs an item, installer, uninstaller or upgrader of type `exec` or `perlscript` of a UBOS package
//! (reference of UBOS, 2.3 and 2.4), with the inverse operation for going back.
//!
//! Such scripts change owners, start services and write where they like: they are the host's, not a
//! gear's, and run with the rights of whoever runs `cart`, which the plan says.

use super::{Cx, Said, Step, ubos_run};
use crate::error::Failure;
use crate::sys::checkpoint::checkpoint;
use std::path::PathBuf;

/// What is asked of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Of an item: its app or accessory comes to a site.
    Deploy,
    /// Of an item: it leaves the site.
    Undeploy,
    /// Of an installer: what it belongs to is new on the site.
    Install,
    /// Of an installer: what it belongs to leaves, before any item does.
    Uninstall,
    /// Of an upgrader: there is data from before.
    Upgrade,
}

impl Operation {
    /// The word that the script is given.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Undeploy => "undeploy",
            Self::Install => "install",
            Self::Uninstall => "uninstall",
            Self::Upgrade => "upgrade",
        }
    }

    /// What takes it back. Nothing does for an upgrade; and nothing for an uninstallation: `install`
    /// is for an app without data, and might make those anew that are living (seed on scripts).
    pub fn inverse(self) -> Option<Self> {
        match self {
            Self::Deploy => Some(Self::Undeploy),
            Self::Undeploy => Some(Self::Deploy),
            Self::Install => Some(Self::Uninstall),
            Self::Uninstall | Self::Upgrade => None,
        }
    }
}

/// How a script is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// As a program, with the operation and the name of a JSON file: its status decides.
    Exec,
    /// As Perl that is evaluated: its last value decides.
    Perl,
    /// As Perl, after the sites are live (`phase` is `resume`).
    PerlAfterResume,
}

/// On which way a script is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// When the step is done; its inverse when it is undone.
    #[default]
    Forward,
    /// Only when the step is undone: of what stays after all, and may have lost something.
    Back,
}

/// Whose rights a script has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// Those of root.
    Root,
    /// Those of the ordinary user who runs `cart`.
    Caller,
}

/// A script of a UBOS package.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UbosScript {
    /// The app or accessory.
    pub package: String,
    /// What the manifest calls the script.
    pub source: String,
    /// The script.
    pub file: PathBuf,
    /// How it is called.
    pub call: Call,
    /// What for.
    pub operation: Operation,
    /// A JSON file with all variables as a nested tree, relative to the state. It is read when the
    /// script runs, so that it can hold what earlier steps have provided.
    pub variables: String,
    /// Dotted names of variables that are secrets, beyond credentials and keys.
    pub secrets: Vec<String>,
    /// Where relative sources and names of the role are, by the manifest.
    pub folders: Folders,
    /// What it may do.
    pub rights: Rights,
    /// On which way it is run.
    #[serde(default)]
    pub when: When,
}

/// The default folders of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Folders {
    /// Of sources.
    pub from: String,
    /// Of names; empty where the role has none.
    pub to: String,
}

impl Step for UbosScript {
    type Undo = ();

    fn describe(&self) -> String {
        let rights = match self.rights {
            Rights::Root => "with all rights of root",
            Rights::Caller => "with your rights",
        };
        let more = match (self.when, self.operation) {
            (When::Back, _) => ", should it stay after all",
            (_, Operation::Upgrade) => "; only the data that was kept before can take that back",
            (_, Operation::Uninstall) => "; nothing takes that back",
            _ => "",
        };
        let (source, package) = (self.source.escape_debug(), self.package.escape_debug());
        let operation = self.operation.as_str();
        format!("run `{source}` of `{package}` for `{operation}`, {rights}{more}")
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        if self.when == When::Back { Ok(()) } else { ubos_run::check(self) }
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        if self.when == When::Back {
            return Ok(Said::default());
        }
        checkpoint("ubos_script: before the script");
        let said = ubos_run::run(self, self.operation, cx)?;
        checkpoint("ubos_script: after the script");
        Ok(said)
    }

    /// Files and databases are put back by the steps that know what they were; the inverse takes
    /// back what the script did elsewhere. One that has done half of its work often cannot take it
    /// back, so the inverse's failure is told, and holds up nothing.
    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let inverse = match self.when {
            When::Forward => self.operation.inverse(),
            When::Back => Some(self.operation),
        };
        let Some(inverse) = inverse else { return Ok(()) };
        if let Err(failure) = ubos_run::run(self, inverse, cx) {
            cx.fall_short(failure.one_line());
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        self.when == When::Forward
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> UbosScript {
    let text = r#"#!/bin/bash
effect=${0%/*}/effect
grep -q '"flag":false' "$2" || exit 3
case $1 in
deploy) touch "$effect" ;;
undeploy) rm -f "$effect" ;;
*) exit 4 ;;
esac
"#;
    world.script("lib-script", text);
    world.state.replace_file("variables.json", br#"{"flag":false}"#, 0o600).unwrap();
    UbosScript {
        package: "mock".into(),
        source: "lib-script".into(),
        file: world.state.path_of("lib-script"),
        call: Call::Exec,
        operation: Operation::Deploy,
        variables: "variables.json".into(),
        secrets: Vec::new(),
        folders: Folders::default(),
        rights: Rights::Caller,
        when: When::Forward,
    }
}

#[cfg(test)]
mod tests;
