//! A real Apache that serves sites: its modules but two come by the sites' own include files.

use super::*;
use crate::gear::frontend::site::{Entry, ShownApp, Waiting};
use crate::package::ident::HostName as Hostname;
use crate::package::ubos::name::Context;
use crate::step::laws::World;
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::process;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

struct Apache {
    world: World,
    http: u16,
    https: u16,
}

#[expect(clippy::print_stdout, reason = "a test that says that it skips")]
fn is_missing(test: &str, file: &str) -> bool {
    let missing = kind_of(Path::new(file)) != Some(Kind::File);
    if missing {
        println!("SKIP: step::connect_site::{test}: no `{file}`");
    }
    missing
}

#[expect(clippy::print_stdout, reason = "a test that says that it skips")]
fn has_no_php(test: &str) -> bool {
    let folder = crate::config::Apache::default().modules;
    let php = [HostName::parse("php").unwrap()];
    let missing = !modules::look(&folder, &php).unwrap().missing.is_empty();
    if missing {
        println!("SKIP: step::connect_site::{test}: Apache has no PHP");
    }
    missing
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Apache {
    fn start() -> Self {
        let mut world = World::new();
        let (http, https) = (free_port(), free_port());
        world.state.make_dirs("frontend/apache", 0o755).unwrap();
        world.state.make_dir("server", 0o755).unwrap();
        let load = |name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n");
        let text = format!(
            "{}User www-data\nGroup www-data\nServerName localhost\nServerRoot {1}\n\
             Define APACHE_RUN_DIR {1}\nPidFile {1}/pid\nErrorLog {1}/error.log\nMutex file:{1}\n\
             DefaultRuntimeDir {1}\nListen 127.0.0.1:{http}\nListen 127.0.0.1:{https}\n\
             TypesConfig /etc/mime.types\n\
             <Directory />\n    Require all denied\n</Directory>\nIncludeOptional {2}/*.conf\n",
            ["mpm_prefork", "authz_core", "mime"].map(load).concat(),
            world.state.path_of("server").display(),
            world.state.path_of("frontend/apache").display()
        );
        world.state.write_new("server/httpd.conf", text.as_bytes(), 0o644).unwrap();
        let conf = world.state.path_of("server/httpd.conf").display().to_string();
        let program = [PROGRAM.to_owned(), "-f".into(), conf];
        let settings = &mut world.config.frontend.apache;
        settings.reload = [&program[..], &["-k".into(), "graceful".into()]].concat();
        settings.program = program.to_vec();
        settings.address = Some([127, 0, 0, 1].into());
        (settings.http_port, settings.https_port) = (http, https);
        let apache = Self { world, http, https };
        let said = apache.command(&["-k", "start"]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        apache
    }

    fn command(&self, words: &[&str]) -> Command {
        let line = &self.world.config.frontend.apache.program;
        let mut command = process::command(Path::new(&line[0]));
        command.args(&line[1..]).args(words).env("PATH", "/usr/sbin:/usr/bin");
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.state.path_of(name)
    }

    fn put(&self, name: &str, text: &str) {
        let parent = Path::new(name).parent().unwrap();
        if !parent.as_os_str().is_empty() {
            self.world.state.make_dirs(parent, 0o755).unwrap();
        }
        self.world.state.replace_file(name, text.as_bytes(), 0o644).unwrap();
    }

    fn ask(&self, host: &str, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.http)) else {
            return String::new();
        };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // A server that reads its settings anew may cut a connection.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks until the answer has these words: reading settings anew takes a moment.
    #[track_caller]
    fn answers(&self, host: &str, path: &str, words: &str) {
        let mut answer = String::new();
        for _ in 0..100 {
            answer = self.ask(host, path);
            if answer.contains(words) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = self.world.state.read("server/error.log", 1 << 20).unwrap_or_default();
        panic!("{path}: {words}: {answer}\n{}", String::from_utf8_lossy(&log));
    }

    fn apply(&self, step: &ConnectSite) -> Result<Undo, Failure> {
        // Each in a place of its own in the stash, as in a transaction.
        tree::remove(&self.world.state, "stash/1").unwrap();
        let undo = step.prepare(&self.world.cx(1))?;
        match step.apply(&undo, &self.world.cx(1)) {
            Ok(said) => assert_eq!(said.warnings, Vec::<String>::new()),
            Err(failure) => {
                step.revert(&undo, &self.world.cx(1)).unwrap();
                return Err(failure);
            }
        }
        Ok(undo)
    }

    fn live(&self) -> Live {
        let app = |context: &str| ShownApp {
            context: Context::in_site(context).unwrap(),
            title: "A wiki".into(),
            is_default: false,
        };
        let entry = |name: &str, answer| -> Entry {
            serde_json::from_value(serde_json::json!({"name": name, "answer": answer})).unwrap()
        };
        Live {
            documents: self.path("sites/s1"),
            fragments: self.path("fragments/s1"),
            well_known: Some(self.path("known")),
            apps: vec![app("/wiki")],
            entries: vec![
                entry("robots.txt", serde_json::json!({"content": "cm9ib3Rz"})),
                entry(
                    "carddav",
                    serde_json::json!({"elsewhere": {"url": "/wiki/$1", "status": 301}}),
                ),
            ],
            readable: Vec::new(),
        }
    }

    fn site(serving: Option<Serving>) -> ConnectSite {
        let site = SiteId::parse(&format!("s{}", "1".repeat(40))).unwrap();
        let host = Host::Name(Hostname::parse("a.org").unwrap());
        ConnectSite { site, host, serving, tls: SiteTls::None, modules: Vec::new() }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        drop(self.command(&["-k", "stop"]).status());
    }
}

#[test]
fn a_site_lives_waits_and_goes_and_what_is_refused_changes_nothing() {
    let test = "a_site_lives_waits_and_goes";
    if is_missing(test, PROGRAM) {
        return;
    }
    let apache = Apache::start();
    apache.put("sites/s1/wiki/page.html", "a page");
    apache.put("sites/s1/wiki/.htaccess", "RewriteEngine on\nRewriteRule ^short$ page.html\n");
    apache.put("known/own", "of an app");
    let fragment = format!("Alias /extra {}\n", apache.path("sites/s1/wiki/page.html").display());
    apache.put("fragments/s1/a1.conf", &fragment);
    let waiting = Apache::site(Some(Serving::Waiting(Waiting::Arriving)));
    apache.apply(&waiting).unwrap();
    apache.answers("a.org", "/wiki/page.html", "HTTP/1.1 503");
    apache.answers("a.org", "/", "being set up");
    let rewrite = || vec![HostName::parse("rewrite").unwrap()];
    let live =
        ConnectSite { modules: rewrite(), ..Apache::site(Some(Serving::Live(apache.live()))) };
    apache.apply(&live).unwrap();
    for (path, words) in [
        ("/wiki/page.html", "a page"),
        ("/wiki/short", "a page"),
        ("/extra", "a page"),
        ("/", "<a href=\"/wiki/\">A wiki</a>"),
        ("/.well-known/robots.txt", "robots"),
        ("/robots.txt", "robots"),
        ("/.well-known/own", "of an app"),
        ("/.well-known/carddav", "/wiki/$1"),
        ("/.well-known/none", "HTTP/1.1 404"),
        ("/wiki/", "HTTP/1.1 404"),
        ("/wiki/.htaccess", "HTTP/1.1"),
    ] {
        apache.answers("a.org", path, words);
    }
    // A fragment that Apache refuses: nobody has seen it, and the site answers.
    let include = || Dir::open(&apache.path("frontend/apache")).unwrap().names().unwrap();
    let before = include();
    apache.put("fragments/s1/a2.conf", "Nonsense here\n");
    let failure = apache.apply(&live).unwrap_err();
    assert!(failure.summary.contains("Nonsense"), "{failure:?}");
    apache.world.state.remove_file("fragments/s1/a2.conf").unwrap();
    let none = ConnectSite { modules: vec![HostName::parse("no_such").unwrap()], ..live.clone() };
    let failure = apache.apply(&none).unwrap_err();
    assert!(failure.summary.contains("`no_such`"), "{failure:?}");
    assert_eq!(include(), before);
    apache.answers("a.org", "/wiki/short", "a page");
    // Suspended, and back by going back.
    let maintenance = Apache::site(Some(Serving::Waiting(Waiting::Maintenance)));
    let undo = apache.apply(&maintenance).unwrap();
    apache.answers("a.org", "/wiki/short", "being worked on");
    maintenance.revert(&undo, &apache.world.cx(1)).unwrap();
    apache.answers("a.org", "/wiki/short", "a page");
    apache.answers("a.org", "/robots.txt", "robots");
    // To every name, and off.
    let any = ConnectSite { host: Host::Any, ..live };
    apache.apply(&any).unwrap();
    apache.answers("b.org", "/wiki/short", "a page");
    apache.apply(&ConnectSite { serving: None, ..any }).unwrap();
    assert!(include().is_empty(), "{:?}", include());
    apache.answers("a.org", "/wiki/short", "HTTP/1.1 40");
}

#[test]
fn php_and_https_come_with_the_site() {
    let test = "php_and_https_come_with_the_site";
    if is_missing(test, PROGRAM) || is_missing(test, "/usr/bin/curl") || has_no_php(test) {
        return;
    }
    let apache = Apache::start();
    apache.put("sites/s1/wiki/index.php", "<?php echo 6 * 7, ini_get('open_basedir');\n");
    let made = apache.path("made");
    let openssl = process::command(Path::new("/usr/bin/openssl"))
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=a", "-addext", "subjectAltName=DNS:a.org"])
        .arg("-keyout")
        .arg(made.with_extension("key"))
        .arg("-out")
        .arg(made.with_extension("crt"))
        .output()
        .unwrap();
    assert!(openssl.status.success());
    let text =
        |name: &str| String::from_utf8(apache.world.state.read(name, 1 << 16).unwrap()).unwrap();
    let pem = serde_json::json!({"key": text("made.key"), "crt": text("made.crt")});
    apache.put("tls.json", &pem.to_string());
    let live = Live { readable: vec!["/tmp".into()], ..apache.live() };
    let step = ConnectSite {
        tls: SiteTls::From("tls.json".into()),
        modules: vec![HostName::parse("php").unwrap()],
        ..Apache::site(Some(Serving::Live(live)))
    };
    apache.apply(&step).unwrap();
    let to = format!("Location: https://a.org:{}/wiki/?x=1", apache.https);
    apache.answers("a.org", "/wiki/?x=1", &to);
    let name = format!("frontend/tls/site-{}.key", step.site);
    assert_eq!(apache.world.state.meta(&name).unwrap().unwrap().mode, 0o600);
    let ask = || {
        let curl = process::command(Path::new("/usr/bin/curl"))
            .args(["--noproxy", "*", "-sS", "--cacert"])
            .arg(made.with_extension("crt"))
            .args(["--resolve", &format!("a.org:{}:127.0.0.1", apache.https)])
            .arg(format!("https://a.org:{}/wiki/", apache.https))
            .output()
            .unwrap();
        String::from_utf8_lossy(&[curl.stdout, curl.stderr].concat()).into_owned()
    };
    let mut said = String::new();
    for _ in 0..100 {
        said = ask();
        assert!(!said.contains("<?php"), "the server shows a program: {said}");
        if said.starts_with("42") {
            break;
        }
    }
    let log =
        String::from_utf8_lossy(&apache.world.state.read("server/error.log", 1 << 20).unwrap())
            .into_owned();
    assert!(said.starts_with("42") && said.contains("sites/s1/:/tmp/"), "{said}\n{log}");
    // While it waits it does so by https, too; without it the key goes.
    let waiting = Apache::site(Some(Serving::Waiting(Waiting::Maintenance)));
    apache.apply(&ConnectSite { tls: SiteTls::Kept, ..waiting.clone() }).unwrap();
    let mut said = String::new();
    for _ in 0..100 {
        said = ask();
        if said.contains("worked on") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(said.contains("being worked on"), "{said}");
    apache.apply(&waiting).unwrap();
    assert!(!apache.world.state.has(&name).unwrap());
}

/// For the laws.
pub(in crate::step) fn sample(world: &World) -> ConnectSite {
    let site = SiteId::parse(&format!("s{}", "1".repeat(40))).unwrap();
    for folder in [format!("frontend/apache/site-{site}.files/old"), "frontend/tls".into()] {
        world.state.make_dirs(folder, 0o755).unwrap();
    }
    let any = format!("frontend/apache/~site-{site}.conf");
    world.state.write_new(any, b"# before", 0o644).unwrap();
    world.state.write_new(format!("frontend/tls/site-{site}.key"), b"old", 0o600).unwrap();
    world.state.write_new("tls.json", br#"{"key":"k","crt":"c","cacrt":null}"#, 0o600).unwrap();
    let entry = serde_json::json!({"name": "a", "answer": {"content": "YQ=="}});
    let live = Live {
        documents: "/ubos/http/sites/s1".into(),
        fragments: "/etc/httpd/appconfigs/s1".into(),
        well_known: None,
        apps: Vec::new(),
        entries: vec![serde_json::from_value::<Entry>(entry).unwrap()],
        readable: Vec::new(),
    };
    ConnectSite {
        site,
        host: Host::Name(Hostname::parse("a.org").unwrap()),
        serving: Some(Serving::Live(live)),
        tls: SiteTls::From("tls.json".into()),
        modules: Vec::new(),
    }
}
