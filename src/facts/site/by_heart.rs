//! What scripts know by heart of the host that the original makes: an account, and where packages lie.

use crate::layout::Layout;
use crate::package::ubos::Manifest;
use crate::package::ubos::item::{ItemKind, Run};
use crate::package::ubos::name::PackageName;
use crate::sys::fs::kind_of;
use std::collections::BTreeSet;
use std::path::Path;

/// The scripts of a package.
pub(super) fn scripts(manifest: &Manifest) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for role in &manifest.roles {
        found.extend(role.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Script(script) => Some(script.source.of("")),
            _ => None,
        }));
        let tasks = role.installers.iter().chain(&role.upgraders).chain(&role.uninstallers);
        found.extend(tasks.filter_map(|task| match &task.run {
            Run::Script(script) => Some(script.source.of("")),
            Run::Sql(_) => None,
        }));
    }
    found
}

/// The packages whose folder of code a script names where the original has it, and where nothing is.
pub(super) fn named_code(text: &str, layout: &Layout) -> BTreeSet<String> {
    let share = layout.root().unwrap_or(Path::new("/")).join("ubos/share");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let named = lines.flat_map(|line| line.split("/ubos/share/").skip(1));
    let names = named.filter_map(|rest| {
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).next()
    });
    let names = names.filter(|name| PackageName::parse(name).is_ok());
    names.filter(|name| kind_of(&share.join(name)).is_none()).map(str::to_owned).collect()
}

/// Tells whether a script gives things to the account `http`, or becomes it.
pub(super) fn knows_http(text: &str) -> bool {
    let gives = ["sudo ", "chown ", "chgrp ", "runuser ", "su ", "saveFile(", "getUid(", "getGid("];
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter(|line| gives.iter().any(|word| line.contains(word))).any(|line| {
        let parts = line.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./$".contains(c)));
        parts.into_iter().any(|part| part == "http") && !line.contains("http://")
    })
}

#[cfg(test)]
mod tests {
    use super::{knows_http, named_code};

    #[test]
    fn packages_are_found_in_paths() {
        let text = "# /ubos/share/not/x\ncp -a /ubos/share/one/x /ubos/share/ '/ubos/share/a.b'\n";
        let temp = tempfile::tempdir().unwrap();
        let layout = crate::layout::Layout::below(temp.path());
        let named = || named_code(text, &layout).into_iter().collect::<Vec<_>>();
        assert_eq!(named(), ["a.b", "one"]);
        crate::sys::fs::Dir::create(&temp.path().join("ubos/share/one"), 0o755).unwrap();
        assert_eq!(named(), ["a.b"], "what is there is found");
    }

    #[test]
    fn an_account_is_told_from_a_protocol() {
        for known in [
            "my $cmd = \"cd $dir; sudo -u http php x.php\";",
            "myexec( \"chown root:http $dir/config.php\" );",
            "saveFile( $name, $content, 0640, 'root', 'http' );",
        ] {
            assert!(knows_http(known), "{known}");
        }
        for other in [
            "# sudo -u http php",
            "saveFile( $name, \"http://$hostname/\" );",
            "myexec( \"sudo -u $apache php http.php\" );",
            "my $protocol = 'http';",
        ] {
            assert!(!knows_http(other), "{other}");
        }
    }
}
