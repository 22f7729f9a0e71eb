//! Init scripts: links in the folders of the run levels where the host has them, else units of
//! systemd. The original names them; a name that is taken gets a digit.

use super::{Coming, Part, TpkgAsk};
use crate::db::{Placed, PlacedKind, Role};
use crate::error::Exit;
use crate::facts::tpkg::{Spot, UNITS};
use crate::package::tpkg::{Init, Tpkg, TpkgFile};
use crate::plan::{Plan, Refusal};
use crate::step::AnyStep;
use crate::step::accounts::Who;
use crate::step::place_files::{Act, Owned, What};
use crate::sys::path::RelPath;
use std::collections::BTreeSet;
use std::path::Path;

/// The run levels of scripts that say nothing of theirs.
const USUAL: [char; 4] = ['2', '3', '4', '5'];
/// The number of scripts that say nothing of theirs.
const LAST: &str = "99";

/// Adds what makes the host start the init scripts of a package.
pub(super) fn link(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (one, tpkg): (&Coming<'_>, &Tpkg),
    part: &mut Part,
) -> Result<(), Refusal> {
    for (file, spot) in tpkg.files.iter().zip(&one.places.spots) {
        let Some(init) = &file.init else { continue };
        let script = on_host(ask, &spot.path);
        if ask.facts.host.levels.is_empty() {
            unit(plan, ask, (one, file, spot), (init, &script), part)?;
            continue;
        }
        let name = format!("S{}{}", init.start.as_deref().unwrap_or(LAST), spot.path.name());
        for level in init.levels.as_deref().unwrap_or(&USUAL) {
            let Some((folder, names)) = ask.facts.host.levels.get(level) else {
                let text = format!(
                    "the host has no run level `{level}`, of which `/{}` speaks",
                    spot.path
                );
                plan.warnings.push(text);
                continue;
            };
            if let Some(why) = ask.facts.host.closes(folder.as_str()) {
                plan.warnings.push(format!("`{script}` is not started with the host: {why}"));
                break;
            }
            let names = Names { one, plan, part, folder, there: names };
            let (path, is_there) = names.free_for(&name, &script)?;
            put_link((path, is_there), &script, Role::Init, part);
        }
    }
    Ok(())
}

/// A place of the host, as its programs name it.
pub(super) fn on_host(ask: &TpkgAsk<'_>, path: &RelPath) -> String {
    let root = ask.facts.root.as_deref().unwrap_or(Path::new("/"));
    root.join(path.as_path()).display().to_string()
}

/// Adds a link, where it is not there already.
pub(super) fn put_link(
    (path, is_there): (RelPath, bool),
    target: &str,
    role: Role,
    part: &mut Part,
) {
    part.placed.push(Placed::link(path.clone(), role, target.to_owned()));
    if !is_there {
        let what = What::Link(target.to_owned());
        part.acts.push(Act::Put { path, what, posix: root_owned(0o777), over: false });
    }
}

pub(super) fn root_owned(mode: u32) -> Owned {
    Owned { owner: Who::Id(0), group: Who::Id(0), mode }
}

/// The names of a folder in which links come and go.
pub(super) struct Names<'a> {
    pub(super) one: &'a Coming<'a>,
    pub(super) plan: &'a Plan,
    pub(super) part: &'a Part,
    pub(super) folder: &'a RelPath,
    pub(super) there: &'a BTreeSet<String>,
}

impl Names<'_> {
    /// A name for a link to `target`: `name`, or with a digit where that is taken; and whether the
    /// old release has made just this link.
    pub(super) fn free_for(&self, name: &str, target: &str) -> Result<(RelPath, bool), Refusal> {
        for suffix in ["", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            let name = format!("{name}{suffix}");
            let Ok(path) = RelPath::parse(&format!("{}/{name}", self.folder)) else { break };
            let claimed = self.is_claimed(&path);
            let old = self.one.replaces.iter().flat_map(|old| &old.files).any(|file| {
                file.placed.path == path
                    && file.there.is_some()
                    && file.placed.target.as_deref() == Some(target)
            });
            if !claimed && (old || !self.there.contains(&name)) {
                return Ok((path, old));
            }
        }
        let text = format!("`/{}/{name}` is taken, and so are those with a digit", self.folder);
        Err(Refusal::new(Exit::Conflict, text).hint("look at them, and move one away"))
    }

    fn is_claimed(&self, path: &RelPath) -> bool {
        let earlier = self.plan.steps.iter().flat_map(|step| match step {
            AnyStep::PlaceFiles(step) => step.acts.as_slice(),
            _ => &[],
        });
        earlier
            .chain(&self.part.acts)
            .any(|act| matches!(act, Act::Put { path: other, .. } if other == path))
            || self.part.placed.iter().any(|one| one.path == *path)
    }
}

/// A unit of systemd, started with the host.
fn unit(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (one, file, spot): (&Coming<'_>, &TpkgFile, &Spot),
    (init, script): (&Init, &str),
    part: &mut Part,
) -> Result<(), Refusal> {
    if init.levels.as_ref().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    if !ask.facts.host.systemd {
        plan.warnings.push(format!("nothing here would start `{script}` with the host"));
        return Ok(());
    }
    if let Some(why) = ask.facts.host.closes(UNITS) {
        plan.warnings.push(format!("`{script}` is not started with the host: {why}"));
        return Ok(());
    }
    let title = one.arrival.new.package.title();
    let name = unit_name(file.path.name());
    let text = unit_text(&title, script);
    let parse = |path: String| {
        RelPath::parse(&path).map_err(|error| {
            Refusal::new(Exit::Conflict, format!("the unit of `/{}` {error}", spot.path))
        })
    };
    let (path, wants) = (
        parse(format!("{UNITS}/{name}"))?,
        parse(format!("{UNITS}/multi-user.target.wants/{name}"))?,
    );
    let old = |path: &RelPath| {
        one.replaces
            .iter()
            .flat_map(|old| &old.files)
            .any(|file| file.placed.path == *path && file.there.is_some())
    };
    part.acts.push(Act::Folder {
        path: parse(format!("{UNITS}/multi-user.target.wants"))?,
        posix: root_owned(0o755),
    });
    let over = old(&path);
    part.placed.push(Placed {
        path: path.clone(),
        kind: PlacedKind::File,
        role: Role::Unit,
        owner: "0".into(),
        group: "0".into(),
        mode: 0o644,
        size: Some(text.len() as u64),
        sha256: None,
        target: Some(script.to_owned()),
    });
    part.acts.push(Act::Put { path, what: What::Text(text, None), posix: root_owned(0o644), over });
    let is_there = old(&wants);
    put_link((wants, is_there), &format!("../{name}"), Role::Unit, part);
    Ok(())
}

/// A name that systemd takes.
fn unit_name(script: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let name: String = script.chars().map(|c| if fine(c) { c } else { '_' }).collect();
    format!("tpkg-{name}.service")
}

fn unit_text(title: &str, script: &str) -> String {
    // Paths are quoted for systemd: its own escapes, and no specifiers.
    let quoted: String = script
        .chars()
        .flat_map(|c| match c {
            '"' | '\\' => vec!['\\', c],
            '%' => vec!['%', '%'],
            '$' => vec!['$', '$'],
            c => vec![c],
        })
        .collect();
    let title: String = title.chars().filter(|c| !c.is_control()).collect();
    let title = title.replace('%', "%%");
    format!(
        "[Unit]\nDescription={title}\nAfter=network.target\n\n[Service]\nType=forking\n\
         RemainAfterExit=yes\nExecStart=\"{quoted}\" start\nExecStop=\"{quoted}\" stop\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}
