//! Submodules: repositories in a repository, by the same rules.

use super::super::locator::{GitPlace, Source};
use super::super::redact;
use super::environment::Local;
use super::error::GitError;
use super::fetch::Job;
use crate::package::submodules;
use crate::sys::path::RelPath;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// How deep submodules may lie in submodules; real ones stay below three.
const DEEPEST: usize = 5;
/// The longest `.gitmodules`, as git lists it.
const LONGEST: usize = 1 << 20;

/// Checks out every submodule of the tree of `job`. `links` are the paths and commits that the
/// tree records; a `.gitmodules` entry without such a link means nothing, as for git itself.
pub(super) fn check_out_all(job: &Job<'_>, links: &[(String, String)]) -> Result<(), GitError> {
    let addresses = addresses(job)?;
    for (number, (path, commit)) in links.iter().enumerate() {
        let refuse = |why: String| GitError::Submodule {
            place: job.shown(),
            name: path.escape_debug().to_string(),
            why,
        };
        // A link that `.gitmodules` does not know stays an empty directory, as with git.
        let Some(address) = addresses.get(path) else { continue };
        if job.depth >= DEEPEST {
            return Err(refuse(format!("it lies more than {DEEPEST} deep")));
        }
        let place = RelPath::parse(path).map_err(|error| refuse(format!("its path {error}")))?;
        let address = resolve(job, address).map_err(refuse)?;
        job.tree.make_dirs(&place, 0o755)?;
        let tree = job.tree.dir(&place)?;
        let inner = Job {
            objects: format!("{}-{number}", job.objects),
            address,
            tree: &tree,
            depth: job.depth + 1,
            ..*job
        };
        inner.check_out(commit)?;
    }
    Ok(())
}

/// The addresses in `.gitmodules`, by path.
fn addresses(job: &Job<'_>) -> Result<BTreeMap<String, String>, GitError> {
    let file = job.tree.path_of(".gitmodules");
    let file = file.to_string_lossy();
    let list = ["config", "--file", &file, "--null", "--list", "--no-includes"];
    Ok(submodules::addresses(&job.output("read the submodules of", &list, LONGEST)?))
}

/// The address of a submodule: relative to its parent's, and on this host only where the parent
/// is too.
fn resolve(job: &Job<'_>, address: &str) -> Result<OsString, String> {
    let parent = job.address.to_string_lossy();
    let absolute = if address.starts_with("./") || address.starts_with("../") {
        climb(&parent, address).ok_or("its address climbs out")?
    } else {
        address.to_owned()
    };
    let marked = if absolute.contains('#') { None } else { Some(format!("git+{absolute}")) };
    let source = marked.ok_or("its address has a `#`")?;
    match Source::parse(&source).map_err(|error| error.to_string())? {
        Source::Git(git) => match git.place {
            GitPlace::Remote(address) => Ok(address.into()),
            GitPlace::Local(path) if job.local == Local::Yes && path.is_absolute() => {
                Ok(path.into_os_string())
            }
            GitPlace::Local(_) => Err(format!("`{}` lies on this host", redact::text(address))),
        },
        _ => Err(format!("`{}` is no repository", redact::text(address))),
    }
}

/// Takes one component off `parent` for each `../`, as git does: at a slash, else at a colon.
fn climb(parent: &str, relative: &str) -> Option<String> {
    let mut base = parent.trim_end_matches('/').to_owned();
    let mut rest = relative;
    let mut joint = '/';
    loop {
        if let Some(next) = rest.strip_prefix("./") {
            rest = next;
        } else if let Some(next) = rest.strip_prefix("../") {
            rest = next;
            let at = base.rfind('/').or_else(|| base.rfind(':'))?;
            joint = if base.get(at..)?.starts_with(':') { ':' } else { '/' };
            base.truncate(at);
            if base.ends_with(":/") {
                return None;
            }
        } else {
            return Some(format!("{base}{joint}{rest}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_are_reckoned_as_git_does() {
        for (parent, relative, address) in [
            ("https://h/a/b.git", "../c.git", Some("https://h/a/c.git")),
            ("https://h/a/b.git/", "./c.git", Some("https://h/a/b.git/c.git")),
            ("https://h/a/b.git", "../../c.git", Some("https://h/c.git")),
            ("https://h/a/b.git", "../../../../c.git", None),
            ("git@h:a/b.git", "../c.git", Some("git@h:a/c.git")),
            ("git@h:b.git", "../c.git", Some("git@h:c.git")),
            ("/srv/a/b", "../c", Some("/srv/a/c")),
        ] {
            assert_eq!(climb(parent, relative).as_deref(), address, "{parent} {relative}");
        }
    }
}
