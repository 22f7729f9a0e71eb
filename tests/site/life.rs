//! The operations of the seed, each at its moment.

use crate::host::Host;
use crate::package::{TELLS, TELLS_PERL, accessory, app, file, package, site, told, with};
use serde_json::{Value, json};

/// Items and tasks of both kinds, in `bin`.
fn scripts(program: &str, perl: &str) -> Value {
    let both = json!([
        { "type" : "exec", "source" : format!("bin/{program}") },
        { "type" : "perlscript", "source" : perl },
    ]);
    json!({ "appconfigitems" : both, "installers" : both, "upgraders" : both })
}

/// A host with the app and its accessory.
fn host() -> Host {
    let host = Host::new();
    let files = [("bin/one", TELLS), ("do.pl", TELLS_PERL)];
    let one = package(&host, ("app", "1"), &app(&scripts("one", "do.pl")), &files);
    let files = [("bin/acc", TELLS), ("do.pl", TELLS_PERL)];
    let two = package(&host, ("acc", "1"), &accessory(&scripts("acc", "do.pl")), &files);
    host.must(&["install", &one, &two]);
    host
}

#[test]
fn each_operation_reaches_programs_and_perl_alike() {
    let host = host();
    let alone = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let before = host.look();
    host.must(&["site", "deploy", &alone]);
    assert_eq!(told(&host), ["one deploy", "app deploy", "one install", "app install"]);

    let both = file(&host, &site("blog.example.org", '1', &[with('1', &["acc"])]));
    host.must(&["site", "deploy", &both]);
    let expected = [
        "app undeploy",
        "one undeploy",
        "one deploy",
        "app deploy",
        "acc deploy",
        "acc deploy",
        "one upgrade",
        "app upgrade",
        "acc install",
        "acc install",
    ];
    assert_eq!(told(&host), expected, "what is new is installed, what was there is upgraded");

    host.must(&["site", "redeploy", "blog.example.org"]);
    let told_again = told(&host);
    assert_eq!(told_again[..4], ["acc undeploy", "acc undeploy", "app undeploy", "one undeploy"]);
    assert_eq!(told_again[8..], ["one upgrade", "app upgrade", "acc upgrade", "acc upgrade"]);

    let alone = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &alone]);
    let expected = [
        "acc uninstall",
        "acc uninstall",
        "acc undeploy",
        "acc undeploy",
        "app undeploy",
        "one undeploy",
        "one deploy",
        "app deploy",
        "one upgrade",
        "app upgrade",
    ];
    assert_eq!(told(&host), expected, "what leaves is uninstalled before anything is undone");

    host.must(&["site", "undeploy", "blog.example.org"]);
    let expected = ["app uninstall", "one uninstall", "app undeploy", "one undeploy"];
    assert_eq!(told(&host), expected);
    assert_eq!(host.look(), before, "nothing of it is left");
    host.fails(&["site", "show", "blog.example.org"], 3, "there is no site");
}

#[test]
fn the_manifest_that_was_deployed_undoes_it() {
    let host = host();
    let one = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &one]);
    told(&host);
    let files = [("bin/other", TELLS)];
    let items = json!({ "appconfigitems" : [ { "type" : "exec", "source" : "bin/other" } ],
        "upgraders" : [ { "type" : "exec", "source" : "bin/other", "phase" : "resume" } ] });
    let newer = package(&host, ("app", "2"), &app(&items), &files);
    host.must(&["install", &newer]);
    let status = host.must(&["site", "status"]);
    assert!(status.contains("deployed") && status.contains("app"), "{status}");
    host.must(&["site", "update"]);
    let expected = ["app undeploy", "one undeploy", "other deploy", "other upgrade"];
    assert_eq!(told(&host), expected);
    assert!(host.must(&["site", "update"]).contains("newest"), "there is nothing to do");
    assert!(told(&host).is_empty());
    let used = host.run(&["remove", "ubos-app-2-1"]);
    assert!(used.0 != 0 && used.1.contains("site blog.example.org"), "{used:?}");
    host.must(&["remove", "ubos-app-1-1"]);
}

