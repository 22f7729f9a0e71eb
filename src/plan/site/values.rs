//! The variables of a package at a site, resolved.

use super::deployment::{Points, refuse};
use crate::db::{ResourceKind, SiteResource};
use crate::error::Exit;
use crate::facts::site::SiteFacts;
use crate::package::ubos::Installable;
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::ItemKind;
use crate::package::ubos::name::{Context, PointName};
use crate::package::ubos::role::RoleName;
use crate::package::ubos::site::{AppConfig, Site};
use crate::plan::Refusal;
use crate::site::database::Provisioned;
use crate::step::site_variables::Values;
use crate::template::ubos::{
    Scope, Taken, Value, VariableError, Variables, app_scope, host_scope, package_scope,
    resolve_points, site_scope,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

/// What stands where something is not known yet (UBOS specification, 2.2).
const PLACEHOLDER: &str = "9999";
/// The variables of a database.
const OF_DATABASE: [&str; 5] = ["dbname", "dbhost", "dbport", "dbuser", "dbusercredential"];

/// An app with accessories at a site.
pub(super) struct Frame<'a> {
    pub(super) facts: &'a SiteFacts,
    pub(super) site: &'a Site,
    pub(super) app: &'a AppConfig,
    /// Where it lies.
    pub(super) context: &'a Context,
}

impl Frame<'_> {
    /// The scopes behind that of a package.
    fn scopes(&self) -> [Scope; 3] {
        let facts = self.facts;
        let settings = facts.variables.iter();
        let settings = settings.map(|(name, text)| (name.clone(), Value::Text(text.clone())));
        [
            app_scope(self.app, self.context),
            site_scope(self.site, &facts.places),
            host_scope(&facts.places, &settings.collect()),
        ]
    }
}

/// Resolves the customization points of a package.
pub(super) fn points(
    frame: &Frame<'_>,
    installable: &Installable,
    kept: &Points,
) -> Result<BTreeMap<PointName, Chosen>, Refusal> {
    let name = &installable.name;
    let chosen = frame.app.points.get(name).cloned().unwrap_or_default();
    let kept = kept.get(&(frame.app.id.to_string(), name.clone())).cloned().unwrap_or_default();
    let mut own = Scope::default();
    own.put("package.name", Value::fixed(name.as_str())).map_err(|error| odd(&error))?;
    let [app, site, host] = frame.scopes();
    let scopes = [&own, &app, &site, &host];
    let variables = Variables { scopes: &scopes, accounts: &frame.facts.accounts };
    let all = (name, installable.manifest.points.as_slice());
    resolve_points(all, &chosen, &kept, &variables).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let refusal = Refusal::new(Exit::Conflict, texts.join("; "));
        match errors.iter().find_map(crate::error::Explain::hint) {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    })
}

/// Every variable of a package, by full name. `resources` are those of the app and its accessories
/// that are known; with `check` something stands for what is not.
pub(super) fn values(
    frame: &Frame<'_>,
    (installable, code, points): (&Installable, &Path, &BTreeMap<PointName, Chosen>),
    (resources, check): (&[SiteResource], bool),
) -> Result<Values, Refusal> {
    let name = &installable.name;
    let manifest = &installable.manifest;
    let taken = |error: Taken| odd(&error);
    let mut own = package_scope((name, manifest), frame.app, points).map_err(taken)?;
    let code = code.display().to_string();
    own.put("package.codedir", Value::fixed(code)).map_err(taken)?;
    for one in resources {
        let is_own = one.package.as_ref() == Some(name);
        let of_app = one.package.as_ref() == Some(&frame.app.app);
        for (variable, value) in variables_of(one) {
            // An accessory sees the ports of its app, and not its databases.
            let is_port = matches!(one.kind, ResourceKind::Tcp | ResourceKind::Udp);
            if is_own || (of_app && is_port && own.get(&variable).is_none()) {
                own.put(variable, Value::fixed(value)).map_err(taken)?;
            }
        }
    }
    if check {
        for (role, database) in databases(installable) {
            for part in OF_DATABASE {
                let variable = format!("appconfig.{}.{part}.{database}", role.as_str());
                if own.get(&variable).is_none() {
                    own.put(variable, Value::fixed(PLACEHOLDER)).map_err(taken)?;
                }
            }
        }
    }
    let [app, site, host] = frame.scopes();
    let scopes = [&own, &app, &site, &host];
    let variables = Variables { scopes: &scopes, accounts: &frame.facts.accounts };
    resolved(&variables).map_err(|error| refuse(&error))
}

fn resolved(variables: &Variables<'_>) -> Result<Values, VariableError> {
    let mut values = Values::new();
    for name in variables.names() {
        if let Some(value) = variables.get(&name)? {
            values.insert(name, value);
        }
    }
    Ok(values)
}

/// The databases of a package, by role and name.
pub(super) fn databases(installable: &Installable) -> Vec<(RoleName, String)> {
    let roles = installable.manifest.roles.iter();
    let all = roles.flat_map(|role| role.items.iter().map(move |item| (role.name, item)));
    all.filter_map(|(role, item)| match &item.kind {
        ItemKind::Database { name, .. } => Some((role, name.to_string())),
        _ => None,
    })
    .collect()
}

/// The variables that a resource gives.
fn variables_of(one: &SiteResource) -> Vec<(String, Json)> {
    let SiteResource { kind, name, value, .. } = one;
    match kind {
        ResourceKind::Tcp | ResourceKind::Udp => {
            vec![(format!("appconfig.{}port.{name}", kind.as_str()), value.clone())]
        }
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Sqlite => {
            let there: Option<Provisioned> = serde_json::from_value(value.clone()).ok();
            there.map(|there| there.variables(name)).unwrap_or_default()
        }
        ResourceKind::Folder => Vec::new(),
    }
}

fn odd(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(Exit::Failed, error.to_string())
}
