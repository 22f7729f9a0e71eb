//! How the gear was before a verb that deploys: what it goes back to when the verb fails.
//!
//! It is written down in the gear before anything changes, so that a verb that was killed is put back
//! by the next one. One such verb at a time works in a gear; those that its own scripts call belong
//! to it. None of this is `cart`'s: a transaction neither waits for it nor believes it.

use super::super::{Call, Refused};
use super::place::{Order, Place};
use super::restore::HOME;
use super::{FAILED, INTERRUPTED};
use crate::gear::deployment::{self, FOLDER, Links};
use crate::gear::snapshot::Exchange;
use crate::gear::state::{self, State};
use crate::sys::interrupt;
use crate::sys::lock::{Asked, Lock, Sharing};
use crate::sys::process;
use crate::sys::tree;
use std::path::Path;
use std::time::Duration;

/// The longest record that is read.
const LONGEST: u64 = 1 << 16;

/// How the gear was.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Before {
    links: Links,
    state: Option<State>,
    stop_lock: bool,
    /// Whether it was stopped since.
    stopped: bool,
    /// The deployment that the links were led to since.
    shown: Option<String>,
    /// The deployment that waits for `gear postreceive`.
    waits: Option<String>,
    /// Whether it is a restore, for which there is [`RESTORED`].
    #[serde(default)]
    restores: bool,
    /// What has changed places with what was restored since.
    #[serde(default)]
    exchange: Option<Exchange>,
}

/// A verb that deploys, from its beginning to its end.
pub(super) struct Deploying {
    /// Nothing in a verb that another one has called, which answers for both.
    before: Option<Before>,
    _lock: Option<Lock>,
}

/// Where the application that is in use is kept, beside the deployments.
const KEPT: &str = ".before";
/// Where a restore unpacks its archive, and keeps what was there.
pub(super) const RESTORED: &str = "app-deployments/.before-restore";

fn record() -> String {
    format!("{FOLDER}/.before.json")
}

impl Deploying {
    /// Begins the verb that `call` asks for. What another one has left half-done is put back first.
    pub(super) fn begin(call: &mut Call<'_>, place: &Place, verb: &str) -> Result<Self, Refused> {
        interrupt::watch_or_fail()?;
        let tmp = place.home.dir(".tmp")?;
        let name = Path::new(".gear-deploys");
        let lock = match Lock::ask(&tmp, name, Sharing::Exclusive, Duration::ZERO, verb)? {
            Asked::Got(lock) => lock,
            Asked::Held(holder) => {
                let other = holder.ok_or_else(|| busy("another verb"))?;
                let is_inner = process::ancestors().is_ok_and(|all| all.contains(&other.process));
                if is_inner && other.command != verb {
                    return Ok(Self { before: None, _lock: None });
                }
                return Err(busy(&format!("`gear {}`", other.command.escape_debug())));
            }
        };
        let found = Before::read(place);
        let before = match found.as_ref().filter(|before| before.is_of_now(place)).cloned() {
            Some(before) if before.waits.is_some() => before,
            Some(before) => {
                place.tell(call, "The last deployment was cut off, and is put back first")?;
                before.go_back(call, place)?;
                Before::look(place)?
            }
            None => {
                // Of a deployment that somebody else has ended since.
                tree::remove(&place.home, format!("{FOLDER}/{KEPT}"))?;
                if found.is_some_and(|before| before.exchange.is_some()) {
                    let text =
                        "A restore was cut off, and the gear was started since: what it had before";
                    place
                        .tell(call, &format!("{text} is in ~/{RESTORED} until the next restore"))?;
                }
                Before::look(place)?
            }
        };
        before.write(place)?;
        Ok(Self { before: Some(before), _lock: Some(lock) })
    }

    /// Whether the gear was started when it began.
    pub(super) fn was_started(&self, place: &Place) -> bool {
        let now = || state::read(&place.home);
        self.before.as_ref().map_or_else(now, |before| before.state) == Some(State::Started)
    }

    /// The deployment that `gear prereceive` has made.
    pub(super) fn waiting(&self) -> Option<&str> {
        self.before.as_ref()?.waits.as_deref()
    }

    /// Writes down that it is a restore, and makes room for it.
    pub(super) fn restores(&mut self, place: &Place) -> Result<(), Refused> {
        let Some(before) = &mut self.before else {
            return Err(busy("the verb that calls this one"));
        };
        before.restores = true;
        before.write(place)?;
        tree::remove(&place.home, RESTORED)?;
        Ok(place.home.make_dir(RESTORED, 0o700)?)
    }

    /// Writes down what is about to change places with what is restored.
    pub(super) fn exchanges(&mut self, place: &Place, exchange: &Exchange) -> Result<(), Refused> {
        let Some(before) = &mut self.before else { return Ok(()) };
        before.exchange = Some(exchange.clone());
        before.write(place)
    }

    /// Writes down that the gear is about to be stopped.
    pub(super) fn stops(&mut self, place: &Place) -> Result<(), Refused> {
        let Some(before) = &mut self.before else { return Ok(()) };
        before.stopped = true;
        before.write(place)
    }

    /// Keeps the application that is in use, out of which a script may take things.
    pub(super) fn keeps_whole(&self, place: &Place) -> Result<(), Refused> {
        let live = deployment::live_name(&place.home, "repo");
        let (Some(_), Ok(live)) = (&self.before, live) else { return Ok(()) };
        Ok(deployment::keep_whole(&place.home, &live, (&place.home.dir(FOLDER)?, KEPT))?)
    }

