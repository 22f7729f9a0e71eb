//! A host of the test's own: a root on a filesystem in memory, packages, and ways to look at it
//! that use none of the program's code.

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

#[path = "../support/processes.rs"]
mod processes;
#[path = "../support/supervisors.rs"]
mod supervisors;
#[path = "../support/tpkg.rs"]
mod tpkg;

use tpkg::Tpkg;

const MANIFEST: &str = "Name: NAME\nCartridge-Short-Name: NAME\nCartridge-Vendor: test\n\
    Cartridge-Version: '1.0'\nVersion: '1'\nVersions: ['1']\nDisplay-Name: Mock\n\
    Categories: [web_framework]\n";

/// The folders of packages, as they stand in the lines of scenarios.
const PACKAGES: [&str; 19] = [
    "PACKAGE", "REBUILD", "NEWER", "LATER", "BROKEN", "FAULTY", "OTHER", "WEB", "ADDON", "ASKING",
    "ASKED", "TPKG", "TPKG2", "APP", "APP2", "SITE", "ARCHIVE", "SHOP", "PROXY",
];

thread_local! {
    /// Where the cartridges of this test listen: the gears of all roots have the same addresses.
    static PORT: u16 = {
        static NEXT: AtomicU16 = AtomicU16::new(18734);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// Everything under the root that a person would miss, without what is random by nature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<String, String>);

impl Seen {
    /// What differs from before, and from after.
    pub(crate) fn difference(&self, before: &Self, after: &Self) -> String {
        let lines = |title: &str, other: &Self| {
            let names = self.0.keys().chain(other.0.keys());
            let mut names: Vec<_> =
                names.filter(|name| self.0.get(*name) != other.0.get(*name)).collect();
            names.sort();
            names.dedup();
            names.truncate(12);
            let show = |name: &&String| {
                format!("  {name}: {:?} for {:?}", self.0.get(*name), other.0.get(*name))
            };
            format!("{title}:\n{}\n", names.iter().map(show).collect::<Vec<_>>().join("\n"))
        };
        lines("unlike before", before) + &lines("unlike after", after)
    }
}

pub(crate) struct Host {
    temp: tempfile::TempDir,
    root: PathBuf,
}

impl Host {
    /// A root on a filesystem in memory, where there is one: thousands of them are made.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let temp = tempfile::tempdir_in(place).unwrap();
        let root = temp.path().join("host");
        Self::with(temp, root)
    }

    /// A root in a place that the test has made.
    pub(crate) fn rooted(place: &Path) -> Self {
        Self::with(tempfile::tempdir().unwrap(), place.join("host"))
    }

    fn with(temp: tempfile::TempDir, root: PathBuf) -> Self {
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["usr/bin", "usr/sbin"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let host = Self { temp, root };
        host.package("PACKAGE", "mock", "one");
        host.package("REBUILD", "mock", "two");
        host.package("OTHER", "other", "one");
        host.later("NEWER", "1.1", "Compatible-Versions: ['1.0']\n");
        host.later("LATER", "2.0", "");
        host.later("BROKEN", "1.1", "Compatible-Versions: ['1.0']\n");
        host.later("FAULTY", "2.0", "");
        for folder in ["BROKEN", "FAULTY"] {
            let upgrade = "#!/bin/bash\necho x >\"$OPENSHIFT_DATA_DIR/upgraded\"; rm -f mock/conf/mock.conf\n\
                mkdir \"$OPENSHIFT_DATA_DIR/more\"; exit 3\n";
            host.file(&format!("{folder}/bin/upgrade"), upgrade, 0o755);
        }
        host.package("WEB", "web", "one");
        host.front_end();
        host.addon();
        host.shop();
        host.asking();
        host.tpkg();
        host.sites();
        host
    }

    fn state(&self) -> PathBuf {
        self.root.join("var/lib/cartwright")
    }

    fn package(&self, folder: &str, name: &str, build: &str) {
        let file = |path: &str, text: &str| {
            let path = self.temp.path().join(folder).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let mode = if path.parent().unwrap().ends_with("bin") { 0o755 } else { 0o644 };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        file("metadata/manifest.yml", &MANIFEST.replace("NAME", name));
        file("metadata/managed_files.yml", "processed_templates:\n- conf/*.erb\n");
        file("env/OPENSHIFT_MOCK_LOG_DIR.erb", "<%= ENV['OPENSHIFT_LOG_DIR'] %>\n");
        file("conf/mock.conf.erb", "data = <%= ENV['OPENSHIFT_DATA_DIR'] %>\n");
        file("usr/build", build);
        file("template/app", "the application\n");
        for script in ["setup", "install", "teardown", "post_install"] {
            let told = "echo 'ENV_VAR_ADD: SHARED=a=b'; echo 'CART_DATA: user=admin'";
            let told = if script == "install" { told } else { "" };
            let text = format!(
                "#!/bin/bash\ntouch \"$OPENSHIFT_DATA_DIR/{script}\" \"$OPENSHIFT_TMP_DIR/{script}\"\n\
                 {told}\n"
            );
            file(&format!("bin/{script}"), &text);
        }
        let control = "file=$OPENSHIFT_DATA_DIR/pid\ncase $1 in\nstart)\n\
            sleep 1000 & begun sleep \"$file\" ;;\nstop) end sleep \"$file\" ;;\n\
            pre-repo-archive) rm -rf \"$OPENSHIFT_REPO_DIR\"/* ;;\n\
            build) echo built >\"$OPENSHIFT_REPO_DIR/built\" ;;\n\
            post-deploy) [[ -z $REFUSE ]] || exit 3 ;;\n\
            restart) \"$0\" stop; \"$0\" start ;;\nesac\nexit 0\n";
        file("bin/control", &with_daemons(control));
    }

    /// A later release of `PACKAGE`: some files change, some come and some go.
    fn later(&self, folder: &str, version: &str, more: &str) {
        self.package(folder, "mock", version);
        let manifest = MANIFEST.replace("NAME", "mock").replace("'1.0'", &format!("'{version}'"));
        self.file(&format!("{folder}/metadata/manifest.yml"), &format!("{manifest}{more}"), 0o644);
        self.file(&format!("{folder}/conf/new/file"), version, 0o644);
        std::fs::remove_dir_all(self.temp.path().join(folder).join("template")).unwrap();
        let managed = "processed_templates:\n- conf/*.erb\nsetup_rewritten:\n- conf/new/file\n";
        self.file(&format!("{folder}/metadata/managed_files.yml"), managed, 0o644);
        let upgrade = "#!/bin/bash\necho \"$*\" >\"$OPENSHIFT_DATA_DIR/upgraded\"\n";
        self.file(&format!("{folder}/bin/upgrade"), upgrade, 0o755);
    }

    /// Gives the package `WEB` routes and a public port, and the host a front end.
    fn front_end(&self) {
        // What every gear's creation goes through is tried with the other packages.
        for tree in ["bin/setup", "bin/install", "bin/teardown", "bin/post_install", "template/app"]
        {
            std::fs::remove_file(self.temp.path().join("WEB").join(tree)).unwrap();
        }
        std::fs::remove_dir(self.temp.path().join("WEB/template")).unwrap();
        let manifest = self.temp.path().join("WEB/metadata/manifest.yml");
        let endpoints = "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  \
            Private-Port: 18733\n  Public-Port-Name: OUT\n  Mappings:\n  \
            - {Frontend: '', Backend: ''}\n  \
            - {Frontend: /secret, Backend: /secret, Options: {tohttps: true}}\n";
        let text = std::fs::read_to_string(&manifest).unwrap() + endpoints;
        std::fs::write(manifest, text).unwrap();
        let settings = self.root.join("etc/cartwright");
        std::fs::create_dir_all(&settings).unwrap();
        let text = "frontend:\n  nginx:\n    enabled: true\n    program: 'true'\n    \
            reload: ['true']\n  apache:\n    enabled: true\n    program: ['true']\n    \
            reload: ['true']\n";
        self.file("WEB/httpd.d/a.conf.erb", "Redirect gone /<%= ENV['HOME'] %>\n", 0o644);
        self.file("WEB/httpd.d/a.html", "a\n", 0o644);
        std::fs::write(settings.join("config.yml"), text).unwrap();
    }

    /// A cartridge for a gear that runs: its scripts keep to its own folder, it listens, publishes,
    /// and hears itself.
    fn addon(&self) {
        let manifest = MANIFEST.replace("NAME", "addon").replace("web_framework", "plugin");
        let more = "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  \
            Private-Port: LISTENED\n  Mappings:\n  - {Frontend: /addon, Backend: ''}\n\
            Publishes:\n  publish-info: {Type: 'NET_TCP:db'}\n  publish-env: {Type: 'ENV:db'}\n\
            Subscribes:\n  set-info: {Type: 'NET_TCP:db'}\n  set-env: {Type: 'ENV:*'}\n";
        let more = more.replace("LISTENED", &PORT.with(u16::to_string));
        self.file("ADDON/metadata/manifest.yml", &format!("{manifest}{more}"), 0o644);
        let managed = "locked_files:\n- conf\n- kept\n";
        self.file("ADDON/metadata/managed_files.yml", managed, 0o644);
        let control = "cd \"$(dirname \"$0\")/..\"\ncase $1 in\n\
            start) perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, \
            ReuseAddr => 1, LocalAddr => $ENV{OPENSHIFT_ADDON_IP}, \
            LocalPort => $ENV{OPENSHIFT_ADDON_PORT}) or die $!; sleep 1000' & begun perl pid ;;\n\
            stop) end perl pid ;;\nesac\n\
            exit 0";
        self.file("ADDON/bin/control", &with_daemons(control), 0o755);
        let scripts = [
            ("bin/setup", "echo setup >conf"),
            ("bin/teardown", "echo torn >conf; rm -f env/GIVEN"),
            ("hooks/publish-info", "echo one; echo two"),
            ("hooks/publish-env", "echo addon_url=x; echo ADDON_OTHER=y"),
            ("hooks/set-info", "[[ $4 == *one* ]] && echo -n \"$CART_PUBLISHED\" >env/GIVEN"),
            ("hooks/set-env", "exit 0"),
        ];
        for (path, text) in scripts {
            self.file(&format!("ADDON/{path}"), &format!("#!/bin/bash\n{text}\n"), 0o755);
        }
    }

    /// A web framework that listens, and a web proxy: which gears it knows, and which of them get no
    /// requests, can be seen.
    fn shop(&self) {
        let manifest = MANIFEST.replace("NAME", "shop");
        let more = "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  \
            Private-Port: LISTENED\n";
        let more = more.replace("LISTENED", &PORT.with(u16::to_string));
        self.file("SHOP/metadata/manifest.yml", &format!("{manifest}{more}"), 0o644);
        self.file("SHOP/template/app", "the application\n", 0o644);
        let control = "cd \"$(dirname \"$0\")/..\"\ncase $1 in\n\
            build) echo built >\"$OPENSHIFT_REPO_DIR/built\" ;;\n\
            start) perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, \
            ReuseAddr => 1, LocalAddr => $ENV{OPENSHIFT_SHOP_IP}, \
            LocalPort => $ENV{OPENSHIFT_SHOP_PORT}) or die $!; sleep 1000' & begun perl pid ;;\n\
            stop) end perl pid ;;\nesac\nexit 0\n";
        self.file("SHOP/bin/control", &with_daemons(control), 0o755);
        let manifest = MANIFEST.replace("NAME", "proxy").replace("web_framework", "web_proxy");
        self.file("PROXY/metadata/manifest.yml", &manifest, 0o644);
        let control = "cd \"$OPENSHIFT_DATA_DIR\"\naction=$1\nshift\ncase $action in\n\
            start) sleep 1000 & begun sleep pid ;;\nstop) end sleep pid ;;\n\
            update-cluster) echo $# >known ;;\n\
            disable-server) touch out-of-rotation ;;\nenable-server) rm -f out-of-rotation ;;\n\
            esac\nexit 0\n";
        self.file("PROXY/bin/control", &with_daemons(control), 0o755);
    }

    /// Two releases of a cartridge that asks externals, one that is called and one that is left a
    /// request, and the one that is called: what it was asked for lies below `etc`.
    fn asking(&self) {
        let releases = [
            ("ASKING", "1.0", "- {name: called, data: old}\n"),
            ("ASKED", "2.0", "- {name: left, datafile: more}\n"),
        ];
        for (folder, version, more) in releases {
            let manifest =
                MANIFEST.replace("NAME", "asking").replace("'1.0'", &format!("'{version}'"));
            let externals = "Externals:\n- {name: called, data: the same}\n\
                - {name: left, datascript: ./made}\n- {name: called, datafile: more}\n";
            let manifest = format!("{manifest}{externals}{more}");
            self.file(&format!("{folder}/metadata/manifest.yml"), &manifest, 0o644);
            self.file(&format!("{folder}/bin/control"), "#!/bin/bash\nexit 0\n", 0o755);
            let made = format!("#!/bin/bash\necho {version}\n");
            self.file(&format!("{folder}/made"), &made, 0o755);
            self.file(&format!("{folder}/more"), &format!("more {version}"), 0o644);
        }
        let settings = self.root.join("etc/cartwright");
        let text = std::fs::read_to_string(settings.join("config.yml")).unwrap();
        let text = text + "externals:\n  left: {mode: request}\n";
        std::fs::write(settings.join("config.yml"), text).unwrap();
        std::fs::create_dir_all(settings.join("externals")).unwrap();
        let place = self.root.join("etc/asked");
        std::fs::create_dir_all(&place).unwrap();
        let called = format!(
            "#!/bin/bash\ndata=$(cat)\nfile='{}'/\"${{data// /-}}\"\n\
             if [[ $2 == install ]]; then echo \"$1\" >\"$file\"; else rm -f \"$file\"; fi\n",
            place.display()
        );
        let program = settings.join("externals/called");
        std::fs::write(&program, called).unwrap();
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Two releases of a package of tpkg: files of every kind come, change and go.
    fn tpkg(&self) {
        std::fs::create_dir_all(self.root.join("etc/rc3.d")).unwrap();
        // Whether its service runs can be seen below `etc`.
        let runs = "cd \"$(dirname \"$0\")/../../../etc\" || exit\ncase $1 in\n\
            start) touch small-runs ;;\nstop) rm -f small-runs ;;\n\
            status) [[ -e small-runs ]] || exit 3 ;;\nesac";
        let common = |version: &str, more: &str| {
            Tpkg::new("small", version)
                .says(&format!("externals:\n- name: called\n  data: {more}"))
                .script("preinstall", "true")
                .script("reloc/bin/hello", &format!("echo {version}\n{runs}"))
                .of("bin/hello", "    init:\n      start: 20\n      levels: [3]")
                .file("reloc/etc/conf", version)
                .of("etc/conf", "    config: true")
                .file("reloc/lines", &format!("1 1 1 1 1 {more}\n"))
                .of("lines", "    crontab:\n      user: root")
        };
        let old = common("1", "old").file("root/usr/share/small/gone", "x").link("reloc/link", "a");
        let new = common("2", "new")
            .file("root/usr/share/other/come", "y")
            .file("reloc/lines2", "2 2 2 2 2 x\n")
            .of("lines2", "    crontab: {}")
            .link("reloc/link", "b");
        for (name, package) in [("TPKG", old), ("TPKG2", new)] {
            std::fs::write(self.temp.path().join(name), package.bytes()).unwrap();
        }
        // What tpkg itself has installed, as in its oldest releases without records.
        let old = Tpkg::new("known", "1").file("reloc/known", "x");
        let installed = self.root.join("srv/old/var/tpkg/installed");
        std::fs::create_dir_all(&installed).unwrap();
        std::fs::write(installed.join("known-1.tpkg"), old.bytes()).unwrap();
        std::fs::write(self.root.join("srv/old/known"), "x").unwrap();
    }

    /// Releases of an app of UBOS, and a site: things of every kind come, change and go, with data
    /// that are kept.
    fn sites(&self) {
        let app = |folder: &str, version: &str| {
            let manifest = r#"{ "type" : "app", "externals" : [
                { "name" : "called", "data" : "the same" }, { "name" : "called", "datafile" : "one" },
                { "name" : "left", "datafile" : "one" } ], "roles" : { "apache2" : { "defaultcontext" : "/a",
                "appconfigitems" : [ { "type" : "file", "name" : "index.html", "source" : "one" } ]
                }, "generic" : { "appconfigitems" : [
                { "type" : "directory", "name" : "/opt/app/data", "retentionpolicy" : "keep",
                  "retentionbucket" : "data" },
                { "type" : "file", "name" : "/etc/app/conf", "template" : "conf",
                  "templatelang" : "varsubst" },
                { "type" : "tcpport", "name" : "web" },
                { "type" : "systemd-service", "name" : "app@${site.hostname}" },
                { "type" : "exec", "source" : "bin/item" } ],
                "installers" : [ { "type" : "exec", "source" : "bin/task" } ],
                "upgraders" : [ { "type" : "exec", "source" : "bin/task" } ] } } }"#;
            // The root is another one each time, and packages are to be the same.
            let item = format!(
                "#!/bin/bash\nroot=${{0%%/var/lib/*}}\n\
                 case $1 in deploy) echo {version} >\"$root/etc/effect\" ;; \
                 *) rm -f \"$root/etc/effect\" ;; esac\n"
            );
            let build = format!("pkgname=app\npkgver={version}\n");
            self.file(&format!("{folder}/PKGBUILD"), &build, 0o644);
            self.file(&format!("{folder}/ubos-manifest.json"), manifest, 0o644);
            self.file(&format!("{folder}/one"), version, 0o644);
            self.file(&format!("{folder}/conf"), "${site.hostname}\n", 0o644);
            self.file(&format!("{folder}/bin/item"), &item, 0o755);
            // What it does, its inverse takes back: with the folder, data that are its own come and go.
            let task = format!(
                "#!/bin/bash\ndata=${{0%%/var/lib/*}}/opt/app/data/of-{version}\n\
                 case $1 in uninstall) rm -f \"$data\" ;; *) echo {version} >\"$data\" ;; esac\n"
            );
            self.file(&format!("{folder}/bin/task"), &task, 0o755);
        };
        app("APP", "1");
        app("APP2", "2");
        let (site, app) = ("5".repeat(40), "6".repeat(40));
        let text = format!(
            r#"{{ "siteid" : "s{site}", "hostname" : "app.example.org", "admin" : {{ "userid" : "a",
            "username" : "A", "credential" : "secret1", "email" : "a@b.org" }}, "appconfigs" :
            [ {{ "appconfigid" : "a{app}", "appid" : "app" }} ] }}"#
        );
        self.file("SITE", &text, 0o600);
    }

    fn file(&self, path: &str, text: &str, mode: u32) {
        let path = self.temp.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Makes a script of the package fail, after it has done its work.
    pub(crate) fn make_fail(&self, script: &str) {
        let name = if script == "start" { "control" } else { script };
        let path = self.temp.path().join("PACKAGE/bin").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let failing = match script {
            "start" => text.replace("begun sleep \"$file\" ;;", "begun sleep \"$file\"; exit 3 ;;"),
            _ => format!("{text}exit 3\n"),
        };
        assert_ne!(failing, text, "it can fail");
        std::fs::write(&path, failing).unwrap();
    }

    /// Makes the folder of a package another version of it.
    fn publish(&self, folder: &str, version: &str) {
        let manifest = format!("{folder}/metadata/manifest.yml");
        let text = std::fs::read_to_string(self.temp.path().join(&manifest)).unwrap();
        let (before, rest) = text.split_once("Cartridge-Version: '").unwrap();
        let (_, after) = rest.split_once('\'').unwrap();
        self.file(&manifest, &format!("{before}Cartridge-Version: '{version}'{after}"), 0o644);
        self.file(&format!("{folder}/usr/build"), version, 0o644);
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.arg("--root").arg(&self.root).args(["-y", "-q"]);
        for word in line {
            let is_package = PACKAGES.contains(word);
            if is_package {
                command.arg(self.temp.path().join(word))
            } else {
                command.arg(word)
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &[&str]) -> Option<i32> {
        self.command(line).status().unwrap().code()
    }

    /// Runs a command that has to succeed.
    pub(crate) fn must(&self, line: &[&str]) {
        if let ["NEWER" | "OLDER", folder] = line {
            return self.publish(folder, if line[0] == "NEWER" { "2.0" } else { "1.0" });
        }
        let output = self.command(line).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line:?}: {}: {said}", output.status);
    }

    /// Runs a command to its end, and lists the checkpoints that it passes: the kind of step, its
    /// phase, and the checkpoint's name.
    pub(crate) fn passed(&self, line: &[&str]) -> Vec<String> {
        self.passed_to(line, 0)
    }

    /// The same of a command that ends with this status.
    pub(crate) fn passed_to(&self, line: &[&str], expected: i32) -> Vec<String> {
        let list = self.temp.path().join("checkpoints");
        let mut command = self.command(line);
        let status = command.env("CART_CHECKPOINTS", &list).status().unwrap();
        assert_eq!(status.code(), Some(expected), "{line:?}: {status}");
        let text = std::fs::read_to_string(&list).unwrap_or_default();
        let _ = std::fs::remove_file(&list);
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    /// Runs a command that is killed at its `number`-th checkpoint; tells whether it came so far.
    pub(crate) fn killed(&self, line: &[&str], number: usize) -> bool {
        let mut command = self.command(line);
        let status: ExitStatus = command.env("CART_KILL_AT", number.to_string()).status().unwrap();
        status.signal() == Some(9)
    }

    /// How many transactions have happened, as the database itself says.
    pub(crate) fn happened(&self) -> usize {
        let Ok(db) = Connection::open(self.state().join("cart.db")) else { return 0 };
        let count = "SELECT count(*) FROM txn WHERE state IN ('committed', 'finished')";
        let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    }

    /// Whether the package `mock` is installed.
    pub(crate) fn is_installed(&self) -> bool {
        self.run(&["info", "mock"]) == Some(0)
    }

    /// Looks at every file that matters.
    pub(crate) fn look(&self) -> Seen {
        let mut seen = BTreeMap::new();
        for folder in ["library", "templates", "gears", "frontend"] {
            look_into(&self.state(), Path::new(folder), &mut seen);
        }
        look_into(&self.root, Path::new("usr"), &mut seen);
        look_into(&self.root, Path::new("etc"), &mut seen);
        look_into(&self.root, Path::new("opt"), &mut seen);
        look_into(&self.root, Path::new("var/spool"), &mut seen);
        let placed = "SELECT group_concat(path || ' ' || role, ', ') FROM (SELECT * FROM placed \
                      JOIN package ON id = package WHERE removed_by IS NULL ORDER BY path)";
        seen.insert("placed".into(), self.rows(placed).unwrap_or_default());
        look_into(&self.root, Path::new("ubos"), &mut seen);
        look_into(&self.state(), Path::new("units"), &mut seen);
        look_into(&self.state(), Path::new("sites"), &mut seen);
        let sites = "SELECT group_concat(hostname || ' ' || name || ' ' || place, ', ') FROM site \
                     JOIN site_package ON site = id";
        seen.insert("sites".into(), self.rows(sites).unwrap_or_default());
        let given = "SELECT group_concat(kind || ' ' || name || ' ' || value, ', ') \
                     FROM (SELECT * FROM site_resource ORDER BY kind, name)";
        seen.insert("given".into(), self.rows(given).unwrap_or_default());
        // Folders of the state are made before the first transaction, and stay.
        for folder in ["nginx", "nginx/stream", "apache", "tls"] {
            let folder = &*format!("frontend/{folder}");
            seen.remove(folder);
        }
        // Deployments are alike but for their names: which one is seen is told by what was built.
        let live = self.state().join("gears/blog/app-root/runtime/repo/built");
        seen.insert("live".into(), live.exists().to_string());
        let archive = self.temp.path().join("ARCHIVE");
        seen.insert("archive".into(), archive.exists().to_string());
        seen.insert("processes".into(), self.processes().len().to_string());
        let told = "SELECT group_concat(scope || ' ' || name || '=' || coalesce(value, '-'), ', ') \
                    FROM told WHERE withdrawn_by IS NULL";
        seen.insert("told".into(), self.rows(told).unwrap_or_default());
        let held = "SELECT group_concat(name || ': ' || reason, ', ') FROM hold \
                    WHERE released_by IS NULL";
        seen.insert("held".into(), self.rows(held).unwrap_or_default());
        let asked = "SELECT group_concat(holder || ' ' || file || ' ' || ordinal || ' ' || name || ' ' \
                     || CAST(data AS TEXT) || ' ' || state, ', ') FROM (SELECT * FROM external \
                     WHERE withdrawn_by IS NULL OR state = 'waiting' ORDER BY ordinal, name, id)";
        seen.insert("asked".into(), self.rows(asked).unwrap_or_default());
        for entry in std::fs::read_dir(self.state().join("spool")).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            // The moment, the gear's identifier and the place of this host are nobody else's.
            let own = ["\"asked\"", "\"gear\"", "\"tpkg_home\""];
            let lines = text.lines().filter(|line| !own.iter().any(|name| line.contains(name)));
            let name = format!("spool/{}", entry.file_name().to_string_lossy());
            seen.insert(name, lines.collect());
        }
        Seen(seen)
    }

    /// The answer of the database, read directly, to a question of one text.
    fn rows(&self, question: &str) -> Option<String> {
        let path = self.state().join("cart.db");
        let db = path.exists().then(|| Connection::open(path).unwrap())?;
        db.query_row(question, [], |row| row.get(0)).unwrap()
    }

    /// The living processes that began below this root.
    fn processes(&self) -> Vec<String> {
        let marked = processes::marked(&format!("CART_STATE={}", self.state().display()));
        let id = |place: PathBuf| place.file_name().unwrap().to_str().unwrap().to_owned();
        marked.into_iter().map(id).collect()
    }

    /// Compares the database, read directly, with the disk.
    pub(crate) fn agrees(&self, what: &str) {
        let path = self.state().join("cart.db");
        if !path.exists() {
            return;
        }
        let db = Connection::open(path).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut select = db.prepare(sql).unwrap();
            let rows = select.query_map([], |row| row.get(0)).unwrap();
            let mut found: Vec<String> = rows.map(Result::unwrap).collect();
            found.sort();
            found
        };
        assert_eq!(texts("PRAGMA integrity_check"), ["ok"], "{what}");
        let open = "SELECT state FROM txn WHERE state NOT IN ('finished', 'undone')";
        assert!(texts(open).is_empty(), "{what}: {:?}", texts(open));
        let places = texts("SELECT place FROM package WHERE removed_by IS NULL");
        assert_eq!(places, self.folders("library", 3), "{what}: packages");
        let gears = texts("SELECT name FROM gear WHERE destroyed_by IS NULL");
        assert_eq!(gears, self.folders("gears", 1), "{what}: gears");
        let reserved = texts("SELECT DISTINCT gear FROM reservation WHERE kind <> 'site-port'");
        let site_ports = texts("SELECT value FROM reservation WHERE kind = 'site-port'");
        let of_sites =
            texts("SELECT kind || '/' || value FROM site_resource WHERE kind IN ('tcp', 'udp')");
        assert_eq!(site_ports, of_sites, "{what}: ports of sites");
        let ports = texts("SELECT value FROM reservation WHERE kind = 'public-port'");
        let given =
            texts("SELECT CAST(public_port AS TEXT) FROM endpoint WHERE public_port NOT NULL");
        assert_eq!(ports, given, "{what}: public ports");
        let known = texts("SELECT uuid FROM gear");
        assert_eq!(reserved, known, "{what}: reservations");
        let stashes = texts("SELECT CAST(id AS TEXT) FROM txn WHERE keeps IS NOT NULL");
        assert_eq!(stashes, self.folders("stash", 1), "{what}: stashes");
        if gears.is_empty() {
            assert!(self.processes().is_empty(), "{what}: processes are left");
        }
    }

    fn folders(&self, folder: &str, depth: usize) -> Vec<String> {
        let mut level = vec![PathBuf::new()];
        for _ in 0..depth {
            let names = |path: &PathBuf| {
                let inside = std::fs::read_dir(self.state().join(folder).join(path));
                let entries = inside.into_iter().flatten().flatten();
                entries.map(|entry| path.join(entry.file_name())).collect::<Vec<_>>()
            };
            level = level.iter().flat_map(names).collect();
        }
        let mut found: Vec<_> = level.iter().map(|path| path.display().to_string()).collect();
        found.sort();
        found
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for id in self.processes() {
            drop(Command::new("kill").args(["-9", &id]).status());
        }
        supervisors::end(&self.state());
        // Library trees have no write bits, which keeps their owner from removing them.
        drop(Command::new("chmod").arg("-R").arg("u+w").arg(self.temp.path()).status());
    }
}

