//! What a site is made of, resolved: packages with their places, values and variables.

use super::values::{Frame, values};
use crate::db::{DeployedSite, ResourceKind, SiteResource};
use crate::error::{Exit, Explain};
use crate::facts::site::{Available, SiteFacts};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::{ItemKind, Protocol};
use crate::package::ubos::name::{Context, PackageName, PointName};
use crate::package::ubos::role::{AppContext, RoleName};
use crate::package::ubos::site::{AppConfig, Site};
use crate::package::ubos::{Installable, Kind, Manifest};
use crate::plan::Refusal;
use crate::step::site_variables::Values;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Values of customization points, by app with accessories, package and point.
pub type Points = BTreeMap<(String, PackageName), BTreeMap<PointName, Chosen>>;

/// A site with everything that lies there.
pub(super) struct Deployment {
    pub(super) site: Site,
    /// Packages, in the order of deploying.
    pub(super) parts: Vec<Part>,
}

/// An app or accessory at a site.
pub(super) struct Part {
    pub(super) app: AppConfig,
    pub(super) installable: Installable,
    /// Its tree below the library.
    pub(super) place: RelPath,
    /// Its folder of code, relative to the state.
    pub(super) code: RelPath,
    /// The same as scripts see it.
    pub(super) code_path: PathBuf,
    pub(super) points: BTreeMap<PointName, Chosen>,
    /// Ports that it has.
    pub(super) ports: Vec<SiteResource>,
    /// Every variable that is known before databases are there.
    pub(super) values: Values,
    /// The same with something in the place of what is not known yet.
    pub(super) check: Values,
    /// Its files of variables, without their endings.
    pub(super) variables: RelPath,
}

impl Part {
    pub(super) fn name(&self) -> &PackageName {
        &self.installable.name
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.installable.manifest
    }

    /// The value of a variable as text, where it is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.check.get(name)? {
            Chosen::Plain(serde_json::Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// Where an app lies for which a site says nothing.
pub(super) fn context_of(manifest: &Manifest) -> Option<&AppContext> {
    let mut roles = [RoleName::Apache2, RoleName::Tomcat8].into_iter();
    roles.find_map(|name| manifest.role(name)?.context.as_ref())
}

fn context(app: &AppConfig, manifest: &Manifest) -> Result<Context, Refusal> {
    match (context_of(manifest), &app.context) {
        (Some(AppContext::Fixed(fixed)), Some(other)) if fixed != other => {
            let text = format!("`{}` lies at `{}` at every site", app.app, fixed.as_str());
            Err(Refusal::new(Exit::Conflict, text).hint("remove its `context` from the site file"))
        }
        (Some(AppContext::Fixed(fixed)), _) => Ok(fixed.clone()),
        (_, Some(own)) | (Some(AppContext::Default(own)), None) => Ok(own.clone()),
        (None, None) => Ok(Context::default()),
    }
}

/// What was deployed, with the manifests and values that it was deployed with.
pub(super) fn of_old(facts: &SiteFacts, old: &DeployedSite) -> Result<Deployment, Refusal> {
    let site = old.new.site.clone();
    let mut parts = Vec::new();
    for package in &old.new.packages {
        let Some(app) = site.apps.iter().find(|app| app.id == package.appconfig) else { continue };
        let of_app = |one: &&SiteResource| one.appconfig.as_ref() == Some(&app.id);
        let resources = old.new.resources.iter().filter(of_app);
        let resources: Vec<SiteResource> = resources.cloned().collect();
        let manifest = old
            .new
            .packages
            .iter()
            .find(|one| one.appconfig == app.id && one.installable.manifest.kind == Kind::App);
        let context = match manifest {
            Some(package) => context(app, &package.installable.manifest)?,
            None => Context::default(),
        };
        let frame = Frame { facts, site: &site, app, context: &context };
        let installable = (&package.installable, &package.place);
        parts.push(part(&frame, installable, &package.points, (&resources, "old"))?);
    }
    Ok(Deployment { site, parts })
}

/// What is to be deployed. `kept` are values that points have already.
pub(super) fn of_new(
    facts: &SiteFacts,
    wanted: &Site,
    kept: &Points,
) -> Result<Deployment, Refusal> {
    let site = completed(facts, wanted)?;
    let mut taken = facts.ports.clone();
    let mut parts: Vec<Part> = Vec::new();
    for app in &site.apps {
        let main = available(facts, &app.app)?;
        let context = context(app, &main.installable.manifest)?;
        let frame = Frame { facts, site: &site, app, context: &context };
        let mut resources: Vec<SiteResource> = Vec::new();
        if app.accessories.contains(&app.app) {
            let text = format!("`{}` is an app, and the site has it as its own accessory", app.app);
            return Err(
                Refusal::new(Exit::Conflict, text).hint("remove it from the `accessoryids`")
            );
        }
        for name in [&app.app].into_iter().chain(&app.accessories) {
            let one = available(facts, name)?;
            belongs(&one.installable, app)?;
            let ports = ports(facts, app, &one.installable, &mut taken)?;
            resources.extend(ports);
            let points = super::values::points(&frame, &one.installable, kept)?;
            let given = (&one.installable, &one.place);
            parts.push(part(&frame, given, &points, (&resources, "new"))?);
        }
    }
    Ok(Deployment { site, parts })
}

/// The site with every accessory that another one requires.
fn completed(facts: &SiteFacts, wanted: &Site) -> Result<Site, Refusal> {
    let mut site = wanted.clone();
    for app in &mut site.apps {
        let mut at = 0;
        while let Some(name) = app.accessories.get(at).cloned() {
            if let Kind::Accessory(one) = &available(facts, &name)?.installable.manifest.kind {
                let missing: Vec<PackageName> = one
                    .requires
                    .iter()
                    .filter(|needed| !app.accessories.contains(needed))
                    .cloned()
                    .collect();
                app.accessories.extend(missing);
            }
            at += 1;
        }
        let mut seen = BTreeSet::new();
        app.accessories.retain(|name| seen.insert(name.clone()));
    }
    Ok(site)
}

fn available<'a>(facts: &'a SiteFacts, name: &PackageName) -> Result<&'a Available, Refusal> {
    facts.available.get(name).ok_or_else(|| {
        Refusal::new(Exit::NotFound, format!("the package `{name}` is not installed")).hint(
            "`cart install` brings it into the library, from its folder, archive or repository",
        )
    })
}

