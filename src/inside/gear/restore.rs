//! `gear restore`: what an archive of `gear snapshot` on the input has becomes what the gear has (the
//! guide, Backing Up and Restoring; node specification, 11).
//!
//! The archive is looked at first, whole; only then the gear stops. What was there is kept beside the
//! deployments until the gear runs again, and is put back when anything fails before.

use super::super::{Call, Refused};
use super::activate::refuse_other_gears;
use super::asked::Asked;
use super::before::{Deploying, RESTORED};
use super::place::{Order, Place};
use super::snapshot::say_aside;
use super::work::{First, Work};
use super::{FAILED, Spare, bring_up, stop_all};
use crate::archive::{self, Kind, Links, Modes, Options, Strip};
use crate::config;
use crate::error::{Exit, Failure};
use crate::gear::deployment::{FOLDER, link_by_id};
use crate::gear::snapshot::{Arranged, Chosen, Exchange, Moved, Part, Shape, Transform, Unpacked};
use crate::progress::Nobody;
use crate::sys::fs::Dir;
use crate::sys::tree;
use std::io::{self, BufRead, BufReader, IsTerminal};

/// Where the archive is unpacked, and where it is put in order, below [`RESTORED`].
const RAW: &str = "raw";
pub(super) const HOME: &str = "home";

/// Restores the data, and with `--restore-git-repo` the deployments too, of which the one that was in
/// use is put to use.
pub(super) fn restore(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let reach = if asked.has("restore-git-repo") { Reach::Deployments } else { Reach::Data };
    if reach == Reach::Deployments {
        refuse_other_gears(place, &asked.verb)?;
    }
    if io::stdin().is_terminal() {
        return Err(Refused::new(1, "gear: no snapshot comes from a terminal")
            .hint("say `gear restore < FILE`"));
    }
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    deploying.restores(place)?;
    let came = arranged(call, place);
    let is_in_order = came.is_ok();
    let outcome = came.and_then(|came| {
        let restoring = Restoring { place, came: &came, reach };
        restoring.carry_out(call, &mut deploying)
    });
    let outcome = deploying.end(call, place, outcome);
    if is_in_order && reach == Reach::Deployments {
        let word = if outcome.is_ok() { "success" } else { "failure" };
        say_aside(&format!("Activation status: {word}"));
    }
    outcome.map(|()| 0)
}

/// How much is brought back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The data; deployments that the gear has not are added, and not put to use.
    Data,
    /// The deployments in the place of those that there are.
    Deployments,
}

/// Unpacks the input, under the rules for all archives, and puts it in order for this gear.
fn arranged(call: &Call<'_>, place: &Place) -> Result<Arranged, Refused> {
    let room = place.home.dir(RESTORED)?;
    for folder in [RAW, HOME] {
        room.make_dir(folder, 0o700)?;
    }
    let (raw, home) = (room.dir(RAW)?, room.dir(HOME)?);
    let mut packed = BufReader::with_capacity(archive::HEAD, io::stdin());
    let head = packed.fill_buf();
    let head = head.map_err(|error| Refused::new(FAILED, format!("gear: the input: {error}")))?;
    if archive::detect(head) != Some(Kind::TarGz) {
        let text = "gear: this is no snapshot: it is not packed with gzip";
        return Err(Refused::new(FAILED, text).hint("`gear snapshot` makes such ones"));
    }
    let limits = config::Archive::default();
    let (links, modes) = (Links::External, Modes::Kept);
    let options = Options { limits: &limits, links, modes, strip: Strip::Nothing, older: None };
    archive::unpack_stream(Kind::TarGz, &mut packed, &raw, &options, &Nobody)?;
    let variables = place.variables(call, &place.primary()?.dir);
    let mut exclusions = Vec::new();
    let mut transforms = Vec::new();
    for cartridge in &place.cartridges {
        let managed = cartridge.managed(&place.home);
        for script in &managed.restore_transforms {
            let all = Transform::parse(script, &|name| variables.get(name).cloned());
            let all = all.map_err(|error| Failure::new(Exit::Conflict, error.to_string()))?;
            transforms.extend(all);
        }
        exclusions.push((cartridge.dir.clone(), managed.snapshot_exclusions));
    }
    let shape = Shape { exclusions: &exclusions, transforms: &transforms };
    let came = Unpacked::look(&raw)?.arrange((&raw, &home), &shape)?;
    tree::remove(&room, RAW)?;
    Ok(came)
}

