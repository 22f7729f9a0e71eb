//! The items of a role (UBOS specification, 1.3).

use super::{fields, owner};
use crate::format::json::Node;
use crate::format::reading::Reading;
use crate::package::ubos::item::{
    Item, ItemKind, Mode, Protocol, Runner, Script, Sql, UnitKind, UnitPhase,
};
use crate::package::ubos::name::ItemName;
use crate::package::ubos::role::RoleName;

const KEPT: &[&str] = &["type", "retentionpolicy", "retentionbucket"];
const OWNED: &[&str] = &["name", "names", "uname", "gname"];
const CONTENT: &[&str] = &["source", "template", "templatelang"];
/// What may stand at the web server and the host.
const AT_HOST: &[&str] = &[
    "directory",
    "directorytree",
    "file",
    "perlscript",
    "exec",
    "symlink",
    "systemd-service",
    "systemd-target",
    "systemd-timer",
    "tcpport",
    "udpport",
];
/// What may stand at a database.
const AT_DATABASE: &[&str] = &["database", "perlscript", "sqlscript", "exec"];

/// The types that items of `role` can have.
pub(super) fn allowed(role: RoleName) -> &'static [&'static str] {
    if role.is_database() { AT_DATABASE } else { AT_HOST }
}

/// Reads `appconfigitems` of the role in `node`.
pub(super) fn items(role: RoleName, node: &Node, reading: &mut Reading) -> Vec<Item> {
    let items = fields::list(node, "appconfigitems", reading);
    items.iter().filter_map(|item| one(role, item, reading)).collect()
}

fn one(role: RoleName, node: &Node, reading: &mut Reading) -> Option<Item> {
    let word = word("appconfigitems", allowed(role), role, node, reading)?;
    let keep = owner::keep(node, reading);
    Some(Item { kind: kind(word, role, node, reading)?, keep })
}

/// The type of the item in `node`, one of `allowed`.
pub(super) fn word<'a>(
    list: &str,
    allowed: &[&str],
    role: RoleName,
    node: &'a Node,
    reading: &mut Reading,
) -> Option<&'a str> {
    if node.pairs().is_none() {
        let text = format!("an item of `{list}` is {}: write an object", node.kind());
        reading.fault(node.place, text);
        return None;
    }
    let word = fields::needed(node, "type", reading)?;
    if allowed.contains(&word) {
        return Some(word);
    }
    let text = format!(
        "`{}` cannot stand in `{list}` of role `{}`: write `{}`",
        fields::shown(word),
        role.as_str(),
        allowed.join("`, `")
    );
    reading.fault(node.get("type")?.place, text);
    None
}

fn kind(word: &str, role: RoleName, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    match word {
        "file" => file(role, node, reading),
        "directory" => directory(role, node, reading),
        "directorytree" => tree(role, node, reading),
        "symlink" => {
            known(node, &[OWNED, &["source"]], reading);
            let names = owner::names(role, node, reading);
            let source = owner::source(node, reading);
            let owner = owner::owner(node, reading);
            Some(ItemKind::Symlink { names: names?, source: source?, owner })
        }
        "database" => database(role, node, reading),
        "sqlscript" => {
            known(node, &[CONTENT, &["name", "delimiter"]], reading);
            sql(node, reading).map(ItemKind::Sql)
        }
        "tcpport" | "udpport" => {
            known(node, &[&["name"]], reading);
            let protocol = if word == "tcpport" { Protocol::Tcp } else { Protocol::Udp };
            let name = fields::needed_as(node, "name", ItemName::parse, reading)?;
            Some(ItemKind::Port { protocol, name })
        }
        "perlscript" | "exec" => {
            known(node, &[&["name", "source"]], reading);
            script(word, node, reading).map(ItemKind::Script)
        }
        unit => systemd(unit, node, reading),
    }
}

fn known(node: &Node, keys: &[&[&str]], reading: &mut Reading) {
    let all: Vec<&[&str]> = keys.iter().copied().chain([KEPT]).collect();
    fields::unknown(node, &all, "an item of this type", reading);
}

fn file(role: RoleName, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    known(node, &[OWNED, CONTENT, &["permissions"]], reading);
    let names = owner::names(role, node, reading);
    let content = owner::content(node, reading);
    let mode = owner::mode(node, "permissions", reading).unwrap_or(Mode::Bits(0o644));
    let owner = owner::owner(node, reading);
    Some(ItemKind::File { names: names?, content: content?, mode, owner })
}

