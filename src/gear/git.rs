//! Repositories of gears: made from a package's template, and unpacked into a directory.
//!
//! The `git` command does the work, without anybody's configuration, without hooks, without a
//! prompt. A repository that comes with a package is copied without everything in it that could
//! make git run a program; only then does git look at it.

mod extract;
mod halves;
mod import;
mod look;
mod modules;

use super::owner::Account;
use crate::config;
use crate::error::{Exit, Explain, FsError};
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::{host, lanes, process};
use extract::Tally;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use import::{add_hooks, import};
pub use look::Look;
pub use modules::Submodule;

/// The branch that gears deploy.
pub const BRANCH: &str = "master";
/// The hooks of a gear's repository: this program under other names.
pub const HOOKS: [&str; 2] = ["pre-receive", "post-receive"];
/// Where programs are looked for when this process has no `PATH`.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The longest name of a revision, in bytes: git keeps them as files.
const LONGEST_NAME: usize = 4096;
/// The author of the first commit, always at the same time: one template makes one commit.
const AUTHOR: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "Template builder"),
    ("GIT_AUTHOR_EMAIL", "builder@localhost"),
    ("GIT_AUTHOR_DATE", "2000-01-01T00:00:00Z"),
    ("GIT_COMMITTER_NAME", "Template builder"),
    ("GIT_COMMITTER_EMAIL", "builder@localhost"),
    ("GIT_COMMITTER_DATE", "2000-01-01T00:00:00Z"),
];

/// Something about a repository failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` on this host.
    #[error("the command `git` is not installed")]
    Missing,
    /// Git could not be started, or its output not be read.
    #[error("cannot run `git {action}`")]
    Run {
        /// The subcommand.
        action: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Git said no.
    #[error("`git {action}` failed in `{}`: {text}", place.display())]
    Failed {
        /// The subcommand.
        action: String,
        /// The repository or directory.
        place: PathBuf,
        /// What git printed, escaped.
        text: String,
    },
    /// A name that is no revision.
    #[error("`{0}` is not the name of a revision")]
    Revision(String),
    /// A repository holds what may not be unpacked.
    #[error("the repository `{}` cannot be unpacked: {why}", place.display())]
    Content {
        /// The repository.
        place: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file operation failed.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Explain for GitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing | Self::Revision(_) => Exit::NotFound,
            Self::Content { .. } => Exit::Integrity,
            Self::Run { .. } | Self::Failed { .. } | Self::Fs(_) => Exit::Failed,
        }
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing => Some("install git with the system's package manager".into()),
            Self::Fs(error) => error.hint(),
            _ => None,
        }
    }
}

/// The `git` of this host.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    path: OsString,
    user: Option<(u32, u32)>,
    incoming: Option<PathBuf>,
    owner: Option<Account>,
}

