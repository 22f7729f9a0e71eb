//! The gear that a command runs in: its home, its cartridges, and the calls of their `control`.

use super::super::{Call, Refused};
use super::cartridge::Cartridge;
use super::{FAILED, OUTSIDE};
use crate::gear::deployment::{self, FOLDER};
use crate::gear::environ::{self, Sources};
use crate::gear::hooks::{self, Called, Hook};
use crate::gear::sdk;
use crate::sandbox::{self, CommandLine, Sourced};
use crate::sys::fs::{Dir, Kind};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Where cartridges' scripts print to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// To where this command prints.
    Through,
    /// To where this command prints its errors.
    Aside,
    /// Nowhere.
    None,
}

/// What a cartridge's `control` is told, and where.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) action: &'a str,
    pub(super) arguments: &'a [&'a str],
    /// The deployment that scripts are to find, where the links show another one.
    pub(super) seen: Option<&'a str>,
}

impl<'a> Order<'a> {
    pub(super) fn of(action: &'a str) -> Self {
        Self { action, arguments: &[], seen: None }
    }
}

/// The gear.
pub(super) struct Place {
    pub(super) home: Dir,
    /// In the order of their folders.
    pub(super) cartridges: Vec<Cartridge>,
    pub(super) talk: Talk,
}

impl Place {
    /// The gear that this process runs in, by its variables and its files.
    pub(super) fn find(call: &Call<'_>) -> Result<Self, Refused> {
        let outside = || {
            Refused::new(OUTSIDE, "gear: this is not inside a gear")
                .hint("on the host, say `cart gear exec NAME -- gear …`")
        };
        let home = call.home().ok_or_else(outside)?;
        let home = Dir::open(&home).map_err(|_| outside())?;
        if !home.has("app-root/runtime")? || !home.has(".env")? {
            return Err(outside());
        }
        let primary = call.text("OPENSHIFT_PRIMARY_CARTRIDGE_DIR").unwrap_or_default();
        let primary = Path::new(&primary).file_name().unwrap_or_default();
        let mut cartridges = Vec::new();
        for folder in home.names()? {
            let is_folder = home.meta(&folder)?.is_some_and(|meta| meta.kind == Kind::Directory);
            let Some(dir) = folder.to_str().filter(|dir| is_folder && !dir.starts_with('.')) else {
                continue;
            };
            if home.has(format!("{dir}/metadata/manifest.yml"))? {
                cartridges.push(Cartridge::read(&home, dir, folder == primary)?);
            }
        }
        cartridges.sort_by(|one, other| one.dir.cmp(&other.dir));
        Ok(Self { home, cartridges, talk: Talk::Through })
    }

    /// The secondaries, then the primary.
    pub(super) fn starting_order(&self) -> impl Iterator<Item = &Cartridge> {
        let secondaries = self.cartridges.iter().filter(|one| !one.is_primary);
        secondaries.chain(self.cartridges.iter().filter(|one| one.is_primary))
    }

    /// The cartridge of that name, with or without its version.
    pub(super) fn the_one(&self, wanted: Option<&str>) -> Result<&Cartridge, Refused> {
        let names: Vec<String> = self.cartridges.iter().map(Cartridge::title).collect();
        let list = format!("this gear has {}", names.join(", "));
        let Some(wanted) = wanted else {
            return Err(Refused::new(FAILED, "gear: say which cartridge, with `--cart`").hint(list));
        };
        let is_it =
            |one: &&Cartridge| one.dir == wanted || one.name == wanted || one.title() == wanted;
        self.cartridges.iter().find(is_it).ok_or_else(|| {
            let text = format!("gear: there is no cartridge `{}`", wanted.escape_debug());
            Refused::new(FAILED, text).hint(list)
        })
    }

    /// The cartridge that the gear is made for.
    pub(super) fn primary(&self) -> Result<&Cartridge, Refused> {
        let none = || Refused::new(FAILED, "gear: this gear has no primary cartridge");
        self.cartridges.iter().find(|one| one.is_primary).ok_or_else(none)
    }

