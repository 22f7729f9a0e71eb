//! How an archive is compressed: always the same bytes for the same content.

use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The kinds of compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// With gzip.
    #[default]
    Gzip,
    /// With bzip2.
    Bzip2,
    /// Not at all.
    No,
}

impl Compress {
    /// The ending that comes after `tar`.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::No => "",
        }
    }

    /// Begins to write to `file`.
    pub(super) fn begin(self, file: File) -> Sink {
        let file = BufWriter::with_capacity(256 << 10, file);
        match self {
            // No name and no time in the header, so that nothing differs from one day to the next.
            Self::Gzip => Sink::Gzip(Box::new(
                flate2::GzBuilder::new().mtime(0).write(file, flate2::Compression::default()),
            )),
            Self::Bzip2 => Sink::Bzip2(Box::new(bzip2::write::BzEncoder::new(
                file,
                bzip2::Compression::best(),
            ))),
            Self::No => Sink::Plain(file),
        }
    }
}

/// Where the bytes of an archive go.
pub(super) enum Sink {
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
    Bzip2(Box<bzip2::write::BzEncoder<BufWriter<File>>>),
    Plain(BufWriter<File>),
}

impl Sink {
    /// Writes what is left, and gives the file back.
    pub(super) fn finish(self) -> io::Result<File> {
        let file = match self {
            Self::Gzip(gzip) => gzip.finish()?,
            Self::Bzip2(bzip2) => bzip2.finish()?,
            Self::Plain(file) => file,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(gzip) => gzip.write(bytes),
            Self::Bzip2(bzip2) => bzip2.write(bytes),
            Self::Plain(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(gzip) => gzip.flush(),
            Self::Bzip2(bzip2) => bzip2.flush(),
            Self::Plain(file) => file.flush(),
        }
    }
}
