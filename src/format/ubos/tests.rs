//! Laws of reading manifests: what is right is read wholly, and each rule has something that breaks
//! it.

use super::{is_alone_in, read, read_alone};
use crate::format::sample::Sample;
use crate::package::external::ExternalData;
use crate::package::note::{Level, Notes};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::{
    ItemKind, ItemPath, Language, Mode, Names, Run, Source, TaskPhase,
};
use crate::package::ubos::point::{PointDefault, PointKind};
use crate::package::ubos::role::{AppContext, RoleName, WellKnown};
use crate::package::ubos::{Kind, Manifest};
use crate::sys::path::RelPath;
use serde_json::json;

const APP: &str = r#"# An app with nearly everything
{
    "type" : "app",
    "requirestls" : true,
    "allowswildcardhostname" : false,
    "cardinality" : 1,
    "info" : { "default" : { "name" : "Wiki", "tagline" : "Writes" } },
    "roles" : {
        "apache2" : {
            "defaultcontext" : "/wiki",
            "depends" : [ "php", "php-apache", ],
            "apache2modules" : [ "php", "rewrite" ],
            "phpmodules" : [ "mysqli" ],
            "appconfigitems" : [
                { "type" : "directory", "name" : "${appconfig.datadir}", "uname" : "http",
                  "gname" : "http", "retentionpolicy" : "keep", "retentionbucket" : "data" },
                { "type" : "file", "names" : [ "a.php", "b.php" ], "source" : "web/$1",
                  "permissions" : "1755" },
                { "type" : "file", "name" : "conf", "template" : "tmpl/$2.tmpl",
                  "templatelang" : "varsubst" },   # rendered
                { "type" : "directorytree", "name" : "img", "source" : "img",
                  "filepermissions" : "preserve" },
                { "type" : "symlink", "name" : "l", "source" : "${package.codedir}/web/a.php" },
                { "type" : "perlscript", "source" : "bin/do.pl" },
                { "type" : "exec", "source" : "bin/do.sh" },
                { "type" : "systemd-service", "name" : "wiki@${appconfig.appconfigid}",
                  "phase" : "suspendresume" },
                { "type" : "tcpport", "name" : "web" },
            ],
            "installers" : [ { "type" : "perlscript", "source" : "bin/do.pl" } ],
            "upgraders" : [ { "type" : "exec", "source" : "bin/do.sh", "phase" : "resume" } ],
            "uninstallers" : [ { "type" : "exec", "source" : "bin/do.sh" } ],
            "wellknown" : {
                "robots.txt" : { "disallow" : [ "/private" ] },
                "webfinger" : { "proxy" : "${site.protocol}://x/" },
                "moved" : { "location" : "/new" },
                "told" : { "value" : "YWI=", "encoding" : "base64" },
                "made" : { "template" : "${site.siteid}", "templatelang" : "varsubst" }
            }
        },
        "mysql" : {
            "appconfigitems" : [
                { "type" : "database", "name" : "main", "privileges" : "select, insert",
                  "retentionpolicy" : "keep", "retentionbucket" : "maindb" } ],
            "installers" : [ { "type" : "sqlscript", "name" : "main", "source" : "sql/make.sql",
                               "delimiter" : "|" } ]
        },
        "tomca8" : {}
    },
    "customizationpoints" : {
        "title" : { "type" : "string", "required" : true, "regex" : "[a-z]" },
        "salt" : { "type" : "string", "required" : false, "private" : true, "index" : 2,
                   "default" : { "expression" : "${randomHex(40)}" } },
        "on" : { "type" : "boolean", "required" : false, "default" : { "value" : 0 } },
        "logo" : { "type" : "image", "required" : false,
                   "default" : { "value" : "/wA=", "encoding" : "base64" } }
    },
}
"#;

fn files() -> Vec<(&'static str, &'static [u8])> {
    let names = [
        "web/a.php",
        "web/b.php",
        "tmpl/conf.tmpl",
        "img/x.png",
        "bin/do.pl",
        "bin/do.sh",
        "sql/make.sql",
    ];
    names.iter().map(|name| (*name, b"x".as_slice())).collect()
}

fn sample(manifest: &str) -> (Result<Manifest, String>, Notes) {
    let mut all = files();
    all.push(("ubos-manifest.json", manifest.as_bytes()));
    let mut notes = Notes::default();
    let read = read(&Sample::new(&all), &mut notes).map_err(|error| error.to_string());
    (read, notes)
}