#[test]
fn a_program_is_given_every_variable_with_its_type() {
    let host = Host::new();
    let mut manifest = app(&json!({ "appconfigitems" : [
        { "type" : "tcpport", "name" : "web" },
        { "type" : "exec", "source" : "${package.codedir}/bin/one" },
    ]}));
    manifest["customizationpoints"] = json!({
        "flag" : { "type" : "boolean", "required" : false, "default" : { "value" : false } },
        "count" : { "type" : "integer", "required" : false, "default" : { "value" : 0 } },
        "text" : { "type" : "string", "required" : true },
        "salt" : { "type" : "string", "required" : false, "private" : true,
                   "default" : { "expression" : "${randomHex(20)}" } },
    });
    let folder = package(&host, ("app", "1"), &manifest, &[("bin/one", TELLS)]);
    host.must(&["install", &folder]);
    let mut one = with('1', &[]);
    one["customizationpoints"] =
        json!({ "app" : { "text" : { "value" : "${hostname} is text" } } });
    let path = file(&host, &site("blog.example.org", '1', &[one]));
    let said = host.must(&["site", "deploy", &path, "-v"]);
    assert!(!said.contains("very secret"), "{said}");
    let vars = std::fs::read(host.outside("vars.json")).unwrap();
    let vars: Value = serde_json::from_slice(&vars).unwrap();
    let points = &vars["installable"]["customizationpoints"];
    assert_eq!(points["flag"]["value"], json!(false));
    assert_eq!(points["count"]["value"], json!(0));
    assert_eq!(points["text"]["value"], json!("${hostname} is text"), "it is nobody's template");
    let salt = points["salt"]["value"].as_str().unwrap().to_owned();
    assert_eq!((salt.len(), points["salt"].get("filename")), (20, None));
    assert_eq!(vars["appconfig"]["tcpport"]["web"], json!(5001));
    assert_eq!(vars["appconfig"]["context"], json!("/app"));
    assert_eq!(vars["site"]["hostname"], json!("blog.example.org"));
    assert_eq!(vars["site"]["admin"]["credential"], json!("very secret"));
    let code = vars["package"]["codedir"].as_str().unwrap();
    assert!(std::path::Path::new(code).join("bin/one").exists(), "{code}");
    let text = points["text"]["filename"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(text).unwrap(), "${hostname} is text");

    // What was made once stays, and so does the port; another site gets another one.
    std::fs::remove_file(host.outside("vars.json")).unwrap();
    host.must(&["site", "redeploy", "blog.example.org"]);
    let vars: Value =
        serde_json::from_slice(&std::fs::read(host.outside("vars.json")).unwrap()).unwrap();
    assert_eq!(vars["installable"]["customizationpoints"]["salt"]["value"], json!(salt));
    std::fs::remove_file(host.outside("vars.json")).unwrap();
    let mut two = with('2', &[]);
    two["customizationpoints"] = json!({ "app" : { "text" : { "value" : "x" } } });
    let path = file(&host, &site("wiki.example.org", '2', &[two]));
    host.must(&["site", "deploy", &path]);
    let vars: Value =
        serde_json::from_slice(&std::fs::read(host.outside("vars.json")).unwrap()).unwrap();
    assert_eq!(vars["appconfig"]["tcpport"]["web"], json!(5002));

    for words in [&["site", "show", "blog.example.org"][..], &["site", "list", "--json"]] {
        let shown = host.must(words);
        assert!(!shown.contains(&salt) && !shown.contains("very secret"), "{shown}");
    }
    let shown: Value =
        serde_json::from_str(&host.must(&["site", "show", "blog.example.org", "--json"])).unwrap();
    assert_eq!(shown["appconfigs"][0]["customizationpoints"]["app"]["count"]["value"], json!(0));
    let left: Vec<_> = std::fs::read_dir(host.at("var/lib/cartwright/sites")).unwrap().collect();
    assert!(left.is_empty(), "the variables are forgotten");
}

