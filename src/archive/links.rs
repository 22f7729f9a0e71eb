//! Whether the symbolic links of a tree stay inside it.
//!
//! Judged when every entry is known, because a link can lead through another: `d -> .` and
//! `e -> d/..` are each harmless by their text, and together they leave the tree.

use super::Links;
use super::clock::Clock;
use super::error::{ArchiveError, Reason};
use crate::package::file_table::{Content, FileTable};

/// How many links may be followed on the way to one target, as in the kernel.
const MOST_FOLLOWED: u32 = 40;
/// How many steps all links of a tree may take together; 22,897 entries need some thousands.
const MOST_STEPS: u64 = 2_000_000;

/// Fails when a link of `table` that has to stay in the tree leads out of it.
pub(super) fn check(table: &FileTable, links: Links, clock: &Clock) -> Result<(), ArchiveError> {
    let free = match links {
        Links::External => return Ok(()),
        Links::Contained => &[],
        Links::ContainedBut(free) => free,
    };
    let mut steps = 0;
    for entry in table.entries() {
        let Content::Link(target) = &entry.content else { continue };
        if entry.path.parent().is_some() && free.contains(&entry.path.top()) {
            continue;
        }
        clock.check()?;
        let at = entry.path.parent().map_or(String::new(), |parent| parent.to_string());
        let mut walk = Walk { table, at, followed: 0, steps };
        let reason = match walk.go(target) {
            Ok(()) => {
                steps = walk.steps;
                continue;
            }
            Err(Astray::Outside) => Reason::LinkEscapes(super::error::shown(target.as_bytes())),
            Err(Astray::Maze) => Reason::LinkMaze,
        };
        return Err(ArchiveError::refused(entry.path.as_str(), reason));
    }
    Ok(())
}

enum Astray {
    Outside,
    Maze,
}

struct Walk<'a> {
    table: &'a FileTable,
    /// Where the walk stands; empty at the root of the tree.
    at: String,
    followed: u32,
    steps: u64,
}

impl Walk<'_> {
    fn go(&mut self, target: &str) -> Result<(), Astray> {
        if target.starts_with('/') {
            return Err(Astray::Outside);
        }
        for part in target.split('/') {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err(Astray::Maze);
            }
            match part {
                "" | "." => {}
                ".." => self.climb()?,
                name => self.enter(name)?,
            }
        }
        Ok(())
    }

    fn climb(&mut self) -> Result<(), Astray> {
        if self.at.is_empty() {
            return Err(Astray::Outside);
        }
        self.at.truncate(self.at.rfind('/').unwrap_or(0));
        Ok(())
    }

    fn enter(&mut self, name: &str) -> Result<(), Astray> {
        let here = self.at.len();
        if here > 0 {
            self.at.push('/');
        }
        self.at.push_str(name);
        let table = self.table;
        if let Some(Content::Link(target)) = table.get(&self.at).map(|entry| &entry.content) {
            self.followed += 1;
            if self.followed <= MOST_FOLLOWED {
                self.at.truncate(here);
                return self.go(target);
            }
            // The kernel gives up here too (ELOOP): such a link leads nowhere.
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::file_table::Entry;
    use crate::sys::path::RelPath;

    fn table_of(links: &[(&str, &str)]) -> FileTable {
        let entry = |(path, target): &(&str, &str)| Entry {
            path: RelPath::parse(path).unwrap(),
            mode: 0o777,
            content: Content::Link((*target).to_owned()),
        };
        FileTable::new(links.iter().map(entry).collect())
    }

    fn judge(links: &[(&str, &str)]) -> Result<(), String> {
        check(&table_of(links), Links::Contained, &Clock::start(60))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_link_may_go_anywhere_inside() {
        judge(&[("a/b/up", "../../x"), ("here", "."), ("dangling", "no/where"), ("deep/er", "..")])
            .unwrap();
        judge(&[("loop", "loop"), ("a", "b"), ("b", "a")]).unwrap();
    }

    #[test]
    fn a_link_that_leaves_is_refused_also_by_way_of_others() {
        for links in [
            &[("a", "/etc")][..],
            &[("a", "..")],
            &[("a/b", "../../x")],
            &[("a/b", "../c/../../x/../..")],
            &[("d", "."), ("e", "d/..")],
            &[("x/d", ".."), ("y", "x/d/../z")],
        ] {
            assert!(judge(links).is_err(), "{links:?}");
        }
    }

    #[test]
    fn links_that_belong_to_another_place_may_lead_anywhere_and_nothing_leads_through_them() {
        let judge = |links: &[(&str, &str)]| {
            check(&table_of(links), Links::ContainedBut(&["root"]), &Clock::start(60)).is_ok()
        };
        assert!(judge(&[("root/etc/a", "/usr/share/a"), ("root/b", "../../x"), ("c", "root")]));
        for links in [
            &[("a", "/etc")][..],
            &[("root", "/etc")],
            &[("a", "root/b"), ("root/b", "/etc")],
            &[("roots/a", "/etc")],
        ] {
            assert!(!judge(links), "{links:?}");
        }
    }

    #[test]
    fn a_maze_of_links_ends_the_patience_not_the_process() {
        // Each link passes the next one twice: 2^40 ways without a bound.
        let names: Vec<String> = (0..64).map(|n| format!("l{n}")).collect();
        let long = |n: usize| vec![names[(n + 1) % 64].as_str(); 600].join("/");
        let targets: Vec<String> = (0..64).map(long).collect();
        let links: Vec<(&str, &str)> =
            names.iter().zip(&targets).map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let began = std::time::Instant::now();
        let _either = judge(&links);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
