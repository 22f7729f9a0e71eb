//! A real nginx, unprivileged on high ports, that includes what cart writes: every option of a
//! mapping answers as it should, public ports are passed on, and nothing stays behind.

use crate::alone;
use crate::host::Host;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const ENDPOINTS: &str = "Endpoints:
- Private-IP-Name: IP
  Private-Port-Name: PORT
  Private-Port: 8080
  Public-Port-Name: OUT_PORT
  WebSocket-Port-Name: WS_PORT
  WebSocket-Port: 8081
  Mappings:
  - {Frontend: '', Backend: ''}
  - {Frontend: /front, Backend: /back/}
  - {Frontend: /front/deep/, Backend: /deep}
  - {Frontend: /live, Backend: /socket, Options: {websocket: true}}
  - {Frontend: /few, Backend: /few, Options: {connections: 1}}
  - {Frontend: /gone, Backend: '', Options: {gone: true}}
  - {Frontend: /closed, Backend: '', Options: {forbidden: true}}
  - {Frontend: /static, Backend: '', Options: {noproxy: true}}
  - {Frontend: /health, Backend: '', Options: {health: true}}
  - {Frontend: /old, Backend: /new, Options: {redirect: true}}
  - {Frontend: /notice, Backend: /notice.txt, Options: {file: true}}
  - {Frontend: /secret, Backend: /inner, Options: {tohttps: true}}
  - {Frontend: '/o%27%22dd(;)', Backend: '/o''d;d', Options: {}}
- Private-IP-Name: DB_IP
  Private-Port-Name: DB_PORT
  Private-Port: 8080
";

