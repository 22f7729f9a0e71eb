//! A `.tpkg`: the source directory as `tpkg/` in one archive, and around it another one with its
//! checksum.

use super::frame::Target;
use super::members::{Checked, Members};
use super::{AskPassphrase, Order, PackError, Packed, Source};
use crate::error::FsError;
use crate::format::Unpacked;
use crate::format::tpkg::build::{self, Blueprint};
use crate::format::tpkg::crypt::{self, Passphrase};
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry};
use crate::package::note::Notes;
use crate::package::tpkg::Encryption;
use crate::progress::Watch;
use crate::sys::path::RelPath;
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};

/// The folder in the inner archive.
const INNER: &str = "tpkg";
/// How much of a file tells whether it is encrypted.
const HEAD: usize = 8;

/// Packs the source.
pub(super) fn pack(
    order: &Order<'_>,
    (source, target): (&Source<'_>, &Target),
    (ask, watch): (AskPassphrase<'_>, &dyn Watch),
) -> Result<Packed, PackError> {
    let mut notes = Notes::default();
    let tree = Unpacked { dir: source.dir, table: &source.table };
    let blueprint = build::blueprint(&tree, &mut notes)?;
    for path in &blueprint.precrypted {
        check_precrypted(source, path)?;
    }
    special_bits(source, &mut notes)?;
    let passphrase = if blueprint.encrypted.is_empty() {
        None
    } else {
        Some(ask(&blueprint.stem).map_err(PackError::Passphrase)?)
    };
    watch.phase("pack", Some(source.table.size()));
    let sink = Hashed { to: order.compress.begin(target.scratch()?), hash: sha2::Sha256::new() };
    let mut inner = Inner {
        members: Members::new(sink, order.time),
        blueprint: &blueprint,
        passphrase: passphrase.as_ref(),
        target,
    };
    let entries = inner.fill(source, watch)?;
    let Hashed { to, hash } = inner.members.finish()?;
    let digest = Sha256(hash.finalize().into());
    let packed = to.finish().map_err(PackError::Write)?;
    let outer = outer(order, (target, &blueprint.stem), (packed, digest))?;
    let finished = target.place(outer, &format!("{}.tpkg", blueprint.stem))?;
    Ok(finished.packed(blueprint.stem, entries, notes))
}

/// A file that its author has encrypted begins so; more cannot be known without its passphrase.
fn check_precrypted(source: &Source<'_>, path: &str) -> Result<(), PackError> {
    let bytes = source.dir.open_file(path).and_then(|file| {
        let mut head = Vec::with_capacity(HEAD);
        let read = io::Read::read_to_end(&mut io::Read::take(file, HEAD as u64), &mut head);
        read.map_err(|error| FsError::new("read", source.dir.path_of(path), error))?;
        Ok(head)
    })?;
    let fine = crypt::is_encrypted(&bytes);
    if fine { Ok(()) } else { Err(PackError::NotPrecrypted(path.to_owned())) }
}

/// What a file of the source directory has by its mode alone is not handed on.
fn special_bits(source: &Source<'_>, notes: &mut Notes) -> Result<(), PackError> {
    for entry in source.table.entries() {
        let Content::File { .. } = entry.content else { continue };
        let mode = source.dir.meta(&entry.path)?.map_or(0, |meta| meta.mode);
        if mode & 0o6000 != 0 {
            let text = format!(
                "is setuid or setgid, which is left out: where it is meant, write `perms: {:o}` for it",
                mode & 0o7777
            );
            notes.warn(entry.path.as_str(), text);
        }
    }
    Ok(())
}

struct Inner<'a> {
    members: Members<Hashed<super::compress::Sink>>,
    blueprint: &'a Blueprint,
    passphrase: Option<&'a Passphrase>,
    target: &'a Target,
}

/// One member of the inner archive.
enum Member<'a> {
    Made(&'a [u8]),
    Found(&'a Entry),
}

impl Inner<'_> {
    /// Adds everything, in order of path; returns how much it was.
    fn fill(&mut self, source: &Source<'_>, watch: &dyn Watch) -> Result<usize, PackError> {
        let blueprint = self.blueprint;
        let mut all: BTreeMap<&str, Member<'_>> = BTreeMap::new();
        for entry in source.table.entries() {
            if !blueprint.replaces(entry.path.as_str()) {
                all.insert(entry.path.as_str(), Member::Found(entry));
            }
        }
        for (name, bytes) in &blueprint.made {
            all.insert(name, Member::Made(bytes));
        }
        self.members.directory(INNER, 0o755)?;
        for (path, member) in &all {
            let to = format!("{INNER}/{path}");
            match member {
                Member::Made(bytes) => self.members.bytes(&to, bytes)?,
                Member::Found(entry) => match blueprint.encrypted.get(*path) {
                    Some(how) => self.encrypted((&to, entry), how, source)?,
                    None => self.members.entry(&to, entry, (source.dir, watch))?,
                },
            }
        }
        Ok(all.len())
    }

    fn encrypted(
        &mut self,
        (to, entry): (&str, &Entry),
        how: &Encryption,
        source: &Source<'_>,
    ) -> Result<(), PackError> {
        let path: &RelPath = &entry.path;
        let (Some(passphrase), Content::File { sha256, .. }) = (self.passphrase, &entry.content)
        else {
            // Only files are encrypted, and with a passphrase; nothing may slip through.
            return Err(PackError::NotPrecrypted(path.to_string()));
        };
        let mut plain = Checked::new(source.dir.open_file(path)?);
        let mut packed = self.target.scratch()?;
        build::encrypt_member((path.as_str(), sha256), (how, passphrase), &mut plain, &mut packed)
            .map_err(|why| PackError::Crypt { file: path.to_string(), why })?;
        plain.is(*sha256, path.as_str(), source.dir)?;
        packed.rewind().map_err(PackError::Write)?;
        let size = packed.metadata().map_err(PackError::Write)?.len();
        self.members.stream(to, (entry.mode, size), &mut packed)
    }
}

/// The archive around the archive; the checksum comes first, so that readers need only one pass.
fn outer(
    order: &Order<'_>,
    (target, stem): (&Target, &str),
    (mut packed, digest): (File, Sha256),
) -> Result<File, PackError> {
    let checksum = format!(
        "<tpkg_checksums>\n  <checksum>\n    <algorithm>SHA256</algorithm>\n    \
         <digest>{digest}</digest>\n  </checksum>\n</tpkg_checksums>\n"
    );
    packed.rewind().map_err(PackError::Write)?;
    let size = packed.metadata().map_err(PackError::Write)?.len();
    let mut members = Members::new(target.scratch()?, order.time);
    members.directory(stem, 0o755)?;
    members.bytes(&format!("{stem}/checksum.xml"), checksum.as_bytes())?;
    let name = format!("{stem}/tpkg.tar{}", order.compress.ending());
    members.stream(&name, (0o644, size), &mut packed)?;
    members.finish()
}

/// Hashes what goes through, before it is compressed.
struct Hashed<W> {
    to: W,
    hash: sha2::Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.to.write(bytes)?;
        self.hash.update(bytes.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
