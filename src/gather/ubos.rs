//! Whether the templates of an app or accessory can be rendered: each is, with every variable that
//! the package would have at a site, so that a misspelt one is found by its author.

use crate::format::{Unpacked, ubos};
use crate::package::note::{Level, Note};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::{ItemKind, ItemPath, Language, Protocol, Run, Source};
use crate::package::ubos::name::{AppConfigId, Context, PackageName, SiteId};
use crate::package::ubos::point::PointDefault;
use crate::package::ubos::role::{Role, WellKnown};
use crate::package::ubos::site::{Admin, AppConfig, Host, Secret, Site};
use crate::package::ubos::{Kind, Manifest};
use crate::sys::fs::Dir;
use crate::template::ubos::{
    Accounts, Fault, Places, Scope, Value, VariableError, Variables, app_scope, host_scope,
    package_scope, site_scope,
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest template that is looked at.
const LONGEST: u64 = 1 << 20;

/// Every account exists: which ones do is known on the host alone.
struct Everybody;

impl Accounts for Everybody {
    fn uid(&self, _name: &str) -> Option<u32> {
        Some(0)
    }
    fn gid(&self, _name: &str) -> Option<u32> {
        Some(0)
    }
}

/// Says which variables of the package `manifest` in `tree` no site would know.
pub(super) fn about_templates(manifest: &Manifest, tree: &Unpacked) -> Vec<Note> {
    let Some(scopes) = scopes(manifest) else { return Vec::new() };
    let scopes: Vec<&Scope> = scopes.iter().collect();
    let variables = Variables { scopes: &scopes, accounts: &Everybody };
    let mut notes = Vec::new();
    for point in &manifest.points {
        if let Some(PointDefault::Expression(text)) = &point.default
            && let Some(error) = wrong(text.as_bytes(), &variables, &manifest.kind)
        {
            let what = format!("the default of `{}`", point.name);
            notes.push(in_manifest(&what, &error));
        }
    }
    for role in &manifest.roles {
        notes.extend(in_texts(role, &variables, &manifest.kind));
    }
    for path in templates(manifest) {
        notes.extend(about_template(tree.dir, &path, &|text| {
            wrong(text, &variables, &manifest.kind)
        }));
    }
    notes
}

/// Renders `text`. An accessory may use its app's ports, which are not known here.
fn wrong(text: &[u8], variables: &Variables, kind: &Kind) -> Option<VariableError> {
    let error = variables.render(text).err()?;
    let ports = ["appconfig.tcpport.", "appconfig.udpport."];
    let of_app = error.fault == Fault::Missing && ports.iter().any(|p| error.variable.contains(p));
    (!(of_app && *kind != Kind::App)).then_some(error)
}

/// Nearest first, as at a site that has the app with every database and port.
fn scopes(manifest: &Manifest) -> Option<[Scope; 4]> {
    let name = PackageName::parse("package").ok()?;
    let app = AppConfig {
        id: AppConfigId::parse(&format!("a{}", "0".repeat(40))).ok()?,
        context: None,
        is_default: false,
        app: name.clone(),
        accessories: Vec::new(),
        points: BTreeMap::new(),
    };
    let site = Site {
        id: SiteId::parse(&format!("s{}", "0".repeat(40))).ok()?,
        host: Host::Any,
        admin: Admin {
            userid: "admin".into(),
            username: "admin".into(),
            credential: Secret("credential".into()),
            email: "admin@example.org".into(),
        },
        tls: None,
        tor: None,
        well_known: Vec::new(),
        apps: Vec::new(),
        last_updated: None,
    };
    let places = Places {
        hostname: "localhost".into(),
        root: String::new(),
        web: ("http".into(), "http".into()),
        now: (0, "19700101-000000".into()),
    };
    let value = Chosen::Plain("1".into());
    let points = manifest.points.iter().map(|point| (point.name.clone(), value.clone())).collect();
    let mut package = package_scope((&name, manifest), &app, &points).ok()?;
    for role in &manifest.roles {
        for name in provided(role) {
            // Two items of one name are of one value here.
            package.put(name, Value::fixed("1")).ok()?;
        }
    }
    let host = host_scope(&places, &BTreeMap::new());
    Some([package, app_scope(&app, &Context::default()), site_scope(&site, &places), host])
}

/// The variables of the databases and ports of `role`.
fn provided(role: &Role) -> Vec<String> {
    let mut names = Vec::new();
    for item in &role.items {
        match &item.kind {
            ItemKind::Database { name, .. } => {
                let begin = role.name.as_str();
                for part in ["dbname", "dbhost", "dbport", "dbuser", "dbusercredential"] {
                    names.push(format!("appconfig.{begin}.{part}.{name}"));
                }
            }
            ItemKind::Port { protocol: Protocol::Tcp, name } => {
                names.push(format!("appconfig.tcpport.{name}"));
            }
            ItemKind::Port { protocol: Protocol::Udp, name } => {
                names.push(format!("appconfig.udpport.{name}"));
            }
            _ => {}
        }
    }
    names
}

/// The templates in the package's tree.
fn templates(manifest: &Manifest) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |names: &[String], content: &Source| {
        let Source::Template(path, Language::Varsubst) = content else { return };
        for name in names {
            found.insert(inside(path, name));
        }
    };
    for role in &manifest.roles {
        for item in &role.items {
            match &item.kind {
                ItemKind::File { names, content, .. } => add(names.as_slice(), content),
                ItemKind::Sql(sql) => add(&[String::new()], &sql.content),
                _ => {}
            }
        }
        for task in role.installers.iter().chain(&role.upgraders).chain(&role.uninstallers) {
            if let Run::Sql(sql) = &task.run {
                add(&[sql.database.as_str().to_owned()], &sql.content);
            }
        }
    }
    found
}

