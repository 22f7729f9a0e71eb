//! Writes the variables of one app or accessory at a site to files in the state, for the steps that
//! render its templates and run its scripts.
//!
//! Credentials are among them: the files are the owner's alone, and go when the transaction is over.

use super::place_items::{Content, Maker};
use super::{Cx, Said, Step, provision_database};
use crate::db::{Change, SiteResource};
use crate::error::{Exit, Failure};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::SiteId;
use crate::sys::checkpoint::checkpoint;
use crate::sys::path::RelPath;
use crate::template::ubos::{Accounts, Scope, Value, Variables};
use std::collections::BTreeMap;

/// The longest file of variables, in bytes; customization points can be whole images.
const LONGEST: u64 = 64 << 20;
/// The ending of the file for scripts: a tree.
pub const FOR_SCRIPTS: &str = ".json";
/// The ending of the file for templates: values by full name, bytes and all.
const FOR_TEMPLATES: &str = ".values";

/// Every variable by full name, resolved.
pub type Values = BTreeMap<String, Chosen>;

/// Variables to be written.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SiteVariables {
    /// What messages call the package.
    pub package: String,
    /// The files, without their endings, relative to the state.
    pub file: RelPath,
    /// The variables.
    pub values: Values,
    /// Databases that earlier steps have made, whose variables come to them.
    pub databases: Vec<MadeDatabase>,
    /// Texts of the package that steps need as files, rendered.
    pub texts: Vec<Text>,
    /// Further files for steps, in the same folder; secret as well.
    pub files: BTreeMap<String, serde_json::Value>,
}

/// A database that an earlier step has made.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MadeDatabase {
    /// The site.
    pub site: SiteId,
    /// To whom it was given, under which name.
    pub resource: SiteResource,
    /// What that step has left, relative to the state.
    pub result: String,
}

/// A text of the package.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Text {
    /// The package's folder of code, relative to the state.
    pub code: RelPath,
    /// What is in it.
    pub content: Content,
    /// The file, relative to the state.
    pub to: String,
}

/// No accounts: what is written here was resolved before.
struct Nobody;

impl Accounts for Nobody {
    fn uid(&self, _name: &str) -> Option<u32> {
        None
    }
    fn gid(&self, _name: &str) -> Option<u32> {
        None
    }
}

/// The values as a scope.
pub(super) fn scope(values: &Values) -> Result<Scope, Failure> {
    let mut scope = Scope::default();
    for (name, value) in values {
        let put = scope.put(name.as_str(), Value::Fixed(value.clone()));
        put.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    }
    Ok(scope)
}

/// The values as scripts get them.
pub(super) fn tree(values: &Values) -> Result<Vec<u8>, Failure> {
    let scope = scope(values)?;
    let tree = Variables { scopes: &[&scope], accounts: &Nobody }.tree()?;
    serde_json::to_vec(&tree).map_err(|error| unreadable(&error))
}

/// The values that were written to `file`.
pub(super) fn read(cx: &Cx<'_>, file: &RelPath) -> Result<Values, Failure> {
    let bytes = cx.state.read(format!("{file}{FOR_TEMPLATES}"), LONGEST)?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the variables of a site cannot be used: {error}"))
}

impl SiteVariables {
    fn beside(&self, name: &str) -> String {
        match self.file.parent() {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        }
    }
}

impl Step for SiteVariables {
    type Undo = ();

    fn describe(&self) -> String {
        format!("write the variables of `{}` down", self.package.escape_debug())
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        if let Some(folder) = self.file.parent() {
            cx.state.make_dirs(&folder, 0o700)?;
        }
        checkpoint("site_variables: before the files");
        let mut said = Said::default();
        let mut all = self.values.clone();
        for one in &self.databases {
            let there = provision_database::read(cx, &one.result)?;
            let given = there.variables(&one.resource.name).into_iter();
            all.extend(given.map(|(name, value)| (name, Chosen::Plain(value))));
            let value = serde_json::to_value(&there).map_err(|error| unreadable(&error))?;
            let resource = SiteResource { value, ..one.resource.clone() };
            said.records.push(Change::GiveSite { site: one.site.clone(), resource });
        }
        let values = serde_json::to_vec(&all).map_err(|error| unreadable(&error))?;
        for (ending, bytes) in [(FOR_TEMPLATES, values), (FOR_SCRIPTS, tree(&all)?)] {
            cx.state.put_file(format!("{}{ending}", self.file), &bytes, 0o600)?;
        }
        let root = super::place_files::root(cx)?;
        for text in &self.texts {
            let maker = Maker::new((&self.package, &text.code), (cx, &root), &all)?;
            cx.state.put_file(&text.to, &maker.bytes(&text.content)?, 0o600)?;
        }
        for (name, value) in &self.files {
            cx.state.put_file(self.beside(name), value.to_string().as_bytes(), 0o600)?;
        }
        Ok(said)
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let Some(folder) = self.file.parent() else { return Ok(()) };
        if !cx.state.has(&folder)? {
            return super::place_trees::remove_empty_parents(cx, &folder);
        }
        let own = [FOR_TEMPLATES, FOR_SCRIPTS].map(|ending| format!("{}{ending}", self.file));
        let texts = self.texts.iter().map(|text| text.to.clone());
        let more = self.files.keys().map(|name| self.beside(name));
        for file in own.into_iter().chain(texts).chain(more) {
            cx.state.remove_file(&file)?;
            cx.state.remove_file(format!("{file}.cart-new"))?;
        }
        super::place_trees::remove_empty_parents(cx, &self.file)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> SiteVariables {
    world.state.make_dir("sites", 0o700).unwrap();
    let value = |text: &str| Chosen::Plain(text.into());
    SiteVariables {
        package: "mock".into(),
        file: RelPath::parse("sites/s1/new/mock").unwrap(),
        values: [("a.b".to_owned(), value("c")), ("a.d".to_owned(), Chosen::Bytes(vec![255]))]
            .into(),
        databases: Vec::new(),
        texts: vec![Text {
            code: RelPath::parse("library").unwrap(),
            content: Content::Value("a.b".into()),
            to: "sites/s1/new/text".into(),
        }],
        files: [("more".to_owned(), serde_json::Value::Null)].into(),
    }
}
