//! A backup of sites that a user names: unpacked under the rules for all archives, and looked at.

use crate::archive::{self, Kind, Links, Modes, Options, Strip};
use crate::config;
use crate::error::{Explain, Failure, FsError};
use crate::progress::Watch;
use crate::site::backup::{Backup, BackupError};
use crate::sys::fs::{self, Dir};
use std::io::Read;
use std::path::Path;

/// Unpacks the archive `file` into the empty directory `into`, and says what is in it. `links` is where
/// its links may lead. On failure `into` holds nothing of use, and is the caller's to discard.
pub fn open_backup(
    (file, links): (&Path, Links),
    into: &Dir,
    limits: &config::Archive,
    watch: &dyn Watch,
) -> Result<Backup, Failure> {
    let in_file = |failure: Failure| Failure {
        causes: std::iter::once(failure.summary).chain(failure.causes).collect(),
        summary: format!("cannot use the backup `{}`", file.display()),
        ..failure
    };
    let packed = fs::open_for_reading(file)?;
    let mut head = Vec::new();
    Read::take(&packed, archive::HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|error| FsError::new("read", file, error))?;
    if archive::detect(&head) != Some(Kind::Zip) {
        let encrypted = file.extension().is_some_and(|end| end == "gpg");
        let error = if encrypted { BackupError::Encrypted } else { BackupError::NoType };
        return Err(in_file(Failure::new(error.exit(), error.to_string())));
    }
    let options =
        Options { limits, links, modes: Modes::AsPacked, strip: Strip::Nothing, older: None };
    archive::unpack_zip(&packed, into, &options, watch).map_err(|error| in_file(error.into()))?;
    Backup::read(into).map_err(|error| in_file(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Zipper;
    use crate::package::ubos::name::{AppConfigId, Bucket, PackageName};
    use crate::package::ubos::role::RoleName;
    use crate::progress::Nobody;
    use crate::site::backup::{Place, Text};
    use crate::sys::clock::Moment;
    use crate::sys::path::RelPath;

    struct Scene {
        _temp: tempfile::TempDir,
        dir: Dir,
    }

    impl Scene {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let dir = Dir::open(temp.path()).unwrap();
            Self { _temp: temp, dir }
        }

        fn zip(&self, entries: &[(&str, &str)]) {
            self.dir.remove_file("a.zip").unwrap();
            let mut zip = Zipper::new(self.dir.create_file("a.zip", 0o600).unwrap());
            for (name, text) in entries {
                zip.text(&RelPath::parse(name).unwrap(), text.as_bytes(), Moment(0)).unwrap();
            }
            zip.finish().unwrap();
        }

        fn open(&self) -> Result<Backup, String> {
            crate::sys::tree::remove(&self.dir, "into").unwrap();
            self.dir.make_dir("into", 0o755).unwrap();
            let (file, into) = (self.dir.path_of("a.zip"), self.dir.dir("into").unwrap());
            open_backup((&file, Links::Contained), &into, &config::Archive::default(), &Nobody)
                .map_err(|failure| format!("{} {}", failure.summary, failure.causes.join(" ")))
        }
    }

    #[test]
    fn a_backup_is_opened_and_anything_else_is_refused_by_its_name() {
        let scene = Scene::new();
        let place = Place {
            app: AppConfigId::parse(&format!("a{}", "1".repeat(40))).unwrap(),
            package: PackageName::parse("wiki").unwrap(),
            role: RoleName::Postgresql,
            bucket: Bucket::parse("maindb").unwrap(),
        };
        let path = place.path().unwrap();
        let kind = ("filetype", "UBOS::Backup::ZipFileBackup;v1\n");
        scene.zip(&[kind, (path.as_str(), "dump")]);
        assert_eq!(scene.open().unwrap().kept, [(place, fs::Kind::File)]);
        scene.zip(&[("filetype", "x")]);
        assert!(scene.open().unwrap_err().contains("kind that is not known here"));
        scene.zip(&[(Text::Start.path().unwrap().as_str(), "")]);
        assert!(scene.open().unwrap_err().contains("is no backup of sites"));
        scene.dir.replace_file("a.zip", b"plain text", 0o600).unwrap();
        assert!(scene.open().unwrap_err().contains("is no backup of sites"));
    }

    #[test]
    fn a_link_out_of_the_archive_is_refused_with_all_the_rest() {
        let scene = Scene::new();
        scene.zip(&[("filetype", "UBOS::Backup::ZipFileBackup;v1\n")]);
        scene.dir.make_link("link", "/etc/passwd").unwrap();
        let file = scene.dir.create_file("b.zip", 0o600).unwrap();
        let mut zip = Zipper::new(file);
        let name = RelPath::parse("appconfigs/a/b").unwrap();
        zip.tree(&name, &scene.dir, Path::new("link")).unwrap();
        zip.finish().unwrap();
        scene.dir.rename("b.zip", &scene.dir, "a.zip").unwrap();
        let said = scene.open().unwrap_err();
        assert!(said.contains("appconfigs/a/b"), "{said}");
    }
}
