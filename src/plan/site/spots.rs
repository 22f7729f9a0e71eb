//! The places that a deployment takes and gives up: where they really are, which folders lead
//! there, and which data are found again.

use super::pieces::{Kept, Piece, Placed};
use super::{Draft, Side, SiteAsk};
use crate::db::{ResourceKind, SiteResource};
use crate::error::Exit;
use crate::facts::site::Looked;
use crate::plan::{Consent, Plan, Refusal};
use crate::step::place_items::Thing;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of places.
pub(super) struct Spots {
    real: BTreeMap<RelPath, RelPath>,
    /// Folders that lead to what is new, and that nobody has put there as an item.
    parents: BTreeSet<RelPath>,
    /// Those of them that belong to the site.
    own: BTreeSet<RelPath>,
    /// Folders of the site before.
    old: BTreeSet<RelPath>,
    /// The numbers of data that are kept.
    kept: BTreeMap<Kept, u32>,
    /// Buckets whose data are given up, by package.
    lost: Vec<(String, String)>,
    /// Places of what is new that can hold nothing.
    files: BTreeSet<RelPath>,
    /// The last item of each place.
    last: BTreeMap<RelPath, *const Placed>,
}

impl Spots {
    pub(super) fn new(ask: &SiteAsk<'_>, draft: &Draft, looked: &Looked) -> Result<Self, Refusal> {
        let real: BTreeMap<RelPath, RelPath> =
            looked.spots.iter().map(|(path, spot)| (path.clone(), spot.path.clone())).collect();
        let mut spots = Self {
            real,
            parents: BTreeSet::new(),
            own: BTreeSet::new(),
            old: old_folders(ask),
            kept: BTreeMap::new(),
            lost: Vec::new(),
            files: BTreeSet::new(),
            last: BTreeMap::new(),
        };
        let gone: BTreeSet<RelPath> =
            placed(draft.old.as_ref()).map(|(_, one)| spots.real(one)).collect();
        spots.keep(ask, draft);
        if let Some(new) = &draft.new {
            spots.settle(ask, (new, &gone), looked)?;
        }
        Ok(spots)
    }

    /// Where an item really is.
    pub(super) fn real(&self, placed: &Placed) -> RelPath {
        self.real.get(&placed.at).unwrap_or(&placed.at).clone()
    }

    /// The number under which the data of an item wait, where they do.
    pub(super) fn kept(&self, placed: &Placed) -> Option<u32> {
        self.kept_as(placed.bucket.as_ref()?)
    }

    /// The same by what they are found again.
    pub(super) fn kept_as(&self, kept: &Kept) -> Option<u32> {
        self.kept.get(kept).copied()
    }

    /// Tells whether a later item of the same package takes the place.
    pub(super) fn is_replaced(&self, placed: &Placed) -> bool {
        let last = self.last.get(&self.real(placed));
        last.is_some_and(|last| !std::ptr::eq(*last, placed))
    }

    /// The folders that lead to `path` and have to be made, the outermost first.
    pub(super) fn parents_of(&self, path: &RelPath) -> Vec<RelPath> {
        let mut found = Vec::new();
        let mut next = Some(path.clone());
        while let Some(above) = next {
            next = above.parent();
            if self.parents.contains(&above) {
                found.push(above);
            }
        }
        found.reverse();
        found
    }

    /// Folders that are there for all of the site, as they really are.
    pub(super) fn common(&self, side: &Side) -> Vec<RelPath> {
        side.folders.iter().map(|path| self.real.get(path).unwrap_or(path).clone()).collect()
    }

    /// Folders that the site had and needs no more, the innermost first.
    pub(super) fn unused_folders(&self) -> Vec<RelPath> {
        let mut unused: Vec<RelPath> = self.old.difference(&self.own).cloned().collect();
        unused.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        unused
    }

    /// The rows of the site's folders.
    pub(super) fn folder_rows(&self) -> Vec<SiteResource> {
        let row = |path: &RelPath| SiteResource {
            appconfig: None,
            package: None,
            kind: ResourceKind::Folder,
            name: path.to_string(),
            value: serde_json::Value::Null,
        };
        self.own.iter().map(row).collect()
    }

    /// Says which data do not come back.
    pub(super) fn lost(&self, plan: &mut Plan) {
        for (package, bucket) in &self.lost {
            plan.irreversible.push(format!("the data of `{package}` in its bucket `{bucket}` go"));
            plan.consent = plan.consent.max(Consent::Courtesy);
        }
    }

