//! A manifest that was given by itself takes the place of the archive's own (node specification,
//! 2.1).

use super::error::GatherError;
use crate::archive::Modes;
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::sys::fs::Dir;
use crate::sys::path::{PathError, RelPath};
use rustix::io::Errno;
use sha2::Digest;

/// Where a cartridge keeps its manifest: folder and name.
const FOLDER: &str = "metadata";
const PLACE: &str = "metadata/manifest.yml";

/// Puts `manifest` into `tree` and gives the table of what is there then.
pub(super) fn replace(
    tree: &Dir,
    table: &FileTable,
    manifest: &[u8],
    modes: Modes,
) -> Result<FileTable, GatherError> {
    // A link in these places is refused by the file calls; nothing is written through it.
    tree.make_dirs(FOLDER, 0o755)?;
    tree.set_mode(FOLDER, 0o755)?;
    let (file_mode, folder_mode) = match modes {
        Modes::ReadOnly | Modes::ReadOnlyBut(_) => (0o444, 0o555),
        Modes::ExactReadOnly => (0o444, 0o755),
        Modes::AsPacked | Modes::Exact | Modes::Kept => (0o644, 0o755),
    };
    // Nobody sees staging, and all of it is synced at once: no need to do so for this file.
    tree.remove_file(PLACE)?;
    tree.write_new(PLACE, manifest, file_mode)?;
    // Whatever the umask of this process is.
    tree.set_mode(PLACE, file_mode)?;
    tree.set_mode(FOLDER, folder_mode)?;
    let sha256 = Sha256(sha2::Sha256::digest(manifest).into());
    let mut entries = table.entries().to_vec();
    entries.push(entry(FOLDER, 0o755, Content::Directory)?);
    entries.push(entry(PLACE, 0o644, Content::File { size: manifest.len() as u64, sha256 })?);
    Ok(FileTable::new(entries))
}

fn entry(path: &str, mode: u32, content: Content) -> Result<Entry, GatherError> {
    let path = RelPath::parse(path).map_err(|_: PathError| {
        // Both paths are written in this file and fine.
        crate::error::FsError::new("name", path, Errno::INVAL)
    })?;
    Ok(Entry { path, mode, content })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(modes: Modes) -> (tempfile::TempDir, Dir, FileTable) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dir(FOLDER, 0o755).unwrap();
        dir.write_new(PLACE, b"old", 0o444).unwrap();
        if modes == Modes::ReadOnly {
            dir.set_mode(FOLDER, 0o555).unwrap();
        }
        let old = Content::File { size: 3, sha256: Sha256([0; 32]) };
        let entries = [entry(FOLDER, 0o755, Content::Directory), entry(PLACE, 0o644, old)];
        (temp, dir, FileTable::new(entries.map(Result::unwrap).to_vec()))
    }

    #[test]
    fn table_and_tree_agree_afterwards_and_modes_are_as_before() {
        for (modes, file, folder) in
            [(Modes::ReadOnly, 0o444, 0o555), (Modes::AsPacked, 0o644, 0o755)]
        {
            let (_temp, dir, table) = tree(modes);
            let table = replace(&dir, &table, b"new one", modes).unwrap();
            assert_eq!(dir.read(PLACE, 100).unwrap(), b"new one");
            assert_eq!(dir.meta(PLACE).unwrap().unwrap().mode, file);
            assert_eq!(dir.meta(FOLDER).unwrap().unwrap().mode, folder);
            assert_eq!(table.entries().len(), 2);
            let sha256 = Sha256(sha2::Sha256::digest(b"new one").into());
            assert_eq!(table.get(PLACE).unwrap().content, Content::File { size: 7, sha256 });
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let (_outside_temp, outside, _) = tree(Modes::AsPacked);
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_link(FOLDER, outside.path_of(FOLDER)).unwrap();
        assert!(replace(&dir, &FileTable::default(), b"new", Modes::AsPacked).is_err());
        assert_eq!(outside.read(PLACE, 100).unwrap(), b"old");
    }
}