    /// The first cartridge of that category.
    pub(super) fn first(&self, category: &str) -> Option<&Cartridge> {
        self.cartridges.iter().find(|one| one.is(category))
    }

    /// Prints a line, where anything is to be printed.
    pub(super) fn tell(&self, call: &mut Call<'_>, line: &str) -> Result<(), Refused> {
        if self.talk == Talk::Through { call.say(line) } else { Ok(()) }
    }

    /// One action of a cartridge's `control`, between the developer's hooks (node specification,
    /// 8.2). A cartridge without `control` has nothing to do.
    pub(super) fn control(
        &self,
        call: &mut Call<'_>,
        cartridge: &Cartridge,
        order: Order<'_>,
    ) -> Result<(), Refused> {
        let (dir, action) = (&cartridge.dir, order.action);
        if !self.home.has(format!("{dir}/bin/control"))? {
            return Ok(());
        }
        let repo = self.repo(order.seen)?;
        let Cartridge { version, is_primary, .. } = cartridge;
        let called = Called { name: dir, version, is_primary: *is_primary };
        let found = hooks::find_in((&self.home, &repo), action, called)?;
        let environment = self.environment(call, (dir, order.seen));
        let script = self.home.path_of(dir).join("bin/control");
        let words = [&[action], order.arguments].concat();
        let sourced = Sourced { before: &found.sourced_before, after: &found.sourced_after };
        let line = match sourced {
            Sourced { before: [], after: [] } => CommandLine::of(&script, words)?,
            _ => CommandLine::control(&script, words, &sourced)?,
        };
        self.hook(call, found.before.as_ref(), &environment)?;
        self.run(call, &line, (&self.home.path_of(dir), &environment)).map_err(|status| {
            let path = self.home.path_of(dir);
            let text = format!(
                "CLIENT_ERROR: Failed to execute: 'control {action}' for {}",
                path.display()
            );
            Refused::new(FAILED, text).hint(format!("it exited with status {status}"))
        })?;
        self.hook(call, found.after.as_ref(), &environment)
    }

    /// The developer's hook for a phase in which no cartridge has a part.
    pub(super) fn hook_alone(
        &self,
        call: &mut Call<'_>,
        (phase, seen): (&str, Option<&str>),
    ) -> Result<(), Refused> {
        let repo = self.repo(seen)?;
        let hook = hooks::find_in((&self.home, &repo), phase, Called::default())?.after;
        let environment = self.environment(call, (&self.primary()?.dir, seen));
        self.hook(call, hook.as_ref(), &environment)
    }

    /// `post_install` of a cartridge, where it has one: either spelling.
    pub(super) fn post_install(
        &self,
        call: &mut Call<'_>,
        cartridge: &Cartridge,
    ) -> Result<(), Refused> {
        let dir = &cartridge.dir;
        for name in ["post_install", "post-install"] {
            if !self.home.has(format!("{dir}/bin/{name}"))? {
                continue;
            }
            let script = self.home.path_of(dir).join("bin").join(name);
            let line = CommandLine::of(&script, ["--version", &cartridge.version])?;
            let environment = self.environment(call, (dir, None));
            return self.run(call, &line, (&self.home.path_of(dir), &environment)).map_err(
                |code| {
                    Refused::new(
                        FAILED,
                        format!("gear: `{name}` of `{dir}` exited with status {code}"),
                    )
                },
            );
        }
        Ok(())
    }

    /// The application, below the home: that of the deployment `seen`, else what the links show.
    fn repo(&self, seen: Option<&str>) -> Result<PathBuf, Refused> {
        match seen {
            Some(name) => Ok(PathBuf::from(format!("{FOLDER}/{name}/repo"))),
            None => Ok(deployment::live_repo(&self.home)?),
        }
    }

