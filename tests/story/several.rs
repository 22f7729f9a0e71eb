//! Several cartridges in one gear, several gears in one application: added and removed, required,
//! ordered, and told of each other, with the real program.

use crate::alone;
use crate::host::Host;
use serde_json::Value;
use std::path::Path;

/// A control script that runs a process of its own and writes down what it is told.
const CONTROL: &str = "#!/bin/bash\ncd \"$(dirname \"$0\")/..\"\n\
    echo \"$(basename \"$PWD\") $1\" >>\"$OPENSHIFT_DATA_DIR/told\"\ncase $1 in\n\
    start) sleep 1000 >/dev/null 2>&1 & echo $! >pid ;;\n\
    stop) if [[ -f pid ]]; then kill \"$(<pid)\" 2>/dev/null; rm -f pid; fi ;;\nesac\nexit 0\n";

/// A cartridge of the test's own: its name, its category, what else its manifest says, its files.
fn cartridge(
    host: &Host,
    name: &str,
    category: &str,
    more: &str,
    files: &[(&str, &str)],
) -> String {
    let manifest = format!(
        "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\nVersion: '1'\n\
         Cartridge-Version: '1.0'\nCategories: [{category}]\n{more}",
        name.to_uppercase()
    );
    host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
    host.write(&format!("{name}/bin/control"), CONTROL, 0o755);
    for (path, text) in files {
        let script = text.starts_with("#!");
        host.write(&format!("{name}/{path}"), text, if script { 0o755 } else { 0o644 });
    }
    host.place(name)
}

/// The database of the guide's example: it publishes how to reach it.
fn mysql(host: &Host) -> String {
    let more = "Provides: [mysql-5.1, sql]\n\
        Endpoints:\n- Private-IP-Name: DB_HOST\n  Private-Port-Name: DB_PORT\n  Private-Port: 23306\n\
        Publishes:\n  publish-mysql-connection-info:\n    Type: NET_TCP:db:mysql\n\
        \x20 publish-env:\n    Type: ENV:NET_TCP:db:connection-info\n\
        \x20 publish-nothing:\n    Type: NET_TCP:db:mysql\n";
    let info = "#!/bin/bash\necho CLIENT_MESSAGE: published\n\
        echo \"OPENSHIFT_MYSQL_DB_USERNAME=username;\"\necho \"OPENSHIFT_MYSQL_DB_HOST=$OPENSHIFT_MYSQL_DB_HOST;\"\n";
    let env = "#!/bin/bash\necho \"mysql_url=mysql://$OPENSHIFT_MYSQL_DB_HOST:$OPENSHIFT_MYSQL_DB_PORT/?a=b\"\necho HOME=/evil\n";
    let setup = "#!/bin/bash\necho secret >conf\n";
    let teardown = "#!/bin/bash\nrm -f conf\necho torn >>\"$OPENSHIFT_DATA_DIR/told\"\n";
    let files = [
        ("hooks/publish-mysql-connection-info", info),
        ("hooks/publish-env", env),
        ("bin/setup", setup),
        ("bin/teardown", teardown),
        ("bin/post_install", "#!/bin/bash\necho post >>\"$OPENSHIFT_DATA_DIR/told\"\n"),
    ];
    cartridge(host, "mysql", "service", more, &files)
}

