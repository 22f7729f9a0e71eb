//! Advice to the author of a tpkg package.

use super::{about, scripts};
use crate::format::Tree;
use crate::format::tpkg::build;
use crate::package::Package;
use crate::package::external::ExternalData;
use crate::package::file_table::Content;
use crate::package::note::{Level, Note, Notes};
use crate::package::tpkg::{Scripts, Tpkg, TpkgContent};

/// Everything beyond what reading says.
pub(super) fn advice(package: &Package, tpkg: &Tpkg, tree: &dyn Tree) -> Vec<Note> {
    let mut notes = what_building_says(tree);
    let linked = tpkg.files.iter().find(|file| matches!(file.content, TpkgContent::Link(_)));
    if let Some(link) = linked.filter(|link| link.default.perms.is_some()) {
        let text = format!(
            "`file_defaults` with `perms` and a link (`{}`) in one package: tpkg itself fails to \
             install that on Linux; give `perms` to the files alone",
            super::shown(&link.path_in_tree())
        );
        notes.push(about(Level::Warning, ".", text));
    }
    let empty = tpkg.files.is_empty() && tpkg.dependencies.is_empty();
    if empty && package.externals.is_empty() && tpkg.scripts == Scripts::default() {
        let text = "does nothing: neither `reloc/` nor `root/` nor anything else is in it";
        notes.push(about(Level::Warning, ".", text));
    }
    for path in programs(package, tpkg.scripts) {
        let entry = tree.table().get(&path);
        if let Some(entry) = entry.filter(|entry| matches!(entry.content, Content::File { .. })) {
            notes.extend(scripts::about_entry(tree, entry));
        }
    }
    notes
}

/// What keeps a source directory from being built; a package that was built is past that.
fn what_building_says(tree: &dyn Tree) -> Vec<Note> {
    if build::DIGESTS.iter().any(|name| tree.table().get(name).is_some()) {
        return Vec::new();
    }
    let Err(error) = build::blueprint(tree, &mut Notes::default()) else { return Vec::new() };
    let warning = |note: Note| Note {
        level: Level::Warning,
        text: format!("{} (`cart build` refuses it, and so does tpkg)", note.text),
        ..note
    };
    error.notes().into_iter().map(warning).collect()
}

fn programs(package: &Package, scripts: Scripts) -> Vec<String> {
    let all = [
        (scripts.preinstall, "preinstall"),
        (scripts.postinstall, "postinstall"),
        (scripts.preremove, "preremove"),
        (scripts.postremove, "postremove"),
    ];
    let own = all.iter().filter(|(there, _)| *there).map(|(_, name)| (*name).to_owned());
    let data = package.externals.iter().filter_map(|external| match &external.data {
        ExternalData::Script(path) => Some(path.to_string()),
        _ => None,
    });
    own.chain(data).collect()
}

#[cfg(test)]
mod tests {
    use crate::format::lint;
    use crate::format::sample::Sample;
    use crate::package::note::Level;

    const MINIMAL: &str = "name: a\nversion: '1.0'\nmaintainer: m\ndescription: d\n";

    fn texts(manifest: &str, files: &[(&str, &[u8])]) -> Vec<String> {
        let all = [&[("tpkg.yml", manifest.as_bytes())], files].concat();
        let notes = lint(&Sample::new(&all)).into_vec();
        assert!(notes.iter().all(|note| note.level != Level::Error), "{notes:?}");
        notes.into_iter().map(|note| format!("{}: {}", note.file, note.text)).collect()
    }

    #[test]
    fn a_sound_package_has_nothing_to_hear() {
        assert_eq!(texts(MINIMAL, &[("reloc/f", b"x")]), [""; 0]);
    }

    #[test]
    fn what_the_original_refuses_or_fails_at_is_told_before() {
        for (manifest, files, word) in [
            (
                "name: a\nversion: '1'\nmaintainer: m\n",
                &[("reloc/f", &b"x"[..])][..],
                "description",
            ),
            (&format!("{MINIMAL}odd: 1\n"), &[("reloc/f", b"x")], "`odd`"),
            (
                &format!("{MINIMAL}files: {{file_defaults: {{posix: {{perms: 0444}}}}}}\n"),
                &[("reloc/l -> x", b"")],
                "a link",
            ),
            (MINIMAL, &[], "does nothing"),
            (MINIMAL, &[("preinstall", b"exit 0\n")], "does not begin with `#!`"),
        ] {
            let said = texts(manifest, files);
            assert!(said.iter().any(|text| text.contains(word)), "{word}: {said:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let notes = lint(&Sample::new(&[("tpkg.yml", b"name: ../x\n")])).into_vec();
        assert!(notes.iter().any(|note| note.level == Level::Error), "{notes:?}");
    }
}
