//! What keeps a site from being deployed, whatever is in its packages.

use super::deployment::{Part, context_of, refuse};
use crate::error::Exit;
use crate::facts::site::SiteFacts;
use crate::package::ubos::name::{Context, PackageName};
use crate::package::ubos::role::{AppContext, RoleName};
use crate::package::ubos::site::{Clash, Host, Site, Tls, clashes};
use crate::plan::Refusal;

impl crate::error::Explain for Clash {
    fn exit(&self) -> Exit {
        Exit::Conflict
    }
}

/// Sees that the site can be on this host, beside the others.
pub(super) fn site(facts: &SiteFacts, wanted: &Site) -> Result<(), Refusal> {
    let mut all = facts.others.clone();
    all.push(wanted.clone());
    let default = |name: &PackageName| -> Option<Context> {
        let one = facts.available.get(name)?;
        match context_of(&one.installable.manifest)? {
            AppContext::Default(context) | AppContext::Fixed(context) => Some(context.clone()),
        }
    };
    if let Some(clash) = clashes(&all, default).first() {
        return Err(refuse(clash));
    }
    if wanted.tls == Some(Tls::LetsEncrypt) {
        let text = "`cart` does not get certificates of Let's Encrypt";
        return Err(wrong(text.into()).hint("add `key` and `crt` to the `tls` of the site file"));
    }
    if wanted.host == Host::Onion || wanted.tor.is_some() {
        return Err(wrong("`cart` does not make onion services".into())
            .hint("remove `tor` from the site file, and give the site a `hostname`"));
    }
    for one in facts.available.values() {
        let (name, manifest) = (&one.installable.name, &one.installable.manifest);
        if manifest.requires_tls && wanted.tls.is_none() {
            let text = format!("`{name}` needs a site with TLS");
            return Err(Refusal::new(Exit::Conflict, text).hint("add `tls` to the site file"));
        }
        if !manifest.allows_wildcard && wanted.host == Host::Any {
            let text = format!("`{name}` does not work at a site that answers to every host name");
            return Err(Refusal::new(Exit::Conflict, text).hint("give the site a `hostname`"));
        }
    }
    Ok(())
}

/// Something that a person has to mend.
pub(super) fn wrong(text: String) -> Refusal {
    Refusal::new(Exit::Conflict, text)
}

/// Refuses what cannot be done here.
pub(super) fn roles(part: &Part) -> Result<(), Refusal> {
    let tomcat = part.manifest().role(RoleName::Tomcat8);
    if tomcat.is_some_and(|role| !role.items.is_empty() || !role.installers.is_empty()) {
        let text = format!("`{}` needs Tomcat, of which `cart` knows nothing", part.name());
        return Err(
            Refusal::new(Exit::Conflict, text).hint("its role `tomcat8` cannot be deployed")
        );
    }
    Ok(())
}
