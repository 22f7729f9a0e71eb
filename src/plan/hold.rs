//! Holding packages, and letting them go: rows alone, which every plan for packages respects.

use super::install::package_resource;
use super::{Plan, Refusal};
use crate::db::{Change, Hold, HoldsOf, InversePart};
use crate::error::Exit;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// A package of the library, whichever versions of it are there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Its vendor.
    pub vendor: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.vendor, self.name)
    }
}

impl Line {
    /// Tells whether `hold` is on this package.
    pub fn is_held_by(&self, hold: &Hold) -> bool {
        (&self.vendor, &self.name) == (&hold.vendor, &hold.name)
    }
}

/// Plans that `lines` stay as they are; `held` is what is held already.
pub fn hold(lines: &[Line], reason: &str, held: &[Hold]) -> Result<Plan, Refusal> {
    let reason = reason.trim();
    let printable = !reason.chars().any(char::is_control);
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || !printable {
        let text = format!("a reason is a line of at most {LONGEST_REASON} characters");
        return Err(Refusal::new(Exit::Usage, text)
            .hint("say what whoever wants to upgrade it should know"));
    }
    let mut plan = Plan::new(titled("hold", lines));
    for line in lines {
        let before = held.iter().find(|one| line.is_held_by(one));
        if before.is_some_and(|one| one.reason == reason) {
            plan.summary.push(format!("`{line}` is held already, for that reason"));
            continue;
        }
        if let Some(before) = before {
            plan.records.push(Change::Release { hold: before.id });
            plan.summary.push(format!("`{line}` was held before: {}", before.reason));
        }
        let Line { vendor, name } = line.clone();
        plan.resources.insert(package_resource(&vendor, &name));
        plan.records.push(Change::Hold { vendor, name, reason: reason.to_owned() });
        plan.summary.push(format!("`{line}` stays as it is: {reason}"));
    }
    add_inverse(&mut plan);
    Ok(plan)
}

/// Plans that `holds` are let go.
pub fn unhold(holds: &[Hold]) -> Plan {
    let lines: Vec<_> = holds
        .iter()
        .map(|one| Line { vendor: one.vendor.clone(), name: one.name.clone() })
        .collect();
    let mut plan = Plan::new(titled("let go", &lines));
    for (hold, line) in holds.iter().zip(&lines) {
        plan.resources.insert(package_resource(&hold.vendor, &hold.name));
        plan.records.push(Change::Release { hold: hold.id });
        plan.summary.push(format!("`{line}` was held: {}", hold.reason));
    }
    add_inverse(&mut plan);
    plan
}

/// Adds what undoes the holding and letting go of a transaction.
pub(super) fn add_undone(plan: &mut Plan, of: &HoldsOf, held: &[Hold]) -> Result<(), Refusal> {
    for hold in &of.made {
        plan.resources.insert(package_resource(&hold.vendor, &hold.name));
        plan.records.push(Change::Release { hold: hold.id });
        plan.summary.push(format!("`{}-{}` is not held any more", hold.vendor, hold.name));
    }
    for hold in &of.released {
        let line = Line { vendor: hold.vendor.clone(), name: hold.name.clone() };
        let other = held.iter().find(|one| line.is_held_by(one) && !of.made.contains(one));
        if let Some(other) = other {
            let text = format!("`{line}` is held anew: {}", other.reason);
            return Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("let it go first: `cart unhold {line}`")));
        }
        plan.resources.insert(package_resource(&hold.vendor, &hold.name));
        plan.records.push(Change::HoldAgain { hold: hold.id });
        plan.summary.push(format!("`{line}` is held again: {}", hold.reason));
    }
    add_inverse(plan);
    Ok(())
}

/// The refusal of taking away what is held.
pub(super) fn refuse_removal(hold: &Hold) -> Refusal {
    let line = Line { vendor: hold.vendor.clone(), name: hold.name.clone() };
    let text = format!("`{line}` is held, so it stays: {}", hold.reason);
    Refusal::new(Exit::Refused, text).hint(format!("let it go first: `cart unhold {line}`"))
}

/// The refusal of bringing in another version of what is held.
pub(super) fn refuse(hold: &Hold) -> Refusal {
    let line = Line { vendor: hold.vendor.clone(), name: hold.name.clone() };
    let text = format!("`{line}` is held, so no other version comes in: {}", hold.reason);
    let hint = format!("`cart unhold {line}` lets it go; `--include-held` goes on this once");
    Refusal::new(Exit::Refused, text).hint(hint)
}

fn titled(verb: &str, lines: &[Line]) -> String {
    match lines {
        [one] => format!("{verb} `{one}`"),
        many => format!("{verb} {} packages", many.len()),
    }
}

fn add_inverse(plan: &mut Plan) {
    if !plan.records.is_empty() {
        plan.inverse.parts.push(InversePart::Holds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Explain;

    fn line(name: &str) -> Line {
        Line { vendor: "v".into(), name: name.into() }
    }

    fn held(id: i64, name: &str, reason: &str) -> Hold {
        let (vendor, name, reason) = ("v".into(), name.into(), reason.into());
        Hold { id, vendor, name, reason, since: 0, user: 0, txn: id }
    }

    #[test]
    fn holding_twice_for_one_reason_is_holding_once() {
        let before = [held(1, "a", "why")];
        assert!(hold(&[line("a")], " why ", &before).unwrap().is_empty());
        let plan = hold(&[line("a"), line("b")], "other", &before).unwrap();
        assert_eq!(plan.records.len(), 3, "one is released first");
        assert_eq!(plan.inverse.parts, [InversePart::Holds]);
        for reason in ["", " ", "a\nb", &"x".repeat(501)] {
            assert_eq!(hold(&[line("a")], reason, &[]).unwrap_err().exit(), Exit::Usage);
        }
    }

    #[test]
    fn what_is_held_anew_is_not_held_again_by_an_undo() {
        let (old, new, foreign) = (held(1, "a", "old"), held(2, "a", "new"), held(3, "a", "x"));
        let of = HoldsOf { made: vec![new.clone()], released: vec![old.clone()] };
        let mut plan = Plan::new("undo");
        add_undone(&mut plan, &of, &[new]).unwrap();
        let (release, again) = (Change::Release { hold: 2 }, Change::HoldAgain { hold: 1 });
        assert_eq!(plan.records, [release, again], "in this order: a name is held once");
        let of = HoldsOf { made: Vec::new(), released: vec![old] };
        let refusal = add_undone(&mut Plan::new("undo"), &of, &[foreign]).unwrap_err();
        assert_eq!(refusal.exit(), Exit::Conflict);
    }
}
