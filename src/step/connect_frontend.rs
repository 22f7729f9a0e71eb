//! Shows a gear to the outside: writes its include files for nginx and Apache, after the server
//! itself has tested them, and makes it read them. A gear without anything to show is taken off.

pub(super) mod apache;
mod nginx;

use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::frontend::nginx::{http, stream};
use crate::gear::frontend::{Certificate, Frontend};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;

/// What the front end shall serve of a gear from now on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConnectFrontend {
    /// All of it; nothing takes the gear off.
    pub frontend: Frontend,
    /// What its cartridges bring for an Apache.
    #[serde(default)]
    pub httpd: Option<Httpd>,
}

/// The cartridges of a gear that have settings for an Apache.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Httpd {
    /// The gear.
    pub gear: Identity,
    /// The cartridges' folders.
    pub dirs: Vec<String>,
}

/// What going back needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Undo {
    before: Vec<Before>,
    had_certificate: bool,
    /// Whether there were copies of cartridges' files.
    #[serde(default)]
    had_copies: bool,
}

impl ConnectFrontend {
    fn is_empty(&self) -> bool {
        self.frontend.is_empty() && self.httpd.is_none()
    }

    /// The include files, relative to the state directory, nginx's two first.
    fn paths(&self) -> [String; 3] {
        let Frontend { gear, .. } = &self.frontend;
        [
            format!("frontend/nginx/{gear}.conf"),
            format!("frontend/nginx/stream/{gear}.conf"),
            format!("frontend/apache/{gear}.conf"),
        ]
    }

    /// Their new texts; without one the file goes.
    fn texts(&self, cx: &Cx<'_>, said: &mut Said) -> Result<[Option<String>; 3], Failure> {
        let settings = &cx.config.frontend;
        let [certificate, key] = self.certificate().map(|path| cx.state.path_of(path));
        let certificate = Certificate { certificate: &certificate, key: &key };
        let apache = if settings.apache.enabled && !self.is_empty() {
            apache::text(cx, self, &certificate, said)?
        } else {
            None
        };
        let nginx = settings.nginx.enabled || !settings.apache.enabled;
        let of_nginx = |text: Option<String>| text.filter(|_| nginx);
        Ok([
            of_nginx(http(&self.frontend, &settings.nginx, &certificate)),
            of_nginx(stream(&self.frontend, &settings.nginx)),
            apache,
        ])
    }

    fn files(&self) -> Vec<NewFile> {
        let file = |path| NewFile { path, bytes: Vec::new(), mode: 0o644, owner: None };
        self.paths().into_iter().map(file).collect()
    }
}

/// Which servers have, had or get a file of the gear.
#[derive(Clone, Copy)]
struct Concerned {
    nginx: bool,
    apache: bool,
}

impl Concerned {
    fn of(undo: &Undo, texts: &[Option<String>; 3]) -> Self {
        let had = |index: usize| undo.before.get(index).is_some_and(Before::is_there);
        let [http, stream, apache] = texts;
        Self {
            nginx: had(0) || had(1) || http.is_some() || stream.is_some(),
            apache: had(2) || apache.is_some(),
        }
    }

    /// Makes them read their settings anew.
    fn reload(self, cx: &Cx<'_>) -> Result<Vec<String>, Failure> {
        let mut warnings = Vec::new();
        if self.nginx {
            warnings.extend(nginx::reload(cx)?);
        }
        if self.apache {
            warnings.extend(apache::reload(cx)?);
        }
        Ok(warnings)
    }
}

impl ConnectFrontend {
    /// The gear's certificate and its key, relative to the state directory.
    fn certificate(&self) -> [String; 2] {
        let gear = &self.frontend.gear;
        [format!("frontend/tls/{gear}.crt"), format!("frontend/tls/{gear}.key")]
    }

    /// Makes the certificate where one is needed and missing; a disconnected gear's waits in the
    /// stash.
    fn see_to_certificate(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let [certificate, key] = self.certificate();
        if self.frontend.needs_certificate() {
            if cx.state.has(&certificate)? && cx.state.has(&key)? {
                return Ok(());
            }
            let stash = cx.stash()?;
            nginx::make_certificate(&self.frontend.host, &stash)?;
            checkpoint("connect_frontend: a certificate is made");
            stash.rename("made.key", cx.state, &key)?;
            stash.rename("made.crt", cx.state, &certificate)?;
            return Ok(());
        }
        for (path, name) in [(key, "old.key"), (certificate, "old.crt")] {
            if cx.state.has(&path)? {
                cx.state.rename(&path, &cx.stash()?, name)?;
                checkpoint("connect_frontend: a certificate is taken away");
            }
        }
        Ok(())
    }
}

impl Step for ConnectFrontend {
    type Undo = Undo;

