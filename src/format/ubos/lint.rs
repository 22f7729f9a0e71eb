//! What there is to say to the author of an app or accessory.

use super::{MANIFEST, fields, read};
use crate::format::lint::about;
use crate::format::tree::Tree;
use crate::package::note::{Level, Note, Notes};
use crate::package::ubos::Manifest;
use crate::package::ubos::item::{Item, ItemKind, Names, Run, Runner, Script, Sql, Task};
use crate::package::ubos::role::Role;

/// Says everything about the package in `tree`; an error means that no site could have it.
pub(in crate::format) fn notes(tree: &dyn Tree) -> Vec<Note> {
    let mut notes = Notes::default();
    let read = read(tree, &mut notes);
    let mut all = notes.into_vec();
    match read {
        Ok(manifest) => all.extend(advice(&manifest, tree)),
        Err(error) => all.extend(error.notes()),
    }
    all
}

fn advice(manifest: &Manifest, tree: &dyn Tree) -> Vec<Note> {
    let mut texts = Vec::new();
    for role in &manifest.roles {
        texts.extend(role.items.iter().filter_map(kept_for_nothing));
        texts.extend(scripts(role).filter_map(|script| not_executable(script, tree)));
        texts.extend(statements(role).filter_map(|sql| no_database(sql, role)));
    }
    texts.into_iter().map(|text| about(Level::Warning, MANIFEST, text)).collect()
}

fn tasks(role: &Role) -> impl Iterator<Item = &Task> {
    role.installers.iter().chain(&role.upgraders).chain(&role.uninstallers)
}

fn scripts(role: &Role) -> impl Iterator<Item = &Script> {
    let items = role.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Script(script) => Some(script),
        _ => None,
    });
    items.chain(tasks(role).filter_map(|task| match &task.run {
        Run::Script(script) => Some(script),
        Run::Sql(_) => None,
    }))
}

fn statements(role: &Role) -> impl Iterator<Item = &Sql> {
    let items = role.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Sql(sql) => Some(sql),
        _ => None,
    });
    items.chain(tasks(role).filter_map(|task| match &task.run {
        Run::Sql(sql) => Some(sql),
        Run::Script(_) => None,
    }))
}

/// Retention of what has no data, or of several files under one name (UBOS specification, 1.3).
fn kept_for_nothing(item: &Item) -> Option<String> {
    let bucket = item.keep.as_ref()?;
    let why = match &item.kind {
        ItemKind::File { names: Names::Many(_), .. } => {
            "is that of several files, of which no backup is made: give each an item of its own"
        }
        ItemKind::File { .. }
        | ItemKind::Directory { .. }
        | ItemKind::Tree { .. }
        | ItemKind::Database { .. } => return None,
        ItemKind::Symlink { .. }
        | ItemKind::Script(_)
        | ItemKind::Port { .. }
        | ItemKind::Unit { .. }
        | ItemKind::Sql(_) => "is that of an item without data: remove it",
    };
    Some(format!("retention bucket `{bucket}` {why}"))
}

fn not_executable(script: &Script, tree: &dyn Tree) -> Option<String> {
    let path = script.source.of("");
    let path = path.strip_prefix("${package.codedir}/").unwrap_or(&path);
    let entry = tree.table().get(path).filter(|_| script.runner == Runner::Exec)?;
    let path = fields::shown(path);
    (entry.mode & 0o111 == 0).then(|| {
        format!("`{path}` is run by an `exec` and is not executable: run `chmod +x {path}`")
    })
}

fn no_database(sql: &Sql, role: &Role) -> Option<String> {
    let own = |item: &Item| matches!(&item.kind, ItemKind::Database { name, .. } if *name == sql.database);
    let name = &sql.database;
    (!role.items.iter().any(own)).then(|| {
        format!(
            "a `sqlscript` is for database `{name}`, which role `{}` does not have: add it there, \
             or correct the name",
            role.name.as_str()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::sample::Sample;

    fn said(items: &str) -> String {
        let text = format!(
            r#"{{ "type" : "app", "roles" : {{ "apache2" : {{ "defaultcontext" : "",
                 "appconfigitems" : [ {items} ] }}, "mysql" : {{ "installers" : [
                 {{ "type" : "sqlscript", "name" : "main", "source" : "lib/x" }} ] }} }} }}"#
        );
        let tree = Sample::new(&[
            ("ubos-manifest.json", text.as_bytes()),
            ("bin/x", b"#!/bin/sh\n"),
            ("lib/x", b""),
        ]);
        let all: Vec<_> = notes(&tree).iter().map(|note| note.text.clone()).collect();
        all.join("\n")
    }

    #[test]
    fn what_would_have_no_effect_or_fail_is_said() {
        assert!(said("").contains("database `main`, which role `mysql` does not have"));
        let exec = |path: &str| said(&format!(r#"{{ "type" : "exec", "source" : "{path}" }}"#));
        assert!(!exec("bin/x").contains("chmod"));
        assert!(exec("${package.codedir}/lib/x").contains("run `chmod +x lib/x`"));
        assert!(!said(r#"{ "type" : "perlscript", "source" : "lib/x" }"#).contains("chmod"));
        let kept = |item: &str| {
            said(&format!(r#"{{ {item}, "retentionpolicy" : "keep", "retentionbucket" : "b" }}"#))
        };
        assert!(kept(r#""type" : "tcpport", "name" : "p""#).contains("without data"));
        assert!(
            kept(r#""type" : "file", "names" : [ "a" ], "source" : "lib/x""#)
                .contains("no backup is made")
        );
        assert!(!kept(r#""type" : "directory", "name" : "d""#).contains("bucket"));
    }

    #[test]
    fn faults_are_errors_with_their_place() {
        let tree = Sample::new(&[("ubos-manifest.json", b"{ \"type\" : 1 }")]);
        let notes = notes(&tree);
        assert!(notes.iter().any(|note| note.level == Level::Error && note.column == Some(12)));
    }
}
