//! What the planner of upgrades decides, as text.
//!
//! `@installed VERSION[/GEAR][!]…` versions of one package in the library: used by a gear, held;
//! `@comes VERSION…`, built anew with `+`; `@older VERSION` that its source offers instead;
//! `@keep BYTES` of old releases, each of which has one; `@back VERSION…` to which a gear can be rolled
//! back; `@run all | named`, `--allow-downgrade`; then what is expected: steps, or the code of a refusal.

use super::{Asked, Downgrade, UpgradeAsk, upgrade};
use crate::db::{Hold, InversePart, NewPackage, PackageRow};
use crate::error::Explain;
use crate::facts::Installed;
use crate::gather::{self, Arrival};
use crate::package::file_table::FileTable;
use crate::package::provenance::{Origin, Provenance, Trust};
use crate::package::version::Version;
use crate::package::{Package, sample};
use crate::plan::hold::Line;
use crate::plan::old_releases::Keeping;
use crate::sys::path::RelPath;
use std::path::Path;

const CASES: &str = "
@installed 1.0 @comes 2.0 @run all
= Given: put the tree `library/cartridge/test-a/2.0-aa` into place | RemovePackages
@installed 1.0 2.0 @comes 2.0 @run all
= Given: |
@installed 1.0 @run all
= Given: |
@installed 1.0/blog @comes 1.0+ @run all
= Given: put the tree `library/cartridge/test-a/1.0-bb` into place | RemovePackages
@installed 1.0 @comes 1.0+ @run all
= Given: put the tree `library/cartridge/test-a/1.0-bb` into place; take `library/cartridge/test-a/1.0-aa` away | RemovePackages RestorePackages
@installed 1.0! @comes 2.0 @run all
= Given: |
@installed 1.0! @comes 2.0 @run named
= 5
@installed 1.0! @run named
= 5
@installed 1.10 @comes 1.9 @run all
= 5
@installed 1.10 @older 1.9 @run all
= 5
@installed 1.10 @older 1.9 @comes 1.9 @run all --allow-downgrade
= Courtesy: take `library/cartridge/test-a/1.10-aa` away; put the tree `library/cartridge/test-a/1.9-aa` into place | RestorePackages RemovePackages
@installed 1.9 1.10 @older 1.9 @comes 1.9 @run all --allow-downgrade
= Courtesy: take `library/cartridge/test-a/1.10-aa` away | RestorePackages
@installed 1.10/blog @older 1.9 @comes 1.9 @run named --allow-downgrade
= Given: put the tree `library/cartridge/test-a/1.9-aa` into place | RemovePackages
@installed 1.0 1.1 1.2/blog @comes 2.0 @keep 1 @run all
= Given: put the tree `library/cartridge/test-a/2.0-aa` into place; take `library/cartridge/test-a/1.0-aa` away | RemovePackages RestorePackages
@installed 1.0 1.1 @comes 2.0 @keep 0 @back 1.0 @run all
= Given: put the tree `library/cartridge/test-a/2.0-aa` into place; take `library/cartridge/test-a/1.1-aa` away | RemovePackages RestorePackages
@installed 1.0 1.1 @keep 0 @run all
= Given: take `library/cartridge/test-a/1.0-aa` away | RestorePackages
@installed 1.0/blog 1.1 @keep 0 @run all
= Given: |
@installed 1.0! 1.1! @keep 0 @run all
= Given: |
@installed 1.0 @comes other @run all
= 4
";

fn package(name: &str, version: &str) -> (Package, RelPath) {
    let (number, build) = match version.strip_suffix('+') {
        Some(number) => (number, "bb"),
        None => (version, "aa"),
    };
    let mut package = sample::package(name);
    package.package_version = Version::parse(number).unwrap();
    let place = format!("cartridge/test-{name}/{number}-{build}");
    (package, RelPath::parse(&place).unwrap())
}

fn installed(id: i64, word: &str) -> Installed {
    let (word, held) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
    let (version, gear) = word.split_once('/').map_or((word, None), |(v, gear)| (v, Some(gear)));
    let (package, place) = package("a", version);
    let row = PackageRow {
        id,
        format: "cartridge".into(),
        vendor: "test".into(),
        name: "a".into(),
        version: "1".into(),
        package_version: version.into(),
        tree: String::new(),
        place: place.to_string(),
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
        name: "a".into(),
        reason: "why".into(),
        since: 0,
        user: 0,
        txn: 1,
    };
    let used_by = gear.map(str::to_owned).into_iter().collect();
    Installed { row, place, package, used_by, hold: held.then_some(hold) }
}

fn arrival(state: &Path, version: &str) -> Arrival {
    let name = if version == "other" { "other" } else { "a" };
    let (package, place) = package(name, if version == "other" { "1.0" } else { version });
    let provenance = Provenance {
        source: "x".into(),
        kind: Origin::Git,
        final_url: None,
        md5: None,
        sha256: None,
        commit: None,
        length: None,
        trust: Trust::Git,
    };
    let table = FileTable::default();
    gather::sample(state, NewPackage { package, place, table, provenance, notes: Vec::new() })
}

fn decide(case: &str) -> String {
    let words = |mark: &str| -> Vec<&str> {
        let mut parts = case.split('@').filter_map(|part| part.trim().strip_prefix(mark));
        parts.next().unwrap_or_default().split_whitespace().collect()
    };
    let temp = tempfile::tempdir().unwrap();
    let line = Line { vendor: "test".into(), name: "a".into() };
    let there: Vec<_> = (1..).zip(words("installed")).map(|(id, one)| installed(id, one)).collect();
    let arrived: Vec<_> =
        words("comes").iter().map(|one| (line.clone(), arrival(temp.path(), one))).collect();
    let older: Vec<_> =
        words("older").iter().map(|one| (line.clone(), Version::parse(one).unwrap())).collect();
    let run = words("run");
    let allowed = run.contains(&"--allow-downgrade");
    let limit = words("keep").first().map_or(u64::MAX, |limit| limit.parse().unwrap());
    let ways_back = words("back").iter().map(|version| package("a", version).1).collect();
    let ask = UpgradeAsk {
        keeping: Keeping { limit, ways_back: &ways_back },
        arrived: &arrived,
        older: &older,
        asked: if run.contains(&"named") { Asked::Named } else { Asked::All },
        downgrade: if allowed { Downgrade::Allowed } else { Downgrade::Refused },
        warnings: &[],
    };
    match upgrade(&ask, &there) {
        Err(refusal) => (refusal.exit() as u8).to_string(),
        Ok(plan) => {
            let name = |part: &InversePart| format!(" {part:?}");
            let inverse: String = plan.inverse.parts.iter().map(name).collect();
            assert!(!plan.is_empty() || !plan.summary.is_empty(), "{case}: it says why");
            assert_eq!(plan.steps.is_empty(), plan.records.is_empty(), "{case}");
            format!("{:?}: {} |{inverse}", plan.consent, plan.descriptions().join("; "))
        }
    }
}

#[test]
fn every_case_gives_what_it_expects() {
    let lines: Vec<&str> = CASES.trim().lines().collect();
    for pair in lines.chunks(2) {
        let expected = pair[1].strip_prefix("= ").unwrap();
        let expected = expected.replace(": |", ":  |");
        assert_eq!(decide(pair[0]), expected.trim_end(), "{}", pair[0]);
    }
    assert!(lines.len() >= 28);
}