/// A restore whose archive is in order.
struct Restoring<'a> {
    place: &'a Place,
    came: &'a Arranged,
    reach: Reach,
}

impl Restoring<'_> {
    /// The order of the original, from the stop on.
    fn carry_out(&self, call: &mut Call<'_>, deploying: &mut Deploying) -> Result<(), Refused> {
        let place = self.place;
        let chosen = self.chosen()?;
        self.announce();
        let was_started = deploying.was_started(place);
        if was_started {
            deploying.stops(place)?;
            stop_all(call, place, Spare::WebProxy)?;
        }
        for cartridge in place.starting_order() {
            place.control(call, cartridge, Order::of("pre-restore"))?;
        }
        let exchange = self.exchange()?;
        deploying.exchanges(place, &exchange)?;
        let room = place.home.dir(RESTORED)?;
        exchange.carry_out(&place.home, &room.dir(HOME)?, &room)?;
        let work = chosen.map(|name| Work { place, name, is_hot: false });
        if let Some(work) = &work {
            work.show(deploying)?;
        }
        for cartridge in place.starting_order() {
            place.control(call, cartridge, Order::of("post-restore"))?;
        }
        match work {
            Some(work) if was_started => work.activate(call, deploying, First::No),
            Some(work) => work.primary(call, "update-configuration").map(|()| self.rest(call)),
            None if was_started => self.start(call),
            None => {
                self.rest(call);
                Ok(())
            }
        }
    }

    /// The deployment that is put to use.
    fn chosen(&self) -> Result<Option<String>, Refused> {
        if self.reach == Reach::Data {
            return Ok(None);
        }
        let current = self.came.current.clone();
        current.map(Some).ok_or_else(|| {
            let text =
                "gear: the snapshot has no deployment, and its repository is the host's to build";
            Refused::new(FAILED, text)
                .hint("on the host, `cart gear restore NAME < FILE` does it; nothing was done")
        })
    }

    fn announce(&self) {
        if self.reach == Reach::Data {
            return say_aside("Restoring ~/app-root/data");
        }
        say_aside("Restoring ~/app-root/data and ~/app-deployments");
        say_aside(
            "The repository stays as it is, since it is the host's: `cart gear restore NAME < FILE` \
             there restores it, too",
        );
    }

    fn exchange(&self) -> Result<Exchange, Refused> {
        let home = &self.place.home;
        let from = home.dir(format!("{RESTORED}/{HOME}"))?;
        let parts: &[Part] = match self.reach {
            Reach::Data => &[Part::Data],
            Reach::Deployments => &[Part::Data, Part::Deployments],
        };
        // The folder for data is the platform's; what is kept lies among the deployments.
        let (data, stays) = (Moved::OneByOne, Some(".before"));
        let chosen = Chosen { parts, gear: "", data, stays };
        let exchange = Exchange::look(home, &from, chosen)?;
        if self.reach == Reach::Data {
            return self.with_others(exchange, (home, &from));
        }
        Ok(exchange)
    }

    /// Adds the deployments that the gear has not.
    fn with_others(
        &self,
        mut exchange: Exchange,
        (home, from): (&Dir, &Dir),
    ) -> Result<Exchange, Refused> {
        for one in &self.came.deployments {
            exchange.add(home, from, &format!("{FOLDER}/{}", one.name))?;
            if !one.metadata.id.is_empty() {
                exchange.add(home, from, &link_by_id(&one.metadata.id))?;
            }
        }
        Ok(exchange)
    }

    /// Starts again what was stopped.
    fn start(&self, call: &mut Call<'_>) -> Result<(), Refused> {
        for cartridge in self.place.starting_order().filter(|one| !one.is("web_proxy")) {
            bring_up(call, self.place, (cartridge, "start"))?;
        }
        Ok(())
    }

    /// Ends what cartridges have begun in a gear that did not run: a database takes its data in only
    /// while it runs.
    fn rest(&self, call: &mut Call<'_>) {
        for cartridge in self.place.starting_order() {
            let _ = self.place.control(call, cartridge, Order::of("stop"));
        }
    }
}
