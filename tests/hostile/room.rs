//! A room with a directory to fill and a secret beside it.

use cartwright::archive::{
    self, ArchiveError, Kind, Limit, Links, Modes, Options, Reason, Strip, TarFault, ZipFault,
};
use cartwright::config;
use cartwright::error::{Exit, Explain};
use cartwright::package::file_table::{Content, FileTable};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;
use std::io::Write;

/// A directory to fill, and what must not change beside it.
pub(crate) struct Room {
    pub(crate) _temp: tempfile::TempDir,
    pub(crate) around: Dir,
    pub(crate) into: Dir,
    pub(crate) limits: config::Archive,
    pub(crate) links: Links,
    pub(crate) modes: Modes,
    pub(crate) strip: Strip,
}

impl Room {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let around = Dir::open(temp.path()).unwrap();
        around.write_new("secret", b"not yours", 0o600).unwrap();
        around.make_dir("into", 0o755).unwrap();
        let into = around.dir("into").unwrap();
        let (links, modes, strip) = (Links::Contained, Modes::AsPacked, Strip::Nothing);
        let limits = config::Archive::default();
        Self { _temp: temp, around, into, limits, links, modes, strip }
    }

    pub(crate) fn options(&self) -> Options<'_> {
        let Self { ref limits, links, modes, strip, .. } = *self;
        Options { limits, links, modes, strip, older: None }
    }

    pub(crate) fn unpack(&self, kind: Kind, packed: &[u8]) -> Result<FileTable, ArchiveError> {
        if kind == Kind::Zip {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(packed).unwrap();
            return archive::unpack_zip(&file, &self.into, &self.options(), &Nobody);
        }
        let mut source = packed;
        archive::unpack_stream(kind, &mut source, &self.into, &self.options(), &Nobody)
    }

    /// Unpacks what has to be refused, and looks at what is left.
    pub(crate) fn refuse(&self, kind: Kind, packed: &[u8]) -> ArchiveError {
        let error = match self.unpack(kind, packed) {
            Ok(table) => panic!("accepted: {:?}", list(&table)),
            Err(error) => error,
        };
        assert_eq!(error.exit(), Exit::Integrity, "{error}");
        assert!(error.hint().is_some(), "{error} has no remedy");
        assert!(error.to_string().chars().all(|c| !c.is_control()), "{error:?}");
        self.assert_untouched();
        error
    }

    pub(crate) fn assert_untouched(&self) {
        assert!(self.into.names().unwrap().is_empty(), "left behind: {:?}", self.into.names());
        assert_eq!(self.around.names().unwrap(), ["into", "secret"]);
        assert_eq!(self.around.read("secret", 100).unwrap(), b"not yours");
        assert_eq!(self.around.meta("secret").unwrap().unwrap().mode, 0o600);
        assert_eq!(self.around.meta("secret").unwrap().unwrap().links, 1);
    }

    /// Unpacks what has to be accepted; the disk must hold what the table says.
    pub(crate) fn accept(&self, kind: Kind, packed: &[u8]) -> Vec<String> {
        let table = self.unpack(kind, packed).unwrap_or_else(|error| panic!("refused: {error}"));
        let seen = archive::survey(&self.into, &self.options(), &Nobody).unwrap();
        assert_eq!(table, seen, "the table and the disk differ");
        list(&table)
    }

    /// Makes the room empty again.
    pub(crate) fn clear(&self) {
        for name in self.into.names().unwrap() {
            cartwright::sys::tree::remove(&self.into, &name).unwrap();
        }
    }
}

/// `d a`, `f a/b 3`, `x a/tool 5`, `l a/link -> b`: one line for each entry.
pub(crate) fn list(table: &FileTable) -> Vec<String> {
    let line = |entry: &cartwright::package::file_table::Entry| match &entry.content {
        Content::Directory => format!("d {}", entry.path),
        Content::File { size, .. } if entry.mode == 0o755 => format!("x {} {size}", entry.path),
        Content::File { size, .. } => format!("f {} {size}", entry.path),
        Content::Link(target) => format!("l {} -> {target}", entry.path),
    };
    table.entries().iter().map(line).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// The tar archive `packed` is refused, as it is and inside gzip, for the same reason.
pub(crate) fn refused_tar(packed: &[u8]) -> ArchiveError {
    let plain = Room::new().refuse(Kind::Tar, packed);
    let zipped = Room::new().refuse(Kind::TarGz, &gzip(packed));
    assert_eq!(plain.to_string(), zipped.to_string());
    plain
}

pub(crate) fn tar_fault(packed: &[u8]) -> TarFault {
    match refused_tar(packed) {
        ArchiveError::Tar { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

pub(crate) fn tar_reason(packed: &[u8]) -> Reason {
    match refused_tar(packed) {
        ArchiveError::Refused { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

pub(crate) fn zip_fault(packed: &[u8]) -> ZipFault {
    match Room::new().refuse(Kind::Zip, packed) {
        ArchiveError::Zip { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

pub(crate) fn zip_reason(packed: &[u8]) -> Reason {
    match Room::new().refuse(Kind::Zip, packed) {
        ArchiveError::Refused { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

pub(crate) fn limit(error: &ArchiveError) -> Limit {
    match error {
        ArchiveError::Limit(limit) => *limit,
        other => panic!("{other}"),
    }
}
