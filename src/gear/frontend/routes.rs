//! Mappings of manifests as routes: which option counts, which route has a path when two want it.

use super::{Action, Forward, Frontend, Route, Target};
use crate::error::{Exit, Explain};
use crate::package::endpoint::{Endpoint, Mapping, WEB, WebPath};
use crate::package::ident::{GearName, HostName};
use serde_json::Value;
use std::cmp::Reverse;
use std::net::Ipv4Addr;

/// An endpoint of a cartridge in a gear, with what it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// The cartridge's folder.
    pub cartridge: &'a str,
    /// Whether it answers for the whole host: the primary cartridge, or a proxy before it.
    pub has_root: bool,
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its public port, where it has one.
    pub public_port: Option<u16>,
}

/// A mapping that cannot be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// One of its paths is none.
    #[error("the mapping `{frontend}` of `{cartridge}` leads to `{text}`, which is no path")]
    NoPath {
        /// The cartridge.
        cartridge: String,
        /// The mapping, escaped.
        frontend: String,
        /// The text, escaped.
        text: String,
    },
    /// It changes a route that is not there.
    #[error(
        "the mapping `{frontend}` of `{cartridge}` has the option `target_update`, but there is no \
         such route to update"
    )]
    NothingToUpdate {
        /// The cartridge.
        cartridge: String,
        /// The mapping, escaped.
        frontend: String,
    },
}

impl Explain for RouteError {
    fn exit(&self) -> Exit {
        Exit::Conflict
    }
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPath { .. } => {
                "a path begins with `/` and has letters, digits and `-._~!*'()@:,;=&+%XX`".into()
            }
            Self::NothingToUpdate { .. } => "remove the option, or map the path first".into(),
        })
    }
}