#[test]
fn a_site_file_is_made_and_deployed() {
    let host = host();
    let path = host.outside("made.json").display().to_string();
    host.must(&[
        "site",
        "create",
        "new.example.org",
        "--app",
        "app",
        "--accessory",
        "acc",
        "--out",
        &path,
    ]);
    host.must(&["site", "deploy", &path, "--dry-run"]);
    assert!(told(&host).is_empty() && host.must(&["site", "list"]).matches("example").count() == 0);
    host.must(&["site", "deploy", &path]);
    assert_eq!(told(&host).len(), 8);
    let list: Value = serde_json::from_str(&host.must(&["site", "list", "--json"])).unwrap();
    let (key, site) = list["sites"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(site["siteid"].as_str().unwrap(), key);
    host.must(&["site", "undeploy", &key[..9]]);
}

#[test]
fn a_package_is_built_in_a_copy_without_a_network() {
    let host = Host::new();
    let folder = package(&host, ("app", "1"), &app(&scripts("one", "do.pl")), &[("one.in", TELLS)]);
    let build = r#"
pkgname=$(basename $(pwd))
pkgver=1
pkgrel=2
pkgdesc="An app"
package() {
    install -D -m0644 ${startdir}/ubos-manifest.json ${pkgdir}/ubos/lib/ubos/manifests/${pkgname}.json
    install -D -m0755 ${startdir}/one.in ${pkgdir}/ubos/share/${pkgname}/bin/one
    echo '1;' >${pkgdir}/ubos/share/${pkgname}/do.pl
    touch ${startdir}/touched
    if touch FOREIGN; then exit 9; fi
    if (exec 3<>/dev/tcp/127.0.0.1/PORT); then exit 8; fi
}
"#;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let foreign = host.at("foreign").display().to_string();
    let build = build.replace("FOREIGN", &foreign).replace("PORT", &port);
    let folder = std::path::Path::new(&folder);
    std::fs::write(folder.join("PKGBUILD"), build).unwrap();
    let named = folder.with_file_name("blog");
    std::fs::rename(folder, &named).unwrap();
    let out = host.outside("out");
    std::fs::create_dir(&out).unwrap();
    let words = ["build", named.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let (status, said) = host.run(&words);
    if said.contains("unshare") && status != 0 {
        crate::skip("a_package_is_built_in_a_copy_without_a_network", "no namespace can be made");
        return;
    }
    assert_eq!(status, 0, "{said}");
    assert!(!named.join("touched").exists() && !host.has("foreign"), "it works on a copy");
    let built = out.join("blog-1-2.tar.gz").display().to_string();
    host.must(&["install", &built]);
    assert_eq!(host.installed(), ["blog-1-2"]);
    let mut app = with('1', &[]);
    app["appid"] = "blog".into();
    let path = file(&host, &site("blog.example.org", '1', &[app]));
    host.must(&["site", "deploy", &path]);
    assert_eq!(told(&host), ["one deploy", "one install"]);
    std::fs::write(named.join("PKGBUILD"), "pkgname=x\npkgver=1\npackage() { false; }\n").unwrap();
    host.fails(&words, 1, "its functions ended with status 1");
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_accessory_may_run_a_script_of_its_app_where_the_original_has_it() {
    let host = host();
    let script = json!([ { "type" : "perlscript", "source" : "/ubos/share/app/do.pl" } ]);
    let folder = package(&host, ("plug", "1"), &accessory(&json!({ "installers" : script })), &[]);
    host.must(&["install", &folder]);
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &["plug"])]));
    host.must(&["site", "deploy", &path]);
    assert_eq!(told(&host).last().unwrap(), "plug install");
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert_eq!(told(&host)[0], "plug uninstall");
}

