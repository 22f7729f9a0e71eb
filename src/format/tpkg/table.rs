//! What a package puts on the host: its tree, and what the metadata say of it, put together.

use super::cx::shown;
use super::file_metadata::Digests;
use super::listed::{Files, Listed, Spot};
use crate::format::Tree;
use crate::format::error::{Fault, ManifestError};
use crate::format::place::Place as At;
use crate::package::file_table::{Content, Entry};
use crate::package::note::{Level, Note, Notes};
use crate::package::tpkg::{Encryption, Place, Posix, Scripts, TpkgContent, TpkgFile};
use std::collections::BTreeMap;

/// The two places, in the order of their folders.
const PLACES: [Place; 2] = [Place::Reloc, Place::Root];

/// Tells which scripts `tree` has, and warns of those that cannot run.
pub(super) fn scripts(tree: &dyn Tree, notes: &mut Notes) -> Scripts {
    let mut has = |name: &str| {
        let entry = tree.table().get(name);
        let Some(entry) = entry.filter(|entry| matches!(entry.content, Content::File { .. }))
        else {
            return false;
        };
        if entry.mode & 0o111 == 0 {
            notes.warn(name, "is not executable: `chmod +x` it, or nothing can run it");
        }
        true
    };
    Scripts {
        preinstall: has("preinstall"),
        postinstall: has("postinstall"),
        preremove: has("preremove"),
        postremove: has("postremove"),
    }
}

/// Puts the table together. `manifest` is the file in which `files` were read.
pub(super) fn table(
    tree: &dyn Tree,
    (manifest, files): (&str, &Files),
    digests: &Digests,
    notes: &mut Notes,
) -> Result<Vec<TpkgFile>, ManifestError> {
    let mut table: BTreeMap<Spot, TpkgFile> = BTreeMap::new();
    for entry in tree.table().entries() {
        if let Some((spot, file)) = file_of(entry, files) {
            table.insert(spot, file);
        }
    }
    let mut faults = Vec::new();
    for listed in &files.listed {
        if let Err(text) = apply(listed, &mut table) {
            faults.push(Fault { place: listed.at, text });
        }
    }
    if !faults.is_empty() {
        return Err(ManifestError::Invalid { file: manifest.to_owned(), faults });
    }
    let mut folder_said = false;
    for (spot, file) in &mut table {
        set_digest(spot, file, digests, &mut |text| {
            if !folder_said {
                notes.warn(file_of_digests(), text);
            }
            folder_said = true;
        });
    }
    if PLACES.iter().all(|place| table.keys().any(|spot| spot.place == *place)) {
        notes.warn(".", "has files for the base as well as for `/`: one of the two is usual");
    }
    for listed in files.listed.iter().filter(|listed| cron_may_refuse(listed, &table)) {
        notes.push(warning(
            manifest,
            listed.at,
            "cron runs a crontab in `/etc/cron.d` only where \
            root owns it and nobody else can write to it: set `posix`",
        ));
    }
    Ok(table.into_values().collect())
}

fn file_of_digests() -> &'static str {
    super::file_metadata::BIN
}

fn warning(file: &str, at: At, text: &str) -> Note {
    let (file, text) = (file.to_owned(), text.to_owned());
    Note { level: Level::Warning, file, line: Some(at.line), column: Some(at.column), text }
}

/// What `entry` puts on the host; nothing for what is only in the package.
fn file_of(entry: &Entry, files: &Files) -> Option<(Spot, TpkgFile)> {
    let place = PLACES.into_iter().find(|place| place.folder() == entry.path.top())?;
    let path = entry.path.without_top()?;
    let (content, default) = match &entry.content {
        Content::Directory => (TpkgContent::Directory, &files.dir_defaults),
        Content::File { size, sha256 } => {
            (TpkgContent::File { size: *size, sha256: *sha256 }, &files.file_defaults)
        }
        Content::Link(target) => (TpkgContent::Link(target.clone()), &files.file_defaults),
    };
    let file = TpkgFile {
        place,
        path: path.clone(),
        content,
        own: Posix::default(),
        default: default.clone(),
        packed_mode: entry.mode & 0o777,
        config: false,
        encrypt: None,
        init: None,
        crontab: None,
    };
    Some((Spot { place, path }, file))
}

/// Adds what is said of one path; of what is said twice the later counts, as in the original.
fn apply(listed: &Listed, table: &mut BTreeMap<Spot, TpkgFile>) -> Result<(), String> {
    let written = || shown(&listed.spot.written());
    let Some(file) = table.get_mut(&listed.spot) else {
        let folder = format!("{}/{}", listed.spot.place.folder(), listed.spot.path);
        let text = format!("`{}` is listed, but there is no `{}`", written(), shown(&folder));
        return Err(format!("{text}: take it out or put the file there"));
    };
    let regular = matches!(file.content, TpkgContent::File { .. });
    let directory = file.content == TpkgContent::Directory;
    if !regular && (listed.init.is_some() || listed.crontab.is_some()) {
        return Err(format!("`{}` is no regular file, so no init script or crontab", written()));
    }
    file.config |= listed.config && !directory;
    file.init = listed.init.clone().or(file.init.take());
    file.crontab = listed.crontab.clone().or(file.crontab.take());
    let own = &mut file.own;
    own.owner = listed.posix.owner.clone().or(own.owner.take());
    own.group = listed.posix.group.clone().or(own.group.take());
    own.perms = listed.posix.perms.or(own.perms);
    let Some(how) = listed.encrypt else { return Ok(()) };
    let encryption =
        || Some(Encryption { cipher: how.cipher, precrypt: how.precrypt, plain: None });
    if regular {
        file.encrypt = encryption();
    } else if directory {
        // Everything in it is encrypted.
        let below = format!("{}/", listed.spot.path);
        for (spot, file) in table.iter_mut() {
            let inside = spot.place == listed.spot.place && spot.path.as_str().starts_with(&below);
            if inside && matches!(file.content, TpkgContent::File { .. }) {
                file.encrypt = encryption();
            }
        }
    }
    Ok(())
}

/// Gives an encrypted file the digest of what it will be; says where a plain file has another
/// digest than it should.
fn set_digest(spot: &Spot, file: &mut TpkgFile, digests: &Digests, warn: &mut dyn FnMut(String)) {
    let Some(digest) = digests.get(spot) else { return };
    let TpkgContent::File { sha256, .. } = &file.content else { return };
    match &mut file.encrypt {
        // Computed before files were encrypted, so it is that of an encrypted one here.
        Some(encryption) if !encryption.precrypt => encryption.plain = Some(*digest),
        _ if digest == sha256 => {}
        _ => warn(format!(
            "has another digest for `{}` than the file has; that of the file counts",
            shown(&spot.written())
        )),
    }
}

fn cron_may_refuse(listed: &Listed, table: &BTreeMap<Spot, TpkgFile>) -> bool {
    let Some(file) = table.get(&listed.spot) else { return false };
    let in_cron_d = file.crontab.as_ref().is_some_and(|crontab| crontab.user.is_none());
    let others = file.owner().is_some_and(|owner| owner != "root" && owner != "0");
    in_cron_d && (others || file.mode() & 0o022 != 0)
}