/// What the front end serves of a gear, and what is to be said about it.
pub fn routes(
    gear: &GearName,
    host: &HostName,
    parts: &[Part<'_>],
) -> Result<(Frontend, Vec<String>), RouteError> {
    let mut found: Vec<(Route, &Part<'_>)> = Vec::new();
    let mut notes = Vec::new();
    for part in parts {
        for mapping in &part.endpoint.mappings {
            if !part.endpoint.protocols.iter().any(|one| WEB.contains(&one.as_str())) {
                // By tls it has a port of its own, if any.
                if part.public_port.is_some() && part.endpoint.is_public_at_once() {
                    continue;
                }
                let (protocols, folder) = (part.endpoint.protocols.join(", "), part.cartridge);
                notes.push(format!(
                    "the front end passes on no {protocols}: the mapping `{}` of `{folder}` is \
                     left out",
                    mapping.frontend.escape_debug()
                ));
                continue;
            }
            add(&mut found, &mut notes, (part, mapping))?;
        }
    }
    let mut routes: Vec<Route> = found.into_iter().map(|(route, _)| route).collect();
    routes.sort_by_key(|route| (Reverse(route.path.as_str().len()), route.path.clone()));
    let forwards = parts.iter().filter_map(|part| {
        Some(Forward {
            public: part.public_port?,
            address: part.address,
            port: part.endpoint.port,
            datagrams: part.endpoint.protocols.iter().any(|protocol| protocol == "udp"),
        })
    });
    let forwards = forwards.collect();
    Ok((Frontend { gear: gear.clone(), host: host.clone(), routes, forwards }, notes))
}

fn add<'a, 'b>(
    found: &mut Vec<(Route, &'b Part<'a>)>,
    notes: &mut Vec<String>,
    (part, mapping): (&'b Part<'a>, &Mapping),
) -> Result<(), RouteError> {
    let route = route(part, mapping)?;
    if route.path.is_root() && !part.has_root {
        return Ok(());
    }
    let known = found.iter_mut().find(|(other, _)| other.path == route.path);
    if mapping.has("target_update") {
        let Some((other, _)) = known else {
            // A proxy takes the root's place from the start: nobody else's root is connected.
            if route.path.is_root() {
                found.push((route, part));
                return Ok(());
            }
            return Err(RouteError::NothingToUpdate {
                cartridge: part.cartridge.to_owned(),
                frontend: mapping.frontend.escape_debug().to_string(),
            });
        };
        if let Some(target) = other.action.target_mut() {
            let new = target_of(part, mapping)?;
            *target = Target { websocket: target.websocket, ..new };
        }
        return Ok(());
    }
    let Some((other, holder)) = known else {
        found.push((route, part));
        return Ok(());
    };
    // The endpoint that calls itself primary keeps the path; else the later one gets it.
    let keeps = holder.endpoint.has("primary") && !part.endpoint.has("primary");
    let (winner, loser) = if keeps { (&**holder, part) } else { (part, &**holder) };
    notes.push(format!(
        "`{}` ({}) and `{}` ({}) both map the path `{}`; the first one counts",
        winner.cartridge,
        winner.endpoint.port_name,
        loser.cartridge,
        loser.endpoint.port_name,
        route.path.shown()
    ));
    if !keeps {
        (*other, *holder) = (route, part);
    }
    Ok(())
}

fn route(part: &Part<'_>, mapping: &Mapping) -> Result<Route, RouteError> {
    let no_path = |text: &str| RouteError::NoPath {
        cartridge: part.cartridge.to_owned(),
        frontend: mapping.frontend.escape_debug().to_string(),
        text: text.escape_debug().to_string(),
    };
    let path = |text: &str| WebPath::parse(text).ok_or_else(|| no_path(text));
    // The strongest first (node specification, 7).
    let on = |name| mapping.has(name);
    let action = if on("gone") {
        Action::Gone
    } else if on("forbidden") {
        Action::Forbidden
    } else if on("noproxy") {
        Action::NoProxy
    } else if on("health") {
        Action::Health
    } else if on("redirect") {
        Action::Redirect { to: path(&mapping.backend)? }
    } else if on("file") {
        Action::File { file: path(&mapping.backend)? }
    } else if on("tohttps") {
        Action::ToHttps { target: target_of(part, mapping)? }
    } else if on("ssl_to_gear") || part.endpoint.has("ssl_to_gear") {
        Action::SslToGear { target: target_of(part, mapping)? }
    } else {
        Action::Proxy { target: target_of(part, mapping)? }
    };
    let connections = mapping.options.get("connections").and_then(number);
    Ok(Route { path: path(&mapping.frontend)?, action, connections })
}

fn target_of(part: &Part<'_>, mapping: &Mapping) -> Result<Target, RouteError> {
    let endpoint = part.endpoint;
    let path = WebPath::parse(&mapping.backend).ok_or_else(|| RouteError::NoPath {
        cartridge: part.cartridge.to_owned(),
        frontend: mapping.frontend.escape_debug().to_string(),
        text: mapping.backend.escape_debug().to_string(),
    })?;
    let speaks = endpoint.protocols.iter().any(|one| one == "ws" || one == "wss");
    let websocket = mapping.has("websocket") || speaks;
    let websocket_port = endpoint.websocket_port.filter(|_| websocket);
    Ok(Target { address: part.address, port: endpoint.port, path, websocket, websocket_port })
}

/// A positive number, however it was written; anything else is no limit.
fn number(value: &Value) -> Option<u32> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        _ => value.as_u64()?,
    };
    u32::try_from(number).ok().filter(|number: &u32| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoint(mappings: &[(&str, &str, Value)]) -> Endpoint {
        let mapping = |(frontend, backend, options): &(&str, &str, Value)| Mapping {
            frontend: (*frontend).into(),
            backend: (*backend).into(),
            options: options.as_object().cloned().unwrap_or_default(),
        };
        Endpoint {
            ip_name: "IP".into(),
            port_name: "PORT".into(),
            port: 8080,
            public_port_name: None,
            websocket_port_name: None,
            websocket_port: None,
            protocols: vec!["http".into()],
            options: serde_json::Map::new(),
            description: String::new(),
            mappings: mappings.iter().map(mapping).collect(),
        }
    }

    fn made(endpoints: &[Endpoint]) -> Result<(Frontend, Vec<String>), RouteError> {
        let part = |(number, endpoint)| Part {
            cartridge: "web",
            has_root: true,
            endpoint,
            address: Ipv4Addr::new(127, 0, 1, number),
            public_port: None,
        };
        let parts: Vec<_> = (1..).zip(endpoints).map(part).collect();
        let name = GearName::parse("blog").unwrap();
        routes(&name, &HostName::parse("blog.example.org").unwrap(), &parts)
    }

    fn paths(frontend: &Frontend) -> Vec<&str> {
        frontend.routes.iter().map(|route| route.path.as_str()).collect()
    }

    #[test]
    fn longer_paths_come_first_and_slashes_at_the_end_do_not_matter() {
        let all = endpoint(&[
            ("", "", json!({})),
            ("/a/", "/x", json!({})),
            ("/a/b", "/y/", json!({})),
            ("/a", "/z", json!({"gone": true})),
        ]);
        let (frontend, notes) = made(&[all]).unwrap();
        assert_eq!(paths(&frontend), ["/a/b", "/a", ""]);
        assert_eq!(frontend.routes[1].action, Action::Gone, "the later one of two counts");
        assert!(notes[0].contains("both map the path `/a`"), "{notes:?}");
    }

    #[test]
    fn the_primary_endpoint_keeps_its_path() {
        let mut first = endpoint(&[("", "/first", json!({}))]);
        first.options.insert("primary".into(), json!(true));
        let (frontend, _) = made(&[first, endpoint(&[("", "/second", json!({}))])]).unwrap();
        let Action::Proxy { target } = &frontend.routes[0].action else { unreachable!() };
        assert_eq!(target.path.as_str(), "/first");
    }

    #[test]
    fn the_strongest_option_counts() {
        let order = [
            "gone",
            "forbidden",
            "noproxy",
            "health",
            "redirect",
            "file",
            "tohttps",
            "ssl_to_gear",
        ];
        for (at, strongest) in order.iter().enumerate() {
            let options: serde_json::Map<_, _> =
                order[at..].iter().map(|name| ((*name).to_owned(), json!(1))).collect();
            let all = endpoint(&[("/p", "/q", Value::Object(options))]);
            let action = made(&[all]).unwrap().0.routes.remove(0).action;
            let action = serde_json::to_value(action).unwrap();
            let name = action["do"].as_str().unwrap().replace('_', "");
            assert_eq!(name, strongest.replace('_', ""));
        }
    }

    #[test]
    fn target_update_keeps_the_options_and_needs_a_route() {
        let first = endpoint(&[("/p", "/old", json!({"websocket": true, "connections": "3"}))]);
        let update = endpoint(&[("/p", "/new", json!({"target_update": true}))]);
        let (frontend, _) = made(&[first, update.clone()]).unwrap();
        assert_eq!(frontend.routes[0].connections, Some(3));
        let Action::Proxy { target } = &frontend.routes[0].action else { unreachable!() };
        assert_eq!((target.path.as_str(), target.websocket), ("/new", true));
        assert!(matches!(made(&[update]), Err(RouteError::NothingToUpdate { .. })));
        let proxy = endpoint(&[("", "", json!({"target_update": true, "websocket": true}))]);
        assert_eq!(made(&[proxy]).unwrap().0.routes.len(), 1, "a proxy takes the root's place");
    }

    #[test]
    fn what_is_no_path_is_refused_and_named() {
        for bad in ["http://elsewhere", "//elsewhere", "/a;}\nlisten 1;", "/$host", "/a\"b", "/a{"]
        {
            let error = made(&[endpoint(&[("/p", bad, json!({"redirect": 1}))])]).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("the mapping `/p` of `web`") && !text.contains('\n'), "{text}");
            assert!(made(&[endpoint(&[(bad, "", json!({}))])]).is_err(), "{bad}");
        }
    }
}
