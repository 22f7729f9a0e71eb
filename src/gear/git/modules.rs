//! The submodules of a commit.

use super::{Git, GitError, output, run};
use crate::package::submodules;
use std::collections::BTreeMap;
use std::path::Path;

/// The mode by which git marks a link to a commit of another repository.
const LINK: &str = "160000 commit ";
/// The longest list of submodules that is read.
const LONGEST: usize = 1 << 20;

/// A submodule: another repository, a commit of which belongs to an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Where it belongs in the application; not checked.
    pub path: String,
    /// Where its repository is; not checked.
    pub address: String,
    /// The commit.
    pub commit: String,
}

impl Git {
    /// The submodules of `commit` in `bare`. A link that `.gitmodules` does not know is none, as for
    /// git itself.
    pub fn submodules(&self, bare: &Path, commit: &str) -> Result<Vec<Submodule>, GitError> {
        let mut addresses = self.addresses(bare, commit)?;
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.in_repository(bare);
        let list = run("ls-tree", bare, command.args(["ls-tree", "-r", "-z", commit]))?;
        let list = String::from_utf8_lossy(&list);
        let submodule = |entry: &str| {
            let (commit, path) = entry.strip_prefix(LINK)?.split_once('\t')?;
            let (path, commit) = (path.to_owned(), commit.to_owned());
            Some(Submodule { address: addresses.remove(&path)?, path, commit })
        };
        Ok(list.split('\0').filter_map(submodule).collect())
    }

    /// The addresses in `.gitmodules`, by path; none where there is no such file.
    fn addresses(&self, bare: &Path, commit: &str) -> Result<BTreeMap<String, String>, GitError> {
        let blob = format!("{commit}:.gitmodules");
        let mut command = self.in_repository(bare);
        if !output("cat-file", command.args(["cat-file", "-e", &blob]))?.status.success() {
            return Ok(BTreeMap::new());
        }
        let mut command = self.in_repository(bare);
        command.args(["config", "--blob", &blob, "--null", "--list", "--no-includes"]);
        let list = run("config", bare, &mut command)?;
        if list.len() > LONGEST {
            let why = format!("`.gitmodules` has more than {LONGEST} bytes");
            return Err(GitError::Content { place: bare.to_owned(), why });
        }
        Ok(submodules::addresses(&String::from_utf8_lossy(&list)))
    }
}