#[test]
fn everything_that_a_manifest_says_is_in_the_model() {
    let (manifest, notes) = sample(APP);
    let manifest = manifest.unwrap();
    assert_eq!(manifest.kind, Kind::App);
    assert!(manifest.requires_tls && !manifest.allows_wildcard);
    assert_eq!(manifest.info("fr").unwrap().name.as_deref(), Some("Wiki"));
    assert_eq!(manifest.extra["cardinality"], json!(1));
    let roles: Vec<_> = manifest.roles.iter().map(|role| role.name).collect();
    assert_eq!(roles, [RoleName::Mysql, RoleName::Apache2], "in the order of deployment");
    let web = manifest.role(RoleName::Apache2).unwrap();
    assert!(matches!(&web.context, Some(AppContext::Default(at)) if at.as_str() == "/wiki"));
    assert_eq!((web.depends.len(), web.apache_modules.len(), web.php_modules.len()), (2, 2, 1));
    assert_eq!(web.items.len(), 9);
    assert_eq!(web.items[0].keep.as_ref().unwrap().as_str(), "data");
    let ItemKind::File { names: Names::Many(names), content, mode, owner: None } =
        &web.items[1].kind
    else {
        panic!("{:?}", web.items[1])
    };
    assert_eq!((names.len(), *mode), (2, Mode::Bits(0o1755)));
    assert_eq!(*content, Source::File(ItemPath("web/$1".into())));
    let ItemKind::File { content, mode: Mode::Bits(0o644), .. } = &web.items[2].kind else {
        panic!("{:?}", web.items[2])
    };
    assert!(matches!(content, Source::Template(_, Language::Varsubst)));
    assert!(matches!(
        &web.items[3].kind,
        ItemKind::Tree { mode: Mode::Bits(0o755), file_mode: Mode::Preserve, .. }
    ));
    let phases = [&web.installers, &web.upgraders, &web.uninstallers].map(|list| list[0].phase);
    assert_eq!(phases, [TaskPhase::Deployed, TaskPhase::Resumed, TaskPhase::Deployed]);
    let known: Vec<_> = web.well_known.iter().map(|(name, what)| (name.as_str(), what)).collect();
    assert!(matches!(known[2], ("moved", WellKnown::Location { status: 307, .. })));
    assert!(matches!(known[3], ("told", WellKnown::Value(bytes)) if bytes == b"ab"));
    let sql = &manifest.role(RoleName::Mysql).unwrap().installers[0].run;
    assert!(
        matches!(sql, Run::Sql(sql) if sql.delimiter == '|' && sql.database.as_str() == "main")
    );
    let points: Vec<_> = manifest.points.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(points, ["title", "salt", "on", "logo"], "in the manifest's order");
    assert!(manifest.points[1].private && manifest.points[1].index == Some(2));
    let value = |at: usize| manifest.points[at].default.clone();
    assert_eq!(value(2), Some(PointDefault::Value(Chosen::Plain(json!(false)))));
    assert_eq!(value(3), Some(PointDefault::Value(Chosen::Bytes(vec![0xff, 0]))));
    assert_eq!(manifest.points[3].kind, PointKind::Image);
    let notes: Vec<_> = notes.into_vec().into_iter().map(|note| note.text).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("`cardinality`") && notes[1].contains("`tomca8`"), "{notes:?}");
}

#[test]
fn what_is_read_survives_being_stored() {
    let manifest = sample(APP).0.unwrap();
    let stored = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&stored).unwrap(), manifest);
}

