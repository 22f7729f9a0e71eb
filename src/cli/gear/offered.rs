//! What the manifest of a gear's cartridge offers people (`Cart-Data`), with its current values.

use crate::db::{Scope, ToldRow};
use crate::gear::identity::Cartridge;
use crate::package::Package;
use crate::package::features::Datum;
use crate::package::ident::EnvName;
use crate::sys::fs::Dir;
use serde::Serialize;

/// The longest value that is shown.
const LONGEST: u64 = 16 << 10;

/// One thing that is offered.
#[derive(Serialize)]
pub(super) struct Offered {
    pub(super) key: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    description: Option<String>,
    value: Option<String>,
}

impl Offered {
    /// What the cartridge offers in the gear whose home is `home`: what it has told by that name,
    /// else the variable that it has written.
    pub(super) fn by(
        (cartridge, package): (&Cartridge, &Package),
        told: &[ToldRow],
        home: Option<&Dir>,
    ) -> Vec<Self> {
        let software =
            package.software(&cartridge.software).unwrap_or_else(|| package.default_software());
        let one = |Datum { key, kind, description }| {
            let told = told.iter().find(|row| {
                let is_data = matches!(row.scope, Scope::CartData | Scope::CartProperties);
                is_data && row.dir.as_deref() == Some(&*cartridge.dir) && row.name == key
            });
            let value = told.map(|row| row.value.clone());
            let value = value.or_else(|| variable(home?, &cartridge.dir, &key));
            Self { key, kind, description, value }
        };
        package.data(software).into_iter().map(one).collect()
    }

    /// The same as a person reads it.
    pub(super) fn text(&self) -> String {
        let about = self.description.as_ref().map(|about| format!(" ({about})"));
        let value = self.value.as_deref().unwrap_or("-");
        format!("{} = {value}{}", self.key, about.unwrap_or_default())
    }
}

/// A variable of the gear: the cartridge's own, or the platform's.
fn variable(home: &Dir, dir: &str, key: &str) -> Option<String> {
    let name = EnvName::parse(key).ok()?;
    let read = |path: String| home.read(path, LONGEST).ok();
    let bytes = read(format!("{dir}/env/{name}")).or_else(|| read(format!(".env/{name}")))?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}
