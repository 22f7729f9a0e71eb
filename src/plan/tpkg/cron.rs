//! Crontabs: a link in `/etc/cron.d`, or lines in the crontab of a user, between marks by which they
//! are found again.

use super::init::{Names, on_host, put_link};
use super::{Coming, Part, TpkgAsk};
use crate::db::{Placed, PlacedKind, Role};
use crate::error::Exit;
use crate::facts::tpkg::{InstalledTpkg, TpkgHost};
use crate::package::digest::Sha256;
use crate::package::tpkg::{Tpkg, TpkgFile};
use crate::plan::{Plan, Refusal};
use crate::step::AnyStep;
use crate::step::accounts::Who;
use crate::step::place_files::{Act, Owned, What};
use crate::sys::path::RelPath;
use sha2::Digest;
use std::collections::BTreeSet;

const CRON_D: &str = "etc/cron.d";
/// The user that means whoever installs.
const ANY: &str = "ANY";

/// Whose crontab is meant; nothing for a name that can be no file.
pub(crate) fn user<'a>(named: &'a str, installing: &'a str) -> Option<&'a str> {
    let user = if named == ANY { installing } else { named };
    let fine = !user.is_empty()
        && !user.starts_with(['.', '-'])
        && !user.contains(|c: char| c == '/' || c.is_control());
    fine.then_some(user)
}

/// Adds what makes cron read the crontabs of a package.
pub(super) fn link(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (one, tpkg): (&Coming<'_>, &Tpkg),
    part: &mut Part,
) -> Result<(), Refusal> {
    for (file, spot) in tpkg.files.iter().zip(&one.places.spots) {
        let Some(crontab) = &file.crontab else { continue };
        let host = &ask.facts.host;
        let folder = if crontab.user.is_some() { &host.spool } else { CRON_D };
        if let Some(why) = host.closes(folder) {
            plan.warnings.push(format!("cron is not told of `/{}`: {why}", spot.path));
            continue;
        }
        let Some(named) = &crontab.user else {
            let Ok(folder) = RelPath::parse(CRON_D) else { continue };
            let target = on_host(ask, &spot.path);
            let names = Names { one, plan, part, folder: &folder, there: &ask.facts.host.cron_d };
            let free = names.free_for(spot.path.name(), &target)?;
            if ask.facts.host.cron_d.is_empty() {
                let posix = super::init::root_owned(0o755);
                part.acts.push(Act::Folder { path: folder.clone(), posix });
            }
            put_link(free, &target, Role::Cron, part);
            continue;
        };
        let Some(user) = user(named, &ask.facts.host.user) else {
            let text = format!("`{}` is no name of a user", named.escape_debug());
            return Err(Refusal::new(Exit::Conflict, text));
        };
        let lines = one.places.texts.get(&file.path_in_tree()).map_or("", String::as_str);
        let marks = Marks::of(&one.places.base, &tpkg.file_name);
        edit((plan, ask), user, part, &|text| marks.with(text, lines))?;
        let Some(path) = crontab_of(ask, user) else { continue };
        if !part.placed.iter().any(|placed| placed.path == path) {
            part.placed.push(row(path, user));
        }
    }
    Ok(())
}

/// The lines that tpkg itself has put into crontabs of users for a package's `files`.
pub(super) fn there(
    (base, file_name): (&str, &str),
    files: &[TpkgFile],
    host: &TpkgHost,
) -> Vec<Placed> {
    let marks = Marks::of(base, file_name);
    let named = files.iter().filter_map(|file| file.crontab.as_ref()?.user.as_deref());
    let users: BTreeSet<&str> = named.filter_map(|named| user(named, &host.user)).collect();
    let has_lines = |user: &&str| {
        let text = host.crontabs.get(*user);
        text.is_some_and(|text| text.lines().any(|line| line == marks.start))
    };
    let rows = users.into_iter().filter(has_lines).filter_map(|user| {
        let path = RelPath::parse(&format!("{}/{user}", host.spool)).ok()?;
        Some(row(path, user))
    });
    rows.collect()
}

fn row(path: RelPath, user: &str) -> Placed {
    Placed {
        path,
        kind: PlacedKind::Lines,
        role: Role::Cron,
        owner: user.to_owned(),
        group: "crontab".into(),
        mode: 0o600,
        size: None,
        sha256: None,
        target: None,
    }
}

/// Adds what takes the lines of a package that goes out of the crontab at `path`.
pub(super) fn withdraw(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (gone, path): (&InstalledTpkg, &RelPath),
    part: &mut Part,
) {
    let marks = Marks::of(&gone.home.base, &gone.home.file_name);
    if edit((plan, ask), path.name(), part, &|text| marks.without_all(text)).is_err() {
        plan.warnings.push(format!("`/{path}` stays as it is"));
    }
}

fn crontab_of(ask: &TpkgAsk<'_>, user: &str) -> Option<RelPath> {
    RelPath::parse(&format!("{}/{user}", ask.facts.host.spool)).ok()
}

/// Adds the change of a user's crontab, or changes the change that is planned already.
fn edit(
    (plan, ask): (&Plan, &TpkgAsk<'_>),
    user: &str,
    part: &mut Part,
    change: &dyn Fn(&str) -> String,
) -> Result<(), Refusal> {
    let Some(path) = crontab_of(ask, user) else {
        let text = format!("`{}` is no name of a user", user.escape_debug());
        return Err(Refusal::new(Exit::Conflict, text));
    };
    let planned = part.acts.iter_mut().find_map(|act| match act {
        Act::Put { path: other, what: What::Text(text, _), .. } if *other == path => Some(text),
        _ => None,
    });
    if let Some(text) = planned {
        *text = change(text);
        return Ok(());
    }
    let earlier = plan.steps.iter().rev().find_map(|step| match step {
        AnyStep::PlaceFiles(step) => step.acts.iter().find_map(|act| text_at(act, &path)),
        _ => None,
    });
    let old = earlier.or(ask.facts.host.crontabs.get(user));
    let new = change(old.map_or("", String::as_str));
    if old.is_some_and(|old| *old == new) || old.is_none() && new.is_empty() {
        return Ok(());
    }
    let seen = old.map(|old| Sha256(sha2::Sha256::digest(old.as_bytes()).into()));
    for folder in ancestors(&path).into_iter().filter(|_| old.is_none()) {
        let posix = super::init::root_owned(0o755);
        part.acts.push(Act::Folder { path: folder, posix });
    }
    part.acts.push(Act::Put {
        path,
        what: What::Text(new, seen),
        posix: Owned { owner: Who::Name(user.to_owned()), group: Who::Id(0), mode: 0o600 },
        over: old.is_some(),
    });
    Ok(())
}

/// The text that an act puts at `path`.
fn text_at<'a>(act: &'a Act, path: &RelPath) -> Option<&'a String> {
    match act {
        Act::Put { path: other, what: What::Text(text, _), .. } if other == path => Some(text),
        _ => None,
    }
}