/// Every replacement breaks one rule; the fault is at the line where the replacement is.
#[test]
#[expect(clippy::too_many_lines, reason = "a table: one line a rule")]
fn each_rule_is_kept() {
    for (old, new, said) in [
        (r#""type" : "app""#, r#""type" : "application""#, "write `app` or `accessory`"),
        (r#""type" : "app","#, "", "`type` is missing"),
        (r#""type" : "app""#, r#""type" : "accessory""#, "an accessory needs `accessoryinfo`"),
        (r#""cardinality" : 1"#, r#""accessoryinfo" : {}"#, "an app has no `accessoryinfo`"),
        (r#""requirestls" : true"#, r#""requirestls" : "true""#, "write `true` or `false`"),
        (
            r#""defaultcontext" : "/wiki""#,
            r#""defaultcontext" : "/W""#,
            "`defaultcontext`: context",
        ),
        (
            r#""defaultcontext" : "/wiki""#,
            r#""defaultcontext" : "", "fixedcontext" : """#,
            "exclude each other",
        ),
        (r#""defaultcontext" : "/wiki","#, "", "does not say where the app lies"),
        (r#""php-apache""#, r#""PHP""#, "`depends`: package or module `PHP`"),
        (r#""php", "rewrite""#, r#""--x""#, "`apache2modules`: package or module"),
        (r#""mysql" : {"#, r#""mysql" : { "depends" : [],"#, "cannot have `depends`"),
        (r#""type" : "directory""#, r#""type" : "database""#, "cannot stand in `appconfigitems`"),
        (r#""type" : "database""#, r#""type" : "tcpport""#, "cannot stand in `appconfigitems`"),
        (r#""gname" : "http","#, "", "add `gname`"),
        (r#""uname" : "http""#, r#""uname" : "Http""#, "`uname` is `Http`"),
        (
            r#""retentionpolicy" : "keep", "retentionbucket" : "data""#,
            r#""retentionpolicy" : "keep""#,
            "needs `retentionbucket`",
        ),
        (
            r#""retentionpolicy" : "keep", "retentionbucket" : "data""#,
            r#""retentionbucket" : "d""#,
            "add it",
        ),
        (
            r#""keep", "retentionbucket" : "data""#,
            r#""backup", "retentionbucket" : "data""#,
            "write `keep`",
        ),
        (r#""retentionbucket" : "data""#, r#""retentionbucket" : "da-ta""#, "retention bucket"),
        (r#""retentionbucket" : "data""#, r#""retentionbucket" : "maindb""#, "rename one of them"),
        (r#""permissions" : "1755""#, r#""permissions" : "0o755""#, "octal digits"),
        (r#""permissions" : "1755""#, r#""permissions" : 755"#, "is a number: write a text"),
        (r#""names" : [ "a.php", "b.php" ]"#, r#""names" : []"#, "`names` is empty"),
        (r#""names" : [ "a.php", "b.php" ]"#, r#""names" : [ "../a.php" ]"#, "climbs with `..`"),
        (r#""name" : "conf""#, r#""name" : "conf", "names" : [ "conf" ]"#, "keep one of them"),
        (r#""name" : "conf", "#, "", "needs `name` or `names`"),
        (
            r#""source" : "web/$1""#,
            r#""source" : "web/$1.x""#,
            "`web/a.php.x` is not in the package",
        ),
        (r#""source" : "web/$1""#, r#""source" : "img""#, "is a directory of the package"),
        (
            r#""source" : "web/$1""#,
            r#""source" : "web/$1", "template" : "x""#,
            "`source` and `template`",
        ),
        (r#""source" : "web/$1","#, "", "needs `source` or `template`"),
        (r#""tmpl/$2.tmpl","#, r#""tmpl/$1.none","#, "`tmpl/conf.none` is not in the package"),
        (
            r#""templatelang" : "varsubst" },   #"#,
            r#""templatelang" : "erb" },   #"#,
            "write `varsubst` or `perlscript`",
        ),
        (r#""suspendresume""#, r#""later""#, "write `suspendresume`"),
        (r#""phase" : "resume""#, r#""phase" : "suspend""#, "write `resume`"),
        (r#""wiki@${appconfig.appconfigid}""#, r#""-x;y""#, "the name of a unit"),
        (r#""name" : "web""#, r#""name" : "we b""#, "name `we b` is not valid"),
        (r#""privileges" : "select, insert","#, "", "`privileges` is missing"),
        (r#""select, insert""#, r#""all; drop""#, "write privileges of SQL"),
        (r#""delimiter" : "|""#, r#""delimiter" : "||""#, "write `;`, `|` or `$`"),
        (
            r#""type" : "sqlscript", "name" : "main""#,
            r#""type" : "file", "name" : "main""#,
            "cannot stand in `installers`",
        ),
        (r#"[ "/private" ]"#, r#"[ "private" ]"#, "begin it with `/`"),
        (r#"[ "/private" ]"#, "[]", "write at least one path"),
        (r#"{ "disallow" : [ "/private" ] }"#, r#"{ "value" : "x" }"#, "cannot have `value`"),
        ("${site.protocol}://x/", "ftp://x/", "write a URL that begins"),
        (r#""location" : "/new""#, r#""location" : "/new", "status" : 200"#, "write 300 to 399"),
        (r#""location" : "/new""#, r#""location" : "/new", "value" : "x""#, "exactly one of"),
        (r#""encoding" : "base64" },"#, r#""encoding" : "gzip" },"#, "can only be `base64`"),
        (r#""title" :"#, r#""Title" :"#, "customization point `Title`"),
        (
            r#""type" : "string", "required" : true"#,
            r#""type" : "str", "required" : true"#,
            "`type` is `str`",
        ),
        (r#""required" : true, "regex""#, r#""regex""#, "`required` is missing"),
        (r#""required" : true, "regex""#, r#""required" : 1, "regex""#, "`required` is a number"),
        (r#""required" : true, "regex""#, r#""required" : false, "regex""#, "has no `default`"),
        (r#""regex" : "[a-z]""#, r#""regex" : "(?=a)""#, "without look-around"),
        (r#""type" : "boolean","#, r#""type" : "boolean", "regex" : "x","#, "only points of type"),
        (r#"{ "value" : 0 }"#, r#"{ "value" : "no" }"#, "the default of `on` does not fit"),
        (
            r#"{ "value" : 0 }"#,
            r#"{ "value" : 0, "expression" : "1" }"#,
            "`value` and `expression`",
        ),
        (r#"{ "value" : 0 }"#, "{}", "`default` is empty"),
        (r#""index" : 2"#, r#""index" : "2""#, "`index` is no whole number"),
    ] {
        let at = APP.find(old).unwrap_or_else(|| panic!("{old}"));
        let broken = APP.replacen(old, new, 1);
        assert_ne!(broken, APP);
        let line = APP[..at].matches('\n').count() + 1;
        let error = sample(&broken).0.expect_err(new);
        assert!(error.contains(said), "{new}: {error}");
        // What is missing is said where its object begins, up to two lines above.
        let near = (line.saturating_sub(2)..=line + 30)
            .any(|line| error.contains(&format!("ubos-manifest.json:{line}:")));
        assert!(near, "{new} (line {line}): {error}");
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let broken = APP.replace("\"1755\"", "\"9\"").replace("\"index\" : 2", "\"index\" : []");
    let error = sample(&broken).0.unwrap_err();
    assert!(error.contains("octal") && error.contains("`index`"), "{error}");
}

#[test]
fn an_accessory_names_its_apps_and_lies_where_they_lie() {
    let accessory = |info: &str, role: &str| {
        let text = format!(
            r#"{{ "type" : "accessory", "accessoryinfo" : {{ {info} }},
                 "roles" : {{ "apache2" : {{ {role} }} }} }}"#
        );
        let mut notes = Notes::default();
        read_alone("m.json", text.as_bytes(), &mut notes).map_err(|error| error.to_string())
    };
    let read = accessory(r#""appid" : "a", "requires" : [ "b", "c" ]"#, "").unwrap();
    let Kind::Accessory(info) = read.kind else { panic!("no accessory") };
    assert_eq!((info.apps.len(), info.requires.len(), info.id), (1, 2, None));
    assert_eq!(read.roles[0].context, None);
    let many = accessory(r#""appids" : [ "a", "b" ]"#, "").unwrap();
    assert!(matches!(many.kind, Kind::Accessory(info) if info.apps.len() == 2));
    for (info, role, said) in [
        (r#""appids" : []"#, "", "names no app"),
        (r#""accessoryid" : "x""#, "", "names no app"),
        (r#""appid" : "A B""#, "", "package `A B` is not valid"),
        (r#""appid" : "a", "requires" : [ "b", "b" ]"#, "", "stands in `requires` twice"),
        (r#""appid" : "a""#, r#""fixedcontext" : "/x""#, "an accessory lies where its app lies"),
    ] {
        let error = accessory(info, role).unwrap_err();
        assert!(error.contains(said) && error.starts_with("m.json:"), "{info}: {error}");
    }
}

#[test]
fn externals_are_the_same_list_as_in_other_formats() {
    let with = |list: &str| {
        let text = format!(r#"{{ "type" : "app", "externals" : {list} }}"#);
        sample(&text).0.map(|manifest| manifest.externals)
    };
    let read = with(
        r#"[ { "name" : "user", "data" : "7" }, { "name" : "s", "datafile" : "img/x.png" } ]"#,
    );
    let read = read.unwrap();
    assert_eq!(read[0].data, ExternalData::Inline(b"7".to_vec()));
    assert_eq!(read[1].data, ExternalData::File(RelPath::parse("img/x.png").unwrap()));
    assert!(with(r#"[ { "data" : "x" } ]"#).unwrap_err().contains("has no `name`"));
    assert!(with(r#"[ { "name" : "s", "datafile" : "../x" } ]"#).is_err());
    assert!(with(r#"[ { "name" : "s", "datascript" : "none" } ]"#).is_err());
}

#[test]
fn relative_places_need_a_role_with_a_folder() {
    let at = |role: &str, name: &str| {
        let text = format!(
            r#"{{ "type" : "app", "roles" : {{ "{role}" : {{ "defaultcontext" : "",
                 "appconfigitems" : [ {{ "type" : "directory", "name" : "{name}" }} ] }} }} }}"#
        );
        read_alone("m", text.as_bytes(), &mut Notes::default()).is_ok()
    };
    assert!(at("apache2", "x") && at("tomcat8", "x"));
    assert!(at("generic", "/x") && at("generic", "${appconfig.datadir}"));
    assert!(!at("generic", "x"));
}

#[test]
fn what_is_tolerated_costs_a_note() {
    let text = r#"{ "type" : "app", "type" : "app", "roles" : { "generic" : {
        "appconfigitems" : [ { "type" : "directory", "name" : "/x", "mode" : "0755" } ],
        "installers" : [ { "type" : "tcpport", "name" : "p" } ] } } }"#;
    let mut notes = Notes::default();
    let manifest = read_alone("m", text.as_bytes(), &mut notes).unwrap();
    assert!(manifest.roles[0].installers.is_empty());
    let notes = notes.into_vec();
    assert!(notes.iter().all(|note| note.level == Level::Warning && note.line.is_some()));
    for said in ["`type` stands here again", "`mode` of an item", "`tcpport` in `installers`"] {
        assert!(notes.iter().any(|note| note.text.contains(said)), "{said}: {notes:?}");
    }
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (text, said) in [
        ("", "is empty"),
        ("[]", "is a list and no object"),
        ("\"x\"", "is a text and no object"),
        ("{", "ends too early"),
        ("{ \"type\" : \"app\", \"roles\" : [] }", "`roles` is a list"),
        ("{ \"type\" : \"app\", \"roles\" : { \"apache2\" : 1 } }", "`apache2` is a number"),
    ] {
        let error = sample(text).0.unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
    let link = Sample::new(&[("ubos-manifest.json -> x", b"")]);
    assert!(is_alone_in(&link));
    assert!(read(&link, &mut Notes::default()).is_err());
    let installed = crate::format::read(&link, &mut Notes::default()).unwrap_err().to_string();
    assert!(installed.contains("has no usable name"), "{installed}");
    let both = Sample::new(&[("metadata/manifest.yml", b""), ("ubos-manifest.json", b"")]);
    assert!(!is_alone_in(&both), "a cartridge is a cartridge");
}

#[test]
fn messages_cannot_steer_a_terminal() {
    let text = "{ \"type\" : \"\\u001b[2J\", \"x\\u001b\" : 1, \"roles\" : { \"\\u001b\" : {} } }";
    let mut notes = Notes::default();
    let error = read_alone("m", text.as_bytes(), &mut notes).unwrap_err().to_string();
    assert!(!error.contains('\x1b'), "{error:?}");
    assert!(notes.into_vec().iter().all(|note| !note.text.contains('\x1b')));
}

#[test]
fn a_package_that_was_built_has_its_name_and_code_where_it_was_put() {
    let manifest = r#"{ "type" : "app", "roles" : { "apache2" : { "defaultcontext" : "",
        "appconfigitems" : [ { "type" : "file", "name" : "a", "source" : "web/a" } ] } } }"#;
    let built = Sample::new(&[
        ("ubos/lib/ubos/manifests/blog.json", manifest.as_bytes()),
        ("ubos/share/blog/web/a", b"a"),
        (".PKGINFO", b"pkgname = blog\npkgver = 1.2-3\npkgdesc = Writes\n"),
    ]);
    let package = crate::format::read(&built, &mut Notes::default()).unwrap();
    assert_eq!((package.name.as_str(), package.package_version.as_str()), ("blog", "1.2-3"));
    assert_eq!(package.ubos.as_ref().unwrap().code, "ubos/share/blog");
    assert_eq!(package.default_software().description, "Writes");
    let two = Sample::new(&[
        ("ubos/lib/ubos/manifests/blog.json", manifest.as_bytes()),
        ("ubos/lib/ubos/manifests/other.json", manifest.as_bytes()),
    ]);
    assert!(!is_alone_in(&two), "nobody knows which one is meant");
}