    fn hook(
        &self,
        call: &mut Call<'_>,
        hook: Option<&Hook>,
        environment: &BTreeMap<String, OsString>,
    ) -> Result<(), Refused> {
        let Some(hook) = hook else { return Ok(()) };
        let path = hook.path.display();
        if !hook.executable {
            return self
                .tell(call, &format!("NOTE: the hook {path} is not executable, and was not run"));
        }
        let line = CommandLine::of(&hook.path, [""; 0])?;
        self.run(call, &line, (self.home.path(), environment)).map_err(|status| {
            Refused::new(FAILED, format!("gear: the hook `{path}` exited with status {status}"))
        })
    }

    /// Runs a line; gives the status of one that did not succeed.
    fn run(
        &self,
        call: &mut Call<'_>,
        line: &CommandLine,
        (folder, environment): (&Path, &BTreeMap<String, OsString>),
    ) -> Result<(), u8> {
        // What was said before comes before; if it is lost, the next line tells.
        let _ = call.out.flush();
        let stdout = match self.talk {
            Talk::Through => Stdio::inherit(),
            Talk::Aside => Stdio::from(std::io::stderr()),
            Talk::None => Stdio::null(),
        };
        match sandbox::run_here(line, folder, environment, stdout) {
            Ok(0) => Ok(()),
            Ok(status) => Err(status),
            Err(_) => Err(126),
        }
    }

    /// The same as text, as far as it is.
    pub(super) fn variables(&self, call: &Call<'_>, dir: &str) -> BTreeMap<String, String> {
        let all = self.environment(call, (dir, None));
        let text = |value: OsString| value.into_string().ok();
        all.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
    }

    /// The environment of a cartridge's scripts, read anew from the gear's files. What comes from
    /// elsewhere (the node, the transaction's marks) is what this process has.
    fn environment(
        &self,
        call: &Call<'_>,
        (dir, seen): (&str, Option<&str>),
    ) -> BTreeMap<String, OsString> {
        let sdk = call.variable("OPENSHIFT_CARTRIDGE_SDK_BASH").map(Path::new);
        let commands = sdk.and_then(sdk::place_of).map(sdk::commands);
        let users = self.home.dir(".env/user_vars").and_then(|dir| dir.names()).unwrap_or_default();
        let mut defaults: BTreeMap<String, OsString> = call
            .variables
            .iter()
            .filter(|(name, _)| !users.contains(name) && *name != "LD_LIBRARY_PATH")
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.clone())))
            .collect();
        let path = defaults.remove("PATH").unwrap_or_default();
        let path = commands.as_deref().and_then(|own| systems_part(&path, own));
        defaults.insert("PATH".into(), path.unwrap_or_else(|| environ::SYSTEM_PATH.into()));
        let folders: Vec<String> = self.cartridges.iter().map(|one| one.dir.clone()).collect();
        let primary = self.cartridges.iter().find(|one| one.is_primary);
        let account = call.text("USER").unwrap_or_default();
        let mut found = environ::load(&Sources {
            home: &self.home,
            node: None,
            defaults: &defaults,
            shared: &environ::Shared::default(),
            cartridges: &folders,
            primary: primary.map(|one| one.dir.as_str()),
            script_of: Some(dir),
            commands: commands.as_deref(),
            account: &account,
        })
        .variables;
        let apart = seen.map(|name| deployment::variables(&self.home, name)).unwrap_or_default();
        found.extend(apart.into_iter().map(|(name, value)| (name, value.into())));
        found
    }
}

/// What stands between our own directories in the `PATH` of a gear.
fn systems_part(path: &OsString, commands: &Path) -> Option<OsString> {
    let fallbacks = sdk::fallbacks(commands);
    let mut after = std::env::split_paths(path).skip_while(|place| place != commands);
    after.next()?;
    let rest: Vec<_> = after.filter(|place| *place != fallbacks && place != commands).collect();
    std::env::join_paths(rest).ok().filter(|path| !path.is_empty())
}