/// The path in the package's tree of what belongs to the item `name`.
fn inside(path: &ItemPath, name: &str) -> String {
    let path = path.of(name);
    path.strip_prefix("${package.codedir}/").unwrap_or(&path).to_owned()
}

/// Places and names of items with variables, and entries of `wellknown`.
fn in_texts(role: &Role, variables: &Variables, kind: &Kind) -> Vec<Note> {
    let mut texts: Vec<&str> = Vec::new();
    for item in &role.items {
        match &item.kind {
            ItemKind::File { names, owner, .. }
            | ItemKind::Directory { names, owner, .. }
            | ItemKind::Tree { names, owner, .. }
            | ItemKind::Symlink { names, owner, .. } => {
                texts.extend(names.as_slice().iter().map(String::as_str));
                texts.extend(owner.iter().flat_map(|own| [own.user.as_str(), own.group.as_str()]));
            }
            ItemKind::Unit { name, .. } => texts.push(name),
            _ => {}
        }
    }
    for (_, entry) in &role.well_known {
        match entry {
            WellKnown::Template(Source::Inline(text, Language::Varsubst))
            | WellKnown::Webfinger(text)
            | WellKnown::Location { url: text, .. } => texts.push(text),
            _ => {}
        }
    }
    let errors = texts.into_iter().filter_map(|text| {
        let error = wrong(text.as_bytes(), variables, kind)?;
        let shown: String = text.chars().take(80).collect();
        Some(in_manifest(&format!("`{}`", shown.escape_debug()), &error))
    });
    errors.collect()
}

fn in_manifest(what: &str, error: &VariableError) -> Note {
    let text = format!("{what} cannot be resolved at any site: {error}");
    let file = ubos::MANIFEST.to_owned();
    Note { level: Level::Warning, file, line: None, column: None, text }
}

fn about_template(
    dir: &Dir,
    path: &str,
    wrong: &dyn Fn(&[u8]) -> Option<VariableError>,
) -> Option<Note> {
    // What is missing has been said.
    let bytes = dir.read(path, LONGEST).ok()?;
    let error = wrong(&bytes)?;
    Some(Note {
        level: Level::Warning,
        file: path.to_owned(),
        line: Some(error.line),
        column: Some(error.column),
        text: format!("cannot be rendered at any site: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::file_table::FileTable;
    use crate::package::note::Notes;

    fn said(kind: &str, files: &[(&str, &str)]) -> Vec<String> {
        let info = if kind == "app" { "" } else { r#""accessoryinfo" : { "appid" : "a" },"# };
        let at = if kind == "app" { r#""defaultcontext" : "","# } else { "" };
        let manifest = format!(
            r#"{{ "type" : "{kind}", {info}
                "roles" : {{ "apache2" : {{ {at} "appconfigitems" : [
                    {{ "type" : "file", "names" : [ "a", "b" ], "template" : "tmpl/$2.tmpl",
                       "templatelang" : "varsubst" }},
                    {{ "type" : "tcpport", "name" : "web" }} ] }},
                  "mysql" : {{ "appconfigitems" : [
                    {{ "type" : "database", "name" : "main", "privileges" : "select" }} ] }} }},
                "customizationpoints" : {{ "salt" : {{ "type" : "string", "required" : false,
                    "default" : {{ "expression" : "${{randomhex(8)}}" }} }} }} }}"#
        );
        let bytes = manifest.as_bytes();
        let manifest = ubos::read_alone("m", bytes, &mut Notes::default()).unwrap();
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("tmpl", 0o755).unwrap();
        for (name, text) in files {
            dir.write_new(name, text.as_bytes(), 0o644).unwrap();
        }
        let table = FileTable::new(Vec::new());
        let notes = about_templates(&manifest, &Unpacked { dir: &dir, table: &table });
        let line =
            |note: &Note| format!("{}:{}: {}", note.file, note.line.unwrap_or_default(), note.text);
        notes.iter().map(line).collect()
    }

    #[test]
    fn only_what_no_site_would_know_is_told() {
        let all = said(
            "app",
            &[
                (
                    "tmpl/a.tmpl",
                    "${appconfig.mysql.dbname.main} ${appconfig.tcpport.web} ${site.hostname}\n\
                     ${escapeSquote( installable.customizationpoints.salt.value )} \\${nix}",
                ),
                ("tmpl/b.tmpl", "a\n${appconfig.mysql.dbname.other}\n"),
            ],
        );
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0].contains("the default of `salt`") && all[0].contains("randomHex"),
            "{all:?}"
        );
        assert!(all[1].starts_with("tmpl/b.tmpl:2: cannot be rendered"), "{all:?}");
    }

    #[test]
    fn an_accessory_may_know_ports_of_its_app_but_no_databases() {
        let ports = [("tmpl/a.tmpl", "${appconfig.tcpport.ofapp}")];
        assert_eq!(said("accessory", &ports).len(), 1);
        assert_eq!(said("app", &ports).len(), 2);
        let database = [("tmpl/a.tmpl", "${appconfig.mysql.dbname.ofapp}")];
        assert_eq!(said("accessory", &database).len(), 2);
    }
}
