//! Which cartridges can live together in a gear, and in what order they are configured: web
//! frameworks, services, others, and within that as `Configure-Order` has it (node specification,
//! 8.1).

use super::configure::Wanted;
use crate::error::Exit;
use crate::plan::{Plan, Refusal};
use std::collections::BTreeSet;

/// The cartridges in the order in which they are configured; those that cannot live together are
/// refused.
pub(super) fn in_configuring_order(cartridges: &[Wanted]) -> Result<Vec<Wanted>, Refusal> {
    if cartridges.is_empty() {
        return Err(Refusal::new(Exit::Usage, "a gear needs at least one cartridge"));
    }
    refuse_twins(cartridges)?;
    refuse_conflicts(cartridges)?;
    for one in cartridges {
        if let Some(missing) = unmet(one, cartridges) {
            let (title, missing) = (one.package.title(), missing.join("` or `"));
            let text = format!("`{title}` requires `{missing}`, which is not in the gear");
            return Err(
                Refusal::new(Exit::Conflict, text).hint("name a cartridge that provides it")
            );
        }
    }
    sorted(cartridges)
}

fn class(one: &Wanted) -> u8 {
    match one.software() {
        software if software.is("web_framework") => 0,
        software if software.is("service") => 1,
        _ => 2,
    }
}

fn refuse_twins(cartridges: &[Wanted]) -> Result<(), Refusal> {
    for (index, one) in cartridges.iter().enumerate() {
        let before = cartridges.iter().take(index);
        let mut twins = before.filter(|other| other.package.name == one.package.name);
        if let Some(twin) = twins.next() {
            let text = format!(
                "`{}` and `{}` would both live in the folder `{}`",
                twin.package.title(),
                one.package.title(),
                one.package.name
            );
            return Err(Refusal::new(Exit::Conflict, text).hint("name one of them"));
        }
    }
    let frameworks: Vec<_> = cartridges.iter().filter(|one| class(one) == 0).collect();
    if let [first, second, ..] = frameworks.as_slice() {
        let (first, second) = (first.package.title(), second.package.title());
        let text = format!("`{first}` and `{second}` are both web frameworks; a gear has one");
        return Err(Refusal::new(Exit::Conflict, text).hint("make a gear for each of them"));
    }
    Ok(())
}

fn refuse_conflicts(cartridges: &[Wanted]) -> Result<(), Refusal> {
    for one in cartridges {
        for feature in one.package.conflicts(one.software()) {
            let others = cartridges.iter().filter(|other| other.package.name != one.package.name);
            if let Some(other) = others.into_iter().find(|other| other.has_feature(&feature)) {
                let (title, other) = (one.package.title(), other.package.title());
                let text = format!("`{title}` conflicts with `{feature}`, which `{other}` is");
                return Err(Refusal::new(Exit::Conflict, text).hint("make a gear for each of them"));
            }
        }
    }
    Ok(())
}

/// What `one` requires and none of the cartridges is.
pub fn unmet(one: &Wanted, cartridges: &[Wanted]) -> Option<Vec<String>> {
    let missing = |names: &Vec<String>| {
        !names.iter().any(|name| cartridges.iter().any(|other| other.has_feature(name)))
    };
    one.package.requires(one.software()).into_iter().find(missing)
}

/// Sorts so that every cartridge comes behind those that have to come before it; where nothing is
/// said, as they were named.
fn sorted(cartridges: &[Wanted]) -> Result<Vec<Wanted>, Refusal> {
    let before = edges(cartridges)?;
    let mut left: Vec<usize> = (0..cartridges.len()).collect();
    left.sort_by_key(|index| cartridges.get(*index).map(class));
    let mut order = Vec::with_capacity(cartridges.len());
    while !left.is_empty() {
        let is_free = |index: &usize| !left.iter().any(|other| before.contains(&(*other, *index)));
        let Some(at) = left.iter().position(is_free) else {
            let names = left.iter().filter_map(|index| cartridges.get(*index));
            let names: Vec<_> = names.map(|one| format!("`{}`", one.package.name)).collect();
            let text = format!("`Configure-Order` puts {} each before another", names.join(", "));
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("web frameworks come first, then services, then the rest"));
        };
        order.push(left.remove(at));
    }
    Ok(order.into_iter().filter_map(|index| cartridges.get(index).cloned()).collect())
}

