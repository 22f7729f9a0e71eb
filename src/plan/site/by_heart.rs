//! What scripts know by heart of the host that the original makes, and this one is not.

use super::SiteAsk;
use super::deployment::Part;
use crate::plan::Plan;
use std::path::PathBuf;

/// What the original calls the web server's account.
const WEB_USER: &str = "http";

/// Says which scripts of a package look for an account or a folder that the host does not have, and what
/// helps: neither is a site's to make.
pub(super) fn warn(plan: &mut Plan, ask: &SiteAsk<'_>, part: &Part) {
    let Some(tree) = ask.facts.trees.get(&part.place) else { return };
    let users = &ask.facts.accounts.users;
    let (web, _) = &ask.facts.places.web;
    let has_account = users.contains_key(WEB_USER) || tree.by_heart.is_empty();
    if let (true, false, Some(id)) = (ask.facts.is_root, has_account, users.get(web)) {
        plan.warnings.push(format!(
            "`{}` of `{}` may fail: what is `{web}` here is `{WEB_USER}` to it. A second name helps: \
             `useradd --non-unique --uid {id} --gid {web} --no-create-home {WEB_USER}`",
            tree.by_heart.join("`, `").escape_debug(),
            part.name()
        ));
    }
    for name in &tree.looked_for {
        let mut all = ask.facts.available.values();
        let Some(one) = all.find(|one| one.installable.name.as_str() == name) else { continue };
        let code = ask.facts.library.join(&one.place).join(&one.installable.code);
        // Without an ending slash, where the tree itself is the folder.
        let code: PathBuf = code.components().collect();
        plan.warnings.push(format!(
            "a script of `{}` looks for `{name}` in `/ubos/share/{name}`, where nothing is. A link helps: \
             `ln -s {} /ubos/share/{name}`",
            part.name(),
            code.display()
        ));
    }
}
