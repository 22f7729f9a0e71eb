//! What there is to say to a package's author about a tree in staging: all that its format says,
//! and which of its templates no gear, or only a host with Ruby, could render.
//!
//! Reads, and changes nothing. Formats know no templates, so the two meet here.

use super::gatherer::Gathered;
use crate::error::FsError;
use crate::format::{self, Unpacked};
use crate::gear::globs;
use crate::package::note::{Level, Note, Notes};
use crate::sys::fs::Dir;
use crate::template::{Fault, NoFiles, erb};
use std::collections::{BTreeMap, BTreeSet};

/// The longest template that is looked at.
const LONGEST: u64 = 1 << 20;
/// The most templates that are looked at.
const MOST: usize = 1000;

/// Says everything about the tree that `gathered` is, whether it is a package or not.
pub fn lint(gathered: &Gathered) -> Result<Vec<Note>, FsError> {
    let staging = gathered.staging.dir();
    let dir = staging.dir(&gathered.tree)?;
    let tree = Unpacked { dir: &dir, table: &gathered.table };
    let mut notes = format::lint(&tree).into_vec();
    if format::ubos::is_alone_in(&tree) {
        if let Ok(manifest) = format::ubos::read(&tree, &mut Notes::default()) {
            notes.extend(super::ubos::about_templates(&manifest, &tree));
        }
        return Ok(sorted(notes));
    }
    // What cannot be read as a package has been said; its templates are then of no use.
    if let Ok(package) = format::read(&tree, &mut Notes::default()) {
        let patterns = &package.managed.processed_templates;
        for path in templates(staging, &gathered.tree, patterns).into_iter().take(MOST) {
            notes.extend(about_template(&dir, &path));
        }
    }
    Ok(sorted(notes))
}

/// By file. Stable: what the format said about one file stays in its order.
fn sorted(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|a, b| a.file.cmp(&b.file));
    notes
}

/// The templates of both passes, as paths in the tree: those of variables, and those that the
/// managed files name. Patterns that leave the cartridge name nothing here.
fn templates(staging: &Dir, tree: &str, patterns: &[String]) -> BTreeSet<String> {
    let variables = ["env/*.erb".to_owned()];
    let all: Vec<String> = variables.iter().chain(patterns).cloned().collect();
    let found = globs::expand(staging, tree, &all).paths.into_iter();
    let inside = found.filter_map(|path| {
        let path = path.strip_prefix(tree)?.strip_prefix('/')?;
        path.strip_suffix(".erb").map(|_| path.to_owned())
    });
    inside.collect()
}

/// Renders a template without any variable. That some are missing then is no fault of it.
fn about_template(dir: &Dir, path: &str) -> Option<Note> {
    // A literal entry may name what `setup` makes only later.
    let bytes = dir.read(path, LONGEST).ok()?;
    let about = |place: Option<(usize, usize)>, text: String| Note {
        level: Level::Warning,
        file: path.to_owned(),
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        text,
    };
    let Ok(text) = String::from_utf8(bytes) else {
        let text = "is no UTF-8, so that no gear can render it: save it as UTF-8";
        return Some(about(None, text.into()));
    };
    let error = erb::render(&text, &BTreeMap::new(), &NoFiles).err()?;
    let what = error.what;
    let text = match error.fault {
        // With variables it may well be rendered.
        Fault::Unset | Fault::Raised => return None,
        Fault::Unsupported => format!("{what}: only a host with `ruby` can render it"),
        Fault::Syntax | Fault::TooLong => format!("{what}: no gear can render it"),
    };
    Some(about(Some((error.line, error.column)), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory in which a tree called `tree` has these files.
    fn staging(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let staging = Dir::open(temp.path()).unwrap();
        for (path, bytes) in files {
            let path = format!("tree/{path}");
            let (folder, _) = path.rsplit_once('/').unwrap();
            staging.make_dirs(folder, 0o755).unwrap();
            staging.write_new(&path, bytes, 0o644).unwrap();
        }
        (temp, staging)
    }

    #[test]
    fn variables_and_what_the_managed_files_name_are_the_templates() {
        let (_temp, staging) = staging(&[
            ("env/A.erb", b""),
            ("env/B", b""),
            ("conf/c.erb", b""),
            ("conf/deep/d.erb", b""),
            ("other.erb", b""),
        ]);
        let found = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
            templates(&staging, "tree", &patterns).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(&[]), "env/A.erb");
        assert_eq!(found(&["conf/*.erb", "~/.x.erb", "../../y.erb"]), "conf/c.erb env/A.erb");
        assert_eq!(
            found(&["**/*.erb", "conf/deep/"]),
            "conf/c.erb conf/deep/d.erb env/A.erb other.erb"
        );
    }

    #[test]
    fn only_what_no_environment_can_heal_is_told() {
        let (_temp, staging) = staging(&[
            ("fine.erb", b"<%= ENV['HOME'] + \"#{ENV['X']}/\" %><%= 8 / ENV['N'].to_i %>\n"),
            ("tick.erb", b"a\n<%= `id` %>\n"),
            ("open.erb", b"<%= ENV['A' %>\n"),
            ("latin.erb", b"\xe9\n"),
        ]);
        let dir = staging.dir("tree").unwrap();
        assert_eq!(about_template(&dir, "fine.erb"), None);
        assert_eq!(about_template(&dir, "made-by-setup.erb"), None);
        for (path, line) in [("tick.erb", Some(2)), ("open.erb", Some(1)), ("latin.erb", None)] {
            let note = about_template(&dir, path).unwrap();
            assert_eq!((note.level, note.line), (Level::Warning, line), "{note:?}");
            let ends = if path == "tick.erb" { "only a host with `ruby`" } else { "no gear can" };
            assert!(note.text.contains(ends), "{note:?}");
        }
    }
}
