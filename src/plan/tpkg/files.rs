//! Where the files of a package go, and what becomes of what is there.

use super::{Coming, Foreign, Part, TpkgAsk, tpkg_of};
use crate::db::{Holder, Placed, PlacedKind, Role};
use crate::error::Exit;
use crate::facts::tpkg::{InstalledTpkg, OnDisk, Spot, There};
use crate::package::digest::Sha256;
use crate::package::tpkg::{TpkgContent, TpkgFile};
use crate::plan::{Plan, Refusal};
use crate::step::accounts::Who;
use crate::step::place_files::{Act, Owned, What};
use crate::sys::fs::Kind;
use crate::sys::path::RelPath;
use std::collections::BTreeMap;

/// The mode of a folder of which nobody says anything.
const FOLDER: u32 = 0o755;

/// Refuses two packages that want one place.
pub(super) fn refuse_clashes(ask: &TpkgAsk<'_>) -> Result<(), Refusal> {
    if ask.coming.len() < 2 {
        return Ok(());
    }
    let mut wanted: BTreeMap<&RelPath, String> = BTreeMap::new();
    for one in &ask.coming {
        let title = one.arrival.new.package.title();
        for (file, spot) in tpkg_of(one)?.files.iter().zip(&one.places.spots) {
            if file.content == TpkgContent::Directory {
                continue;
            }
            if let Some(other) = wanted.insert(&spot.path, title.clone())
                && other != title
            {
                let text = format!("`{title}` and `{other}` both have `/{}`", spot.path);
                return Err(Refusal::new(Exit::Conflict, text));
            }
        }
    }
    Ok(())
}

/// Adds what puts the files of `one` into place.
pub(super) fn place(plan: &mut Plan, ask: &TpkgAsk<'_>, one: &Coming<'_>) -> Result<Part, Refusal> {
    let mut part = Part { acts: Vec::new(), placed: one.places.shared.clone() };
    for path in &one.places.missing {
        let posix = Owned { owner: Who::Id(0), group: Who::Id(0), mode: FOLDER };
        folder(path, posix, &mut part);
    }
    let files = &tpkg_of(one)?.files;
    for (number, (file, spot)) in files.iter().zip(&one.places.spots).enumerate() {
        let beside = one.places.beside.get(number).and_then(Option::as_ref);
        let at = At { one, leaving: &ask.leaving, file, spot, beside };
        match &file.content {
            TpkgContent::Directory => directory(ask, &at, &mut part)?,
            TpkgContent::File { .. } | TpkgContent::Link(_) => thing(plan, ask, &at, &mut part)?,
        }
    }
    Ok(part)
}

/// One file of a package, and the place that it wants.
struct At<'a> {
    one: &'a Coming<'a>,
    leaving: &'a [&'a InstalledTpkg],
    file: &'a TpkgFile,
    spot: &'a Spot,
    beside: Option<&'a Spot>,
}

impl At<'_> {
    /// Those that go: for this one, or in the same transaction.
    fn going(&self) -> impl Iterator<Item = &'_ InstalledTpkg> {
        self.one.replaces.iter().chain(self.leaving).copied()
    }

    /// Tells whether a holder is one of those that go.
    fn is_old(&self, holder: &Holder) -> bool {
        self.going().any(|old| old.row.id == holder.package)
    }

    /// What a release that goes has put here.
    fn old(&self, path: &RelPath) -> Option<&OnDisk> {
        self.going().find_map(|old| {
            let at = old.files.binary_search_by(|file| file.placed.path.cmp(path)).ok()?;
            old.files.get(at)
        })
    }

    fn sha256(&self) -> Option<Sha256> {
        match &self.file.content {
            TpkgContent::File { sha256, .. } => Some(*sha256),
            _ => None,
        }
    }

    /// Owner and mode: what the package says of this path, else what is there already, else what
    /// the package says of all (tpkg specification, 1.2).
    fn posix(&self, there: Option<&There>) -> Owned {
        let there = there.filter(|there| there.kind == Kind::File);
        let who = |own: &Option<String>, there: Option<u32>, all: &Option<String>| {
            let own = own.as_deref().map(Who::parse);
            own.or(there.map(Who::Id)).or(all.as_deref().map(Who::parse)).unwrap_or(Who::Id(0))
        };
        let (own, all) = (&self.file.own, &self.file.default);
        Owned {
            owner: who(&own.owner, there.map(|there| there.uid), &all.owner),
            group: who(&own.group, there.map(|there| there.gid), &all.group),
            mode: own.perms.or(there.map(|there| there.mode)).unwrap_or(self.file.mode()),
        }
    }

    fn row(&self, path: &RelPath, role: Role, posix: &Owned) -> Placed {
        let (kind, size, target) = match &self.file.content {
            TpkgContent::Directory => (PlacedKind::Directory, None, None),
            TpkgContent::File { size, .. } => (PlacedKind::File, Some(*size), None),
            TpkgContent::Link(target) => (PlacedKind::Link, None, Some(target.clone())),
        };
        Placed {
            path: path.clone(),
            kind,
            role,
            owner: posix.owner.to_string(),
            group: posix.group.to_string(),
            mode: posix.mode,
            size,
            sha256: self.sha256(),
            target,
        }
    }

    fn put(&self, path: &RelPath, posix: Owned, over: bool) -> Act {
        Act::Put { path: path.clone(), what: What::Tree(self.file.path_in_tree()), posix, over }
    }

    fn in_the_way(&self, ask: &TpkgAsk<'_>, what: &str) -> Refusal {
        let mut holders = self.spot.holders.iter().filter(|holder| !self.is_old(holder));
        let owner = holders.find_map(|holder| ask.facts.holders.get(&holder.package));
        let title = self.one.arrival.new.package.title();
        let path = &self.spot.path;
        if let Some(owner) = owner {
            let text = format!("`{title}` and `{owner}`, which is installed, both have `/{path}`");
            return Refusal::new(Exit::Conflict, text)
                .hint("remove the one first, or upgrade it where this is another release of it");
        }
        let text = format!("`/{path}` of `{title}` is taken by {what} of no package");
        Refusal::new(Exit::Conflict, text)
            .hint("look at it, and move it away or give `--replace-foreign`")
    }
}