/// The PHP of the guide's example: it writes down what it is told.
fn php(host: &Host) -> String {
    let more = "Provides: [php]\nSubscribes:\n  set-mysql-connection-info:\n    Type: NET_TCP:db:mysql\n\
        \x20 set-env:\n    Type: ENV:*\n  set-absent:\n    Type: NET_TCP:db:mysql\n\
        \x20 set-needed:\n    Type: NET_TCP:never\n    Required: true\n";
    let hook = "#!/bin/bash\necho -n \"$4\" >env/GIVEN\necho -n \"$1 $2 $3\" >env/WHO\n\
        echo -n \"$CART_PUBLISHED\" >env/BARE\n";
    cartridge(host, "php", "web_framework", more, &[("hooks/set-mysql-connection-info", hook)])
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn seen(host: &Host, gear: &str, name: &str) -> Option<String> {
    let (status, said) = host.run(&["gear", "exec", gear, "--", "printenv", name]);
    (status == 0).then(|| said.trim_end_matches('\n').to_owned())
}

fn names(shown: &Value) -> Vec<String> {
    let all = shown["cartridges"].as_array().unwrap().iter();
    all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn php_hears_of_the_mysql_that_is_added_as_in_the_guide() {
    let _alone = alone();
    let host = Host::new();
    let (php, mysql) = (php(&host), mysql(&host));
    let (status, said) = host.talk(&["gear", "create", "blog", &php, "--start"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("requires that somebody publishes `NET_TCP:never`"), "{said}");
    let pid = read(&host.home("blog").join("php/pid"));
    host.must(&["gear", "add", "blog", &mysql]);
    let added = host.last();
    let home = host.home("blog");
    let env = home.join("php/env");
    let shown = host.json(&["gear", "show", "blog"]);
    let uuid = shown["uuid"].as_str().unwrap();
    let address = shown["endpoints"][0]["address"].as_str().unwrap();
    let info = format!("OPENSHIFT_MYSQL_DB_USERNAME=username;\nOPENSHIFT_MYSQL_DB_HOST={address};");
    assert_eq!(read(&env.join("GIVEN")), format!("'{uuid}'='{info}'"));
    assert_eq!(read(&env.join("BARE")), info.replace('\n', " "));
    assert_eq!(read(&env.join("WHO")), format!("blog local {uuid}"));
    let url = format!("mysql://{address}:23306/?a=b");
    assert_eq!(read(&home.join(".env/mysql/MYSQL_URL")), url);
    assert_eq!(seen(&host, "blog", "MYSQL_URL").as_deref(), Some(&*url));
    assert!(!home.join(".env/mysql/HOME").exists(), "the platform's own are no cartridge's");
    // It goes on running; the new one was started.
    assert_eq!(read(&home.join("php/pid")), pid);
    assert!(home.join("mysql/pid").exists());
    assert_eq!(read(&home.join("app-root/data/told")), "php start\nmysql start\npost\n");
    assert_eq!(names(&shown), ["php", "mysql"]);
    host.must(&["verify"]);

    host.must(&["gear", "remove", "blog", "mysql"]);
    let removed = host.last();
    assert!(!home.join("mysql").exists() && !home.join(".env/mysql").exists());
    assert!(!home.join(".env/OPENSHIFT_MYSQL_DB_HOST").exists());
    assert_eq!(seen(&host, "blog", "MYSQL_URL"), None);
    assert!(read(&home.join("app-root/data/told")).ends_with("mysql stop\ntorn\n"));
    assert_eq!(read(&home.join("php/pid")), pid);
    let shown = host.json(&["gear", "show", "blog"]);
    assert_eq!((names(&shown), &shown["endpoints"]), (vec!["php".into()], &serde_json::json!([])));
    host.must(&["verify"]);

    // It comes back as it was before its teardown, and runs.
    host.must(&["undo", &removed]);
    assert_eq!(read(&home.join("mysql/conf")), "secret\n");
    assert_eq!(read(&home.join(".env/mysql/MYSQL_URL")), url);
    assert_eq!(read(&home.join(".env/OPENSHIFT_MYSQL_DB_HOST")), address);
    assert!(home.join("mysql/pid").exists());
    host.must(&["verify"]);
    host.must(&["undo", &added]);
    assert!(!home.join("mysql").exists() && !home.join(".env/mysql").exists());
    assert_eq!(host.run(&["info", "mysql"]).0, 3, "the package went with it");
    assert_eq!(read(&home.join("php/pid")), pid);
    host.must(&["gear", "stop", "blog"]);
    host.must(&["gear", "add", "blog", &mysql]);
    assert!(!home.join("mysql/pid").exists(), "a stopped gear stays so");
    host.must(&["gear", "destroy", "blog"]);
}

#[test]
fn gears_of_one_application_hear_of_each_other() {
    let _alone = alone();
    let host = Host::new();
    let (php, mysql) = (php(&host), mysql(&host));
    host.must(&["gear", "create", "blog", &php]);
    assert_eq!(host.run(&["gear", "create", "other", &php]).0, 0);
    host.must(&["gear", "create", "db", &mysql, "--app", "blog"]);
    let uuid = host.json(&["gear", "show", "db"])["uuid"].as_str().unwrap().to_owned();
    let home = host.home("blog");
    assert!(read(&home.join("php/env/GIVEN")).starts_with(&format!("'{uuid}'='OPENSHIFT_")));
    assert!(seen(&host, "blog", "MYSQL_URL").unwrap().starts_with("mysql://127."));
    assert!(!host.home("other").join(".env/mysql").exists(), "another application");
    assert_eq!(seen(&host, "db", "OPENSHIFT_APP_NAME").as_deref(), Some("blog"));
    assert_eq!(seen(&host, "db", "OPENSHIFT_GEAR_NAME").as_deref(), Some("db"));
    let app = seen(&host, "blog", "OPENSHIFT_APP_UUID");
    assert_eq!(seen(&host, "db", "OPENSHIFT_APP_UUID"), app);
    host.must(&["verify"]);
    for gear in ["db", "blog", "other"] {
        host.must(&["gear", "destroy", gear]);
    }
}

#[test]
fn what_provides_and_what_is_required_is_found() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["install", &php(&host), &mysql(&host)]);
    let more = "Requires: [php, [nosql, sql]]\nConfigure-Order: [sql, admin]\nConflicts: [cron]\n\
        Group-Overrides:\n- components: [php, admin]\n";
    let admin = cartridge(&host, "admin", "plugin", more, &[]);
    let (status, said) = host.talk(&["gear", "create", "blog", &admin]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("requires `php`") && said.contains("requires `sql`"), "{said}");
    assert_eq!(names(&host.json(&["gear", "show", "blog"])), ["php", "mysql", "admin"]);
    let cron = cartridge(&host, "cron", "embedded", "", &[]);
    let tree = host.tree();
    for (line, status, words) in [
        (vec!["gear", "add", "blog", &cron], 4, "conflicts with `cron`"),
        (vec!["gear", "add", "blog", "static-web"], 4, "web framework"),
        (vec!["gear", "add", "blog", "sql"], 4, "has a cartridge `mysql`"),
        (vec!["gear", "remove", "blog", "mysql"], 4, "`admin` requires `nosql` or `sql`"),
        (vec!["gear", "remove", "blog", "php"], 4, "destroy the gear instead"),
        (vec!["gear", "remove", "blog", "none"], 3, "no cartridge `none`"),
        (vec!["gear", "create", "x", "nothing"], 3, "no package is called"),
    ] {
        let (told, said) = host.run(&line);
        assert_eq!(told, status, "{line:?}: {said}");
        assert!(said.contains(words), "{line:?}: {said}");
        assert_eq!(host.tree(), tree, "{line:?}");
    }
    let other = cartridge(&host, "hhvm", "web_framework", "Provides: php\n", &[]);
    host.must(&["install", &other]);
    let (told, said) = host.run(&["gear", "create", "second", &admin]);
    assert_eq!(told, 0, "a name comes before what others provide: {said}");
    let third = cartridge(&host, "web5", "web_framework", "Provides: [web]\n", &[]);
    let fourth = cartridge(&host, "web6", "web_framework", "Provides: [web]\n", &[]);
    host.must(&["install", &third, &fourth]);
    let (told, said) = host.run(&["gear", "create", "x", "web"]);
    assert_eq!(told, 4, "{said}");
    assert!(said.contains("`test-web5`, `test-web6`"), "{said}");
    // Both at once may go.
    host.must(&["gear", "remove", "blog", "mysql", "admin"]);
    assert_eq!(names(&host.json(&["gear", "show", "blog"])), ["php"]);
    host.must(&["undo", &host.last()]);
    assert_eq!(names(&host.json(&["gear", "show", "blog"])), ["php", "mysql", "admin"]);
    host.must(&["verify"]);
}

#[test]
fn a_script_that_fails_leaves_the_gear_as_it_was() {
    let _alone = alone();
    for script in ["setup", "install", "post_install", "control"] {
        let host = Host::new();
        host.must(&["gear", "create", "blog", &php(&host), "--start"]);
        let mysql = mysql(&host);
        host.write(&format!("mysql/bin/{script}"), "#!/bin/bash\necho no >&2\nexit 3\n", 0o755);
        let pid = read(&host.home("blog").join("php/pid"));
        let before = host.tree();
        let (status, said) = host.run(&["gear", "add", "blog", &mysql]);
        assert_eq!(status, 9, "{script}: {said}");
        // What its scripts told the application's own data is not the platform's to forget.
        let told = |tree: &str| {
            let lines = tree.lines().filter(|line| !line.contains("app-root/data"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(told(&host.tree()), told(&before), "{script}");
        assert_eq!(read(&host.home("blog").join("php/pid")), pid);
        host.must(&["verify"]);
        host.must(&["gear", "destroy", "blog"]);
    }
}

#[test]
fn an_application_that_must_be_built_is_built_once_and_deployed_at_its_first_start() {
    let _alone = alone();
    let host = Host::new();
    let more = "Install-Build-Required: true\n";
    let web = cartridge(&host, "built", "web_framework", more, &[]);
    host.must(&["gear", "create", "blog", &web]);
    let told = host.home("blog").join("app-root/data/told");
    let build = "built update-configuration\nbuilt pre-build\nbuilt build\n";
    assert_eq!(read(&told), build);
    assert_eq!(host.json(&["gear", "show", "blog"])["state"], "new");
    host.must(&["gear", "start", "blog"]);
    let deployed = format!(
        "{build}built update-configuration\nbuilt deploy\nbuilt start\nbuilt post-deploy\n"
    );
    assert_eq!(read(&told), deployed);
    host.must(&["gear", "stop", "blog"]);
    host.must(&["gear", "start", "blog"]);
    assert_eq!(read(&told), format!("{deployed}built stop\nbuilt start\n"), "once");
    host.must(&["gear", "destroy", "blog"]);
    let failing = CONTROL.replace("case $1 in\n", "case $1 in\nbuild) exit 7 ;;\n");
    host.write("built/bin/control", &failing, 0o755);
    let before = host.tree();
    assert_eq!(host.run(&["gear", "create", "other", &web, "--start"]).0, 9);
    assert!(!host.home("other").exists());
    assert_eq!(host.tree().lines().count(), before.lines().count());
}
