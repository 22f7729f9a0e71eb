//! UBOS apps and accessories, as their manifests describe them (UBOS specification, 1).
//!
//! Pure data: reading and checking is `format::ubos`'s work, deploying is that of steps. Texts that
//! may hold `${variables}` stay as the author wrote them.

pub mod chosen;
pub mod item;
pub mod mime;
pub mod name;
pub mod point;
pub mod role;
pub mod site;
pub mod site_file;

use super::external::External;
use name::PackageName;
use point::Point;
use role::Role;
use std::collections::BTreeMap;

/// An app or accessory as a package: its manifest, and where its files lie.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Installable {
    /// Its name.
    pub name: PackageName,
    /// The folder of its tree that is its folder of code (`${package.codedir}`); empty for the tree
    /// itself.
    pub code: String,
    /// What it says.
    pub manifest: Manifest,
}

/// An app or an accessory.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// Which of the two it is.
    pub kind: Kind,
    /// What is done at each role, in the order in which roles are deployed ([`role::RoleName`]).
    pub roles: Vec<Role>,
    /// What the owner of a site can choose, in the manifest's order.
    pub points: Vec<Point>,
    /// What people call it: language (`en_US`, `en`, `default`) to name and tagline.
    pub info: BTreeMap<String, Info>,
    /// Whether a site without TLS may not have it.
    pub requires_tls: bool,
    /// Whether a site that answers to every host name may have it.
    pub allows_wildcard: bool,
    /// What it asks the host's configuration management for (the seed on externals; no part of the
    /// original's format).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub externals: Vec<External>,
    /// Everything else that the manifest says, as JSON.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Whether a package stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It does.
    App,
    /// It belongs to an app.
    Accessory(Accessory),
}

/// Which app an accessory belongs to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Accessory {
    /// The apps, never empty.
    pub apps: Vec<PackageName>,
    /// What the app calls it; its package's name where it says nothing.
    pub id: Option<String>,
    /// What kind of accessory it is, in words that the app knows.
    pub kind: Option<String>,
    /// Accessories that must be there too.
    pub requires: Vec<PackageName>,
}

/// What people call a package, in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Info {
    /// Its name.
    pub name: Option<String>,
    /// What it is, in a few words.
    pub tagline: Option<String>,
}

impl Manifest {
    /// The role `name`, where the package has one.
    pub fn role(&self, name: role::RoleName) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Name and tagline for `locale` (`en_US`): of the language where the country is missing, and
    /// `default` where both are.
    pub fn info(&self, locale: &str) -> Option<&Info> {
        let language = locale.split(['_', '-']).next().unwrap_or_default();
        [locale, language, "default"].iter().find_map(|key| self.info.get(*key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_country_then_language_then_default() {
        let info = |name: &str| Info { name: Some(name.into()), tagline: None };
        let all = [("en_US", "a"), ("en", "b"), ("default", "c")];
        let mut manifest = Manifest {
            kind: Kind::App,
            roles: Vec::new(),
            points: Vec::new(),
            info: all.iter().map(|(key, name)| ((*key).into(), info(name))).collect(),
            requires_tls: false,
            allows_wildcard: true,
            externals: Vec::new(),
            extra: serde_json::Map::new(),
        };
        let name = |manifest: &Manifest, locale| manifest.info(locale)?.name.clone();
        assert_eq!(name(&manifest, "en_US").as_deref(), Some("a"));
        assert_eq!(name(&manifest, "en_GB").as_deref(), Some("b"));
        assert_eq!(name(&manifest, "de").as_deref(), Some("c"));
        manifest.info.remove("default");
        assert_eq!(name(&manifest, "de"), None);
    }
}
