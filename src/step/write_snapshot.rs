//! Writes the home of a stopped gear as an archive, into the staging of who asked for it: it is handed
//! out when everything has happened.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::gear::snapshot::{Exclusions, Written, write};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// From how many bytes on it is told how far the work has come.
const LONG: u64 = 64 << 20;
/// As `archive.max_ratio` counts it.
const FREE: u64 = 64 << 20;

/// The archive of a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WriteSnapshot {
    /// The gear.
    pub gear: Identity,
    /// What its cartridges want to be left out: the folder of each, and its patterns.
    pub exclusions: Vec<(String, Vec<String>)>,
    /// The archive, relative to the state directory; its folder is there.
    pub to: RelPath,
}

impl WriteSnapshot {
    fn exclusions(&self, home: &Dir) -> Exclusions {
        let mut without = Exclusions::fixed();
        for (folder, patterns) in &self.exclusions {
            without.add(home, folder, patterns);
        }
        without
    }
}

/// What there is to say of an archive that was written.
fn warnings(written: &Written, cx: &Cx<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if written.special > 0 {
        let many = written.special;
        warnings.push(format!("{many} sockets and pipes are not in the snapshot"));
    }
    if written.odd_count > 0 {
        let more = if written.odd_count > written.odd.len() as u64 { ", …" } else { "" };
        warnings.push(format!(
            "{} files whose names no restore would take are not in the snapshot: {}{more}",
            written.odd_count,
            written.odd.join(", ")
        ));
    }
    let limits = &cx.config.archive;
    let allowed = written.packed.saturating_mul(limits.max_ratio).saturating_add(FREE);
    for (is_over, setting) in [
        (written.bytes > limits.max_total, "max_total"),
        (written.longest > limits.max_file, "max_file"),
        (written.entries > limits.max_entries, "max_entries"),
        (written.bytes > allowed, "max_ratio"),
    ] {
        if is_over {
            warnings.push(format!("whoever restores this has to raise `archive.{setting}`"));
        }
    }
    warnings
}

impl Step for WriteSnapshot {
    type Undo = ();

    fn describe(&self) -> String {
        format!("pack the home of the gear `{}`", self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        cx.state.remove_file(&self.to)?;
        checkpoint("write_snapshot: before it is written");
        let total = match cx.listener() {
            Some(_) => tree::size(cx.state, self.gear.home())?,
            None => 0,
        };
        let mut tenth = 0;
        let mut tell = |bytes: u64| {
            let now = bytes.saturating_mul(10).checked_div(total).unwrap_or_default();
            if let Some(listener) = cx.listener().filter(|_| total >= LONG && now > tenth) {
                tenth = now;
                listener.hear(&format!("packed {} of {} MiB", bytes >> 20, total >> 20));
            }
        };
        let without = self.exclusions(&home);
        let file = cx.state.create_file(&self.to, 0o600)?;
        let written = write(&home, (&self.gear.uuid, &without), file, &mut tell)?;
        checkpoint("write_snapshot: it is written");
        Ok(Said { warnings: warnings(&written, cx), ..Said::default() })
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        // The staging of who asked may be gone, with everything in it.
        let folder = self.to.parent();
        if folder.map_or(Ok(true), |folder| cx.state.has(&folder))? {
            cx.state.remove_file(&self.to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> WriteSnapshot {
    let gear = world.gear();
    world.state.make_dir("staging/x", 0o700).unwrap();
    world.state.write_new("gears/blog/app-root/data/page", b"text", 0o640).unwrap();
    world.state.write_new("gears/blog/mock/log", b"x", 0o640).unwrap();
    let exclusions = vec![("mock".into(), vec!["log".into()])];
    WriteSnapshot { gear, exclusions, to: RelPath::parse("staging/x/a.tar.gz").unwrap() }
}

#[cfg(test)]
mod tests {
    use super::super::laws::World;
    use super::*;
    use crate::archive::{Kind, Links, Modes, Options, Strip, unpack_stream};
    use crate::progress::Nobody;

    #[test]
    fn what_is_packed_comes_out_of_our_own_reader_as_it_was() {
        let world = World::new();
        let step = sample(&world);
        let home = world.state.dir("gears/blog").unwrap();
        let long = format!("app-root/data/{}", "n".repeat(150));
        home.write_new(&long, b"long", 0o600).unwrap();
        home.make_dir("app-root/data/private", 0o700).unwrap();
        home.make_link("app-root/data/link", "t".repeat(200)).unwrap();
        step.apply(&(), &world.cx(1)).unwrap();
        world.state.make_dir("out", 0o755).unwrap();
        let (links, modes, strip) = (Links::External, Modes::Kept, Strip::Nothing);
        let options = Options { limits: &world.config.archive, links, modes, strip, older: None };
        let mut packed = world.state.open_file(&step.to).unwrap();
        let into = world.state.dir("out").unwrap();
        unpack_stream(Kind::TarGz, &mut packed, &into, &options, &Nobody).unwrap();
        let out = into.dir(&step.gear.uuid).unwrap();
        assert_eq!(out.read(&long, 10).unwrap(), b"long");
        let mode = |name: &str| out.meta(name).unwrap().unwrap().mode;
        assert_eq!([mode(&long), mode("app-root/data/page")], [0o600, 0o640]);
        assert_eq!([mode("app-root/data/private"), mode("app-root/data")], [0o700, 0o750]);
        assert_eq!(out.link_target("app-root/data/link").unwrap().as_os_str().len(), 200);
        for gone in ["mock/log", "app-root/runtime/.state", "app-root/runtime/repo", ".ssh"] {
            assert!(!out.has(gone).unwrap(), "{gone}");
        }
        assert!(out.has("app-deployments/current").unwrap() && out.has(".env/HOME").unwrap());
    }
}
