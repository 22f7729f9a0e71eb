//! Packages of the tests' own, and the sites at which they are deployed.

use crate::host::Host;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// The identifier of a site or appconfig.
pub(crate) fn id(letter: char, digit: char) -> String {
    format!("{letter}{}", digit.to_string().repeat(40))
}

/// Writes a package's folder; gives its path. Files in `bin` can be executed.
pub(crate) fn package(
    host: &Host,
    (name, version): (&str, &str),
    manifest: &Value,
    files: &[(&str, &str)],
) -> String {
    let folder = host.outside(&format!("packages/{name}-{version}"));
    let build = format!("pkgname={name}\npkgver={version}\npkgrel=1\n");
    let manifest = manifest.to_string();
    let own = [("PKGBUILD", build.as_str()), ("ubos-manifest.json", &manifest)];
    for (path, text) in own.iter().chain(files) {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        let mode = if path.starts_with("bin/") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    folder.display().to_string()
}

/// The manifest of an app with these elements at the role `generic`.
pub(crate) fn app(generic: &Value) -> Value {
    json!({
        "type" : "app",
        "roles" : { "apache2" : { "defaultcontext" : "/app" }, "generic" : generic },
    })
}

/// The same of an accessory of `app`.
pub(crate) fn accessory(generic: &Value) -> Value {
    json!({
        "type" : "accessory",
        "accessoryinfo" : { "appid" : "app" },
        "roles" : { "generic" : generic },
    })
}

/// A site with these parts.
pub(crate) fn site(name: &str, digit: char, apps: &[Value]) -> Value {
    json!({
        "siteid" : id('s', digit),
        "hostname" : name,
        "admin" : {
            "userid" : "admin", "username" : "A", "credential" : "very secret",
            "email" : "a@example.org",
        },
        "appconfigs" : apps,
    })
}

/// The app `app` with these accessories.
pub(crate) fn with(digit: char, accessories: &[&str]) -> Value {
    json!({ "appconfigid" : id('a', digit), "appid" : "app", "accessoryids" : accessories })
}

/// Writes a site file; gives its path.
pub(crate) fn file(host: &Host, site: &Value) -> String {
    let path = host.outside("site.json");
    std::fs::write(&path, site.to_string()).unwrap();
    path.display().to_string()
}

/// A program that writes down that it was called, with the variables of its first call.
pub(crate) const TELLS: &str = r#"#!/bin/bash
echo "${0##*/} $1" >>"$HOME/told"
[[ -f $HOME/vars.json ]] || cp "$2" "$HOME/vars.json"
"#;

/// The same in Perl.
pub(crate) const TELLS_PERL: &str = r#"
use strict;
my $package = $config->getResolve( 'package.name' );
open( my $told, '>>', "$ENV{HOME}/told" ) or die $!;
print $told "$package $operation\n";
close( $told );
1;
"#;

/// What was told since the last time.
pub(crate) fn told(host: &Host) -> Vec<String> {
    let path = host.outside("told");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(path);
    text.lines().map(str::to_owned).collect()
}
