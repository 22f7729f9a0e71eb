//! What a revision is, asked of one process: each start of git takes longer than its answer.

use super::{Git, GitError, refuse_other_than_names, run};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// A commit, and whether it has what is worth a further question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The commit.
    pub commit: String,
    /// Whether there is the folder that was asked for.
    pub has_folder: bool,
    /// Whether it speaks of submodules.
    pub has_submodules: bool,
}

impl Git {
    /// Looks at the commit that `revision` names in `bare`, and whether it has the folder `folder`;
    /// nothing when there is none, as in a repository without commits.
    pub fn look(
        &self,
        bare: &Path,
        revision: &str,
        folder: &str,
    ) -> Result<Option<Look>, GitError> {
        refuse_other_than_names(revision)?;
        let questions =
            format!("{revision}^{{commit}}\n{revision}:{folder}\n{revision}:.gitmodules\n");
        let failed = |source| GitError::Run { action: "cat-file".into(), source };
        let (asked, mut asking) = std::io::pipe().map_err(failed)?;
        // The names of revisions are short, and a pipe takes as much before anybody reads.
        asking.write_all(questions.as_bytes()).map_err(failed)?;
        drop(asking);
        let mut command = self.in_repository(bare);
        command.args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
        let answers = run("cat-file", bare, command.stdin(Stdio::from(asked)))?;
        let answers = String::from_utf8_lossy(&answers);
        let mut answers = answers.lines().map(|answer| answer.split_once(' '));
        let mut next = |kind: &str| match answers.next() {
            Some(Some((name, found))) if found == kind => Some(name.to_owned()),
            _ => None,
        };
        let Some(commit) = next("commit") else { return Ok(None) };
        let (has_folder, has_submodules) = (next("tree").is_some(), next("blob").is_some());
        Ok(Some(Look { commit, has_folder, has_submodules }))
    }
}