    fn describe(&self) -> String {
        let Frontend { gear, host, routes, forwards } = &self.frontend;
        if self.is_empty() {
            return format!("take the gear `{gear}` off the front end");
        }
        let ports: Vec<_> = forwards.iter().map(|one| one.public.to_string()).collect();
        let ports = match ports.as_slice() {
            [] => String::new(),
            ports => format!(", public ports {}", ports.join(", ")),
        };
        let httpd = if self.httpd.is_some() { ", settings for an Apache" } else { "" };
        format!("show the gear `{gear}` as `{host}` ({} routes{ports}{httpd})", routes.len())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Undo, Failure> {
        let mut had_certificate = false;
        for path in self.certificate() {
            had_certificate |= cx.state.has(path)?;
        }
        cx.stash()?;
        let had_copies = cx.state.has(apache::copies(&self.frontend.gear))?;
        Ok(Undo { before: files::look(cx, &self.files())?, had_certificate, had_copies })
    }

    fn apply(&self, undo: &Undo, cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        let texts = self.texts(cx, &mut said)?;
        let concerned = Concerned::of(undo, &texts);
        // In this order the servers' files never name what is not there.
        if self.frontend.needs_certificate() {
            self.see_to_certificate(cx)?;
        }
        let [http, stream, apache] = &texts;
        if http.is_some() || stream.is_some() {
            said.warnings.extend(nginx::test(cx, http.as_deref(), stream.as_deref())?);
        }
        apache::publish(cx, self, (undo.had_copies, apache.is_some()))?;
        if let Some(text) = apache {
            said.warnings.extend(apache::test(cx, text)?);
        }
        for (path, text) in self.paths().iter().zip(&texts) {
            checkpoint("connect_frontend: before an include file changes");
            match text {
                Some(text) => cx.state.replace_file(path, text.as_bytes(), 0o644)?,
                None => cx.state.remove_file(path)?,
            }
        }
        checkpoint("connect_frontend: before the servers are told");
        match concerned.reload(cx) {
            Ok(warnings) => said.warnings.extend(warnings),
            // Who goes is not kept back by a web server that does not run.
            Err(failure) if self.is_empty() => {
                said.warnings.push(format!("the web server was not told: {}", failure.summary));
            }
            Err(failure) => return Err(failure),
        }
        if !self.frontend.needs_certificate() {
            self.see_to_certificate(cx)?;
        }
        Ok(said)
    }

    fn revert(&self, undo: &Undo, cx: &Cx<'_>) -> Result<(), Failure> {
        for (path, name) in self.certificate().iter().zip(["old.crt", "old.key"]) {
            let stash = cx.stash()?;
            if stash.has(name)? {
                stash.rename(name, cx.state, path)?;
                checkpoint("connect_frontend: a certificate is put back");
            }
        }
        let files = self.files();
        // A server that it never had to do with is not told either.
        let mut now = [false; 3];
        for (there, file) in now.iter_mut().zip(&files) {
            *there = cx.state.has(&file.path)?;
        }
        let text = |there: bool| there.then(String::new);
        let concerned = Concerned::of(undo, &now.map(text));
        apache::put_back(cx, &apache::copies(&self.frontend.gear), undo.had_copies)?;
        files::put_back(cx, &files, &undo.before)?;
        checkpoint("connect_frontend: before the servers are told again");
        // The files are as they were; a web server that cannot be told now reads them when it
        // starts, and is no reason to leave a transaction stuck.
        drop(concerned.reload(cx));
        if !undo.had_certificate && cx.state.has("frontend/tls")? {
            for path in self.certificate() {
                cx.state.remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> ConnectFrontend {
    use crate::gear::frontend::{Action, Forward, Route, Target};
    use crate::package::endpoint::WebPath;
    let gear = world.gear();
    for folder in [
        "frontend/nginx/stream",
        "frontend/apache/blog.files/mock",
        "frontend/tls",
        "gears/blog/mock/httpd.d",
    ] {
        world.state.make_dirs(folder, 0o755).unwrap();
    }
    world.state.write_new("frontend/nginx/blog.conf", b"# before\n", 0o644).unwrap();
    let files = [
        ("frontend/apache/blog.conf", "# before"),
        ("frontend/apache/blog.files/mock/old", "old"),
        ("gears/blog/mock/httpd.d/a.html", "new"),
        ("gears/blog/mock/httpd.d/a.conf.erb", "Redirect gone /<%= ENV['OPENSHIFT_GEAR_NAME'] %>"),
    ];
    for (path, text) in files {
        world.state.write_new(path, text.as_bytes(), 0o644).unwrap();
    }
    world.state.write_new("frontend/tls/blog.crt", b"certificate", 0o644).unwrap();
    world.state.write_new("frontend/tls/blog.key", b"key", 0o600).unwrap();
    let address = std::net::Ipv4Addr::new(127, 0, 1, 1);
    let path = WebPath::parse("/").unwrap();
    let target =
        Target { address, port: 8080, path: path.clone(), websocket: true, websocket_port: None };
    let frontend = Frontend {
        gear: gear.name.clone(),
        host: crate::package::ident::HostName::parse("blog.example.org").unwrap(),
        routes: vec![Route { path, action: Action::Proxy { target }, connections: None }],
        forwards: vec![Forward { public: 35_541, address, port: 8080, datagrams: false }],
    };
    ConnectFrontend { frontend, httpd: Some(Httpd { gear, dirs: vec!["mock".into()] }) }
}