fn ancestors(path: &RelPath) -> Vec<RelPath> {
    let mut found: Vec<_> = std::iter::successors(path.parent(), RelPath::parent).collect();
    found.reverse();
    found
}

/// The marks around the lines of a package.
struct Marks {
    start: String,
    end: String,
    about: String,
}

impl Marks {
    fn of(base: &str, file_name: &str) -> Self {
        let about = format!("{base} - {file_name}");
        Self {
            start: format!("### TPKG START - {about}"),
            end: format!("### TPKG END - {about}"),
            about,
        }
    }

    fn with(&self, text: &str, lines: &str) -> String {
        let mut new = text.to_owned();
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        let newline = if lines.is_empty() || lines.ends_with('\n') { "" } else { "\n" };
        // Lines that look like our marks would end them early.
        let lines: String = lines
            .split_inclusive('\n')
            .filter(|line| !(line.starts_with("### TPKG ") && line.contains(&self.about)))
            .collect();
        new + &format!("{}\n{lines}{newline}{}\n", self.start, self.end)
    }

    fn without_all(&self, text: &str) -> String {
        let mut new = String::new();
        let mut inside = false;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches('\n');
            if bare == self.start {
                inside = true;
            } else if bare == self.end {
                inside = false;
            } else if !inside {
                new.push_str(line);
            }
        }
        // A block without an end is no block of ours.
        if inside { text.to_owned() } else { new }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_as_it_came_and_leaves_others_alone() {
        let marks = Marks::of("/opt/tpkg", "a-1.tpkg");
        let mine = "# mine\n1 * * * * true";
        let with = marks.with(mine, "2 * * * * a");
        assert_eq!(
            with,
            "# mine\n1 * * * * true\n### TPKG START - /opt/tpkg - a-1.tpkg\n2 * * * * a\n\
             ### TPKG END - /opt/tpkg - a-1.tpkg\n"
        );
        let other = Marks::of("/opt/tpkg", "b-1.tpkg").with(&with, "3 * * * * b\n");
        assert_eq!(marks.without_all(&with), format!("{mine}\n"));
        assert!(marks.without_all(&other).contains("b-1.tpkg"));
        assert!(!marks.without_all(&other).contains("a-1.tpkg"));
        let cut = "### TPKG START - /opt/tpkg - a-1.tpkg\n1 * * * * mine\n";
        assert_eq!(marks.without_all(cut), cut, "a block without an end");
    }
}
