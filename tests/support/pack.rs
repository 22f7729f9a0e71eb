//! Small archives, made in memory.

use std::io::{Cursor, Write};

/// Path and content of a file.
pub(crate) type File<'a> = (&'a str, &'a [u8]);

/// Packs `files` as a tar archive; those below `bin/` are executable.
pub(crate) fn tar(files: &[File<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(if path.contains("bin/") { 0o755 } else { 0o644 });
        header.set_mtime(1_795_244_700);
        archive.append_data(&mut header, path, *bytes).expect("memory takes everything");
    }
    archive.into_inner().expect("memory takes everything")
}

/// Packs `files` as a gzipped tar archive.
pub(crate) fn tar_gz(files: &[File<'_>]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&tar(files)).expect("memory takes everything");
    packed.finish().expect("memory takes everything")
}

/// Packs `files` as a zip archive.
pub(crate) fn zip(files: &[File<'_>]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let mode = if path.contains("bin/") { 0o755 } else { 0o644 };
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
        archive.start_file(*path, options).expect("the name is fine");
        archive.write_all(bytes).expect("memory takes everything");
    }
    archive.finish().expect("memory takes everything").into_inner()
}

/// Bytes that do not compress, always the same for the same `length`.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}
