//! What a script that succeeded has said, and what comes of it: texts for the user, rows for the
//! database, further steps. Whatever it prints, it can neither stop nor flood the transaction.

use super::script::Call;
use super::write_variable::WriteVariable;
use super::{Cx, Said};
use crate::db::{Change, Publisher, Saying, Scope, Telling};
use crate::gear::home::is_the_skeletons;
use crate::gear::identity::Identity;
use crate::gear::replies::{self, Ending, Pair, Reply, Tone};
use crate::gear::variables::{self, MOST_OF_DOMAIN, Place, VariableError};
use crate::package::ident::{EnvName, GearName};
use crate::sandbox::Outcome;
use crate::sys::fs::Dir;

/// How many texts of one script are shown, and how many changes it may ask for.
const MOST: usize = 200;
/// The longest value of `CART_DATA` and its kin, in bytes.
const LONGEST_DATA: usize = 16 << 10;

/// Acts on what a script has said.
pub(super) fn heard(cx: &Cx<'_>, home: &Dir, call: &Call<'_>, outcome: &Outcome) -> Said {
    let publisher = Publisher { gear: call.gear.uuid.clone(), dir: call.dir.to_owned() };
    let domain = cx.host().shared.size();
    let mut hearing = Hearing { cx, call, home, publisher, domain, said: Said::default() };
    let replies = replies::parse(&outcome.stdout.whole_lines(), Ending::Success);
    let mut about = Vec::new();
    let (mut texts, mut demands) = (0, 0);
    for reply in replies.replies {
        let counted = match reply {
            Reply::Client(..) => &mut texts,
            _ => &mut demands,
        };
        *counted += 1;
        if *counted > MOST {
            continue;
        }
        match reply {
            Reply::Client(tone, text) => hearing.text(tone, replies::shortened(&text)),
            Reply::AppInfo(text) => about.push(text),
            reply => hearing.act(reply),
        }
    }
    if !about.is_empty() {
        hearing.data(Scope::AppInfo, Pair { name: String::new(), value: about.join("\n") });
    }
    let mut said = hearing.said;
    for (count, what) in [(texts, "texts"), (demands, "demands")] {
        if count > MOST {
            let name = call.name;
            said.warnings.push(format!("`{name}` has {count} {what}; {MOST} are heeded"));
        }
    }
    if outcome.stdout.total > cx.config.scripts.max_output {
        let (name, total) = (call.name, outcome.stdout.total);
        said.warnings.push(format!(
            "`{name}` printed {total} bytes; what it said in the middle of them is not heeded"
        ));
    }
    said.warnings.extend(some(replies.notes));
    said.warnings.extend(leftovers(call.name, outcome.ended_leftovers));
    said
}

/// The first few notes, and how many there are besides.
fn some(mut notes: Vec<String>) -> Vec<String> {
    let more = notes.len().saturating_sub(10);
    notes.truncate(10);
    if more > 0 {
        notes.push(format!("{more} more lines are not heeded either"));
    }
    notes
}

fn leftovers(name: &str, count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("`{name}` left a process behind; it was ended")),
        many => Some(format!("`{name}` left {many} processes behind; they were ended")),
    }
}

struct Hearing<'a> {
    cx: &'a Cx<'a>,
    call: &'a Call<'a>,
    home: &'a Dir,
    publisher: Publisher,
    /// The bytes of the domain's variables, with what this script adds.
    domain: usize,
    said: Said,
}

