//! Action hooks: what the application's developer wants run around a control action.
//!
//! Only finds them and says in what order they come; `sandbox` runs them.

use super::deployment;
use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// A hook of the gear, which runs as a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its path on the host.
    pub path: PathBuf,
    /// Whether it may run; one that is not executable is not run, and the user told so.
    pub executable: bool,
}

/// The hooks that the application has for one action of one cartridge, as paths on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// The gear's hook before the action.
    pub before: Option<Hook>,
    /// The cartridge's hooks that are sourced before `control`, in order.
    pub sourced_before: Vec<PathBuf>,
    /// The cartridge's hooks that are sourced after `control`, in order.
    pub sourced_after: Vec<PathBuf>,
    /// The gear's hook after the action.
    pub after: Option<Hook>,
}

/// The cartridge whose `control` is called.
#[derive(Clone, Copy, Debug, Default)]
pub struct Called<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its software version.
    pub version: &'a str,
    /// Whether the gear is made for it. A push is told to builders, which none of these is, between
    /// hooks of the gear.
    pub is_primary: bool,
}

/// Finds the hooks for `action` of that cartridge.
pub fn find(home: &Dir, action: &str, of: Called<'_>) -> Result<Hooks, FsError> {
    find_in((home, &deployment::live_repo(home)?), action, of)
}

/// The same in the application at `repo` below `home`, which may not be in use yet.
pub fn find_in(
    (home, repo): (&Dir, &Path),
    action: &str,
    of: Called<'_>,
) -> Result<Hooks, FsError> {
    let folder = repo.join(".openshift/action_hooks");
    let place = Place { home, folder: &folder };
    let (before, after) = names(action, of.is_primary);
    let Called { name, version, .. } = of;
    let sourced = |when: &str| -> Result<Vec<PathBuf>, FsError> {
        let names =
            [format!("{when}_{action}_{name}"), format!("{when}_{action}_{name}-{version}")];
        let found: Result<Vec<_>, _> = names.iter().map(|name| place.look(name)).collect();
        Ok(found?.into_iter().flatten().map(|hook| hook.path).collect())
    };
    Ok(Hooks {
        before: before.map(|name| place.look(&name)).transpose()?.flatten(),
        sourced_before: sourced("pre")?,
        sourced_after: sourced("post")?,
        after: after.map(|name| place.look(&name)).transpose()?.flatten(),
    })
}

/// The names of the gear's hooks before and after an action (node specification, 8.2). The original
/// tells a push to builders alone, so the primary's part in one has no hooks.
fn names(action: &str, is_primary: bool) -> (Option<String>, Option<String>) {
    let plain = action.replace('-', "_");
    match action {
        "pre-receive" | "post-receive" if !is_primary => {
            (Some(format!("pre_{plain}")), Some(format!("post_{plain}")))
        }
        "start" | "stop" | "restart" | "reload" | "status" | "tidy" | "threaddump" => {
            (Some(format!("pre_{plain}")), Some(format!("post_{plain}")))
        }
        "pre-build" | "build" | "prepare" | "deploy" | "post-deploy" => (None, Some(plain)),
        _ => (None, None),
    }
}

struct Place<'a> {
    home: &'a Dir,
    folder: &'a Path,
}

impl Place<'_> {
    /// A hook is a plain file; a cartridge's name or version with a slash names none.
    fn look(&self, name: &str) -> Result<Option<Hook>, FsError> {
        if name.contains('/') {
            return Ok(None);
        }
        let path = self.folder.join(name);
        match self.home.meta(&path) {
            Ok(Some(meta)) if meta.kind == Kind::File => Ok(Some(Hook {
                path: self.home.path_of(&path),
                executable: meta.mode & 0o111 != 0,
            })),
            Ok(_) => Ok(None),
            // A link on the way is the gear's own doing, and not followed.
            Err(error) if error.source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::home;
    use super::*;

    const PHP: Called<'_> = Called { name: "php", version: "5.4", is_primary: true };

    #[test]
    fn a_push_has_hooks_around_what_builders_are_told_of_it() {
        let builder = Called { name: "jenkins", is_primary: false, ..PHP };
        let all = |action: &str, of: Called<'_>| names(action, of.is_primary);
        for action in ["pre-receive", "post-receive"] {
            let plain = action.replace('-', "_");
            let hooks = (Some(format!("pre_{plain}")), Some(format!("post_{plain}")));
            assert_eq!(all(action, builder), hooks);
            assert_eq!(all(action, PHP), (None, None));
        }
        assert_eq!(all("start", builder), all("start", PHP));
    }

    #[test]
    fn hooks_are_found_in_the_deployment_that_is_in_use() {
        let temp = tempfile::tempdir().unwrap();
        let gear = Dir::open(temp.path()).unwrap();
        home::build(&gear, &home::tests::sample(temp.path())).unwrap();
        let repo = deployment::live_repo(&gear).unwrap();
        assert_eq!(find(&gear, "start", PHP).unwrap(), Hooks::default());
        let folder = repo.join(".openshift/action_hooks");
        gear.make_dirs(&folder, 0o755).unwrap();
        for (name, mode) in [
            ("pre_start", 0o755),
            ("post_start", 0o644),
            ("pre_start_php", 0o644),
            ("pre_start_php-5.4", 0o644),
            ("pre_start_php-5.3", 0o644),
            ("post_start_php", 0o644),
            ("pre_stop", 0o755),
            ("build", 0o755),
        ] {
            gear.write_new(folder.join(name), b"", mode).unwrap();
        }
        let path = |name: &str| temp.path().join(&folder).join(name);
        let found = find(&gear, "start", PHP).unwrap();
        assert_eq!(found.before, Some(Hook { path: path("pre_start"), executable: true }));
        assert_eq!(found.after, Some(Hook { path: path("post_start"), executable: false }));
        assert_eq!(found.sourced_before, [path("pre_start_php"), path("pre_start_php-5.4")]);
        assert_eq!(found.sourced_after, [path("post_start_php")]);
        let build = find(&gear, "build", PHP).unwrap();
        assert_eq!((build.before, build.after.unwrap().path), (None, path("build")));
    }

    #[test]
    fn a_link_leads_to_no_hook() {
        let temp = tempfile::tempdir().unwrap();
        let gear = Dir::open(temp.path()).unwrap();
        home::build(&gear, &home::tests::sample(temp.path())).unwrap();
        let repo = deployment::live_repo(&gear).unwrap();
        gear.make_link(repo.join(".openshift"), "/usr").unwrap();
        assert_eq!(find(&gear, "start", PHP).unwrap(), Hooks::default());
    }
}
