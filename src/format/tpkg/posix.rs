//! Owners, groups and modes, as the metadata write them.

use super::cx::{Cx, Edit, Purpose, shown};
use crate::format::cartridge::fields;
use crate::format::yaml::{Node, Value};
use crate::package::tpkg::Posix;

const POSIX: &[&str] = &["owner", "group", "perms"];
/// The longest name of a user or group, in bytes.
const LONGEST_ACCOUNT: usize = 64;

/// In which of two ways the original takes a mode.
#[derive(Clone, Copy)]
enum Spelling {
    /// Of all files or directories: the number that YAML reads.
    Default,
    /// Of one file: a number from 1000 on, and a text, is read once more as octal.
    Own,
}

/// Reads the defaults `node`, which are called `key`.
pub(super) fn defaults(node: Option<&Node>, key: &str, cx: &mut Cx<'_, '_>) -> Posix {
    let Some(node) = node else { return Posix::default() };
    fields::unknown(node, &[&["posix"]], &format!("files.{key}."), cx.reading);
    posix(node, Spelling::Default, cx)
}

/// Reads what is said of one file.
pub(super) fn own(item: &Node, cx: &mut Cx<'_, '_>) -> Posix {
    posix(item, Spelling::Own, cx)
}

fn posix(node: &Node, spelling: Spelling, cx: &mut Cx<'_, '_>) -> Posix {
    let Some(node) = node.get("posix") else { return Posix::default() };
    if node.pairs().is_none() {
        cx.fault(node.place, format!("`posix` is {}: write a mapping", node.kind()));
        return Posix::default();
    }
    fields::unknown(node, &[POSIX], "posix.", cx.reading);
    Posix {
        owner: account(node, "owner", cx),
        group: account(node, "group", cx),
        perms: perms(node, spelling, cx),
    }
}

/// A name that the host may not know yet, or digits.
pub(super) fn account(node: &Node, key: &str, cx: &mut Cx<'_, '_>) -> Option<String> {
    let name = cx.text(node, key)?;
    let odd = |c: char| c.is_control() || c.is_whitespace() || ":/,".contains(c);
    if name.len() > LONGEST_ACCOUNT || name.starts_with('-') || name.contains(odd) {
        let place = node.get(key).map_or(node.place, |node| node.place);
        cx.fault(place, format!("`{key}` `{}` can be no name of an account", shown(&name)));
        return None;
    }
    Some(name)
}

/// Digits alone are always octal, whatever YAML makes of them: nobody writes a mode otherwise.
fn perms(node: &Node, spelling: Spelling, cx: &mut Cx<'_, '_>) -> Option<u32> {
    let value = node.get("perms")?;
    let text = value.text().unwrap_or_default().trim();
    let Some(mode) = mode_of(text, cx.decimal_perms) else {
        let text = format!("`perms` `{}` is no mode: write it in octal, like `0644`", shown(text));
        cx.fault(value.place, text);
        return None;
    };
    let typed = matches!(value.value, Value::Plain(_));
    let meant = original_reads(text, typed, spelling);
    // XML has texts alone, and the original reads them as octal everywhere.
    let differs = meant != Some(mode) && (typed || cx.is_yaml);
    if differs && !cx.decimal_perms {
        say_difference(value, (mode, meant, spelling), cx);
    }
    Some(mode)
}

fn mode_of(text: &str, decimal: bool) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let radix = if decimal { 10 } else { 8 };
    let mode = u32::from_str_radix(digits, radix).ok()?;
    // The original's own records have the type of the file in some modes.
    Some(if decimal { mode & 0o7777 } else { mode }).filter(|mode| *mode <= 0o7777)
}

fn say_difference(
    value: &Node,
    (mode, meant, spelling): (u32, Option<u32>, Spelling),
    cx: &mut Cx<'_, '_>,
) {
    let text = value.text().unwrap_or_default();
    let other = meant.map_or("no mode at all".to_owned(), |other| format!("{other:04o}"));
    let said = format!("`perms` `{}` is {mode:04o} here, but {other} for tpkg", shown(text));
    let new = match spelling {
        Spelling::Own if mode >= 0o1000 => format!("{mode:o}"),
        Spelling::Own | Spelling::Default => format!("0{mode:o}"),
    };
    match &mut cx.purpose {
        Purpose::Install => cx.reading.warn(value.place, format!("{said}: write `{new}`")),
        Purpose::Build(edits) => {
            edits.push(Edit { place: value.place, old: text.to_owned(), new: new.clone() });
            cx.reading.advise(value.place, format!("{said}, so the package has `{new}`"));
        }
    }
}

/// Which mode `tpkg` would give (specification, 1.2).
fn original_reads(text: &str, typed: bool, spelling: Spelling) -> Option<u32> {
    let octal = |text: &str| u32::from_str_radix(text, 8).ok();
    if !typed {
        // A text as a default ends the original.
        return match spelling {
            Spelling::Own => octal(text),
            Spelling::Default => None,
        };
    }
    let number: u32 = match text.strip_prefix('0') {
        Some(rest) if !rest.is_empty() => octal(rest)?,
        _ => text.parse().ok()?,
    };
    match spelling {
        Spelling::Own if number >= 1000 => octal(&number.to_string()),
        Spelling::Own | Spelling::Default => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_octal_and_what_the_original_makes_of_them_is_known() {
        for (text, typed, own, default) in [
            ("0644", true, Some(0o644), Some(0o644)),
            ("644", true, Some(644), Some(644)),
            ("4755", true, Some(0o4755), Some(4755)),
            ("04755", true, Some(0o2541), Some(0o4755)),
            ("0644", false, Some(0o644), None),
            ("644", false, Some(0o644), None),
        ] {
            assert_eq!(original_reads(text, typed, Spelling::Own), own, "{text}");
            assert_eq!(original_reads(text, typed, Spelling::Default), default, "{text}");
        }
        for (text, mode) in [
            ("0644", Some(0o644)),
            ("644", Some(0o644)),
            ("04755", Some(0o4755)),
            ("0o755", Some(0o755)),
            ("0", Some(0)),
            ("", None),
            ("17777", None),
            ("+644", None),
            ("u+x", None),
            ("689", None),
        ] {
            assert_eq!(mode_of(text, false), mode, "{text}");
        }
        assert_eq!(mode_of("33188", true), Some(0o644), "as the original records it");
    }
}
