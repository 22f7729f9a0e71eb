//! The environment that a gear's scripts and templates get.

use crate::config::Config;
use crate::gear::environ::{self, Environment, Shared, Sources};
use crate::gear::identity::Identity;
use crate::gear::sdk;
use crate::layout::Layout;
use crate::sys::fs::Dir;

/// What a host gives to the environment of each of its gears.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// Every path.
    pub layout: &'a Layout,
    /// Every setting.
    pub config: &'a Config,
    /// The variables of the whole domain.
    pub shared: &'a Shared,
}

/// The variables of `gear` as the cartridge in the folder `dir` sees them; nothing for no cartridge
/// in particular.
pub fn of(
    Host { layout, config, shared }: Host<'_>,
    home: &Dir,
    gear: &Identity,
    dir: Option<&str>,
) -> Environment {
    let node = Dir::open(&layout.node_env()).ok();
    let commands = sdk::commands(&layout.lib());
    let mut defaults = sdk::node_variables(&layout.lib(), &config.gears.domain);
    defaults.insert("LANG".into(), "C.UTF-8".into());
    let folders: Vec<String> = gear.cartridges.iter().map(|one| one.dir.clone()).collect();
    environ::load(&Sources {
        home,
        node: node.as_ref(),
        defaults: &defaults,
        shared,
        cartridges: &folders,
        primary: gear.primary().map(|primary| primary.dir.as_str()),
        script_of: dir,
        commands: Some(&commands),
        account: &gear.uuid,
    })
}
