//! The guide's own examples, and everything about endpoints.

use super::{fails, fine, manifest, variables};
use serde_json::json;

#[test]
fn the_guides_first_example_loads_and_gives_the_variables_its_endpoint_names() {
    let text = "Name: PHP
Cartridge-Short-Name: PHP
Cartridge-Version: '1.0.1'
Compatible-Versions: ['1.0.1']
Cartridge-Vendor: redhat
Display-Name: PHP 5.3
Description: \"A language\"
Version: '5.3'
Versions: ['5.3']
License: \"PHP, 3.0\"
License-Url: http://example.org/license
Vendor: PHP Group
Categories:
  - service
  - php
  - web_framework
Website: http://example.org
Help-Topics:
  \"Developer Center\": https://example.org/developers
Cart-Data:
  - Key: OPENSHIFT_...
    Type: environment
    Description: \"Its use\"
Provides:
  - php-5.3
  - \"php\"
  - \"php(version) = 5.3.2\"
Publishes:
  get-php-ini:
    Type: \"FILESYSTEM:php-ini\"
Subscribes:
  set-db-connection-info:
    Type: \"NET_TCP:db:connection-info\"
    Required: false
  set-mysql-connection-info:
    Type: \"NET_TCP:db:mysql\"
    Required : false
Scaling:
  Min: 1
  Max: -1
Group-Overrides:
  - components:
    - php-5.3
    - web_proxy
Endpoints:
  - Private-IP-Name:   IP1
    Private-Port-Name: HTTP_PORT
    Private-Port:      8080
    Public-Port-Name:  PROXY_HTTP_PORT
    Mappings:
      - Frontend:      \"/front\"
        Backend:       \"/back\"
Additional-Control-Actions:
  - threaddump
";
    let (package, notes) = fine(text);
    assert_eq!(package.name.as_str(), "php");
    assert_eq!(package.ident(&package.version), "redhat:php:5.3:1.0.1");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains(":1 `Name` has upper-case letters; taken as `php`"), "{notes:?}");
    assert_eq!(
        variables(&package),
        ["OPENSHIFT_PHP_IP1", "OPENSHIFT_PHP_HTTP_PORT", "OPENSHIFT_PHP_PROXY_HTTP_PORT"]
    );
    let software = package.default_software();
    assert!(software.is("web_framework"));
    assert_eq!(software.endpoints[0].protocols, ["http"]);
    assert_eq!(software.additional_control_actions, ["threaddump"]);
    assert_eq!(package.extra["Scaling"], json!({"Min": 1, "Max": -1}));
    assert_eq!(package.extra["Subscribes"]["set-mysql-connection-info"]["Required"], json!(false));
    assert_eq!(package.extra["Group-Overrides"], json!([{"components": ["php-5.3", "web_proxy"]}]));
}