/// Pairs of cartridges of which the first comes before the second.
fn edges(cartridges: &[Wanted]) -> Result<BTreeSet<(usize, usize)>, Refusal> {
    let mut found = BTreeSet::new();
    let mut add = |firsts: &[usize], seconds: &[usize]| {
        for (first, second) in firsts.iter().flat_map(|a| seconds.iter().map(move |b| (*a, *b))) {
            if first != second {
                found.insert((first, second));
            }
        }
    };
    let of_class = |class_: u8| -> Vec<usize> {
        let all = cartridges.iter().enumerate();
        all.filter(|(_, one)| class(one) == class_).map(|(index, _)| index).collect()
    };
    add(&of_class(0), &of_class(1));
    add(&of_class(0), &of_class(2));
    add(&of_class(1), &of_class(2));
    for one in cartridges {
        let mut last: Option<Vec<usize>> = None;
        for names in &one.software().configure_order {
            let all = cartridges.iter().enumerate();
            let meant = |other: &Wanted| {
                names.iter().any(|name| other.has_feature(name) || other.software().is(name))
            };
            let here: Vec<usize> =
                all.filter(|(_, other)| meant(other)).map(|(index, _)| index).collect();
            if here.is_empty() {
                let (title, names) = (one.package.title(), names.join("` or `"));
                let text = format!(
                    "`{title}` is configured in an order with `{names}`, which is not in the gear"
                );
                return Err(Refusal::new(Exit::Conflict, text).hint("name such a cartridge, too"));
            }
            if let Some(last) = &last {
                add(last, &here);
            }
            last = Some(here);
        }
    }
    Ok(found)
}

/// Says of groups that are to live in one gear that they do: there is one host.
pub(super) fn note_groups(plan: &mut Plan, cartridges: &[Wanted]) {
    for one in cartridges {
        for group in one.package.group_overrides(one.software()) {
            let (title, group) = (one.package.title(), group.join("`, `"));
            plan.summary.push(format!("`{title}` wants `{group}` in one gear (Group-Overrides)"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::package;
    use crate::sys::path::RelPath;
    use serde_json::json;

    /// A cartridge: its name, its category, and what else its manifest says.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes a value")]
    fn one(name: &str, category: &str, more: serde_json::Value) -> Wanted {
        let mut package = package(name);
        let software = &mut package.software[0];
        software.categories = vec![category.into()];
        let list = |key: &str| -> Vec<Vec<String>> {
            serde_json::from_value(more.get(key).cloned().unwrap_or(json!([]))).unwrap()
        };
        software.configure_order = list("Configure-Order");
        software.provides = list("Provides").concat();
        package.extra = more.as_object().cloned().unwrap_or_default();
        Wanted { package, place: RelPath::parse("cartridge/x/1").unwrap(), software: None }
    }

    fn names(cartridges: &[Wanted]) -> Result<Vec<String>, String> {
        let sorted = in_configuring_order(cartridges).map_err(|refusal| refusal.to_string())?;
        Ok(sorted.iter().map(|one| one.package.name.to_string()).collect())
    }

    #[test]
    fn frameworks_come_first_then_services_then_the_rest_as_they_were_named() {
        let all = [
            one("cron", "embedded", json!({})),
            one("admin", "plugin", json!({"Configure-Order": [["mysql", "mariadb"], ["cron"]]})),
            one("mariadb", "service", json!({})),
            one("php", "web_framework", json!({})),
        ];
        assert_eq!(names(&all).unwrap(), ["php", "mariadb", "cron", "admin"]);
        let chained = [
            one("a", "plugin", json!({"Configure-Order": [["c"], ["b"], ["a"]]})),
            one("b", "plugin", json!({})),
            one("c", "plugin", json!({})),
        ];
        assert_eq!(names(&chained).unwrap(), ["c", "b", "a"]);
    }

    #[test]
    fn cycles_and_unsatisfied_entries_are_named() {
        let cycle = [
            one("a", "plugin", json!({"Configure-Order": [["b"], ["a"]]})),
            one("b", "plugin", json!({"Configure-Order": [["a"], ["b"]]})),
        ];
        assert!(names(&cycle).unwrap_err().contains("`a`, `b`"));
        let against = [
            one("php", "web_framework", json!({"Configure-Order": [["db"], ["php"]]})),
            one("db", "service", json!({})),
        ];
        assert!(names(&against).unwrap_err().contains("`php`"));
        let alone = [one("a", "plugin", json!({"Configure-Order": [["mongodb"], ["a"]]}))];
        assert!(names(&alone).unwrap_err().contains("`mongodb`"));
        let category = [
            one("a", "plugin", json!({"Configure-Order": [["web_framework"], ["a"]]})),
            one("php", "web_framework", json!({})),
        ];
        assert_eq!(names(&category).unwrap(), ["php", "a"]);
    }

    #[test]
    fn what_is_required_must_be_there_and_what_conflicts_must_not() {
        let admin = one("admin", "plugin", json!({"Requires": [["mysql", "mariadb-10"], "php"]}));
        let php = one("own-php", "web_framework", json!({"Provides": [["php"]]}));
        let refused = names(&[admin.clone(), php.clone()]).unwrap_err();
        assert!(refused.contains("requires `mysql` or `mariadb-10`"), "{refused}");
        let mysql = one("mysql", "service", json!({"Conflicts": ["mariadb"]}));
        assert!(names(&[admin, php, mysql.clone()]).is_ok());
        let mariadb = one("x", "service", json!({"Provides": [["mariadb"]]}));
        assert!(names(&[mysql.clone(), mariadb]).unwrap_err().contains("conflicts"));
        let selfish = one("y", "service", json!({"Provides": [["z"]], "Conflicts": "z"}));
        assert!(names(&[selfish]).is_ok(), "nothing conflicts with itself");
        assert!(names(&[mysql.clone(), mysql]).unwrap_err().contains("both live"));
    }
}
