//! From a manifest on the disk to the variables and routes that a gear gets: the guide's endpoint
//! example, of which format and gear each know a half.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that writes a tree and reads it"
)]

use cartwright::archive::{self, Links, Modes, Options, Strip};
use cartwright::config::Config;
use cartwright::format::{self, Unpacked};
use cartwright::gear::endpoints::{assign, variable};
use cartwright::package::Package;
use cartwright::package::note::{Note, Notes};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;
use std::collections::{BTreeMap, BTreeSet};

/// The guide's elements: a name in upper case, a mapping split over two items, and a port where
/// the port's name belongs.
const MANIFEST: &str = "\
Name: CustomCart
Cartridge-Short-Name: CUSTOMCART
Cartridge-Vendor: example
Cartridge-Version: '1.0'
Version: '1.0'
Categories: [service]
Endpoints:
  - Private-IP-Name:   HTTP_IP
    Private-Port-Name: WEB_PORT
    Private-Port:      8080
    Public-Port-Name:  WEB_PROXY_PORT
    Mappings:
      - { Frontend: /web_front, Backend: /web_back }
      - { Frontend: /socket_front, Backend: /socket_back, Options: { websocket: true } }
  - Private-IP-Name:   HTTP_IP
    Private-Port-Name: ADMIN_PORT
    Private-Port:      9000
    Public-Port-Name:  ADMIN_PROXY_PORT
    Mappings:
      - Frontend: /admin_front
      - Backend:  /admin_back
  - Private-IP-Name:   INTERNAL_SERVICE_IP
    Private-Port-Name: 5544
    Public-Port-Name:  INTERNAL_SERVICE_PORT
";

fn load(manifest: &str) -> (Package, Vec<Note>) {
    let temp = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("metadata/manifest.yml", manifest),
        ("bin/control", "#!/bin/bash\n"),
        ("bin/setup", "#!/bin/bash\n"),
        ("env/.gitignore", ""),
    ] {
        let path = temp.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let dir = Dir::open(temp.path()).unwrap();
    let limits = Config::default().archive;
    let options = Options {
        limits: &limits,
        links: Links::Contained,
        modes: Modes::AsPacked,
        strip: Strip::Nothing,
        older: None,
    };
    let table = archive::survey(&dir, &options, &Nobody).unwrap();
    let mut notes = Notes::default();
    let package = format::read(&Unpacked { dir: &dir, table: &table }, &mut notes).unwrap();
    (package, notes.into_vec())
}

#[test]
fn the_guides_endpoints_become_exactly_the_variables_that_it_prints() {
    let (package, notes) = load(MANIFEST);
    assert_eq!(package.name.as_str(), "customcart", "the folder in a gear");
    let short = package.short_name.to_string();
    let endpoints = &package.default_software().endpoints;
    let assigned = assign(endpoints, &BTreeSet::new(), 501).unwrap();
    let private: BTreeMap<_, _> = assigned.iter().flat_map(|one| one.variables(&short)).collect();
    let expected = [
        ("OPENSHIFT_CUSTOMCART_HTTP_IP", "127.0.250.129"),
        ("OPENSHIFT_CUSTOMCART_WEB_PORT", "8080"),
        ("OPENSHIFT_CUSTOMCART_ADMIN_PORT", "9000"),
        ("OPENSHIFT_CUSTOMCART_INTERNAL_SERVICE_IP", "127.0.250.130"),
        ("OPENSHIFT_CUSTOMCART_INTERNAL_SERVICE_PORT", "5544"),
    ];
    assert_eq!(private, expected.map(|(name, value)| (name.into(), value.into())).into());
    let public = endpoints.iter().filter_map(|one| one.public_port_name.as_ref());
    let public: Vec<_> = public.map(|name| variable(&short, name)).collect();
    assert_eq!(
        public,
        ["OPENSHIFT_CUSTOMCART_WEB_PROXY_PORT", "OPENSHIFT_CUSTOMCART_ADMIN_PROXY_PORT"]
    );
    let at = |part: &str| MANIFEST.lines().position(|line| line.contains(part)).unwrap() + 1;
    for (part, remedy) in [
        ("Name: CustomCart", "write it so"),
        ("Backend:  /admin_back", "remove the `-`"),
        ("Private-Port-Name: 5544", "write `Private-Port: 5544`"),
    ] {
        let said =
            notes.iter().any(|note| note.line == Some(at(part)) && note.text.contains(remedy));
        assert!(said, "{part}: {notes:?}");
    }
}

#[test]
fn the_guides_routes_lead_to_the_endpoints_addresses() {
    let (package, _) = load(MANIFEST);
    let software = package.default_software();
    let assigned = assign(&software.endpoints, &BTreeSet::new(), 501).unwrap();
    let routes: Vec<String> = assigned
        .iter()
        .flat_map(|one| one.endpoint.mappings.iter().map(move |route| (one, route)))
        .map(|(one, route)| {
            let port = one.endpoint.port;
            format!("{} => {}:{port}{}", route.frontend, one.address, route.backend)
        })
        .collect();
    assert_eq!(
        routes,
        [
            "/web_front => 127.0.250.129:8080/web_back",
            "/socket_front => 127.0.250.129:8080/socket_back",
            "/admin_front => 127.0.250.129:9000/admin_back",
        ]
    );
}
