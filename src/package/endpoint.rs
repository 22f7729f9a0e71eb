//! Where a package listens, and how requests get there.

use super::ident::{EnvName, IdentError, ShortName};

/// One endpoint: a private address and port, optionally a public port and routes to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Endpoint {
    /// The part of a variable's name that holds the address (`Private-IP-Name`).
    pub ip_name: String,
    /// The part of a variable's name that holds the port (`Private-Port-Name`).
    pub port_name: String,
    /// The port (`Private-Port`).
    pub port: u16,
    /// The part of a variable's name that holds the public port, where one is wanted.
    pub public_port_name: Option<String>,
    /// The part of a variable's name that holds the web socket's port.
    pub websocket_port_name: Option<String>,
    /// The web socket's port.
    pub websocket_port: Option<u16>,
    /// What is spoken there: `http`, `tcp`, `mysql`, ….
    pub protocols: Vec<String>,
    /// The endpoint's options (`primary`, `ssl_to_gear`), as the manifest gives them.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// What it is for.
    pub description: String,
    /// The routes from the front end.
    pub mappings: Vec<Mapping>,
}

/// One route from the front end to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mapping {
    /// The path that people ask for.
    pub frontend: String,
    /// The path that the endpoint is asked for.
    pub backend: String,
    /// Options such as `websocket`, `health`, `redirect`, as the manifest gives them.
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// The names of the variables in which an endpoint is told to scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variables {
    /// Holds the private address.
    pub ip: EnvName,
    /// Holds the private port.
    pub port: EnvName,
    /// Holds the public port.
    pub public_port: Option<EnvName>,
    /// Holds the web socket's port.
    pub websocket_port: Option<EnvName>,
}

impl Endpoint {
    /// The names of its variables: `OPENSHIFT_<short name>_<name>` (guide, *Exposing Services*).
    /// Fails only for a stored record that a person has edited: readers check the names.
    pub fn variables(&self, short_name: &ShortName) -> Result<Variables, IdentError> {
        let named = |name: &String| EnvName::parse(&format!("OPENSHIFT_{short_name}_{name}"));
        Ok(Variables {
            ip: named(&self.ip_name)?,
            port: named(&self.port_name)?,
            public_port: self.public_port_name.as_ref().map(named).transpose()?,
            websocket_port: self.websocket_port_name.as_ref().map(named).transpose()?,
        })
    }
}
