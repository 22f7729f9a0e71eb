//! The environment that a gear's scripts and templates get.

use crate::error::Failure;
use crate::gear::environ::{self, Environment, Sources};
use crate::gear::identity::Identity;
use crate::layout::Layout;
use crate::sys::fs::Dir;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// The variables of `gear` as the cartridge in the folder `dir` sees them; nothing for no cartridge
/// in particular.
pub fn of(layout: &Layout, home: &Dir, gear: &Identity, dir: Option<&str>) -> Result<Environment, Failure> {
    let node = Dir::open(&layout.node_env()).ok();
    let commands = layout.lib().join("bin");
    let sdk = layout.lib().join("cartridge_sdk/bash/sdk");
    let defaults: BTreeMap<String, OsString> = [
        ("LANG".to_owned(), OsString::from("C.UTF-8")),
        ("OPENSHIFT_CARTRIDGE_SDK_BASH".to_owned(), sdk.into_os_string()),
    ]
    .into();
    let folders: Vec<String> = gear.cartridges.iter().map(|one| one.dir.clone()).collect();
    Ok(environ::load(&Sources {
        home,
        node: node.as_ref(),
        defaults: &defaults,
        shared: &BTreeMap::new(),
        cartridges: &folders,
        primary: gear.primary().map(|primary| primary.dir.as_str()),
        script_of: dir,
        commands: Some(&commands),
        account: &gear.uuid,
    }))
}
