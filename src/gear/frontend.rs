//! What the front end serves of a gear: routes by path, and public ports that are passed on; and of a
//! site ([`site`]), which Apache alone serves.
//!
//! Pure: the manifest's mappings become routes ([`routes()`]), and routes become the text of an
//! include file ([`nginx`], [`apache`]). Nothing of a package reaches that text but through the checked types
//! here: host names and [`WebPath`]s, addresses and numbers.

pub mod apache;
pub mod httpd;
pub mod modules;
pub mod nginx;
mod routes;
pub mod site;

pub use routes::{Part, RouteError, routes};

use crate::package::endpoint::WebPath;
use crate::package::ident::{GearName, HostName};
use std::net::Ipv4Addr;
use std::path::Path;

/// Everything that the front end serves of one gear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Frontend {
    /// The gear.
    pub gear: GearName,
    /// The name under which it is asked for.
    pub host: HostName,
    /// The routes, longer paths first.
    pub routes: Vec<Route>,
    /// The public ports.
    pub forwards: Vec<Forward>,
}

/// A certificate and its key.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// The certificate's file.
    pub certificate: &'a Path,
    /// The key's file.
    pub key: &'a Path,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// What becomes of requests for a path and everything below it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Route {
    /// The path; empty for everything.
    pub path: WebPath,
    /// What becomes of them.
    pub action: Action,
    /// How many are passed on at the same time, where that is limited.
    pub connections: Option<u32>,
}

/// What becomes of a request (guide, *Exposing Services*).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// 410.
    Gone,
    /// 403.
    Forbidden,
    /// It is not passed on: what lies in the administrator's folder, else 404.
    NoProxy,
    /// A static answer, for whoever watches over the front end.
    Health,
    /// Elsewhere on the same host.
    Redirect {
        /// The path there.
        to: WebPath,
    },
    /// A file of the administrator's folder.
    File {
        /// Its path below that folder.
        file: WebPath,
    },
    /// To the same place by https, where it is passed on.
    ToHttps {
        /// Where to.
        target: Target,
    },
    /// By https, to a gear that speaks https itself.
    SslToGear {
        /// Where to.
        target: Target,
    },
    /// It is passed on.
    Proxy {
        /// Where to.
        target: Target,
    },
}

/// Where requests are passed on to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// The private address.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// The path there.
    pub path: WebPath,
    /// Whether a connection may become a web socket.
    pub websocket: bool,
    /// The port of web sockets, where they have one of their own.
    pub websocket_port: Option<u16>,
}

/// A public port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Forward {
    /// The port that everybody reaches.
    pub public: u16,
    /// The private address.
    pub address: Ipv4Addr,
    /// The private port.
    pub port: u16,
    /// Whether datagrams are passed on, not connections.
    pub datagrams: bool,
}

impl Frontend {
    /// Tells whether there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.forwards.is_empty()
    }

    /// Tells whether a certificate is needed.
    pub fn needs_certificate(&self) -> bool {
        self.routes.iter().any(|route| route.action.is_secured())
    }
}

impl Action {
    /// Tells whether it is served by https alone.
    pub fn is_secured(&self) -> bool {
        matches!(self, Self::ToHttps { .. } | Self::SslToGear { .. })
    }

    pub(super) fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::ToHttps { target } | Self::SslToGear { target } | Self::Proxy { target } => {
                Some(target)
            }
            _ => None,
        }
    }
}
