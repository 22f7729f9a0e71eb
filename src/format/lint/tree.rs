//! Advice about a tree's files: what git loses, and what this host cannot run.

use super::{MOST, about};
use crate::format::Tree;
use crate::package::file_table::{Content, Entry};
use crate::package::note::{Level, Note};

/// The first bytes of a program file, up to the machine that it is for.
const ELF_HEAD: u64 = 20;
/// Machines by their number in a program file.
const MACHINES: &[(&str, u16)] = &[
    ("x86", 3),
    ("mips", 8),
    ("powerpc64", 21),
    ("s390x", 22),
    ("arm", 40),
    ("x86_64", 62),
    ("aarch64", 183),
    ("riscv64", 243),
    ("loongarch64", 258),
];

/// Looks at the files of `tree`.
pub(super) fn advice(tree: &dyn Tree) -> Vec<Note> {
    let mut notes = empty_directories(tree);
    notes.extend(foreign_programs(tree));
    notes
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, own)| own == ending)
}

/// Git keeps no empty directory, and many cartridges break for want of theirs.
fn empty_directories(tree: &dyn Tree) -> Vec<Note> {
    let entries = tree.table().entries();
    // In order of path the first thing inside a directory need not follow it (`a`, `a.b`, `a/c`).
    let full: std::collections::HashSet<String> = entries
        .iter()
        .filter_map(|entry| entry.path.parent().map(|parent| parent.as_str().to_owned()))
        .collect();
    let in_repository = |entry: &Entry| entry.path.components().any(|part| has_ending(part, "git"));
    entries
        .iter()
        .filter(|entry| entry.content == Content::Directory && !in_repository(entry))
        .filter(|entry| !full.contains(entry.path.as_str()))
        .take(MOST)
        .map(|entry| {
            let text = "is an empty directory, which git loses: put a `.gitignore` into it";
            about(Level::Advice, entry.path.as_str(), text)
        })
        .collect()
}

fn foreign_programs(tree: &dyn Tree) -> Vec<Note> {
    let program = |entry: &&Entry| {
        let name = entry.path.name();
        entry.mode & 0o111 != 0 || has_ending(name, "so") || name.contains(".so.")
    };
    let host = std::env::consts::ARCH;
    let entries = tree.table().entries().iter().filter(program);
    entries
        .filter_map(|entry| {
            let head = tree.head(entry.path.as_str(), ELF_HEAD).ok()??;
            let machine = machine(&head)?;
            let name = MACHINES.iter().find(|(_, number)| *number == machine);
            let name = name.map_or("an unknown machine", |(name, _)| name);
            // A 64-bit PC runs 32-bit programs where their libraries are installed.
            let runs = name == host || (host == "x86_64" && name == "x86");
            let text = format!("is a program for {name}, and this host is {host}: it cannot run");
            (!runs).then(|| about(Level::Warning, entry.path.as_str(), text))
        })
        .take(MOST)
        .collect()
}

/// The machine that a program file is for; nothing for any other file.
fn machine(head: &[u8]) -> Option<u16> {
    head.strip_prefix(b"\x7fELF")?;
    let number: [u8; 2] = head.get(18..20)?.try_into().ok()?;
    match head.get(5)? {
        2 => Some(u16::from_be_bytes(number)),
        _ => Some(u16::from_le_bytes(number)),
    }
}
