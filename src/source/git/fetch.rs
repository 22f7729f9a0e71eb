//! From a repository to a tree.

use super::super::locator::{GitPlace, GitSource};
use super::super::redact;
use super::super::stream::Watched;
use super::environment::{self, Local};
use super::error::GitError;
use super::run::Runner;
use super::submodule;
use crate::config::{Archive, Config};
use crate::sys::fs::{self, Dir};
use crate::sys::tree;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::{Duration, Instant};

/// What the repository itself names when nobody names anything.
pub(super) const HEAD: &str = "HEAD";
/// What git says when a name is unknown at the other end.
const NO_REF: &str = "find remote ref";

/// Fetches trees from git repositories.
#[derive(Clone, Copy, Debug)]
pub struct Git<'a> {
    settings: &'a Config,
}

/// A tree that was checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The commit, in full.
    pub commit: String,
}

/// One repository on its way: where its objects lie, and where its tree is to be.
pub(super) struct Job<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) limits: &'a Archive,
    /// Where `.git` directories lie, outside every tree.
    pub(super) work: &'a Dir,
    /// The folder of this repository's objects, in `work`.
    pub(super) objects: String,
    /// The address that git is given.
    pub(super) address: OsString,
    /// The tree, empty.
    pub(super) tree: &'a Dir,
    /// Whether the user named a repository on this host.
    pub(super) local: Local,
    /// How deep in submodules.
    pub(super) depth: usize,
}

impl<'a> Git<'a> {
    /// Takes the limits from `settings`.
    pub fn new(settings: &'a Config) -> Self {
        Self { settings }
    }

    /// Checks `source` out into `tree`, an empty directory. `work` is another one, emptied again.
    pub fn fetch(
        &self,
        source: &GitSource,
        places: (&Dir, &Dir),
        watched: Watched<'_>,
    ) -> Result<Checkout, GitError> {
        watched.watch.phase("fetch", None);
        let wanted = source.commit.as_deref().unwrap_or(HEAD);
        let commit = self.job(source, places, watched, |job| job.check_out(wanted))?;
        Ok(Checkout { commit })
    }

    /// Does something with the repository that `source` names; `work` is emptied afterwards.
    pub(super) fn job<T>(
        self,
        source: &GitSource,
        (tree, work): (&Dir, &Dir),
        watched: Watched<'_>,
        does: impl FnOnce(&Job<'_>) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        // Git runs from `/`, where a relative path would mean something else.
        let (tree, work) = (&absolute(tree)?, &absolute(work)?);
        let (local, address) = match &source.place {
            GitPlace::Remote(address) => (Local::No, OsString::from(address)),
            GitPlace::Local(path) => (Local::Yes, find(path)?),
        };
        let download = &self.settings.download;
        let runner = Runner {
            environment: environment::make(download, local, work)?,
            stop: watched.stop,
            deadline: Instant::now() + Duration::from_secs(download.total_timeout),
            seconds: download.total_timeout,
            longest: download.max_length,
            place: source.to_string(),
        };
        let job = Job {
            runner: &runner,
            limits: &self.settings.archive,
            work,
            objects: "0".into(),
            address,
            tree,
            local,
            depth: 0,
        };
        let done = does(&job);
        for name in work.names()? {
            tree::remove(work, &name)?;
        }
        done
    }
}

impl Job<'_> {
    /// Fetches `wanted`, checks it out with its submodules, and gives the commit.
    pub(super) fn check_out(&self, wanted: &str) -> Result<String, GitError> {
        self.prepare()?;
        let commit = self.obtain(wanted)?;
        let links = self.weigh(&commit)?;
        let quiet = ["checkout", "--quiet", "--detach", "--force", &commit];
        self.git("check out", &quiet)?;
        if !links.is_empty() && self.tree.has(".gitmodules")? {
            submodule::check_out_all(self, &links)?;
        }
        Ok(commit)
    }

