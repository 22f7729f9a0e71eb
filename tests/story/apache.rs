//! A real Apache, unprivileged on a high port, that includes what cart writes: routes, and what
//! cartridges bring for it in `httpd.d`.

use crate::alone;
use crate::frontend::{cartridge, echo, free_port};
use crate::host::Host;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const MODULES: &str = "/usr/lib/apache2/modules";

const ENDPOINTS: &str = "Endpoints:
- Private-IP-Name: IP
  Private-Port-Name: PORT
  Private-Port: 8080
  WebSocket-Port-Name: WS_PORT
  WebSocket-Port: 8081
  Mappings:
  - {Frontend: '', Backend: ''}
  - {Frontend: /front, Backend: /back/}
  - {Frontend: /front/deep/, Backend: /deep}
  - {Frontend: /live, Backend: /socket, Options: {websocket: true}}
  - {Frontend: /gone, Backend: '', Options: {gone: true}}
  - {Frontend: /closed, Backend: '', Options: {forbidden: true}}
  - {Frontend: /static, Backend: '', Options: {noproxy: true}}
  - {Frontend: /health, Backend: '', Options: {health: true}}
  - {Frontend: /old, Backend: /new, Options: {redirect: true}}
  - {Frontend: /notice, Backend: /notice.txt, Options: {file: true}}
  - {Frontend: /secret, Backend: /inner, Options: {tohttps: true}}
";

const SNIPPET: &str = "# What <%= ENV['OPENSHIFT_GEAR_NAME'] %> shows
Alias /about <%= ENV['OPENSHIFT_WEB_DIR'] + 'httpd.d/about.html' %>
Alias /docs <%= ENV['OPENSHIFT_WEB_DIR'] %>httpd.d/docs
Redirect gone /left
<Location /about>
  Header set X-Gear \"<%= ENV['OPENSHIFT_GEAR_DNS'] %>\"
</Location>
";

/// A running Apache of the test's own.
struct Apache {
    temp: tempfile::TempDir,
    http: u16,
    https: u16,
}

fn skipped(test: &str) -> bool {
    let found = Path::new("/usr/sbin/apache2").exists() && Path::new(MODULES).exists();
    if !found {
        println!("SKIP: story::{test}: apache2 is not installed");
    }
    !found
}

impl Apache {
    fn start(host: &Host) -> Self {
        let temp = tempfile::tempdir().unwrap();
        // As root, its workers are of another user.
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let apache = Self { temp, http: free_port(), https: free_port() };
        let include = host.root().join("var/lib/cartwright/frontend/apache");
        std::fs::create_dir_all(&include).unwrap();
        let modules = [
            "mpm_event",
            "authz_core",
            "alias",
            "headers",
            "mime",
            "rewrite",
            "socache_shmcb",
            "ssl",
            "proxy",
            "proxy_http",
            "proxy_wstunnel",
        ];
        let load = |name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n");
        let modules = modules.map(load).concat();
        let text = format!(
            "{modules}User www-data\nGroup www-data\nServerName localhost\nServerRoot {0}\n\
             PidFile {0}/pid\nErrorLog {0}/error.log\nMutex file:{0}\nDefaultRuntimeDir {0}\n\
             TypesConfig /etc/mime.types\nListen 127.0.0.1:{1}\nListen 127.0.0.1:{2}\n\
             <Directory />\n    Require all denied\n</Directory>\n\
             IncludeOptional {3}/*.conf\n",
            apache.temp.path().display(),
            apache.http,
            apache.https,
            include.display()
        );
        std::fs::write(apache.path("httpd.conf"), text).unwrap();
        std::fs::create_dir_all(apache.path("files/static")).unwrap();
        std::fs::write(apache.path("files/notice.txt"), "a notice\n").unwrap();
        std::fs::write(apache.path("files/static/page"), "a page\n").unwrap();
        apache.settings(host, "");
        let said = apache.command(&["-k", "start"]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        apache
    }

    fn settings(&self, host: &Host, more: &str) {
        let conf = self.path("httpd.conf");
        let program = format!("/usr/sbin/apache2, -f, {}", conf.display());
        host.settings(&format!(
            "gears:\n  domain: example.org\nfrontend:\n  apache:\n    enabled: true\n    \
             http_port: {}\n    https_port: {}\n    address: 127.0.0.1\n    files: {}\n    \
             program: [{program}]\n    reload: [{program}, -k, graceful]\n{more}",
            self.http,
            self.https,
            self.path("files").display()
        ));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new("/usr/sbin/apache2");
        command.arg("-f").arg(self.path("httpd.conf")).args(more).stdin(Stdio::null());
        command
    }

    /// The whole answer to a request for `path`, with further header lines.
    fn ask(&self, path: &str, more: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.http)) else {
            return String::new();
        };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let more = if more.is_empty() { "Connection: close\r\n" } else { more };
        let host = "blog-local.example.org";
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        drop(self.command(&["-k", "stop"]).status());
    }
}

fn web(host: &Host, snippet: &str) -> String {
    host.write("web/httpd.d/web.conf.erb", snippet, 0o644);
    host.write("web/httpd.d/about.html", "about it\n", 0o600);
    host.write("web/httpd.d/docs/index.php", "<?php never run\n", 0o644);
    cartridge(host, "web", ENDPOINTS)
}

