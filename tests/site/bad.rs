//! Bad input: met before anything is changed.

use crate::host::Host;
use crate::package::{TELLS, accessory, app, file, id, package, site, told, with};
use serde_json::{Value, json};

fn refused(host: &Host, site: &Value, status: i32, said: &str) {
    let before = host.look();
    let path = file(host, site);
    host.fails(&["site", "deploy", &path], status, said);
    assert_eq!(host.look(), before, "{said}");
    assert!(told(host).is_empty(), "{said}");
}

fn install(host: &Host, manifest: &Value, files: &[(&str, &str)]) {
    let folder = package(host, ("app", "1"), manifest, files);
    host.must(&["install", &folder]);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_done() {
    let host = Host::new();
    let tell = json!({ "type" : "exec", "source" : "bin/tell" });
    let item = json!({ "type" : "file", "name" : "/srv/x", "template" : "t", "templatelang" : "varsubst" });
    install(
        &host,
        &app(&json!({ "appconfigitems" : [ tell, item ] })),
        &[("bin/tell", TELLS), ("t", "one\n${no.such}\n")],
    );
    let other = accessory(&json!({}));
    let mut other = other;
    other["accessoryinfo"]["appid"] = "another".into();
    let folder = package(&host, ("other", "1"), &other, &[]);
    host.must(&["install", &folder]);
    let blog = |apps: &[Value]| site("blog.example.org", '1', apps);
    let template = "the template `t` of `app` cannot be rendered: line 2, column 1: `${no.such}`";
    refused(&host, &blog(&[with('1', &[])]), 4, template);
    refused(&host, &blog(&[with('1', &["nix"])]), 3, "the package `nix` is not installed");
    refused(&host, &blog(&[with('1', &["other"])]), 4, "is an accessory of `another`");
    refused(&host, &blog(&[with('1', &[]), with('2', &[])]), 4, "lie at `/app`");
    let mut twice = blog(&[with('1', &[])]);
    twice["appconfigs"][0]["customizationpoints"] = json!({ "app" : { "x" : { "value" : 1 } } });
    refused(&host, &twice, 4, "no customization point `x`");
    let mut short = blog(&[]);
    short["siteid"] = "s1".into();
    refused(&host, &short, 1, "siteid");
}

#[test]
fn a_template_in_perl_is_tried_before_the_old_site_goes() {
    let host = Host::new();
    let tell = json!({ "type" : "exec", "source" : "bin/tell" });
    install(&host, &app(&json!({ "appconfigitems" : [ tell ] })), &[("bin/tell", TELLS)]);
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    told(&host);
    let item = json!({ "type" : "file", "name" : "/srv/x", "template" : "t.pl",
        "templatelang" : "perlscript" });
    let newer = app(&json!({ "appconfigitems" : [ tell, item ] }));
    let files = [("bin/tell", TELLS), ("t.pl", "die 'on purpose';")];
    let folder = package(&host, ("app", "2"), &newer, &files);
    host.must(&["install", &folder]);
    let before = host.look();
    let said = host.run(&["site", "update"]);
    assert!(said.0 != 0 && said.1.contains("on purpose"), "{said:?}");
    assert_eq!((host.look(), told(&host).len()), (before, 0));
}

#[test]
fn what_lies_at_a_place_is_nobodys_to_overwrite() {
    let host = Host::new();
    let item = json!({ "type" : "file", "name" : "/srv/x", "source" : "x" });
    install(&host, &app(&json!({ "appconfigitems" : [ item ] })), &[("x", "new")]);
    host.write("srv/x", "somebody's");
    let blog = site("blog.example.org", '1', &[with('1', &[])]);
    refused(&host, &blog, 4, "`/srv/x` is there already");
    std::fs::remove_file(host.at("srv/x")).unwrap();
    host.must(&["site", "deploy", &file(&host, &blog)]);
    let wiki = site("wiki.example.org", '2', &[with('2', &[])]);
    refused(&host, &wiki, 4, "`/srv/x` is there already");
    let same = site("blog.example.org", '3', &[with('3', &[])]);
    refused(&host, &same, 4, "two sites answer to `blog.example.org`");
    let any = site("*", '3', &[with('3', &[])]);
    refused(&host, &any, 4, "must be the only one");
}

#[test]
fn a_package_says_where_its_name_is_from() {
    let host = Host::new();
    let folder = package(&host, ("app", "1"), &app(&json!({})), &[]);
    std::fs::remove_file(format!("{folder}/PKGBUILD")).unwrap();
    let said = host.must(&["install", &folder]);
    assert!(said.contains("so it is called `app-1`, as its source is"), "{said}");
    host.must(&["install", &folder, "--name", "chosen"]);
    assert_eq!(host.installed(), ["app-1-0", "chosen-0"]);
    host.fails(&["install", &folder, "--name", "../x"], 1, "no usable name");
    let missing = app(&json!({ "appconfigitems" : [ { "type" : "exec", "source" : "bin/no" } ] }));
    let folder = package(&host, ("bad", "1"), &missing, &[]);
    host.fails(&["install", &folder], 1, "`bin/no` is not in the package");
    let twice = json!({ "type" : "directory", "name" : "/srv/a", "retentionpolicy" : "keep",
        "retentionbucket" : "b" });
    let folder =
        package(&host, ("bad", "2"), &app(&json!({ "appconfigitems" : [ twice, twice ] })), &[]);
    host.fails(&["install", &folder], 1, "bucket");
    assert!(id('s', '1').len() == 41);
}

#[test]
fn places_that_exclude_each_other_are_met_before_the_old_site_goes() {
    let host = Host::new();
    let item = |name: &str| json!({ "type" : "file", "name" : name, "source" : "x" });
    let manifest = app(&json!({ "appconfigitems" : [ item("/srv/x"), item("/srv/x/y") ] }));
    install(&host, &manifest, &[("x", "new")]);
    let blog = |accessories: &[&str]| site("blog.example.org", '1', &[with('1', accessories)]);
    refused(&host, &blog(&[]), 4, "`/srv/x/y` cannot be below `/srv/x`");
    refused(&host, &blog(&["app"]), 4, "its own accessory");
    let folder = package(
        &host,
        ("app", "2"),
        &app(&json!({ "appconfigitems" : [
            { "type" : "file", "name" : "/srv/t", "template" : "t", "templatelang" : "varsubst" } ] })),
        &[("t", &"${".repeat(200_000))],
    );
    host.must(&["install", &folder]);
    host.must(&["site", "deploy", &file(&host, &blog(&[]))]);
    assert_eq!(host.read("srv/t").len(), 400_000);
}

#[test]
fn a_port_on_which_somebody_listens_is_taken() {
    let host = Host::new();
    let items = json!([ { "type" : "tcpport", "name" : "web" },
        { "type" : "file", "name" : "/srv/port", "template" : "t", "templatelang" : "varsubst" } ]);
    install(
        &host,
        &app(&json!({ "appconfigitems" : items })),
        &[("t", "${appconfig.tcpport.web}")],
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    host.write("etc/cartwright/config.yml", &format!("sites:\n  first_port: {port}\n"));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let (status, said) = host.run(&["site", "deploy", &path]);
    // Those behind it may all be taken, on a busy host whose port was the last.
    if status == 0 {
        assert!(host.read("srv/port").parse::<u16>().unwrap() > port);
    } else {
        assert!(said.contains("no port is free"), "{said}");
    }
}
