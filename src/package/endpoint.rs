//! Where a package listens, and how requests get there.

use super::ident::{EnvName, IdentError, ShortName};

/// Protocols that the front end passes on by path; the paths of their mappings begin with `/`.
pub const WEB: &[&str] = &["http", "https", "ws", "wss"];

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

/// Tells whether an option of an endpoint or a mapping is given, and not as `false`.
fn is_on(options: &serde_json::Map<String, serde_json::Value>, name: &str) -> bool {
    use serde_json::Value::{Bool, Null};
    options.get(name).is_some_and(|value| !matches!(value, Null | Bool(false)))
}

impl Mapping {
    /// Tells whether it has this option.
    pub fn has(&self, option: &str) -> bool {
        is_on(&self.options, option)
    }
}

impl Endpoint {
    /// Tells whether it has this option itself.
    pub fn has(&self, option: &str) -> bool {
        is_on(&self.options, option)
    }

    /// Tells whether the gear speaks https itself there, which its scripts are told.
    pub fn is_ssl_to_gear(&self) -> bool {
        self.has("ssl_to_gear") || self.mappings.iter().any(|one| one.has("ssl_to_gear"))
    }

    /// Tells whether it gets a public port with the gear, and not only when that is exposed: with the
    /// option `ssl_to_gear`, and where a mapping has it served by `tls` (node specification, 7).
    pub fn is_public_at_once(&self) -> bool {
        let tls = self.protocols.iter().any(|one| one == "tls") && !self.mappings.is_empty();
        tls || self.has("ssl_to_gear") && self.public_port_name.is_some()
    }

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

/// The path of a route, without a slash at its end: empty, or `/` and segments. It has the
/// characters of a URI's path alone, none of which means anything to a web server's settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct WebPath(String);

impl WebPath {
    /// Reads a path; nothing where `text` is none: another URI, `..`, or a character that has no
    /// place there.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && !text.starts_with('/') || text.starts_with("//") {
            return None;
        }
        let path = text.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!*'()@:,;=&+%".contains(c);
        if !path.chars().all(plain) || path.len() > 1024 {
            return None;
        }
        let decoded = decode(path)?;
        let steers = |c: char| c.is_control() || c == '$';
        let dots = decoded.split('/').any(|segment| matches!(segment, "." | ".."));
        (!decoded.contains(steers) && !dots && !decoded.contains("//"))
            .then(|| Self(path.to_owned()))
    }

    /// The path as it stands in a URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as a person reads it: never empty.
    pub fn shown(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }

    /// The path with its `%XX` as characters, as web servers compare it.
    pub fn decoded(&self) -> String {
        decode(&self.0).unwrap_or_default()
    }

    /// Tells whether it is the path of everything.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> serde::Deserialize<'de> for WebPath {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a path"))
    }
}

fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_path_and_nothing_else() {
        for (text, path) in
            [("", ""), ("/", ""), ("/a/", "/a"), ("/a/b", "/a/b"), ("/a%20b", "/a%20b")]
        {
            assert_eq!(WebPath::parse(text).unwrap().as_str(), path);
        }
        assert_eq!(WebPath::parse("/a%20%22b").unwrap().decoded(), "/a \"b");
        for bad in [
            "a",
            "http://x",
            "//x",
            "/a//b",
            "/../etc",
            "/a/%2e%2e/b",
            "/a;\n}",
            "/a\"",
            "/$host",
            "/%24host",
            "/a%0a",
            "/a%",
            "/a%zz",
            "/a?b",
            "/a#b",
            "/{",
            "/a b",
            "/a\\",
            "/\u{e9}",
        ] {
            assert!(WebPath::parse(bad).is_none(), "{bad}");
        }
    }
}
