//! What a source calls what lies there: the name of its folder, repository or archive.

use super::{GitPlace, Source};

/// Endings of archives, none of which is a part of a name.
const ENDINGS: [&str; 9] =
    [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".pkg.tar.gz", ".pkg.tar", ".git"];

impl Source {
    /// The name of the folder, repository or archive, without an ending; and the release that was
    /// asked for, where a branch or tag is called after one (`v1.2`).
    pub fn called(&self) -> (Option<String>, Option<String>) {
        let (place, commit) = match self.absolute() {
            Self::File(path) => (path.to_string_lossy().into_owned(), None),
            Self::Http(url) => (url.path().to_owned(), None),
            Self::Git(git) => match git.place {
                GitPlace::Local(path) => (path.to_string_lossy().into_owned(), git.commit),
                GitPlace::Remote(text) => (text, git.commit),
            },
        };
        let last = place.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        let mut endings: Vec<&str> = ENDINGS.to_vec();
        endings.sort_by_key(|ending| std::cmp::Reverse(ending.len()));
        let bare = endings.iter().find_map(|ending| last.strip_suffix(ending)).unwrap_or(last);
        let name = (!bare.is_empty() && bare != "..").then(|| bare.to_owned());
        (name, commit.as_deref().and_then(release))
    }
}

/// `v1.2` or `1.2-3`; a branch or commit is no release.
fn release(text: &str) -> Option<String> {
    let bare = text.rsplit('/').next()?.trim_start_matches('v');
    let fine = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    let is_release = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.chars().all(fine)
        && (bare.contains('.') || bare.len() < 7);
    is_release.then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_last_folder_repository_or_archive() {
        let called = |text: &str| {
            let (name, version) = Source::parse(text).unwrap().called();
            (name.unwrap_or_default(), version.unwrap_or_default())
        };
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(called("/x/blog/"), pair("blog", ""));
        assert_eq!(called("./blog.tar.gz"), pair("blog", ""));
        assert_eq!(called("https://a.org/x/blog.zip?y=z"), pair("blog", ""));
        assert_eq!(called("https://a.org/x/blog.git#v1.2"), pair("blog", "1.2"));
        assert_eq!(called("git+https://a.org/blog#main"), pair("blog", ""));
        assert_eq!(called("git@a.org:blog.git#1234567890"), pair("blog", ""));
        assert!(!called(".").0.is_empty());
    }
}