/// A running nginx of the test's own.
struct Nginx {
    temp: tempfile::TempDir,
    http: u16,
    https: u16,
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn skipped(test: &str) -> bool {
    let found = ["/usr/sbin/nginx", "/usr/bin/nginx"].iter().any(|path| Path::new(path).exists());
    let stream = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so").exists();
    if !(found && stream) {
        println!("SKIP: story::{test}: nginx with its stream module is not installed");
    }
    !(found && stream)
}

impl Nginx {
    fn start(host: &Host) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let nginx = Self { temp, http: free_port(), https: free_port() };
        let include = host.root().join("var/lib/cartwright/frontend/nginx");
        std::fs::create_dir_all(include.join("stream")).unwrap();
        let at = |name: &str| nginx.path(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {};\n", at(kind)))
            .concat();
        let user = if nginx.is_root() { "user root;\n" } else { "" };
        let include = include.display();
        let text = format!(
            "{user}load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
             worker_processes 1;\npid {};\nerror_log {};\nevents {{}}\n\
             http {{\n{temporary}    access_log off;\n    include {include}/*.conf;\n}}\n\
             stream {{\n    include {include}/stream/*.conf;\n}}\n",
            at("nginx.pid"),
            at("error.log")
        );
        std::fs::write(nginx.path("nginx.conf"), text).unwrap();
        std::fs::create_dir(nginx.path("files")).unwrap();
        std::fs::create_dir(nginx.path("files/static")).unwrap();
        std::fs::write(nginx.path("files/notice.txt"), "a notice\n").unwrap();
        std::fs::write(nginx.path("files/static/page"), "a page\n").unwrap();
        assert!(nginx.command(&[]).status().unwrap().success());
        nginx.settings(host, "");
        nginx
    }

    fn is_root(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(self.temp.path()).unwrap().uid() == 0
    }

    fn settings(&self, host: &Host, more: &str) {
        let [prefix, conf] = [self.path(""), self.path("nginx.conf")];
        let (prefix, conf) = (prefix.display(), conf.display());
        host.settings(&format!(
            "gears:\n  domain: example.org\nfrontend:\n  nginx:\n    enabled: true\n    \
             http_port: {}\n    https_port: {}\n    address: 127.0.0.1\n    files: {}\n    \
             reload: [nginx, -p, {prefix}, -c, {conf}, -s, reload]\n{more}",
            self.http,
            self.https,
            self.path("files").display()
        ));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new("nginx");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("-p").arg(self.temp.path());
        command.arg("-c").arg(self.path("nginx.conf")).args(more);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The whole answer to a request for `path`, with further header lines.
    fn ask(&self, host: &str, path: &str, more: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let more = if more.is_empty() { "Connection: close\r\n" } else { more };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until nginx has read its settings: whether `path` is served.
    fn until_served(&self, host: &str, path: &str) {
        Host::until(|| {
            TcpStream::connect(("127.0.0.1", self.http)).is_ok()
                && self.ask(host, path, "").starts_with("HTTP/1.1 200")
        });
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.command(&["-s", "stop"]).status());
    }
}

/// A server that answers every request with the request itself, and a web socket with an echo.
pub(crate) fn echo(address: &str, port: u16) {
    let listener = TcpListener::bind((address, port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, port));
        }
    });
}

fn answer(mut stream: TcpStream, port: u16) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    if text.to_lowercase().contains("upgrade: websocket") {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
        let _ = write!(stream, "{head}\r\n\r\nport {port} {text}");
        let mut word = [0; 4];
        if stream.read_exact(&mut word).is_ok() {
            let _ = stream.write_all(&word);
        }
        return;
    }
    if text.contains("slow") {
        std::thread::sleep(Duration::from_secs(2));
    }
    let length = text.len();
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{text}");
}

pub(crate) fn cartridge(host: &Host, folder: &str, endpoints: &str) -> String {
    let manifest = format!(
        "Name: {folder}\nCartridge-Short-Name: WEB\nCartridge-Vendor: test\n\
         Cartridge-Version: '1.0'\nVersion: '1'\nVersions: ['1']\nDisplay-Name: Web\n\
         Categories: [web_framework]\n{endpoints}"
    );
    host.write(&format!("{folder}/metadata/manifest.yml"), &manifest, 0o644);
    host.write(&format!("{folder}/bin/control"), "#!/bin/bash\nexit 0\n", 0o755);
    host.path(folder).display().to_string()
}

fn includes(host: &Host) -> Vec<String> {
    let folder = host.root().join("var/lib/cartwright/frontend");
    let mut names = Vec::new();
    for inner in ["nginx", "nginx/stream", "tls"] {
        let entries = std::fs::read_dir(folder.join(inner)).unwrap().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        names.extend(files.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    }
    names.sort();
    names
}

#[test]
fn every_option_of_a_mapping_answers_as_it_should() {
    if skipped("frontend") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let nginx = Nginx::start(&host);
    let package = cartridge(&host, "web", ENDPOINTS);
    host.must(&["gear", "create", "blog", &package]);
    let shown = host.json(&["gear", "show", "blog"]);
    assert_eq!(shown["url"], format!("http://blog-local.example.org:{}/", nginx.http));
    let address = |at: usize| shown["endpoints"][at]["address"].as_str().unwrap().to_owned();
    assert_ne!(address(0), address(1), "two names are two addresses");
    let at = shown["endpoints"].as_array().unwrap();
    let web = at.iter().find(|one| one["name"] == "OPENSHIFT_WEB_PORT").unwrap();
    let web = web["address"].as_str().unwrap();
    echo(web, 8080);
    echo(web, 8081);
    let name = "blog-local.example.org";
    nginx.until_served(name, "/");
    let ask = |path: &str| nginx.ask(name, path, "");
    for (path, asked) in [
        ("/", "GET / HTTP"),
        ("/a//b%20c?q=%2f&x", "GET /a//b%20c?q=%2f&x HTTP"),
        ("/front", "GET /back HTTP"),
        ("/front/", "GET /back/ HTTP"),
        ("/front/x%20y?q=1", "GET /back/x%20y?q=1 HTTP"),
        ("/frontier", "GET /frontier HTTP"),
        ("/front/deep/x", "GET /deep/x HTTP"),
        ("/o'%22dd(;)/x", "GET /o'd;d/x HTTP"),
    ] {
        let answer = ask(path);
        assert!(answer.contains(asked), "{path}: {answer}");
        assert!(answer.contains(&format!("Host: {name}")), "{answer}");
        assert!(answer.contains("X-Forwarded-For: 127.0.0.1"), "{answer}");
    }
    for (path, status, words) in [
        ("/gone/x", "410", ""),
        ("/closed", "403", ""),
        ("/health", "200", "\r\n\r\n1"),
        ("/old/x?q=1", "302", "Location: /new/x?q=1\r\n"),
        ("/old", "302", "Location: /new\r\n"),
        ("/notice", "200", "a notice"),
        ("/static/page", "200", "a page"),
        ("/static/none", "404", ""),
        ("/healthy", "200", "GET /healthy"),
    ] {
        let answer = ask(path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(words), "{path}: {answer}");
    }
    let to = format!("Location: https://{name}:{}/secret/x?q=1\r\n", nginx.https);
    assert!(ask("/secret/x?q=1").contains(&to), "{}", ask("/secret/x?q=1"));
    let resolve = format!("{name}:{}:127.0.0.1", nginx.https);
    let url = format!("https://{name}:{}/secret/x", nginx.https);
    let tls = host.root().join("var/lib/cartwright/frontend/tls/blog.crt");
    let curl = Command::new("curl")
        .args(["--noproxy", "*", "-sS", "--resolve", &resolve, "--cacert"])
        .arg(&tls)
        .arg(&url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[curl.stdout, curl.stderr].concat()).into_owned();
    assert!(said.contains("GET /inner/x HTTP"), "{said}");
    assert!(said.contains("X-Forwarded-Proto: https"), "{said}");
    web_socket(&nginx, name);
    // One connection at a time: of two slow requests one is turned away.
    let slow = std::thread::scope(|scope| {
        let asks = [scope.spawn(|| ask("/few/slow")), scope.spawn(|| ask("/few/slow"))];
        asks.map(|one| one.join().unwrap().contains("HTTP/1.1 503")).map(u8::from)
    });
    assert_eq!(slow[0] + slow[1], 1);
    host.must(&["gear", "destroy", "blog"]);
    assert!(includes(&host).is_empty(), "{:?}", includes(&host));
    host.must(&["undo", &host.last()]);
    assert_eq!(includes(&host), ["blog.conf", "blog.crt", "blog.key"]);
    nginx.until_served(name, "/health");
    host.must(&["gear", "destroy", "blog"]);
}

fn web_socket(nginx: &Nginx, name: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", nginx.http)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    write!(stream, "GET /live/x HTTP/1.1\r\nHost: {name}\r\n{head}\r\n\r\n").unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    while !answer.contains("X-Forwarded-Port") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{answer}");
        answer += &String::from_utf8_lossy(&buffer[..read]);
    }
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.contains("port 8081 GET /socket/x"), "its own port: {answer}");
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(b"ping").unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"ping"), "{}", String::from_utf8_lossy(&rest));
    // The same path without a web socket goes to the ordinary port.
    assert!(nginx.ask(name, "/live/x", "").contains("GET /socket/x"));
}

#[test]
fn public_ports_are_passed_on_and_taken_back() {
    if skipped("public_ports") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let nginx = Nginx::start(&host);
    let package = cartridge(&host, "web", ENDPOINTS);
    host.must(&["gear", "create", "blog", &package, "--dns", "db.example.net", "--expose"]);
    let shown = host.json(&["gear", "show", "blog"]);
    assert_eq!(shown["dns"], "db.example.net");
    let at = shown["endpoints"].as_array().unwrap();
    let web = at.iter().find(|one| one["name"] == "OPENSHIFT_WEB_PORT").unwrap();
    let port = u16::try_from(web["public_port"].as_u64().unwrap()).unwrap();
    echo(web["address"].as_str().unwrap(), 8080);
    let asked = || -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        write!(stream, "GET /through HTTP/1.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    Host::until(|| asked().is_some_and(|answer| answer.contains("GET /through")));
    let variable = |name: &str| {
        let path = host.root().join("var/lib/cartwright/gears/blog/.env").join(name);
        std::fs::read_to_string(path).ok()
    };
    assert_eq!(variable("OPENSHIFT_WEB_OUT_PORT"), Some(port.to_string()));
    assert_eq!(variable("OPENSHIFT_GEAR_DNS").as_deref(), Some("db.example.net"));
    assert_eq!(variable("OPENSHIFT_APP_DNS").as_deref(), Some("db.example.net"));
    // Nobody else gets the name or the port.
    let (status, said) = host.run(&["gear", "create", "two", &package, "--dns", "db.example.net"]);
    assert_eq!(status, 4, "{said}");
    host.must(&["gear", "create", "two", &package, "--expose"]);
    let two = host.json(&["gear", "show", "two"]);
    let two =
        two["endpoints"].as_array().unwrap().iter().find_map(|one| one["public_port"].as_u64());
    assert_ne!(two, Some(u64::from(port)));
    host.must(&["gear", "unexpose", "blog"]);
    Host::until(|| TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(variable("OPENSHIFT_WEB_OUT_PORT"), None);
    host.must(&["undo", &host.last()]);
    Host::until(|| asked().is_some());
    host.must(&["gear", "unexpose", "blog"]);
    host.must(&["gear", "expose", "blog"]);
    // A file that nginx does not accept is never seen by others, and everything is put back.
    let before = includes(&host);
    nginx.settings(&host, "    stream_module: /nowhere/module.so\n");
    let (status, said) = host.run(&["gear", "create", "three", &package, "--expose"]);
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("nginx does not accept") && said.contains("/nowhere/module.so"),
        "{said}"
    );
    assert_eq!(includes(&host), before);
    assert!(!host.has_gear_folder("three"));
    nginx.settings(&host, "");
    host.must(&["gear", "destroy", "blog"]);
    host.must(&["gear", "destroy", "two"]);
    assert!(includes(&host).is_empty());
}

#[test]
fn without_nginx_direct_addresses_are_told() {
    let _alone = alone();
    let host = Host::new();
    let package = cartridge(&host, "web", ENDPOINTS);
    let (status, said) = host.run(&["gear", "create", "blog", &package, "--expose"]);
    assert_eq!(status, 5, "{said}");
    assert!(said.contains("frontend.nginx.enabled"), "{said}");
    let (status, said) = host.aloud(&["gear", "create", "blog", &package]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("no front end") && said.contains("http://127."), "{said}");
    let shown = host.json(&["gear", "show", "blog"]);
    assert_eq!(shown["url"], serde_json::Value::Null);
    // Whoever took its port meanwhile is found before anything is started.
    let at = shown["endpoints"].as_array().unwrap();
    let web = at.iter().find(|one| one["name"] == "OPENSHIFT_WEB_PORT").unwrap();
    let held = TcpListener::bind((web["address"].as_str().unwrap(), 8080)).unwrap();
    let (status, said) = host.run(&["gear", "start", "blog"]);
    assert_eq!(status, 4, "{said}");
    let expected = format!("OPENSHIFT_WEB_PORT(8080)={}", held.local_addr().unwrap().ip());
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains(&format!("(process {})", std::process::id())), "who it is: {said}");
    drop(held);
    host.must(&["gear", "destroy", "blog"]);
}

#[test]
fn a_mapping_to_elsewhere_is_refused_by_its_name() {
    let host = Host::new();
    for (backend, option) in [
        ("http://evil.example/", "redirect"),
        ("//evil.example/", "tohttps"),
        ("/x;}\\nserver{listen 1;}", "file"),
        ("/../../etc/passwd", "file"),
        ("/$http_host", "websocket"),
    ] {
        let endpoints = format!(
            "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 8080\n  \
             Mappings:\n  - {{Frontend: /p, Backend: \"{backend}\", Options: {{{option}: true}}}}\n"
        );
        let package = cartridge(&host, "web", &endpoints);
        for line in [&["lint", &package][..], &["gear", "create", "blog", &package]] {
            let (status, said) = host.run(line);
            assert_ne!(status, 0, "{line:?} {backend}: {said}");
            assert!(said.contains("manifest.yml"), "{said}");
        }
    }
}

/// A plugin that shows itself below `/admin`, with a public port.
fn plugin(host: &Host, more: &str) -> String {
    let manifest = format!(
        "Name: admin\nCartridge-Short-Name: ADMIN\nCartridge-Vendor: test\n\
         Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [plugin]\nEndpoints:\n\
         - Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 8080\n  \
         Public-Port-Name: OUT_PORT\n  Mappings:\n  \
         - {{Frontend: /admin, Backend: /inner{more}}}\n"
    );
    host.write("admin/metadata/manifest.yml", &manifest, 0o644);
    host.write("admin/bin/control", "#!/bin/bash\nexit 0\n", 0o755);
    host.path("admin").display().to_string()
}

fn include(host: &Host) -> String {
    let folder = host.root().join("var/lib/cartwright/frontend/nginx");
    ["blog.conf", "stream/blog.conf"]
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap_or_default())
        .concat()
}

fn endpoint(host: &Host, name: &str) -> Option<(String, Option<u16>)> {
    let shown = host.json(&["gear", "show", "blog"]);
    let row = shown["endpoints"].as_array().unwrap().iter().find(|one| one["name"] == name)?;
    let port = row["public_port"].as_u64().map(|port| u16::try_from(port).unwrap());
    Some((row["address"].as_str().unwrap().to_owned(), port))
}

#[test]
fn a_cartridge_that_is_added_is_served_and_one_that_is_removed_is_not() {
    if skipped("frontend_add") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let nginx = Nginx::start(&host);
    let package = cartridge(&host, "web", ENDPOINTS);
    host.must(&["gear", "create", "blog", &package, "--expose"]);
    let name = "blog-local.example.org";
    let (web, web_port) = endpoint(&host, "OPENSHIFT_WEB_PORT").unwrap();
    echo(&web, 8080);
    nginx.until_served(name, "/admin");
    let asked = |path: &str| nginx.ask(name, path, "");
    let first_include = include(&host);
    // One that nginx cannot take, or whose scripts fail, changes nothing.
    let admin = plugin(&host, "");
    host.write("admin/bin/post_install", "#!/bin/bash\nexit 3\n", 0o755);
    host.write("admin/bin/install", "#!/bin/bash\nexit 3\n", 0o755);
    let (status, said) = host.run(&["gear", "add", "blog", &admin]);
    assert_eq!(status, 9, "{said}");
    assert_eq!(include(&host), first_include);
    std::fs::remove_file(host.path("admin/bin/install")).unwrap();
    std::fs::remove_file(host.path("admin/bin/post_install")).unwrap();
    nginx.settings(&host, "    stream_module: /nowhere/module.so\n");
    let (status, said) = host.run(&["gear", "add", "blog", &admin]);
    assert!(status != 0 && said.contains("nginx does not accept"), "{said}");
    assert_eq!(include(&host), first_include);
    nginx.settings(&host, "");
    // A server that does not take them in: the old include is back, too.
    let settings = host.root().join("etc/cartwright/config.yml");
    let text = std::fs::read_to_string(&settings).unwrap();
    host.settings(&text.replace("-s, reload]", "-s, nonsense]"));
    let (status, said) = host.run(&["gear", "add", "blog", &admin]);
    assert!(status != 0 && said.contains("does not read its settings"), "{said}");
    assert_eq!(include(&host), first_include);
    nginx.settings(&host, "");
    assert!(asked("/admin/x").contains("GET /admin/x"), "still the primary's");
    assert_eq!(endpoint(&host, "OPENSHIFT_ADMIN_PORT"), None);

    host.must(&["gear", "add", "blog", &admin]);
    // What leaves and comes back is served again, and has a public port again.
    host.must(&["gear", "remove", "blog", "admin"]);
    assert_eq!(include(&host), first_include);
    host.must(&["undo", &host.last()]);
    let (address, port) = endpoint(&host, "OPENSHIFT_ADMIN_PORT").unwrap();
    let port = port.unwrap_or_else(|| panic!("the gear is exposed, and so is what comes to it"));
    assert_ne!(Some(port), web_port);
    echo(&address, 8080);
    Host::until(|| asked("/admin/x").contains("GET /inner/x"));
    let (_, said) = host.run(&["gear", "show", "blog"]);
    assert!(said.contains(&format!("shown at http://{name}:{}/admin", nginx.http)), "{said}");
    assert!(said.contains(&format!("from outside: {name}:{port}")), "{said}");
    assert!(asked("/other").contains("GET /other"));
    let through = || -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        write!(stream, "GET /through HTTP/1.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    Host::until(|| through().is_some_and(|answer| answer.contains("GET /through")));
    let variable = host.home("blog").join(".env/OPENSHIFT_ADMIN_OUT_PORT");
    assert_eq!(std::fs::read_to_string(&variable).unwrap(), port.to_string());

    host.must(&["gear", "remove", "blog", "admin"]);
    Host::until(|| asked("/admin/x").contains("GET /admin/x"));
    Host::until(|| TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!variable.exists());
    assert_eq!(include(&host), first_include);
    // The ports are free again: the next one gets one of them, and no further one.
    host.must(&["gear", "add", "blog", &admin]);
    let next = endpoint(&host, "OPENSHIFT_ADMIN_PORT").unwrap().1;
    assert!(next.is_some_and(|next| next <= port), "{next:?} after {port}");
    host.must(&["undo", &host.last()]);
    Host::until(|| asked("/admin/x").contains("GET /admin/x"));
    assert_eq!(include(&host), first_include);
    host.must(&["gear", "destroy", "blog"]);
    assert!(includes(&host).is_empty());
}

#[test]
fn a_gear_that_speaks_tls_itself_has_its_public_ports_at_once() {
    if skipped("frontend_tls") {
        return;
    }
    let _alone = alone();
    let host = Host::new();
    let nginx = Nginx::start(&host);
    let endpoints = "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  \
        Private-Port: 8443\n  Public-Port-Name: SSL_PORT\n  Options: {ssl_to_gear: true}\n  \
        Mappings:\n  - {Frontend: '', Backend: ''}\n\
        - Private-IP-Name: IP\n  Private-Port-Name: MQ_PORT\n  Private-Port: 8444\n  \
        Public-Port-Name: MQ_OUT\n  Protocols: [tls]\n  \
        Mappings:\n  - {Frontend: TLS_PORT_1, Backend: ''}\n\
        - Private-IP-Name: IP\n  Private-Port-Name: DB_PORT\n  Private-Port: 8445\n  \
        Public-Port-Name: DB_OUT\n";
    let package = cartridge(&host, "web", endpoints);
    // Without nginx it is said that nobody reaches them.
    let settings = std::fs::read_to_string(host.root().join("etc/cartwright/config.yml")).unwrap();
    host.settings("");
    let (status, said) = host.aloud(&["gear", "create", "plain", &package]);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("no public port for OPENSHIFT_WEB_PORT, OPENSHIFT_WEB_MQ_PORT"),
        "{said}"
    );
    host.must(&["gear", "destroy", "plain"]);
    host.settings(&settings);
    let (status, said) = host.aloud(&["gear", "create", "blog", &package]);
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("left out"), "{said}");
    let port = |name: &str| endpoint(&host, name).unwrap().1;
    let (https, tls) = (port("OPENSHIFT_WEB_PORT"), port("OPENSHIFT_WEB_MQ_PORT"));
    assert!(https.is_some() && tls.is_some() && https != tls);
    assert_eq!(port("OPENSHIFT_WEB_DB_PORT"), None, "it is not exposed");
    let variable = |name: &str| {
        let path = host.home("blog").join(".env").join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    };
    assert_eq!(variable("SSL_TO_GEAR"), "1");
    assert_eq!(variable("OPENSHIFT_WEB_SSL_PORT"), https.unwrap().to_string());
    assert_eq!(variable("OPENSHIFT_WEB_MQ_OUT"), tls.unwrap().to_string());
    // A real server that speaks tls, behind both public ports and behind the host name.
    let address = endpoint(&host, "OPENSHIFT_WEB_PORT").unwrap().0;
    let certificate = host.root().join("var/lib/cartwright/frontend/tls");
    let mut servers = Vec::new();
    for port in ["8443", "8444"] {
        let server = Command::new("openssl")
            .args(["s_server", "-accept", &format!("{address}:{port}"), "-www", "-quiet"])
            .arg("-cert")
            .arg(certificate.join("blog.crt"))
            .arg("-key")
            .arg(certificate.join("blog.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        servers.push(server);
    }
    let name = "blog-local.example.org";
    let fetched = |port: u16| {
        let curl = Command::new("curl")
            .args(["--noproxy", "*", "-sS", "--max-time", "10", "--cacert"])
            .arg(certificate.join("blog.crt"))
            .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
            .arg(format!("https://{name}:{port}/"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&curl.stdout).contains("Ciphers supported")
    };
    for port in [https.unwrap(), tls.unwrap(), nginx.https] {
        Host::until(|| fetched(port));
    }
    let moved = nginx.ask(name, "/x", "");
    assert!(moved.contains(&format!("Location: https://{name}:{}/x\r\n", nginx.https)), "{moved}");
    // Exposing adds the third one, and taking that back leaves the two.
    host.must(&["gear", "expose", "blog"]);
    assert!(port("OPENSHIFT_WEB_DB_PORT").is_some());
    assert_eq!((port("OPENSHIFT_WEB_PORT"), port("OPENSHIFT_WEB_MQ_PORT")), (https, tls));
    host.must(&["gear", "unexpose", "blog"]);
    assert_eq!(port("OPENSHIFT_WEB_DB_PORT"), None);
    assert_eq!((port("OPENSHIFT_WEB_PORT"), port("OPENSHIFT_WEB_MQ_PORT")), (https, tls));
    assert_eq!(variable("OPENSHIFT_WEB_SSL_PORT"), https.unwrap().to_string());
    Host::until(|| fetched(tls.unwrap()));
    for mut server in servers {
        let _ = server.kill();
        let _ = server.wait();
    }
    host.must(&["gear", "destroy", "blog"]);
    assert!(includes(&host).is_empty());
}
