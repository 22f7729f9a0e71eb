//! Who may push to a gear over ssh.

use super::run::plan_for;
use crate::facts::Gear;
use crate::plan::Plan;
use crate::step::authorize_key::{AuthorizeKey, Deed};
use std::path::Path;

/// Plans that the lines `lines` come into the file `file`, or go; `present` are those that it has.
pub fn ssh_keys(
    gear: &Gear,
    (file, present): (&Path, &[String]),
    (lines, deed): (&[String], Deed),
) -> Plan {
    let verb = match deed {
        Deed::Add => "let somebody push to",
        Deed::Remove => "let somebody push no more to",
    };
    let mut plan = plan_for(gear, verb);
    for line in lines {
        let is_there = present.contains(line);
        if is_there == (deed == Deed::Add) {
            plan.summary.push("the key is there already".into());
            continue;
        }
        plan.step(AuthorizeKey { file: file.to_owned(), line: line.clone(), deed });
    }
    plan
}