    /// Makes an empty repository that knows where to fetch from. The address goes into its
    /// configuration file and not onto a command line: everybody can read those.
    pub(super) fn prepare(&self) -> Result<(), GitError> {
        let objects = self.work.path_of(&self.objects);
        let init = ["init".into(), "--quiet".into(), "--bare".into(), objects.into_os_string()];
        self.runner.run("prepare for", &init, &mut |_| Ok(()))?;
        let objects = self.work.dir(&self.objects)?;
        let address = self.address.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = \"{address}\"\n"
        );
        objects.replace_file("config", config.as_bytes(), 0o600)?;
        Ok(())
    }

    /// Brings what `wanted` names, with as little else as the server allows, and gives its commit.
    fn obtain(&self, wanted: &str) -> Result<String, GitError> {
        // `main~2` is reckoned here, not by the server: it needs the history.
        if wanted.contains(['^', '~']) {
            return self.obtain_from_everything(wanted);
        }
        let fetch = ["fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", wanted];
        match self.git("fetch from", &fetch) {
            Ok(()) => self.resolve("FETCH_HEAD", wanted),
            Err(GitError::Failed { said, .. }) if wanted != HEAD && wants_history(&said) => {
                self.obtain_from_everything(wanted)
            }
            Err(GitError::Failed { said, .. }) if said.contains(NO_REF) => {
                Err(GitError::Empty(self.runner.place.clone()))
            }
            Err(GitError::Failed { said, .. }) if wants_history(&said) => {
                let fetch = ["fetch", "--quiet", "--no-tags", "--", "origin", wanted];
                self.git("fetch from", &fetch)?;
                self.resolve("FETCH_HEAD", wanted)
            }
            Err(error) => Err(error),
        }
    }

    /// Brings all branches and tags, and looks for `wanted` among them and their ancestors.
    fn obtain_from_everything(&self, wanted: &str) -> Result<String, GitError> {
        let (heads, tags) = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*");
        self.git("fetch from", &["fetch", "--quiet", "--", "origin", heads, tags])?;
        let names = [
            format!("refs/tags/{wanted}"),
            format!("refs/remotes/origin/{wanted}"),
            wanted.to_owned(),
        ];
        let found = names.iter().find_map(|name| self.resolve(name, wanted).ok());
        found.ok_or_else(|| self.no_commit(wanted))
    }

    pub(super) fn no_commit(&self, wanted: &str) -> GitError {
        GitError::NoCommit { place: self.runner.place.clone(), commit: wanted.to_owned() }
    }

    fn resolve(&self, name: &str, wanted: &str) -> Result<String, GitError> {
        let name = format!("{name}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        let said = self.output("find", &arguments, 1 << 10).map_err(|error| match error {
            GitError::Failed { .. } => self.no_commit(wanted),
            error => error,
        })?;
        let commit = said.trim();
        let fine = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fine { Ok(commit.to_owned()) } else { Err(self.no_commit(wanted)) }
    }

    /// Counts entries and bytes before anything is written (a few small objects can name a
    /// gigantic tree), and gives the submodules: path and commit.
    fn weigh(&self, commit: &str) -> Result<Vec<(String, String)>, GitError> {
        let mut scale = Scale::new(self.limits, &self.runner.place);
        let arguments = ["ls-tree", "-r", "-l", "-z", "--full-tree", commit];
        let arguments = self.arguments(&arguments);
        self.runner.run("list the tree of", &arguments, &mut |bytes| scale.add(bytes))?;
        Ok(scale.links)
    }

    fn git(&self, verb: &'static str, arguments: &[&str]) -> Result<(), GitError> {
        self.runner.run(verb, &self.arguments(arguments), &mut |_| Ok(()))
    }

    pub(super) fn output(
        &self,
        verb: &'static str,
        arguments: &[&str],
        limit: usize,
    ) -> Result<String, GitError> {
        self.runner.output(verb, &self.arguments(arguments), limit)
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<OsString> {
        let option = |name: &str, path: &Path| {
            let mut option = OsString::from(name);
            option.push(path);
            option
        };
        let mut all = vec![
            option("--git-dir=", &self.work.path_of(&self.objects)),
            option("--work-tree=", self.tree.path()),
        ];
        all.extend(arguments.iter().map(|argument| OsStr::new(argument).to_owned()));
        all
    }

    /// The address as errors may show it.
    pub(super) fn shown(&self) -> String {
        redact::text(&self.address.to_string_lossy())
    }
}

/// The absolute path of a repository on this host.
fn find(path: &Path) -> Result<OsString, GitError> {
    match fs::resolve(path) {
        Ok(path) => Ok(path.into_os_string()),
        Err(error) if error.is_not_found() => Err(GitError::NoSuchPath(redact::path(path))),
        Err(error) => Err(error.into()),
    }
}

fn absolute(dir: &Dir) -> Result<Dir, GitError> {
    Ok(Dir::open(&fs::resolve(dir.path())?)?)
}

/// Tells whether git refused only because so little was asked of it.
fn wants_history(said: &str) -> bool {
    [NO_REF, "not our ref", "unadvertised object", "shallow", "not allow request"]
        .iter()
        .any(|words| said.contains(words))
}

/// Adds up the lines of `git ls-tree -l -z`.
struct Scale<'a> {
    limits: &'a Archive,
    place: &'a str,
    line: Vec<u8>,
    entries: u64,
    bytes: u64,
    links: Vec<(String, String)>,
}

impl<'a> Scale<'a> {
    fn new(limits: &'a Archive, place: &'a str) -> Self {
        Self { limits, place, line: Vec::new(), entries: 0, bytes: 0, links: Vec::new() }
    }

    fn add(&mut self, output: &[u8]) -> Result<(), GitError> {
        for byte in output {
            if *byte != 0 {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            self.add_line(&String::from_utf8_lossy(&line));
            self.check()?;
        }
        Ok(())
    }

    /// One line: `mode type object size<tab>path`.
    fn add_line(&mut self, line: &str) {
        self.entries += 1;
        let Some((head, path)) = line.split_once('\t') else { return };
        let mut fields = head.split_ascii_whitespace();
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (_, Some("commit"), Some(object), _) => {
                self.links.push((path.to_owned(), object.to_owned()));
            }
            (_, _, _, Some(size)) => self.bytes += size.parse::<u64>().unwrap_or(0),
            _ => {}
        }
    }

    fn check(&self) -> Result<(), GitError> {
        let Archive { max_entries, max_total, .. } = *self.limits;
        let place = self.place.to_owned();
        if self.entries > max_entries {
            return Err(GitError::TooLarge { place, limit: max_entries, what: "entries" });
        }
        if self.bytes > max_total {
            return Err(GitError::TooLarge { place, limit: max_total, what: "bytes" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_weighed_before_it_is_written() {
        let limits = Archive { max_entries: 3, max_total: 100, ..Archive::default() };
        let mut scale = Scale::new(&limits, "r");
        scale.add(b"100644 blob aa      60\ta\x00160000 commit bb       -\tsub mod\0").unwrap();
        assert_eq!(scale.links, [("sub mod".to_owned(), "bb".to_owned())]);
        let error = scale.add(b"100644 blob cc      41\tb\0").unwrap_err();
        assert!(error.to_string().contains("more than 100 bytes"), "{error}");
        let mut scale = Scale::new(&limits, "r");
        let error = scale.add(&b"100644 blob aa 1\ta\0".repeat(4)).unwrap_err();
        assert!(error.to_string().contains("more than 3 entries"), "{error}");
    }
}