impl Hearing<'_> {
    fn text(&mut self, tone: Tone, text: String) {
        match tone {
            Tone::Message => self.said.messages.push(text),
            Tone::Result => self.said.results.push(text),
            Tone::Error | Tone::InternalError => self.said.errors.push(text),
            Tone::Debug => self.said.debug.push(text),
        }
    }

    fn act(&mut self, reply: Reply) {
        match reply {
            Reply::CartData(pair) => self.data(Scope::CartData, pair),
            Reply::CartProperty(pair) => self.data(Scope::CartProperties, pair),
            Reply::Attribute(pair) => self.data(Scope::Attributes, pair),
            Reply::EnvVarAdd(Pair { name, value }) => self.share(name, Saying::Is(value)),
            Reply::EnvVarAddUnique(Pair { name, value }) => {
                self.share(name, Saying::IsUnlessThere(value));
            }
            Reply::EnvVarRemove(name) => self.share(name, Saying::IsGone),
            Reply::AppEnvVarRemove(name) => self.remove(&name),
            Reply::SshKeyAdd(_) | Reply::AppSshKeyAdd(_) => self.decline("an SSH key"),
            Reply::BrokerAuthKeyAdd => self.decline("a broker's key"),
            // The platform knows its endpoints itself; texts and APP_INFO are gathered elsewhere.
            Reply::EndpointCreated(_)
            | Reply::EndpointDeleted(_)
            | Reply::Client(..)
            | Reply::AppInfo(_) => {}
        }
    }

    fn decline(&mut self, what: &str) {
        let name = self.call.name;
        self.said.warnings.push(format!(
            "`{name}` asks for {what}, of which there are none on a host without a broker"
        ));
    }

    fn tell(&mut self, scope: Scope, name: String, saying: Saying) {
        let publisher = Some(self.publisher.clone());
        self.said.records.push(Change::Tell(Telling { scope, publisher, name, saying }));
    }

    fn data(&mut self, scope: Scope, pair: Pair) {
        if pair.name.len() + pair.value.len() > LONGEST_DATA {
            let name = replies::shortened(&pair.name).escape_debug().to_string();
            let why = format!("`{name}` of `{}` is too long to be kept", self.call.name);
            self.said.warnings.push(why);
            return;
        }
        self.tell(scope, pair.name, Saying::Is(pair.value));
    }

    /// A variable of the whole domain. The gear's own file is the cartridge's to write.
    fn share(&mut self, name: String, saying: Saying) {
        if let Saying::Is(value) | Saying::IsUnlessThere(value) = &saying {
            if is_the_skeletons(&name) {
                let why = format!("`{name}` is not added to the domain: it is the platform's");
                self.said.warnings.push(why);
                return;
            }
            let full = self.domain + name.len() + value.len() > MOST_OF_DOMAIN;
            let fine = match variables::check_domain(&name, value) {
                Ok(()) if full => Err(VariableError::FullDomain(name.clone())),
                checked => checked,
            };
            if let Err(error) = fine {
                let why = format!("a variable of the domain is not added: {error}");
                self.said.warnings.push(why);
                return;
            }
            self.domain += name.len() + value.len();
        }
        self.tell(Scope::Domain, name, saying);
    }

    /// A variable that was written into `.env` directly goes, from every gear of the application.
    fn remove(&mut self, name: &str) {
        if is_the_skeletons(name) {
            let why = format!("`{name}` is not removed: no gear can do without it");
            self.said.warnings.push(why);
            return;
        }
        let Ok(name) = EnvName::parse(name) else { return };
        let own = self.call.gear.clone();
        if matches!(variables::read(self.home, Place::Platform, &name), Ok(Some(_))) {
            self.drop_variable(own, name.clone());
        }
        for gear in self.others() {
            let Ok(home) = self.cx.state.dir(gear.home()) else { continue };
            if matches!(variables::read(&home, Place::Platform, &name), Ok(Some(_))) {
                self.drop_variable(gear, name.clone());
            }
        }
    }

    fn drop_variable(&mut self, gear: Identity, name: EnvName) {
        let step = WriteVariable { gear, place: Place::Platform, name, value: None };
        self.said.then.push(step.into());
    }

    /// The other gears of the application, by what the platform has written into each. Their locks
    /// are not taken: one file of each goes, at once, and nobody plans on what is in it.
    fn others(&self) -> Vec<Identity> {
        const MARK: &str = ".env/OPENSHIFT_APP_UUID";
        let Ok(own) = self.home.read(MARK, 256) else { return Vec::new() };
        let gears = self.cx.state.dir("gears").and_then(|gears| gears.names());
        let names = gears.unwrap_or_default().into_iter().filter_map(|one| one.into_string().ok());
        let names = names.filter_map(|name| GearName::parse(&name).ok());
        let others = names.filter(|name| *name != self.call.gear.name);
        let same = |name: &GearName| {
            let home = self.cx.state.dir(format!("gears/{name}"));
            home.and_then(|home| home.read(MARK, 256)).is_ok_and(|uuid| uuid == own)
        };
        let gear = |name| Identity { name, cartridges: Vec::new(), ..self.call.gear.clone() };
        others.filter(same).map(gear).collect()
    }
}

#[cfg(test)]
mod tests;
