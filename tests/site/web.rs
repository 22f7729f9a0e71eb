//! A real Apache, unprivileged on a high port, that includes what `cart` writes of sites.

use crate::host::Host;
use crate::package::{file, package, site, told, with};
use crate::servers::is_root;
use crate::skip;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const APACHE: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

pub(crate) struct Apache {
    temp: tempfile::TempDir,
    port: u16,
}

/// What else a server has.
pub(crate) struct More {
    /// The module by which it runs.
    pub(crate) mpm: &'static str,
    /// Its further settings.
    pub(crate) text: String,
    /// Further settings of `cart`.
    pub(crate) settings: String,
}

impl Default for More {
    fn default() -> Self {
        Self { mpm: "mpm_event", text: String::new(), settings: String::new() }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _ = self.command(&["-k", "stop"]).output();
        // It removes its own file of processes last.
        for _ in 0..100 {
            if !self.temp.path().join("pid").exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Apache {
    pub(crate) fn start(test: &str, host: &Host, more: &More) -> Option<Self> {
        if !Path::new(APACHE).exists() || !Path::new(MODULES).exists() {
            skip(test, "apache2 is not installed");
            return None;
        }
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let apache = Self { temp, port };
        let include = host.at("var/lib/cartwright/frontend/apache");
        std::fs::create_dir_all(&include).unwrap();
        let modules = [more.mpm, "authz_core", "alias", "dir", "mime", "rewrite", "headers"];
        let load = |name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n");
        let modules = modules.map(load).concat();
        let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
        let text = format!(
            "{modules}{user}{3}ServerName localhost\nServerRoot {0}\nPidFile {0}/pid\n\
             ErrorLog {0}/error.log\nMutex file:{0}\nDefaultRuntimeDir {0}\n\
             TypesConfig /etc/mime.types\nListen 127.0.0.1:{1}\n\
             <Directory />\n    Require all denied\n</Directory>\nIncludeOptional {2}/*.conf\n",
            apache.temp.path().display(),
            apache.port,
            include.display(),
            more.text,
        );
        std::fs::write(apache.conf(), text).unwrap();
        let program = format!("{APACHE}, -f, {}", apache.conf().display());
        let settings = format!(
            "frontend:\n  apache:\n    enabled: true\n    http_port: {}\n    address: 127.0.0.1\n    \
             program: [{program}]\n    reload: [{program}, -k, graceful]\n{}",
            apache.port, more.settings
        );
        host.write("etc/cartwright/config.yml", &settings);
        let said = apache.command(&["-k", "start"]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        Some(apache)
    }

    fn conf(&self) -> PathBuf {
        self.temp.path().join("httpd.conf")
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(APACHE);
        command.arg("-f").arg(self.conf()).args(more).stdin(Stdio::null());
        command
    }

    /// The whole answer to a request for `path` of a host.
    fn ask(&self, host: &str, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: {host}"), "")
    }

    /// Sends a form.
    pub(crate) fn send(&self, (host, path): (&str, &str), form: &str) {
        let kind = "application/x-www-form-urlencoded";
        let length = form.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}"
        );
        let said = self.request(&head, form);
        assert!(said.contains(" 200 "), "{said}");
    }

    fn request(&self, head: &str, body: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return String::new();
        };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "{head}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The answer, once it has `expected` in it: settings are read anew a moment after that was asked.
    #[track_caller]
    pub(crate) fn answers(&self, (host, path): (&str, &str), expected: &str) {
        let mut said = String::new();
        for _ in 0..100 {
            said = self.ask(host, path);
            if said.contains(expected) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{host}{path}: {expected:?}: {said}");
    }
}

fn manifest() -> Value {
    json!({
        "type" : "app",
        "roles" : { "apache2" : {
            "defaultcontext" : "/app",
            "apache2modules" : [ "headers" ],
            "appconfigitems" : [
                { "type" : "file", "name" : "index.html", "template" : "page", "templatelang" : "varsubst" },
                { "type" : "file", "name" : ".htaccess", "source" : "access" },
                { "type" : "file", "name" : "${appconfig.apache2.appconfigfragmentfile}",
                  "template" : "fragment", "templatelang" : "varsubst" },
                { "type" : "symlink", "name" : "linked.html", "source" : "linked" },
                { "type" : "exec", "source" : "bin/item" }
            ],
            "upgraders" : [ { "type" : "exec", "source" : "bin/task" } ],
            "wellknown" : { "robots.txt" : { "disallow" : [ "/private" ] },
                "told" : { "value" : "a word" } }
        } }
    })
}

fn release(host: &Host, version: &str, task: &str) {
    let asks = "#!/bin/bash\nport=$(grep -o 'port: [0-9]*' \"${0%/library/*}\"/../../../etc/cartwright/config.yml)\n\
        echo \"$1 $(curl -s -o /dev/null -w '%{http_code}' -H 'Host: blog.example.org' \
        \"http://127.0.0.1:${port#port: }/app/\")\" >>\"$HOME/told\"\n";
    let files = [
        ("page", "version VERSION of ${site.hostname}\n"),
        ("access", "Header set X-App here\n"),
        ("fragment", "Redirect gone ${appconfig.context}/left\n"),
        ("linked", "a linked page\n"),
        ("bin/item", asks),
        ("bin/task", task),
    ];
    let page = files[0].1.replace("VERSION", version);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, if *path == "page" { &page } else { *text }))
        .collect();
    let folder = package(host, ("app", version), &manifest(), &files);
    host.must(&["install", &folder]);
}

#[test]
fn a_site_answers_waits_and_comes_back() {
    let host = Host::new();
    let Some(apache) =
        Apache::start("a_site_answers_waits_and_comes_back", &host, &More::default())
    else {
        return;
    };
    let blog = "blog.example.org";
    release(&host, "1", "#!/bin/bash\ntrue\n");
    let path = file(&host, &site(blog, '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    apache.answers((blog, "/app/"), "version 1 of blog.example.org");
    apache.answers((blog, "/app/"), "X-App: here");
    apache.answers((blog, "/app/left"), " 410 ");
    apache.answers((blog, "/app/linked.html"), "a linked page");
    apache.answers((blog, "/.well-known/told"), "a word");
    apache.answers((blog, "/.well-known/nothing"), " 404 ");
    apache.answers((blog, "/robots.txt"), "Disallow: /app/private");
    apache.answers((blog, "/"), "/app/");
    assert_eq!(told(&host), ["deploy 503"], "it waits while it is made");

    release(&host, "2", "#!/bin/bash\nexit 3\n");
    host.fails(&["site", "update"], 9, "operation `upgrade`");
    apache.answers((blog, "/app/"), "version 1 of blog.example.org");
    release(&host, "3", "#!/bin/bash\ntrue\n");
    told(&host);
    host.must(&["site", "update"]);
    apache.answers((blog, "/app/"), "version 3 of blog.example.org");
    assert!(told(&host).iter().all(|line| line.ends_with(" 503")));

    let mut wrong = site("wiki.example.org", '2', &[with('2', &[])]);
    wrong["tls"] = json!({ "letsencrypt" : true });
    let path = file(&host, &wrong);
    host.fails(&["site", "deploy", &path], 4, "Let's Encrypt");
    host.must(&["site", "undeploy", blog]);
    let gone = apache.ask(blog, "/app/");
    assert!(!gone.contains("version"), "{gone}");
}

/// Says to everybody what was asked for.
pub(crate) fn say(listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut head = [0; 4096];
        let length = stream.read(&mut head).unwrap_or(0);
        let head = String::from_utf8_lossy(&head[..length]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let _ = write!(stream, "HTTP/1.0 200 OK\r\n\r\nasked for {path}");
    }
}

#[test]
fn accounts_are_asked_of_the_apps_own_server() {
    let host = Host::new();
    let test = "accounts_are_asked_of_the_apps_own_server";
    let Some(apache) = Apache::start(test, &host, &More::default()) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || say(&listener));
    let manifest = json!({ "type" : "app", "roles" : { "apache2" : { "defaultcontext" : "/app",
        "wellknown" : { "webfinger" : { "proxy" : format!("http://127.0.0.1:{port}/w") } } } } });
    host.must(&["install", &package(&host, ("app", "1"), &manifest, &[])]);
    let blog = "blog.example.org";
    host.must(&["site", "deploy", &file(&host, &site(blog, '1', &[with('1', &[])]))]);
    apache.answers((blog, "/.well-known/webfinger?resource=a"), "asked for /w?resource=a");
}