#[test]
fn the_guides_endpoint_example_gives_exactly_the_variables_and_routes_that_it_prints() {
    let text = "Endpoints:
  - Private-IP-Name:   HTTP_IP
    Private-Port-Name: WEB_PORT
    Private-Port:      8080
    Public-Port-Name:  WEB_PROXY_PORT
    Mappings:
      - Frontend:      \"/web_front\"
        Backend:       \"/web_back\"
      - Frontend:      \"/socket_front\"
        Backend:       \"/socket_back\"
        Options:       { \"websocket\": true }

  - Private-IP-Name:   HTTP_IP
    Private-Port-Name: ADMIN_PORT
    Private-Port:      9000
    Public-Port-Name:  ADMIN_PROXY_PORT
    Mappings:
      - Frontend:      \"/admin_front\"
      - Backend:       \"/admin_back\"

  - Private-IP-Name:   INTERNAL_SERVICE_IP
    Private-Port-Name: 5544
    Public-Port-Name:  INTERNAL_SERVICE_PORT
";
    let text = manifest(&format!("Name: CustomCart\nCartridge-Short-Name: CUSTOMCART\n{text}"));
    let (package, notes) = fine(&text);
    assert_eq!(
        variables(&package),
        [
            "OPENSHIFT_CUSTOMCART_HTTP_IP",
            "OPENSHIFT_CUSTOMCART_WEB_PORT",
            "OPENSHIFT_CUSTOMCART_WEB_PROXY_PORT",
            "OPENSHIFT_CUSTOMCART_HTTP_IP",
            "OPENSHIFT_CUSTOMCART_ADMIN_PORT",
            "OPENSHIFT_CUSTOMCART_ADMIN_PROXY_PORT",
            "OPENSHIFT_CUSTOMCART_INTERNAL_SERVICE_IP",
            "OPENSHIFT_CUSTOMCART_INTERNAL_SERVICE_PORT",
        ]
    );
    let endpoints = &package.default_software().endpoints;
    assert_eq!(endpoints.iter().map(|e| e.port).collect::<Vec<_>>(), [8080, 9000, 5544]);
    let routes = endpoints.iter().flat_map(|endpoint| &endpoint.mappings);
    let routes: Vec<_> = routes
        .map(|route| (route.frontend.as_str(), route.backend.as_str(), json!(route.options)))
        .collect();
    assert_eq!(
        routes,
        [
            ("/web_front", "/web_back", json!({})),
            ("/socket_front", "/socket_back", json!({"websocket": true})),
            ("/admin_front", "/admin_back", json!({})),
        ]
    );
    assert_eq!(endpoints[2].protocols, ["tcp"]);
    let line = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(notes[1].contains(&format!(":{} ", line("admin_back"))), "{notes:?}");
    assert!(notes[1].contains("remove the `-`"), "{notes:?}");
    assert!(notes[2].contains(&format!(":{} ", line("5544"))), "{notes:?}");
    assert!(notes[2].contains("write `Private-Port: 5544`"), "{notes:?}");
}

#[test]
fn all_faults_of_all_endpoints_are_said_at_once() {
    let said = fails(&manifest(
        "Endpoints:
  - Private-Port-Name: A
    Private-Port: 1
  - Private-IP-Name: ''
    Private-Port-Name: B
    Private-Port: 2
  - Private-IP-Name: IP
    Private-Port: 3
  - Private-IP-Name: IP
    Private-Port-Name: ''
    Private-Port: 4
  - Private-IP-Name: IP
    Private-Port-Name: C
  - Private-IP-Name: IP
    Private-Port-Name: D
    Private-Port: ''
  - Private-IP-Name: IP
    Private-Port-Name: 5544
  - Private-IP-Name: 'I P'
    Private-Port-Name: E
    Private-Port: 65536
    Mappings:
      - Backend: x
      - Frontend: /a b
        Backend: x
      - Frontend: /c
        Backend: http://elsewhere/
        Options: { redirect: true }
Name: 0a-
",
    ));
    let faults: Vec<&str> = said.split("; ").collect();
    for (place, part) in [
        ("7:5", "`Private-IP-Name` is a required element"),
        ("9:22", "`Private-IP-Name` is a required element"),
        ("12:5", "`Private-Port-Name` is a required element"),
        ("15:24", "`Private-Port-Name` is a required element"),
        ("17:5", "`Private-Port` is a required element"),
        ("21:19", "`Private-Port` is not valid"),
        ("22:5", "`Private-Port` is a required element"),
        ("24:22", "`Private-IP-Name` `I P` is not valid"),
        ("26:19", "`Private-Port` is not valid"),
        ("28:9", "`Frontend` is a required element"),
        ("29:19", "`Frontend` is not valid"),
        ("31:9", "the option `redirect` leads to"),
        ("34:7", "name `0a-` is not valid"),
    ] {
        let found = faults.iter().any(|fault| fault.contains(&format!(":{place}: {part}")));
        assert!(found, "{place} {part}\n{}", faults.join("\n"));
    }
    assert_eq!(faults.len(), 13, "{}", faults.join("\n"));
}

#[test]
fn paths_of_web_endpoints_begin_with_a_slash_and_protocols_have_defaults() {
    let endpoint = |more: &str| {
        let text = manifest(&format!(
            "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 1\n{more}"
        ));
        let (package, notes) = fine(&text);
        (package.software[0].endpoints[0].clone(), notes)
    };
    let mapping = "  Mappings:\n  - {Frontend: front, Backend: back}\n  - {Frontend: '', Backend: '', Options: {tohttps: true}}\n";
    for (protocols, expected, paths) in [
        ("", vec!["http"], ("/front", "/back")),
        ("  Protocols: [ws, https]\n", vec!["ws", "https"], ("/front", "/back")),
        ("  Protocols: [http, mysql]\n", vec!["http", "mysql"], ("front", "back")),
    ] {
        let (endpoint, notes) = endpoint(&format!("{protocols}{mapping}"));
        assert_eq!(endpoint.protocols, expected);
        let first = &endpoint.mappings[0];
        assert_eq!((first.frontend.as_str(), first.backend.as_str()), paths);
        let root = &endpoint.mappings[1];
        assert_eq!((root.frontend.as_str(), root.backend.as_str()), ("", ""));
        assert_eq!(json!(root.options), json!({"tohttps": true}));
        assert_eq!(notes, Vec::<String>::new());
    }
    assert_eq!(endpoint("").0.protocols, ["tcp"]);
    let gone = "  Mappings:\n  - {Frontend: /x, Options: {gone: true, file: yes}}\n";
    let (endpoint, notes) = endpoint(gone);
    assert_eq!(json!(endpoint.mappings[0].options), json!({"gone": true, "file": true}));
    assert!(notes[0].contains("`gone` and `file` conflict; `gone` counts"), "{notes:?}");
    assert_eq!(notes.len(), 1);
}