    /// Finds which data of the old deployment the new one wants.
    fn keep(&mut self, ask: &SiteAsk<'_>, draft: &Draft) {
        if let Some(restored) = ask.restored {
            let wanted = buckets(draft.new.as_ref()).filter(|kept| restored.find(kept).is_some());
            self.kept = wanted.collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
            let old = buckets(draft.old.as_ref());
            self.lost.extend(old.map(|kept| (kept.package, kept.bucket)));
            return;
        }
        let wanted: BTreeSet<Kept> = buckets(draft.new.as_ref()).collect();
        for (number, kept) in (0u32..).zip(buckets(draft.old.as_ref()).collect::<BTreeSet<_>>()) {
            if wanted.contains(&kept) {
                self.kept.insert(kept, number);
            } else {
                self.lost.push((kept.package, kept.bucket));
            }
        }
    }

    /// Refuses what would lie below a file.
    fn nothing_below_files(&self, items: &BTreeMap<RelPath, usize>) -> Result<(), Refusal> {
        for path in items.keys() {
            let mut next = path.parent();
            while let Some(above) = next {
                next = above.parent();
                if self.files.contains(&above) {
                    let text = format!("`/{path}` cannot be below `/{above}`, which is no folder");
                    return Err(Refusal::new(Exit::Conflict, text));
                }
            }
        }
        Ok(())
    }

    fn settle(
        &mut self,
        ask: &SiteAsk<'_>,
        (new, gone): (&Side, &BTreeSet<RelPath>),
        looked: &Looked,
    ) -> Result<(), Refusal> {
        let mut items: BTreeMap<RelPath, usize> = BTreeMap::new();
        for (number, one) in placed(Some(new)) {
            let path = self.real(one);
            let there = looked.spots.get(&one.at).and_then(|spot| spot.there);
            if there.is_some() && !is_within(&path, gone) {
                return Err(in_the_way(&path));
            }
            if items.insert(path.clone(), number).is_some_and(|other| other != number) {
                let text = format!("two packages of the site both want `/{path}`");
                return Err(Refusal::new(Exit::Conflict, text));
            }
            if matches!(one.thing, Thing::File { .. } | Thing::Link { .. }) {
                self.files.insert(path.clone());
            }
            self.last.insert(path, std::ptr::from_ref(one));
        }
        self.nothing_below_files(&items)?;
        let common = self.common(new);
        let wanted = items.keys().filter_map(RelPath::parent).chain(common);
        for folder in wanted.collect::<BTreeSet<_>>() {
            let mut next = Some(folder);
            while let Some(above) = next {
                next = above.parent();
                if items.contains_key(&above) {
                    continue;
                }
                let is_there = looked.folders.contains(&above)
                    || looked.spots.values().any(|spot| spot.path == above && spot.there.is_some());
                let is_ours = self.old.contains(&above)
                    || ask.facts.folders.contains(above.as_str())
                    || !is_there;
                let inside = items.keys().any(|item| is_below(&above, item));
                if is_ours && !inside {
                    self.own.insert(above.clone());
                }
                if is_ours || is_within(&above, gone) {
                    self.parents.insert(above);
                }
            }
        }
        Ok(())
    }
}

fn in_the_way(path: &RelPath) -> Refusal {
    let text = format!("`/{path}` is there already, and belongs to nothing at this site");
    Refusal::new(Exit::Conflict, text).hint("look at it, move it away, then try again")
}

/// Everything at places, with the number of its part.
fn placed(side: Option<&Side>) -> impl Iterator<Item = (usize, &Placed)> {
    let parts = side.into_iter().flat_map(|side| side.pieces.iter().enumerate());
    parts.flat_map(|(number, pieces)| {
        pieces.iter().filter_map(move |piece| match piece {
            Piece::Placed(placed) => Some((number, placed)),
            _ => None,
        })
    })
}

/// By what the data of a deployment are found again: those at places, and databases.
fn buckets(side: Option<&Side>) -> impl Iterator<Item = Kept> {
    let parts = side.into_iter().flat_map(|side| &side.pieces);
    parts.flat_map(|pieces| {
        pieces.iter().filter_map(|piece| match piece {
            Piece::Placed(placed) => placed.bucket.clone(),
            Piece::Database(database) => database.bucket.clone(),
            _ => None,
        })
    })
}

/// The folders that the site has made to hold others.
fn old_folders(ask: &SiteAsk<'_>) -> BTreeSet<RelPath> {
    let rows = ask.facts.old.iter().flat_map(|old| &old.new.resources);
    let folders = rows.filter(|one| one.kind == ResourceKind::Folder);
    folders.filter_map(|one| RelPath::parse(&one.name).ok()).collect()
}

fn is_below(path: &RelPath, above: &RelPath) -> bool {
    path.as_str().strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

/// Tells whether `path` is one of `all`, or below one.
fn is_within(path: &RelPath, all: &BTreeSet<RelPath>) -> bool {
    let mut next = Some(path.clone());
    while let Some(one) = next {
        if all.contains(&one) {
            return true;
        }
        next = one.parent();
    }
    false
}
