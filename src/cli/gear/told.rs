//! What a gear's cartridges have told of themselves, in answers.

use super::offered::Offered;
use crate::db::{Scope, ToldRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// What one cartridge has told of itself.
#[derive(Serialize)]
pub(super) struct Told {
    cart_data: BTreeMap<String, String>,
    cart_properties: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
    app_info: Option<String>,
}

impl Told {
    /// What the cartridge in the folder `dir` has told, among all that its gear's have.
    pub(super) fn by(dir: &str, rows: &[ToldRow]) -> Self {
        let own = || rows.iter().filter(|row| row.dir.as_deref() == Some(dir));
        let of = |scope| -> BTreeMap<String, String> {
            let found = own().filter(|row| row.scope == scope);
            found.map(|row| (row.name.clone(), row.value.clone())).collect()
        };
        Self {
            cart_data: of(Scope::CartData),
            cart_properties: of(Scope::CartProperties),
            attributes: of(Scope::Attributes),
            app_info: own().find(|row| row.scope == Scope::AppInfo).map(|row| row.value.clone()),
        }
    }

    /// The same as rows of a table: a title, and what stands beside it. What is `offered` is shown
    /// there.
    pub(super) fn rows(&self, offered: &[Offered]) -> Vec<(&'static str, String)> {
        let all = [
            ("Data", &self.cart_data),
            ("Property", &self.cart_properties),
            ("Attribute", &self.attributes),
        ];
        let is_new = |name: &str| offered.iter().all(|one| one.key != name);
        let pairs = all.into_iter().flat_map(|(title, pairs)| {
            let pairs = pairs.iter().filter(|(name, _)| is_new(name));
            pairs.map(move |(name, value)| (title, format!("{name} = {value}")))
        });
        let info = self.app_info.iter().flat_map(|text| text.lines());
        pairs.chain(info.map(|line| ("Info", line.to_owned()))).collect()
    }
}