    /// Writes down that the links are about to lead to the deployment `name`.
    pub(super) fn shows(&mut self, place: &Place, name: &str) -> Result<(), Refused> {
        let Some(before) = &mut self.before else { return Ok(()) };
        before.shown = Some(name.to_owned());
        before.write(place)
    }

    /// Ends the verb: with a failure everything is put back.
    pub(super) fn end<T>(
        self,
        call: &mut Call<'_>,
        place: &Place,
        outcome: Result<T, Refused>,
    ) -> Result<T, Refused> {
        let Some(before) = &self.before else { return outcome };
        let failed = match outcome {
            Ok(value) => {
                place.home.remove_file(record())?;
                tree::remove(&place.home, format!("{FOLDER}/{KEPT}"))?;
                before.clear_room(place)?;
                return Ok(value);
            }
            Err(refused) => refused,
        };
        let interrupted = interrupt::check().err();
        Err(match interrupt::shielded(|| before.go_back(call, place)) {
            Ok(()) if interrupted.is_some() => Refused { status: INTERRUPTED, ..failed },
            Ok(()) => failed,
            Err(worse) => failed.hint(format!("going back failed: {}", worse.failure.summary)),
        })
    }

    /// Ends it with the deployment `name` waiting for `gear postreceive`.
    pub(super) fn wait(mut self, place: &Place, name: &str) -> Result<(), Refused> {
        let Some(before) = &mut self.before else { return Ok(()) };
        before.waits = Some(name.to_owned());
        before.write(place)
    }
}

fn busy(who: &str) -> Refused {
    Refused::new(FAILED, format!("gear: {who} is at work in this gear"))
        .hint("one deployment at a time; try again when it is over")
}

impl Before {
    fn look(place: &Place) -> Result<Self, Refused> {
        Ok(Self {
            links: deployment::shown(&place.home)?,
            state: state::read(&place.home),
            stop_lock: state::is_stop_locked(&place.home)?,
            stopped: false,
            shown: None,
            waits: None,
            restores: false,
            exchange: None,
        })
    }

    /// What was written down; what makes no sense is as nothing.
    fn read(place: &Place) -> Option<Self> {
        serde_json::from_slice(&place.home.read(record(), LONGEST).ok()?).ok()
    }

    /// Whether nobody has deployed anything since: the links lead where they were led, and what they
    /// led to before is kept.
    ///
    /// What a restore was cut off in is put back unless somebody has started the gear since, which has
    /// written what nobody keeps.
    fn is_of_now(&self, place: &Place) -> bool {
        if self.exchange.is_some() {
            return state::read(&place.home) != Some(State::Started);
        }
        let Ok(shown) = deployment::shown(&place.home) else { return false };
        let live = deployment::live_name(&place.home, "repo").ok();
        let is_ours = shown == self.links || (live.is_some() && live == self.shown);
        is_ours && self.links.lead_somewhere(&place.home)
    }

    fn write(&self, place: &Place) -> Result<(), Refused> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Refused::new(FAILED, format!("gear: {error}")))?;
        Ok(place.home.put_file(record(), &text, 0o600)?)
    }

    /// Lets the gear be as it was, started where it was. The first failure is told, the rest is done.
    fn go_back(&self, call: &mut Call<'_>, place: &Place) -> Result<(), Refused> {
        let ran = self.state == Some(State::Started);
        if self.stopped {
            for cartridge in place.cartridges.iter().filter(|one| !one.is("web_proxy")) {
                // Whether it ran is not known.
                let _ = place.control(call, cartridge, Order::of("stop"));
            }
        }
        // What is not back yet is kept, and so is what is known of it.
        self.take_back(place)?;
        let mut outcome = self.links.put(&place.home, None).map_err(Refused::from);
        outcome = outcome.and(Self::make_whole(place));
        if let Some(state) = self.state {
            outcome = outcome.and(state::write(&place.home, state).map_err(Refused::from));
        }
        outcome = outcome.and(if self.stop_lock {
            state::set_stop_lock(&place.home).map_err(Refused::from)
        } else {
            state::clear_stop_lock(&place.home).map_err(Refused::from)
        });
        if ran && self.stopped {
            for cartridge in place.starting_order().filter(|one| !one.is("web_proxy")) {
                outcome = outcome.and(place.control(call, cartridge, Order::of("start")));
            }
        }
        place.home.remove_file(record())?;
        outcome.and(self.clear_room(place))
    }

    /// Takes back what a restore has brought.
    fn take_back(&self, place: &Place) -> Result<(), Refused> {
        let Some(exchange) = &self.exchange else { return Ok(()) };
        if !place.home.has(RESTORED)? {
            return Ok(());
        }
        let from = format!("{RESTORED}/{HOME}");
        let home = &place.home;
        exchange.take_back(home, (home, &from), &home.dir(RESTORED)?)?;
        Ok(exchange.remove_others(home, "app-root/data")?)
    }

    /// Removes what a restore has made room for, once it is over.
    fn clear_room(&self, place: &Place) -> Result<(), Refused> {
        if self.restores { Ok(tree::remove(&place.home, RESTORED)?) } else { Ok(()) }
    }

    /// Brings back what scripts took out of the application, to which the links lead again.
    fn make_whole(place: &Place) -> Result<(), Refused> {
        let folder = place.home.dir(FOLDER)?;
        let live = deployment::live_name(&place.home, "repo")?;
        deployment::make_whole(&place.home, &live, (&folder, KEPT))?;
        Ok(tree::remove(&folder, KEPT)?)
    }
}
