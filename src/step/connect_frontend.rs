//! Shows a gear to the outside: writes its include files for nginx, after nginx itself has tested
//! them, and makes nginx read them. A gear without routes and public ports is taken off.

mod nginx;

use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::frontend::Frontend;
use crate::gear::frontend::nginx::{Certificate, http, stream};
use crate::sys::checkpoint::checkpoint;

/// What the front end shall serve of a gear from now on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConnectFrontend {
    /// All of it; nothing takes the gear off.
    pub frontend: Frontend,
}

/// What going back needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Undo {
    before: Vec<Before>,
    had_certificate: bool,
}

impl ConnectFrontend {
    /// The include files, relative to the state directory; without a text the file goes.
    fn includes(&self, cx: &Cx<'_>) -> [(String, Option<String>); 2] {
        let Frontend { gear, .. } = &self.frontend;
        let settings = &cx.config.frontend.nginx;
        let [certificate, key] = self.certificate().map(|path| cx.state.path_of(path));
        let certificate = Certificate { certificate: &certificate, key: &key };
        [
            (format!("frontend/nginx/{gear}.conf"), http(&self.frontend, settings, &certificate)),
            (format!("frontend/nginx/stream/{gear}.conf"), stream(&self.frontend, settings)),
        ]
    }

    fn files(&self, cx: &Cx<'_>) -> Vec<NewFile> {
        let file = |(path, text): (String, Option<String>)| NewFile {
            path,
            bytes: text.unwrap_or_default().into_bytes(),
            mode: 0o644,
            owner: None,
        };
        self.includes(cx).into_iter().map(file).collect()
    }

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
        if self.frontend.is_empty() {
            return format!("take the gear `{gear}` off the front end");
        }
        let ports: Vec<_> = forwards.iter().map(|one| one.public.to_string()).collect();
        let ports = match ports.as_slice() {
            [] => String::new(),
            ports => format!(", public ports {}", ports.join(", ")),
        };
        format!("show the gear `{gear}` as `{host}` ({} routes{ports})", routes.len())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Undo, Failure> {
        let mut had_certificate = false;
        for path in self.certificate() {
            had_certificate |= cx.state.has(path)?;
        }
        cx.stash()?;
        Ok(Undo { before: files::look(cx, &self.files(cx))?, had_certificate })
    }

    fn apply(&self, _undo: &Undo, cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        // In this order the files of nginx never name a certificate that is not there.
        if self.frontend.needs_certificate() {
            self.see_to_certificate(cx)?;
        }
        let includes = self.includes(cx);
        if !self.frontend.is_empty() {
            said.warnings.extend(nginx::test(cx, &includes)?);
        }
        for (path, text) in &includes {
            checkpoint("connect_frontend: before an include file changes");
            match text {
                Some(text) => cx.state.replace_file(path, text.as_bytes(), 0o644)?,
                None => cx.state.remove_file(path)?,
            }
        }
        checkpoint("connect_frontend: before nginx is told");
        match nginx::reload(cx) {
            Ok(warning) => said.warnings.extend(warning),
            // Who goes is not kept back by a web server that does not run.
            Err(failure) if self.frontend.is_empty() => {
                said.warnings.push(format!("nginx was not told: {}", failure.summary));
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
        files::put_back(cx, &self.files(cx), &undo.before)?;
        checkpoint("connect_frontend: before nginx is told again");
        // The files are as they were; a web server that cannot be told now reads them when it
        // starts, and is no reason to leave a transaction stuck.
        drop(nginx::reload(cx));
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
    for folder in ["frontend/nginx/stream", "frontend/tls"] {
        world.state.make_dirs(folder, 0o755).unwrap();
    }
    world.state.write_new("frontend/nginx/blog.conf", b"# before\n", 0o644).unwrap();
    world.state.write_new("frontend/tls/blog.crt", b"certificate", 0o644).unwrap();
    world.state.write_new("frontend/tls/blog.key", b"key", 0o600).unwrap();
    let address = std::net::Ipv4Addr::new(127, 0, 1, 1);
    let path = WebPath::parse("/").unwrap();
    let target =
        Target { address, port: 8080, path: path.clone(), websocket: true, websocket_port: None };
    let frontend = Frontend {
        gear: gear.name,
        host: crate::package::ident::HostName::parse("blog.example.org").unwrap(),
        routes: vec![Route { path, action: Action::Proxy { target }, connections: None }],
        forwards: vec![Forward { public: 35_541, address, port: 8080, datagrams: false }],
    };
    ConnectFrontend { frontend }
}
