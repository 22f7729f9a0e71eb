//! What comes into its place: owners, modes, names, templates.

use crate::host::Host;
use crate::package::{app, file, package, site, with};
use crate::skip;
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

const FILES: &[(&str, &str)] = &[
    ("tmpl/conf.tmpl", "host=${site.hostname}\nport=${ appconfig.tcpport.web }\n\\${kept}\n"),
    ("tmpl/perl.pl", "my $x = $config->getResolve( 'site.hostname' );\n\"perl:$x\\n\";\n"),
    ("web/a.txt", "a"),
    ("web/b.txt", "b"),
    ("tree/one", "1"),
    ("tree/inner/two", "2"),
];

fn manifest(owner: Option<(&str, &str)>) -> Value {
    let mut items = json!([
        { "type" : "tcpport", "name" : "web" },
        { "type" : "directory", "names" : [ "/srv/app", "/srv/app/deep" ],
          "dirpermissions" : "751" },
        { "type" : "file", "name" : "/srv/app/conf", "template" : "tmpl/$2.tmpl",
          "templatelang" : "varsubst", "permissions" : "0640" },
        { "type" : "file", "name" : "/srv/app/perl", "template" : "tmpl/perl.pl",
          "templatelang" : "perlscript" },
        { "type" : "file", "names" : [ "/srv/a.txt", "/srv/app/deep/b.txt" ],
          "source" : "web/$2", "permissions" : "1604" },
        { "type" : "directorytree", "name" : "/srv/tree", "source" : "tree",
          "dirpermissions" : "0753", "filepermissions" : "0432" },
        { "type" : "symlink", "name" : "/srv/link", "source" : "web/a.txt" },
    ]);
    if let Some((user, group)) = owner {
        for item in items.as_array_mut().unwrap().iter_mut().skip(1) {
            item["uname"] = user.into();
            item["gname"] = group.into();
        }
    }
    let mut manifest = app(&json!({ "appconfigitems" : items }));
    manifest["roles"]["apache2"]["appconfigitems"] =
        json!([ { "type" : "file", "name" : "index.html", "source" : "web/a.txt" } ]);
    manifest
}

#[test]
fn everything_lies_where_the_manifest_says() {
    let host = Host::new();
    let folder = package(&host, ("app", "1"), &manifest(None), FILES);
    host.must(&["install", &folder]);
    let before = host.look();
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    assert_eq!(host.read("srv/app/conf"), "host=blog.example.org\nport=5001\n\\${kept}\n");
    assert_eq!(host.read("srv/app/perl"), "perl:blog.example.org\n");
    assert_eq!((host.read("srv/a.txt"), host.read("srv/app/deep/b.txt")), ("a".into(), "b".into()));
    let modes = ["srv/app", "srv/app/conf", "srv/app/perl", "srv/a.txt"].map(|at| host.mode(at));
    assert_eq!(modes, [0o751, 0o640, 0o644, 0o1604]);
    let modes = ["srv/tree", "srv/tree/inner", "srv/tree/one"].map(|at| host.mode(at));
    assert_eq!(modes, [0o753, 0o753, 0o432]);
    assert!(host.target("srv/link").ends_with("/web/a.txt"), "{}", host.target("srv/link"));
    let web = format!("ubos/http/sites/{}/app/index.html", crate::package::id('s', '1'));
    assert_eq!(host.read(&web), "a");
    assert!(host.must(&["site", "status"]).contains("deployed"));

    std::fs::remove_file(host.at("srv/a.txt")).unwrap();
    host.fails(&["site", "status"], 1, "/srv/a.txt");
    host.must(&["site", "redeploy", "blog.example.org"]);
    assert_eq!(host.read("srv/a.txt"), "a", "what somebody has removed is back");
    // What the app has made since goes with its folder.
    host.write("srv/app/deep/made", "x");
    host.must(&["site", "undeploy", "--all"]);
    assert_eq!(host.look(), before);
}

#[test]
fn owners_are_those_of_the_host() {
    if !rustix_is_root() {
        skip("owners_are_those_of_the_host", "only root gives things away");
        return;
    }
    let host = Host::new();
    let folder = package(&host, ("app", "1"), &manifest(Some(("http", "games"))), FILES);
    host.must(&["install", &folder]);
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    // The original's web server is the one of the host, where nobody has made its account.
    host.write("etc/passwd", "www-data:x:4711:4712::/:/bin/false\n");
    host.write("etc/group", "games:x:4713:\n");
    host.must(&["site", "deploy", &path]);
    for at in ["srv/app", "srv/app/conf", "srv/tree/inner/two", "srv/link"] {
        let meta = host.at(at).symlink_metadata().unwrap();
        let http = meta.uid() == 4711 || !host.read("etc/passwd").contains("http");
        assert!(http && meta.gid() == 4713, "{at}: {} {}", meta.uid(), meta.gid());
    }
    assert_eq!(host.mode("srv/a.txt"), 0o1604, "special bits survive the change of owner");
    host.must(&["site", "undeploy", "--all"]);
    let other = package(&host, ("app", "2"), &manifest(Some(("ghost", "games"))), FILES);
    host.must(&["install", &other]);
    let before = host.look();
    host.fails(&["site", "deploy", &path], 3, "the user `ghost`");
    assert_eq!(host.look(), before);
}

fn rustix_is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