fn directory(role: RoleName, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    known(node, &[OWNED, &["dirpermissions", "filepermissions", "permissions"]], reading);
    let names = owner::names(role, node, reading);
    let mode = owner::mode(node, "dirpermissions", reading);
    // What older manifests say.
    let older = owner::mode(node, "permissions", reading);
    let file_mode = owner::mode(node, "filepermissions", reading);
    let owner = owner::owner(node, reading);
    let mode = mode.or(older).unwrap_or(Mode::Bits(0o755));
    Some(ItemKind::Directory { names: names?, mode, file_mode, owner })
}

fn tree(role: RoleName, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    known(node, &[OWNED, &["source", "dirpermissions", "filepermissions"]], reading);
    let names = owner::names(role, node, reading);
    let source = owner::source(node, reading);
    let mode = owner::mode(node, "dirpermissions", reading).unwrap_or(Mode::Bits(0o755));
    let file_mode = owner::mode(node, "filepermissions", reading).unwrap_or(Mode::Bits(0o644));
    let owner = owner::owner(node, reading);
    Some(ItemKind::Tree { names: names?, source: source?, mode, file_mode, owner })
}

fn database(role: RoleName, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    known(node, &[&["name", "privileges", "charset", "collate"]], reading);
    let name = fields::needed_as(node, "name", ItemName::parse, reading);
    // A file knows none.
    let privileges = if role == RoleName::Sqlite && node.get("privileges").is_none() {
        Some("all privileges".to_owned())
    } else {
        fields::needed_as(node, "privileges", words, reading)
    };
    let charset = fields::parsed(node, "charset", word_of_sql, reading);
    let collate = fields::parsed(node, "collate", word_of_sql, reading);
    Some(ItemKind::Database { name: name?, privileges: privileges?, charset, collate })
}

/// Privileges become a part of a statement: words, commas and spaces.
fn words(text: &str) -> Result<String, &'static str> {
    let fine = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | ',' | '_');
    let word = |part: &str| part.chars().any(|c| c.is_ascii_alphabetic());
    let good = text.chars().all(fine) && text.split(',').all(word) && text.len() <= 1000;
    if good { Ok(text.to_owned()) } else { Err("write privileges of SQL, joined by commas") }
}

/// The name of a character set or collation.
fn word_of_sql(text: &str) -> Result<String, &'static str> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    let good = !text.is_empty() && text.len() <= 64 && text.chars().all(fine);
    if good {
        Ok(text.to_owned())
    } else {
        Err("write a name of letters, digits, `_`, `-` and `.`")
    }
}

/// A unit of systemd; its kind is the end of the item's type.
fn systemd(word: &str, node: &Node, reading: &mut Reading) -> Option<ItemKind> {
    known(node, &[&["name", "phase"]], reading);
    let kind = match word {
        "systemd-service" => UnitKind::Service,
        "systemd-timer" => UnitKind::Timer,
        _ => UnitKind::Target,
    };
    let name = fields::needed_as(node, "name", unit_name, reading);
    let phase = match fields::text(node, "phase", reading) {
        None => UnitPhase::Deploy,
        Some("suspendresume") => UnitPhase::SuspendResume,
        Some(other) => {
            let place = node.get("phase")?.place;
            let text = format!("`phase` is `{}`: write `suspendresume`", fields::shown(other));
            reading.fault(place, text);
            UnitPhase::Deploy
        }
    };
    Some(ItemKind::Unit { kind, name: name?, phase })
}

fn unit_name(text: &str) -> Result<String, &'static str> {
    let fine = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@${} ()".contains(c);
    if text.len() <= 255 && !text.starts_with('-') && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err("write the name of a unit without its ending: letters, digits, `:`, `-`, `_`, `.`, `@`")
}

/// A script with its type's runner.
pub(super) fn script(word: &str, node: &Node, reading: &mut Reading) -> Option<Script> {
    let runner = if word == "exec" { Runner::Exec } else { Runner::Perl };
    if let Some(template) = node.get("template") {
        let text = "a script is no template: write `source`";
        reading.fault(template.place, text);
    }
    Some(Script { runner, source: owner::source(node, reading)? })
}

/// Statements of SQL.
pub(super) fn sql(node: &Node, reading: &mut Reading) -> Option<Sql> {
    let database = fields::needed_as(node, "name", ItemName::parse, reading);
    let content = owner::content(node, reading);
    let delimiter = fields::parsed(node, "delimiter", delimiter, reading).unwrap_or(';');
    Some(Sql { database: database?, content: content?, delimiter })
}

fn delimiter(text: &str) -> Result<char, &'static str> {
    match text {
        ";" => Ok(';'),
        "|" => Ok('|'),
        "$" => Ok('$'),
        _ => Err("write `;`, `|` or `$`"),
    }
}