fn includes(host: &Host) -> Vec<String> {
    let folder = host.root().join("var/lib/cartwright/frontend/apache");
    let names = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn apache_serves_the_routes_and_what_lies_in_httpd_d() {
    if skipped("apache") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let apache = Apache::start(&host);
    let package = web(&host, SNIPPET);
    host.must(&["gear", "create", "blog", &package]);
    assert_eq!(includes(&host), ["blog.conf", "blog.files"]);
    let shown = host.json(&["gear", "show", "blog"]);
    assert_eq!(shown["url"], format!("http://blog-local.example.org:{}/", apache.http));
    let address = shown["endpoints"][0]["address"].as_str().unwrap().to_owned();
    echo(&address, 8080);
    echo(&address, 8081);
    let name = "blog-local.example.org";
    Host::until(|| apache.ask("/", "").starts_with("HTTP/1.1 200"));
    for (path, status, words) in [
        ("/", "200", "GET / HTTP"),
        ("/a//b%20c?q=%2f&x", "200", "b%20c?q=%2f&x HTTP"),
        ("/front", "200", "GET /back HTTP"),
        ("/front/x%20y?q=1", "200", "GET /back/x%20y?q=1 HTTP"),
        ("/frontier", "200", "GET /frontier HTTP"),
        ("/front/deep/x", "200", "GET /deep/x HTTP"),
        ("/x", "200", "X-Forwarded-Proto: http\r\n"),
        ("/x", "200", "X-Forwarded-For: 127.0.0.1"),
        ("/x", "200", "Host: blog-local.example.org\r\n"),
        ("/live/x", "200", "GET /socket/x"),
        ("/gone/x", "410", ""),
        ("/closed", "403", ""),
        ("/health", "200", "\r\n\r\n1"),
        ("/old/x?q=1", "302", "/new/x?q=1\r\n"),
        ("/notice", "200", "a notice"),
        ("/static/page", "200", "a page"),
        ("/static/none", "404", ""),
        ("/healthy", "200", "GET /healthy"),
        // By the cartridge's own settings.
        ("/about", "200", "about it"),
        ("/about", "200", "X-Gear: blog-local.example.org\r\n"),
        ("/docs/index.php", "200", "<?php never run"),
        ("/docs/web.conf.erb", "404", ""),
        ("/left", "410", ""),
        ("/aboutness", "200", "GET /aboutness"),
    ] {
        let answer = apache.ask(path, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(words), "{path}: {words}: {answer}");
    }
    // The application closes each connection without having said so.
    for number in 0..200 {
        let answer = apache.ask(&format!("/front/{number}"), "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{number}: {answer}");
    }
    let to = format!("Location: https://{name}:{}/secret/x?q=1\r\n", apache.https);
    assert!(apache.ask("/secret/x?q=1", "").contains(&to));
    let curl = Command::new("curl")
        .args(["--noproxy", "*", "-sS", "--cacert"])
        .arg(host.root().join("var/lib/cartwright/frontend/tls/blog.crt"))
        .args(["--resolve", &format!("{name}:{}:127.0.0.1", apache.https)])
        .arg(format!("https://{name}:{}/secret/x", apache.https))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[curl.stdout, curl.stderr].concat()).into_owned();
    assert!(said.contains("GET /inner/x HTTP"), "{said}");
    assert!(said.contains("X-Forwarded-Proto: https"), "{said}");
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = TcpStream::connect(("127.0.0.1", apache.http)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET /live/x HTTP/1.1\r\nHost: {name}\r\n{upgrade}\r\nping").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.contains("port 8081 GET /socket/x"), "its own port: {answer}");
    assert!(answer.ends_with("ping"), "{answer}");
    host.must(&["gear", "destroy", "blog"]);
    assert!(includes(&host).is_empty());
    Host::until(|| !apache.ask("/about", "").contains("about it"));
    host.must(&["undo", &host.last()]);
    assert_eq!(includes(&host), ["blog.conf", "blog.files"]);
    Host::until(|| apache.ask("/about", "").contains("about it"));
    host.must(&["gear", "destroy", "blog"]);
}

#[test]
fn what_apache_must_not_be_told_is_refused_and_nothing_stays() {
    if skipped("apache_refused") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let apache = Apache::start(&host);
    for (snippet, words) in [
        ("Alias /etc /etc/\n", "web/httpd.d/web.conf.erb`, line 1: an `Alias` leads"),
        ("\nLoadModule evil_module /tmp/evil.so\n", "line 2: the directive `LoadModule`"),
        ("Alias / <%= ENV['NOWHERE'] + 'x' %>\n", "NOWHERE"),
        // It passes our check, and Apache knows better.
        ("Require nonsense\n", "Apache does not accept"),
    ] {
        let package = web(&host, snippet);
        let (status, said) = host.run(&["gear", "create", "blog", &package]);
        assert_ne!(status, 0, "{snippet}: {said}");
        assert!(said.contains(words), "{snippet}: {said}");
        assert!(!host.has_gear_folder("blog") && includes(&host).is_empty());
    }
    // The administrator may allow more.
    let package = web(&host, "SetEnv A b\n");
    assert_eq!(host.run(&["gear", "create", "blog", &package]).0, 5);
    apache.settings(&host, "    directives: [SetEnvIf]\n");
    let package = web(&host, "SetEnvIf Host . A=b\n");
    let (status, said) = host.run(&["gear", "create", "blog", &package]);
    assert!(said.contains("SetEnvIf") && status != 0, "its module is not loaded here: {said}");
    // Without an Apache the settings are named, and nobody serves them.
    host.settings("");
    let (status, said) = host.aloud(&["gear", "create", "blog", &package]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("`httpd.d`") && said.contains("frontend.apache"), "{said}");
    host.must(&["gear", "destroy", "blog"]);
}