/// A control script that begins and ends daemons: `begun` waits until the last one is the program that
/// it is to become, `end` ends only that. Thousands of processes are made here: a number that was
/// written down may be another's by now.
fn with_daemons(script: &str) -> String {
    let is = "is() { { local name; read -rd '' name <\"/proc/$2/cmdline\"; } 2>/dev/null && \
        [[ $name == \"$1\" ]]; }";
    let begun =
        "begun() { echo $! >\"$2\"; while kill -0 $! 2>/dev/null && ! is \"$1\" $!; do :; done; }";
    let end = "end() { if [[ -f $2 ]]; then if is \"$1\" \"$(<\"$2\")\"; then kill \"$(<\"$2\")\"; fi; \
        rm -f \"$2\"; fi; }";
    format!("#!/bin/bash\n{is}\n{begun}\n{end}\n{script}\n")
}

fn look_into(state: &Path, inside: &Path, seen: &mut BTreeMap<String, String>) {
    let Ok(entries) = std::fs::read_dir(state.join(inside)) else { return };
    for entry in entries.flatten() {
        let path = inside.join(entry.file_name());
        let meta = entry.metadata().unwrap();
        let kind = meta.file_type();
        let name = without_random(&path.display().to_string());
        let content = if kind.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap().display().to_string();
            without_random(&target.replace(&state.display().to_string(), "[STATE]"))
        } else if kind.is_file() {
            content(&entry.path(), &state.display().to_string())
        } else {
            String::new()
        };
        let mode = meta.permissions().mode();
        seen.insert(name, format!("{mode:o} {content}"));
        if kind.is_dir() {
            look_into(state, &path, seen);
        }
    }
}