impl Git {
    /// Finds `git`. As root, give the account that shall run it: git need not be root for this.
    pub fn find(user: Option<(u32, u32)>) -> Result<Self, GitError> {
        let path = host::variable_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
        let program = std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("git"))
            .find(|file| fs::kind_of(file) == Some(Kind::File))
            .ok_or(GitError::Missing)?;
        Ok(Self { program, path, user, incoming: None, owner: None })
    }

    /// The same, which also sees the objects in the directory `incoming`: those of a push that is
    /// not accepted yet.
    #[must_use]
    pub fn with_incoming(self, incoming: Option<PathBuf>) -> Self {
        Self { incoming, ..self }
    }

    /// The same, which gives the files that it unpacks to `owner`.
    #[must_use]
    pub fn for_owner(self, owner: Option<Account>) -> Self {
        Self { owner, ..self }
    }

    /// Makes the bare repository `bare`, which must not exist, with one commit on `master` that
    /// holds all of the directory `template`; ignored files too. The template is only read.
    pub fn from_template(&self, template: &Path, bare: &Path) -> Result<(), GitError> {
        self.init(bare)?;
        let mut add = self.in_repository(bare);
        add.env("GIT_WORK_TREE", template).current_dir(template).args(["add", "-f", "--", "."]);
        run("add", template, &mut add)?;
        let tree = self.ask("write-tree", bare, &["write-tree"])?;
        let arguments = ["commit-tree", "-m", "Creating template", &tree];
        let commit = self.ask("commit-tree", bare, &arguments)?;
        let branch = format!("refs/heads/{BRANCH}");
        self.ask("update-ref", bare, &["update-ref", &branch, &commit])?;
        // The index served the commit; a bare repository has none.
        Dir::open(bare)?.remove_file("index")?;
        self.ask("repack", bare, &["repack", "-a", "-d", "-q"]).map(drop)
    }

    /// Makes an empty bare repository: no template, no hooks, branch `master`.
    fn init(&self, bare: &Path) -> Result<(), GitError> {
        let mut command = self.command();
        command.args(["init", "--quiet", "--bare", "--template=", "--initial-branch", BRANCH]);
        run("init", bare, command.arg("--").arg(bare))?;
        import::dress(&Dir::open(bare)?)?;
        Ok(())
    }

    /// Finds the commit that `revision` names in `bare`; nothing when there is none, as in a
    /// repository without commits.
    pub fn commit(&self, bare: &Path, revision: &str) -> Result<Option<String>, GitError> {
        refuse_other_than_names(revision)?;
        let asked = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", &asked];
        let mut command = self.in_repository(bare);
        let output = output("rev-parse", command.args(arguments))?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.status.success() && text.chars().all(|c| c.is_ascii_hexdigit())).then_some(text))
    }

    /// Makes sure that `master` is a branch of `bare` and the current one, whatever the branch was
    /// called where the repository comes from.
    fn force_branch(&self, bare: &Path) -> Result<(), GitError> {
        let branch = format!("refs/heads/{BRANCH}");
        if self.commit(bare, &branch)?.is_none()
            && let Some(commit) = self.commit(bare, "HEAD")?
        {
            self.ask("update-ref", bare, &["update-ref", &branch, &commit])?;
        }
        self.ask("symbolic-ref", bare, &["symbolic-ref", "HEAD", &branch]).map(drop)
    }

    /// Unpacks the files of `revision` of the repository `bare` into the empty directory `into`.
    /// Gives the number of files; 0 when there is no such commit. After an error `into` holds a
    /// part.
    pub fn archive_into(
        &self,
        bare: &Path,
        revision: &str,
        into: &Dir,
        limits: &config::Archive,
    ) -> Result<u64, GitError> {
        let Some(commit) = self.commit(bare, revision)? else { return Ok(0) };
        let tally = Tally::new(limits);
        let unpack = |half: &[OsString]| self.unpack(bare, (&commit, half), into, &tally);
        match self.halves(bare, &commit)? {
            None => unpack(&[])?,
            Some([one, other]) => {
                let (one, other) = lanes::both(|| unpack(&one), || unpack(&other));
                one.and(other)?;
            }
        }
        Ok(tally.files())
    }

    /// Unpacks those `paths` of `commit`; everything where none is named.
    fn unpack(
        &self,
        bare: &Path,
        (commit, paths): (&str, &[OsString]),
        into: &Dir,
        tally: &Tally<'_>,
    ) -> Result<(), GitError> {
        let run = |source| GitError::Run { action: "archive".into(), source };
        let mut command = self.in_repository(bare);
        // Without this the group could write every file.
        command.args(["--literal-pathspecs", "-c", "tar.umask=022", "archive", "--format=tar"]);
        command.arg(commit).arg("--").args(paths);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(run)?;
        let unpacked = match child.stdout.take() {
            Some(stdout) => {
                process::widen(&stdout);
                extract::extract(stdout, (into, self.owner), tally, bare)
            }
            None => Ok(()),
        };
        if unpacked.is_err() {
            // It may be waiting to write more; its status says nothing then.
            let _ = child.kill();
        }
        let status = child.wait().map_err(run)?;
        unpacked?;
        if !status.success() {
            return Err(GitError::Failed {
                action: "archive".into(),
                place: bare.to_owned(),
                text: status.to_string(),
            });
        }
        Ok(())
    }

    /// Lets whoever is at standard input and output push to `bare` or fetch from it: `service` is
    /// `receive-pack` or `upload-pack`. Gives git's exit status.
    pub fn serve(&self, service: &str, bare: &Path) -> Result<u8, GitError> {
        let mut command = process::command(&self.program);
        command.env("PATH", &self.path).env("LC_ALL", "C").env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["HOME", "GIT_PROTOCOL", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.envs(host::variable_os(name).map(|value| (name, value)));
        }
        let status = command.env("GIT_CONFIG_GLOBAL", "/dev/null").arg(service).arg(bare).status();
        let status =
            status.map_err(|source| GitError::Run { action: service.to_owned(), source })?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }

    /// Throws away what nothing in `bare` leads to, and packs the rest tightly.
    pub fn collect_garbage(&self, bare: &Path) -> Result<(), GitError> {
        self.ask("prune", bare, &["prune"])?;
        self.ask("gc", bare, &["gc", "--quiet", "--aggressive"]).map(drop)
    }

    fn command(&self) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = process::command(&self.program);
        process::confine(&mut command, process::Limits::default());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
            .env("PATH", &self.path)
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .envs(AUTHOR)
            .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"])
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            // The library belongs to root and a gear's repository to the gear.
            .args(["-c", "safe.directory=*"])
            .stdin(Stdio::null());
        command
    }

    fn in_repository(&self, bare: &Path) -> Command {
        let mut command = self.command();
        command.env("GIT_DIR", bare);
        if let Some(incoming) = &self.incoming {
            command.env("GIT_OBJECT_DIRECTORY", incoming);
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", bare.join("objects"));
        }
        command
    }

    /// The names of the files in the folder `folder` of the commit `commit`; none where it has no
    /// such folder.
    pub fn names_in(
        &self,
        bare: &Path,
        commit: &str,
        folder: &str,
    ) -> Result<Vec<String>, GitError> {
        let mut command = self.in_repository(bare);
        command.args(["ls-tree", "-z", "--name-only", "--", commit, &format!("{folder}/")]);
        let output = run("ls-tree", bare, &mut command)?;
        let text = String::from_utf8_lossy(&output);
        let names = text.split('\0').filter_map(|path| path.rsplit('/').next());
        Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Runs a subcommand in `bare` and gives its output without the last newline.
    fn ask(&self, action: &str, bare: &Path, arguments: &[&str]) -> Result<String, GitError> {
        let mut command = self.in_repository(bare);
        let output = run(action, bare, command.args(arguments))?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }
}

/// Refuses what git could take for something else than the name of a revision.
fn refuse_other_than_names(revision: &str) -> Result<(), GitError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/-_.^~".contains(c);
    if revision.is_empty() || revision.starts_with('-') || !revision.chars().all(fits) {
        return Err(GitError::Revision(revision.escape_debug().to_string()));
    }
    if revision.len() > LONGEST_NAME {
        return Err(GitError::Revision(format!("{}…", revision.get(..80).unwrap_or_default())));
    }
    Ok(())
}

fn run(action: &str, place: &Path, command: &mut Command) -> Result<Vec<u8>, GitError> {
    let output = output(action, command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said: String = String::from_utf8_lossy(&output.stderr).chars().take(2000).collect();
    Err(GitError::Failed {
        action: action.to_owned(),
        place: place.to_owned(),
        text: said.trim().escape_debug().to_string(),
    })
}

fn output(action: &str, command: &mut Command) -> Result<std::process::Output, GitError> {
    command.output().map_err(|source| GitError::Run { action: action.to_owned(), source })
}

#[cfg(test)]
mod tests;
