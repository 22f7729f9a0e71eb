//! What packages at a site ask externals for: once for each app with accessories that they are in, as
//! they come there, leave, and are deployed again. Bringing them into the library asks for nothing.
//!
//! A package asks before anything of it is made, so that its items find accounts and mounts; it is
//! taken back when nothing of it is left, for the same reason. `TPKG_HOME` is the folder of the
//! app's data, which every app has, whatever its roles.

use super::SiteAsk;
use super::deployment::Part;
use super::pieces::had;
use crate::db::ExternalRow;
use crate::package::external::{Action, Asker};
use crate::package::ident::FormatName;
use crate::plan::externals::{Asking, add_changed, add_withdrawn};
use crate::plan::{Plan, Refusal};

/// What the package has asked for as it is deployed.
fn asked<'a>(ask: &'a SiteAsk<'_>, part: &'a Part) -> impl Iterator<Item = &'a ExternalRow> {
    let own = |row: &&ExternalRow| {
        row.asker.gear.as_deref() == Some(part.app.id.as_str())
            && row.asker.name == part.name().as_str()
    };
    ask.facts.asked.iter().filter(own)
}

/// Adds what asks for everything that a package wants which comes, or which was there in another
/// release: of what that has asked for, the same stays.
pub(super) fn add_coming(plan: &mut Plan, ask: &SiteAsk<'_>, part: &Part) -> Result<(), Refusal> {
    let Some(available) = ask.facts.available.get(part.name()) else { return Ok(()) };
    let vendor = FormatName::Ubos.as_str();
    let asker = Asker {
        format: FormatName::Ubos,
        vendor: vendor.to_owned(),
        name: part.name().to_string(),
        gear: Some(part.app.id.to_string()),
        home: part.text("appconfig.datadir").unwrap_or_default().to_owned(),
        // A version of this format is both: that of the software and that of the package.
        file: format!("{vendor}-{}-{}", part.name(), available.version),
    };
    let externals = part.manifest().externals.as_slice();
    let asking = Asking { asker: &asker, externals, tree: &part.code, gear: None };
    let rows: Vec<ExternalRow> = asked(ask, part).cloned().collect();
    let was_there = had(ask.facts.old.as_ref(), part);
    let action = if was_there { Action::Upgrade } else { Action::Install };
    add_changed(plan, (&asking, &rows), &ask.facts.externals, action)
}

/// Adds what takes everything back that a package has asked for which leaves.
pub(super) fn add_leaving(plan: &mut Plan, ask: &SiteAsk<'_>, part: &Part) -> Result<(), Refusal> {
    add_withdrawn(plan, asked(ask, part), &ask.facts.externals, Action::Remove)
}