/// The content of a file, without what differs from run to run: where the state lies, the gear's
/// identifier and secret, times and process numbers. Objects of git are named by their content.
fn content(path: &Path, state: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let random = [
        "OPENSHIFT_GEAR_UUID",
        "OPENSHIFT_APP_UUID",
        "OPENSHIFT_SECRET_TOKEN",
        "pid",
        // Those of the further gears of an application are made of their identifiers.
        "OPENSHIFT_GEAR_NAME",
        "OPENSHIFT_GEAR_DNS",
    ];
    // A certificate is drawn anew each time.
    let is_drawn = [".crt", ".key"].iter().any(|end| name.ends_with(end));
    if is_drawn
        || random.contains(&name.as_str())
        || name == "metadata.json"
        || name == ".gitconfig"
    {
        return "[RANDOM]".into();
    }
    let bytes = std::fs::read(path).unwrap();
    if name == "gear-registry.json" {
        // In the order of their identifiers.
        let text = String::from_utf8_lossy(&bytes);
        return format!("{} gears", text.matches("proxy_port").count());
    }
    if name.starts_with("OPENSHIFT_") && name.ends_with("_OUT") {
        return "[PORT]".into();
    }
    let text = String::from_utf8_lossy(&bytes).replace(state, "[STATE]");
    let root = state.strip_suffix("/var/lib/cartwright").unwrap_or(state);
    without_address(&text.replace(root, "[ROOT]"))
}

/// A gear's addresses come of its number, which depends on the users of this host.
fn without_address(text: &str) -> String {
    let (mut all, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("127.") {
        all.push_str(&rest[..at]);
        let tail = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        all.push_str("[ADDRESS]");
        rest = tail;
    }
    without_public_port(&(all + rest))
}

/// So do its public ports: they stand in nginx's `stream`.
fn without_public_port(text: &str) -> String {
    let mut parts = text.split("{ listen ");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        all.push_str("{ listen [PORT]");
        all.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    all
}

/// A deployment is named by its time and by eight random digits.
fn without_random(path: &str) -> String {
    let part = |part: &str| {
        let is_time = part.len() == 23 && part.starts_with("20") && part.contains('_');
        let is_id = part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_time || is_id { "[DEPLOYMENT]".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