#[test]
fn answers_about_several_sites_are_one_document() {
    let host = host();
    let all = json!([
        site("blog.example.org", '1', &[with('1', &[])]),
        site("wiki.example.org", '2', &[with('2', &[])]),
    ]);
    let path = file(&host, &all);
    let asked = |words: &[&str]| -> (i32, Value) {
        let output = host.command(words).arg("--json").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let answer = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        (output.status.code().unwrap(), answer)
    };
    for words in [
        &["site", "deploy", &path, "--dry-run"][..],
        &["site", "deploy", &path],
        &["site", "redeploy", "--all"],
        &["site", "backup", "--all", "--out", "."],
    ] {
        let (status, answer) = asked(words);
        assert_eq!((status, answer["sites"].as_array().unwrap().len()), (0, 2), "{words:?}");
        let second = &answer["sites"][1];
        assert_eq!(second["site"], "wiki.example.org", "{words:?}");
        assert!(second["answer"]["plan"]["steps"].is_array(), "{words:?}");
    }
    assert_eq!(asked(&["site", "update"]), (0, json!({ "schema" : 1, "sites" : [] })));
    let one = asked(&["site", "redeploy", "wiki.example.org"]).1;
    assert!(one["plan"]["steps"].is_array(), "who names one site is answered about that");

    // The first is done, the second is not, and both are told.
    let mut all = all;
    all[1]["appconfigs"][0]["appid"] = "acc".into();
    let (status, answer) = asked(&["site", "deploy", &file(&host, &all)]);
    assert_eq!((status, &answer["sites"][1]["exit"]), (4, &json!(4)), "{answer}");
    assert_eq!(answer["sites"][0]["answer"]["changed"], true);
    let summary = answer["sites"][1]["answer"]["error"]["summary"].as_str().unwrap();
    assert!(summary.contains("wiki.example.org"), "{summary}");
}

#[test]
fn what_an_accessory_requires_comes_with_it() {
    let host = host();
    let mut manifest = accessory(&scripts("more", "do.pl"));
    manifest["accessoryinfo"]["requires"] = json!(["acc"]);
    let files = [("bin/more", TELLS), ("do.pl", TELLS_PERL)];
    host.must(&["install", &package(&host, ("more", "1"), &manifest, &files)]);
    manifest["accessoryinfo"]["requires"] = json!(["none"]);
    host.must(&["install", &package(&host, ("lonely", "1"), &manifest, &files)]);
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &["lonely"])]));
    host.fails(&["site", "deploy", &path], 3, "the package `none` is not installed");
    assert!(told(&host).is_empty());
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &["more"])]));
    host.must(&["site", "deploy", &path]);
    let told = told(&host);
    assert!(
        ["more deploy", "acc deploy", "acc install"]
            .iter()
            .all(|one| told.contains(&(*one).into())),
        "{told:?}"
    );
    let shown = host.must(&["site", "show", "blog.example.org"]);
    assert!(shown.contains("more") && shown.contains("acc"), "{shown}");
}

#[test]
fn a_site_signs_its_certificate_itself() {
    if !std::path::Path::new("/usr/bin/openssl").exists() {
        return crate::skip("a_site_signs_its_certificate_itself", "openssl is not installed");
    }
    let host = host();
    let path = host.outside("made.json").display().to_string();
    let words = ["site", "create", "new.example.org", "--app", "app", "--self-signed"];
    host.must(&[&words[..], &["--out", &path]].concat());
    let made: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let crt = host.outside("crt");
    std::fs::write(&crt, made["tls"]["crt"].as_str().unwrap()).unwrap();
    let mut asked = std::process::Command::new("/usr/bin/openssl");
    asked.args(["x509", "-noout", "-checkhost", "new.example.org", "-in"]).arg(crt);
    let said = String::from_utf8(asked.output().unwrap().stdout).unwrap();
    assert!(said.contains("does match"), "{said}");
    assert!(made["tls"]["key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));

    let mut open = site("blog.example.org", '1', &[with('1', &[])]);
    open["tls"] = json!({});
    let path = file(&host, &open);
    host.fails(&["site", "deploy", &path], 1, "`key` is missing");
    host.must(&["site", "deploy", "--template", &path]);
    let list: Vec<String> = host.must(&["site", "list"]).lines().map(str::to_owned).collect();
    assert!(
        list[1].split_whitespace().eq([
            "blog.example.org",
            "yes",
            &crate::package::id('s', '1'),
            "app"
        ]),
        "{list:?}"
    );
    let shown = host.must(&["site", "show", "blog.example.org", "--json"]);
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}