/// Sees that a package may stand where the site has it.
fn belongs(installable: &Installable, app: &AppConfig) -> Result<(), Refusal> {
    let name = &installable.name;
    let conflict = |text: String, hint: &str| Err(Refusal::new(Exit::Conflict, text).hint(hint));
    match &installable.manifest.kind {
        Kind::App if *name == app.app => Ok(()),
        Kind::App => conflict(
            format!("`{name}` is an app, and the site has it as an accessory of `{}`", app.app),
            "give it a part of its own in `appconfigs`",
        ),
        Kind::Accessory(_) if *name == app.app => conflict(
            format!("`{name}` is an accessory, and the site has it as an app"),
            "name its app as `appid`, and it among the `accessoryids`",
        ),
        Kind::Accessory(one) if !one.apps.contains(&app.app) => {
            let apps: Vec<&str> = one.apps.iter().map(PackageName::as_str).collect();
            let text = format!(
                "`{name}` is an accessory of `{}`, not of `{}`",
                apps.join("`, `"),
                app.app
            );
            conflict(text, "remove it from the `accessoryids`")
        }
        Kind::Accessory(_) => Ok(()),
    }
}

fn part(
    frame: &Frame<'_>,
    (installable, place): (&Installable, &RelPath),
    points: &BTreeMap<PointName, Chosen>,
    (resources, age): (&[SiteResource], &str),
) -> Result<Part, Refusal> {
    let code = if installable.code.is_empty() {
        format!("library/{place}")
    } else {
        format!("library/{place}/{}", installable.code)
    };
    let code = path(&code)?;
    let code_path = frame.facts.library.join(place).join(&installable.code);
    // Without an ending slash, where the tree itself is the folder.
    let code_path: PathBuf = code_path.components().collect();
    let app = frame.app.clone();
    let own = |one: &&SiteResource| one.package.as_ref() == Some(&installable.name);
    let ports = resources.iter().filter(own).filter(|one| is_port(one)).cloned().collect();
    let variables = format!("sites/{}/{age}/{}-{}", frame.site.id, app.id, installable.name);
    let given = (installable, code_path.as_path(), points);
    Ok(Part {
        values: values(frame, given, (resources, false))?,
        check: values(frame, given, (resources, true))?,
        app,
        installable: installable.clone(),
        place: place.clone(),
        code,
        code_path,
        points: points.clone(),
        ports,
        variables: path(&variables)?,
    })
}

fn is_port(one: &SiteResource) -> bool {
    matches!(one.kind, ResourceKind::Tcp | ResourceKind::Udp)
}

/// The ports of a package: those that it has, and free ones for what is new.
fn ports(
    facts: &SiteFacts,
    app: &AppConfig,
    installable: &Installable,
    taken: &mut BTreeSet<(Protocol, u16)>,
) -> Result<Vec<SiteResource>, Refusal> {
    let mut ports: Vec<SiteResource> = Vec::new();
    let items = installable.manifest.roles.iter().flat_map(|role| &role.items);
    for item in items {
        let ItemKind::Port { protocol, name } = &item.kind else { continue };
        let kind = match protocol {
            Protocol::Tcp => ResourceKind::Tcp,
            Protocol::Udp => ResourceKind::Udp,
        };
        if ports.iter().any(|one| (one.kind, one.name.as_str()) == (kind, name.as_str())) {
            continue;
        }
        let mut new = SiteResource {
            appconfig: Some(app.id.clone()),
            package: Some(installable.name.clone()),
            kind,
            name: name.to_string(),
            value: serde_json::Value::Null,
        };
        let same = |one: &&SiteResource| {
            SiteResource { value: serde_json::Value::Null, ..(*one).clone() } == new
        };
        let old = facts.old.iter().flat_map(|old| &old.new.resources).find(same);
        new.value = if let Some(old) = old {
            old.value.clone()
        } else {
            let mut all = facts.first_port..=u16::MAX;
            let Some(port) = all.find(|port| !taken.contains(&(*protocol, *port))) else {
                let text = format!("no port is free for `{name}` of `{}`", installable.name);
                return Err(Refusal::new(Exit::Conflict, text));
            };
            taken.insert((*protocol, port));
            port.into()
        };
        ports.push(new);
    }
    Ok(ports)
}

/// A path of ours.
pub(super) fn path(text: &str) -> Result<RelPath, Refusal> {
    RelPath::parse(text)
        .map_err(|error| Refusal::new(Exit::Failed, format!("the path `{text}` {error}")))
}

/// An error of a lower layer as a refusal.
pub(super) fn refuse(error: &impl Explain) -> Refusal {
    let refusal = Refusal::new(Exit::Conflict, error.to_string());
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}
