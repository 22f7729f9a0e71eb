//! Asking a repository which commit a name stands for, without fetching anything.

use super::super::locator::GitSource;
use super::super::stream::Watched;
use super::error::GitError;
use super::fetch::{Git, HEAD};
use crate::sys::fs::Dir;

/// The longest answer that is read.
const LONGEST: usize = 1 << 20;

impl Git<'_> {
    /// The commit that the branch or tag of `source` stands for at the other end; nothing where it
    /// names a commit itself, which cannot become another one. `work` is an empty directory, and is
    /// empty again afterwards.
    pub fn look(
        &self,
        source: &GitSource,
        work: &Dir,
        watched: Watched<'_>,
    ) -> Result<Option<String>, GitError> {
        let wanted = source.commit.as_deref().unwrap_or(HEAD);
        if wanted.contains(['^', '~']) || is_commit(wanted) {
            return Ok(None);
        }
        self.job(source, (work, work), watched, |job| {
            job.prepare()?;
            let patterns = [wanted.to_owned(), format!("refs/tags/{wanted}^{{}}")];
            let ask = ["ls-remote", "--quiet", "origin", &patterns[0], &patterns[1]];
            let said = job.output("ask", &ask, LONGEST)?;
            match pick(&said, wanted) {
                Some(commit) => Ok(Some(commit)),
                // The first digits of a commit are no name at the other end.
                None if is_abbreviated(wanted) => Ok(None),
                None => Err(job.no_commit(wanted)),
            }
        })
    }
}

/// The commit among the lines of `git ls-remote` that a fetch of `wanted` would bring: of a tag, the
/// one that it is of; tags come before branches.
fn pick(said: &str, wanted: &str) -> Option<String> {
    let lines: Vec<(&str, &str)> = said.lines().filter_map(|line| line.split_once('\t')).collect();
    let names = [
        format!("refs/tags/{wanted}^{{}}"),
        wanted.to_owned(),
        format!("refs/{wanted}"),
        format!("refs/tags/{wanted}"),
        format!("refs/heads/{wanted}"),
    ];
    let found = names.iter().find_map(|name| lines.iter().find(|(_, other)| other == name));
    found.map(|(commit, _)| (*commit).to_owned()).filter(|commit| is_commit(commit))
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_abbreviated(text)
}

fn is_abbreviated(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_asked_for_is_picked_and_no_other() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let said = format!("{a}\trefs/heads/other/v1\n{b}\trefs/tags/v1\n{c}\trefs/tags/v1^{{}}\n");
        assert_eq!(pick(&said, "v1"), Some(c), "what an annotated tag is of");
        assert_eq!(pick(&format!("{a}\trefs/heads/v1\n{b}\trefs/tags/v1\n"), "v1"), Some(b));
        assert_eq!(pick(&format!("{a}\tHEAD\n"), "HEAD"), Some(a.clone()));
        assert_eq!(pick(&format!("{a}\trefs/heads/x/main\n"), "main"), None);
        assert_eq!(pick("nonsense\tHEAD\n", "HEAD"), None);
    }
}
