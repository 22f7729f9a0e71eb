//! Upgrades of gears, as text: `upgrades.plan` beside this file. A case:
//!
//! ```text
//! @gear STATE PROCESSES RELEASE         the gear `blog` with one cartridge, `fam`, of that release
//! @library RELEASE…                     `1.1<1.0`: takes over from 1.0; `+admin`: has an endpoint more;
//!                                       `!`: held; `/2`: has software version 2 alone
//! @run upgrade [--force]
//! @steps DESCRIPTION | DESCRIPTION…     or `-`: there is nothing to do
//! @consent Given | Courtesy | Needed
//! @says TEXT…                           may be left out: what the plan tells beside its steps
//! ```

use cartwright::db::{GearEndpointRow, Hold, PackageRow};
use cartwright::facts::{Extension, Gear, Installed, MemberFacts, UpgradeFacts};
use cartwright::package::ident::FormatName;
use cartwright::package::managed::Managed;
use cartwright::package::{Package, Parts};
use cartwright::plan::gear::{Refresh, upgrade};
use cartwright::sys::clock::Moment;
use cartwright::sys::path::RelPath;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// A release, as a word of a case.
struct Release<'a> {
    version: &'a str,
    compatible: Option<&'a str>,
    software: &'a str,
    admin: bool,
    held: bool,
}

impl<'a> Release<'a> {
    fn of(word: &'a str) -> Self {
        let (word, held) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
        let (word, software) = word.split_once('/').unwrap_or((word, "1"));
        let (word, admin) = word.strip_suffix("+admin").map_or((word, false), |word| (word, true));
        let (version, compatible) =
            word.split_once('<').map_or((word, None), |(version, of)| (version, Some(of)));
        Self { version, compatible, software, admin, held }
    }

    fn package(&self) -> Package {
        let endpoint = |name: &str, port: u16| {
            json!({
                "ip_name": "IP", "port_name": name, "port": port, "public_port_name": null,
                "websocket_port_name": null, "websocket_port": null, "mappings": [],
                "protocols": ["http"], "options": {}, "description": "",
            })
        };
        let mut endpoints = vec![endpoint("PORT", 8080)];
        endpoints.extend(self.admin.then(|| endpoint("ADMIN_PORT", 9090)));
        let managed = Managed {
            locked_files: vec!["conf/locked".into()],
            setup_rewritten: vec!["conf/made".into()],
            ..Managed::default()
        };
        let parts = Parts { setup: true, ..Parts::default() };
        let value = json!({
            "format": FormatName::Cartridge, "vendor": "test", "name": "fam", "short_name": "FAM",
            "package_version": self.version,
            "compatible_versions": self.compatible.into_iter().collect::<Vec<_>>(),
            "version": self.software,
            "software": [{
                "version": self.software, "display_name": "", "description": "", "license": "",
                "website": "", "categories": [], "provides": [], "endpoints": endpoints,
                "install_build_required": false, "additional_control_actions": [],
                "configure_order": [], "extra": {},
            }],
            "source_url": null, "source_md5": null,
            "managed": managed, "parts": parts, "extra": {},
        });
        serde_json::from_value(value).unwrap()
    }

    fn place(&self) -> RelPath {
        RelPath::parse(&format!("cartridge/test-fam/{}-aa", self.version)).unwrap()
    }

    fn installed(&self, id: i64) -> Installed {
        let row = PackageRow {
            id,
            format: "cartridge".into(),
            vendor: "test".into(),
            name: "fam".into(),
            version: self.software.into(),
            package_version: self.version.into(),
            tree: String::new(),
            place: self.place().to_string(),
            size: 1,
            files: 1,
            source: "x".into(),
            source_kind: "git".into(),
            md5: None,
            sha256: None,
            commit: None,
            trust: "git".into(),
            installed: 0,
            txn: 1,
        };
        let hold = Hold {
            id: 1,
            vendor: "test".into(),
            name: "fam".into(),
            reason: "the fair".into(),
            since: 0,
            user: 0,
            txn: 1,
        };
        let hold = self.held.then_some(hold);
        Installed { row, place: self.place(), package: self.package(), used_by: Vec::new(), hold }
    }
}

/// A gear as the other cases have it, with the cartridge `fam` of a release.
fn gear(words: &str) -> Gear {
    let (rest, release) = words.rsplit_once(' ').unwrap();
    let release = Release::of(release);
    let mut gear = super::gear(&format!("{rest} fam"));
    let cartridge = &mut gear.identity.cartridges[0];
    cartridge.place = release.place();
    cartridge.ident = format!("test:fam:1:{}", release.version);
    gear.packages = vec![release.package()];
    let row = |name: &str, port| GearEndpointRow {
        dir: "fam".into(),
        name: format!("OPENSHIFT_FAM_{name}"),
        address: "127.0.1.1".into(),
        port,
        public_port: None,
        protocols: vec!["http".into()],
    };
    gear.endpoints.push(row("PORT", 8080));
    gear.endpoints.extend(release.admin.then(|| row("ADMIN_PORT", 9090)));
    gear
}

fn facts(gear: Gear, library: &str) -> UpgradeFacts {
    let words = library.split(' ').filter(|word| !word.is_empty());
    let runs = gear.processes > 0;
    let answering = vec![("127.0.1.1".parse().unwrap(), 8080)];
    UpgradeFacts {
        configured: vec![("fam".into(), Moment(0))],
        answering: if runs { answering } else { Vec::new() },
        bytes: 1,
        extension: Extension::default(),
        members: MemberFacts {
            externals: cartwright::facts::Externals::default(),
            application: vec![gear.clone()],
            told: Vec::new(),
            taken_hosts: BTreeSet::new(),
            outside: None,
            installed: (1..).zip(words).map(|(id, word)| Release::of(word).installed(id)).collect(),
            gear,
        },
    }
}

#[test]
fn every_upgrade_of_a_gear_gives_the_plan_that_it_expects() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan/upgrades.plan");
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases = 0;
    for case in text.split("\n\n").filter(|case| case.contains("@gear ")) {
        let line =
            |mark: &str| case.lines().find_map(|line| line.strip_prefix(mark)).map(str::trim);
        let must =
            |mark: &str| line(mark).unwrap_or_else(|| panic!("{mark} is missing in:\n{case}"));
        let refresh =
            if must("@run").contains("--force") { Refresh::All } else { Refresh::Outdated };
        let plan = upgrade(&facts(gear(must("@gear")), must("@library")), refresh).unwrap();
        let steps = if plan.is_empty() { "-".into() } else { plan.descriptions().join(" | ") };
        assert_eq!(steps, must("@steps"), "{case}");
        assert_eq!(format!("{:?}", plan.consent), must("@consent"), "{case}");
        let told = [plan.summary.as_slice(), plan.warnings.as_slice(), &plan.irreversible].concat();
        if let Some(says) = line("@says") {
            assert!(told.iter().any(|text| text.contains(says)), "{case}\n{told:?}");
        }
        cases += 1;
    }
    assert!(cases >= 10, "only {cases} cases were found");
}