fn folder(path: &RelPath, posix: Owned, part: &mut Part) {
    part.placed.push(Placed {
        path: path.clone(),
        kind: PlacedKind::Directory,
        role: Role::Own,
        owner: posix.owner.to_string(),
        group: posix.group.to_string(),
        mode: posix.mode,
        size: None,
        sha256: None,
        target: None,
    });
    part.acts.push(Act::Folder { path: path.clone(), posix });
}

/// A folder that is there stays as it is, and belongs to the package only where it belongs to
/// another one, too: what the host had before is never taken away.
fn directory(ask: &TpkgAsk<'_>, at: &At<'_>, part: &mut Part) -> Result<(), Refusal> {
    let Some(there) = &at.spot.there else {
        folder(&at.spot.path, at.posix(None), part);
        return Ok(());
    };
    if there.kind != Kind::Directory {
        let ours = at.spot.holders.iter().any(|holder| at.is_old(holder));
        if !ours {
            return Err(at.in_the_way(ask, "a file"));
        }
        part.acts.push(Act::Take { path: at.spot.path.clone() });
        folder(&at.spot.path, at.posix(None), part);
        return Ok(());
    }
    if !at.spot.holders.is_empty() {
        let (owner, group) = (Who::Id(there.uid), Who::Id(there.gid));
        let as_it_is = Owned { owner, group, mode: there.mode };
        part.placed.push(at.row(&at.spot.path, Role::Own, &as_it_is));
    }
    Ok(())
}

/// A file or link.
fn thing(plan: &mut Plan, ask: &TpkgAsk<'_>, at: &At<'_>, part: &mut Part) -> Result<(), Refusal> {
    let path = &at.spot.path;
    let posix = at.posix(at.spot.there.as_ref());
    let role = if at.file.config { Role::Config } else { Role::Own };
    let others = at.spot.holders.iter().filter(|holder| !at.is_old(holder));
    if others.clone().any(|holder| holder.kind != PlacedKind::Directory) {
        return Err(at.in_the_way(ask, "a file"));
    }
    let Some(there) = &at.spot.there else {
        part.placed.push(at.row(path, role, &posix));
        part.acts.push(at.put(path, posix, false));
        return Ok(());
    };
    if there.kind == Kind::Directory {
        return Err(at.in_the_way(ask, "a folder"));
    }
    let old = at.old(path);
    let was_config = old.is_some_and(|old| old.placed.role == Role::Config);
    if at.file.config || was_config {
        return config(plan, at, (there, role, posix), part);
    }
    if old.is_none() && ask.liberties.foreign == Foreign::Refused {
        return Err(at.in_the_way(ask, "a file"));
    }
    part.placed.push(at.row(path, role, &posix));
    part.acts.push(at.put(path, posix, true));
    Ok(())
}

/// A file that is the administrator's. What nobody has changed is replaced; what somebody has
/// changed stays, with the new release beside it, where that is new.
fn config(
    plan: &mut Plan,
    at: &At<'_>,
    (there, role, posix): (&There, Role, Owned),
    part: &mut Part,
) -> Result<(), Refusal> {
    let path = &at.spot.path;
    part.placed.push(at.row(path, role, &posix));
    let (new, now) = (at.sha256(), there.sha256);
    let was = at.old(path).and_then(|old| old.placed.sha256);
    if now.is_some() && now == new {
        return Ok(());
    }
    if now.is_some() && now == was {
        part.acts.push(at.put(path, posix, true));
        return Ok(());
    }
    if was.is_some() && was == new {
        return Ok(());
    }
    let Some(beside) = at.beside else { return Ok(()) };
    let taken = beside.there.is_some();
    let ours = beside.holders.iter().all(|holder| at.is_old(holder)) && !beside.holders.is_empty();
    if taken && !ours {
        let text =
            format!("`/{}` is taken, where the new release of a changed file belongs", beside.path);
        return Err(Refusal::new(Exit::Conflict, text).hint("look at it, and move it away"));
    }
    plan.warnings.push(format!("`/{path}` stays as it is; the new one is `/{}`", beside.path));
    part.placed.push(at.row(&beside.path, Role::Beside, &posix));
    part.acts.push(at.put(&beside.path, posix, taken));
    Ok(())
}
