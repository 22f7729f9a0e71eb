//! Which sockets an `lsof` command line means.

use super::super::Refused;
use crate::sys::fs;
use crate::sys::sockets::{Holder, Protocol, Socket};
use std::net::{IpAddr, ToSocketAddrs};
use std::ops::RangeInclusive;

/// Options without a value that choose nothing here.
const IGNORED: &str = "nPwlbOV";

/// What the options ask for.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Only the ids of processes are printed.
    pub(super) terse: bool,
    /// Everything that is named must hold, not just any of it.
    all: bool,
    internet: Vec<Address>,
    users: Vec<String>,
    processes: Vec<u32>,
    commands: Vec<String>,
    states: Vec<String>,
}

/// `[46][tcp|udp][@host][:ports]`; what is not said is not asked.
#[derive(Debug, Default)]
struct Address {
    version: Option<char>,
    protocol: Option<Protocol>,
    hosts: Vec<IpAddr>,
    ports: Vec<RangeInclusive<u16>>,
}

impl Choice {
    pub(super) fn parse(words: &[String]) -> Result<Self, Refused> {
        let mut choice = Self::default();
        let mut rest = words.iter().map(String::as_str).peekable();
        while let Some(word) = rest.next() {
            if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                choice.options(letters, &mut rest)?;
            } else if word == "+w" {
                // Warnings are wanted; there are none.
            } else if word.contains('@') || word.starts_with(':') {
                choice.internet.push(Address::parse(word)?);
            } else {
                return Err(unknown(word));
            }
        }
        let nothing = choice.internet.is_empty() && choice.users.is_empty();
        if nothing && choice.processes.is_empty() && choice.commands.is_empty() {
            return Err(unknown("a list of all open files"));
        }
        Ok(choice)
    }

    fn options<'a>(
        &mut self,
        letters: &str,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) -> Result<(), Refused> {
        for (at, letter) in letters.char_indices() {
            let attached = letters.get(at + 1..).unwrap_or_default();
            let mut value = || {
                let next = if attached.is_empty() { rest.next() } else { Some(attached) };
                next.map(str::to_owned).ok_or_else(|| unknown(&format!("-{letter}")))
            };
            match letter {
                'a' => self.all = true,
                't' => self.terse = true,
                _ if IGNORED.contains(letter) => {}
                'i' => {
                    let is_address = |next: &&str| !next.starts_with('-');
                    let own = if attached.is_empty() { rest.next_if(is_address) } else { None };
                    self.internet.push(Address::parse(own.unwrap_or(attached))?);
                    return Ok(());
                }
                'u' => {
                    self.users.extend(value()?.split(',').map(str::to_owned));
                    return Ok(());
                }
                'p' => {
                    let ids = value()?;
                    for id in ids.split(',') {
                        self.processes.push(id.parse().map_err(|_| unknown(id))?);
                    }
                    return Ok(());
                }
                'c' => {
                    self.commands.push(value()?);
                    return Ok(());
                }
                's' => {
                    let states = attached.split_once(':').map_or("", |(_, states)| states);
                    self.states.extend(states.split(',').map(str::to_uppercase));
                    self.states.retain(|state| !state.is_empty());
                    return Ok(());
                }
                other => return Err(unknown(&format!("-{other}"))),
            }
        }
        Ok(())
    }

    /// Tells whether this socket in the hands of this process is meant.
    pub(super) fn takes(&self, holder: &Holder, socket: &Socket) -> bool {
        if !self.states.is_empty() {
            let state = socket.state.unwrap_or_default();
            if !self.states.iter().any(|wanted| wanted == state) {
                return false;
            }
        }
        let user = name_of(holder.user);
        let is_user = |wanted: &String| *wanted == user || *wanted == holder.user.to_string();
        let answers = [
            (!self.internet.is_empty(), self.internet.iter().any(|one| one.is_met_by(socket))),
            (!self.users.is_empty(), self.users.iter().any(is_user)),
            (!self.processes.is_empty(), self.processes.contains(&holder.id)),
            (
                !self.commands.is_empty(),
                self.commands.iter().any(|start| holder.command.starts_with(start.as_str())),
            ),
        ];
        let mut asked = answers.into_iter().filter(|(asked, _)| *asked);
        if self.all { asked.all(|(_, met)| met) } else { asked.any(|(_, met)| met) }
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, Refused> {
        let mut address = Self::default();
        let mut rest = text;
        if let Some(after) = rest.strip_prefix(['4', '6']) {
            address.version = rest.chars().next();
            rest = after;
        }
        let lower = rest.to_ascii_lowercase();
        for (name, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
            if lower.starts_with(name) {
                address.protocol = Some(protocol);
                rest = rest.get(name.len()..).unwrap_or_default();
            }
        }
        let (host, ports) = match rest.rsplit_once(':') {
            Some((host, ports)) if !ports.ends_with(']') => (host, ports),
            _ => (rest, ""),
        };
        if let Some(name) = host.strip_prefix('@').filter(|name| !name.is_empty()) {
            let name = name.trim_matches(['[', ']']);
            let found = (name, 0).to_socket_addrs().map_err(|_| unknown(text))?;
            address.hosts = found.map(|end| end.ip()).collect();
        } else if !host.is_empty() {
            return Err(unknown(text));
        }
        for part in ports.split(',').filter(|part| !part.is_empty()) {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| port(text).ok_or_else(|| unknown(part));
            address.ports.push(number(low)?..=number(high)?);
        }
        Ok(address)
    }

    fn is_met_by(&self, socket: &Socket) -> bool {
        let version = if socket.local.is_ipv4() { '4' } else { '6' };
        let end = |end: std::net::SocketAddr| {
            (self.hosts.is_empty() || self.hosts.contains(&end.ip()))
                && (self.ports.is_empty() || self.ports.iter().any(|all| all.contains(&end.port())))
        };
        self.version.is_none_or(|wanted| wanted == version)
            && self.protocol.is_none_or(|wanted| wanted == socket.protocol)
            && (end(socket.local) || end(socket.remote))
    }
}

/// A port by its number or by its name in the list of services.
fn port(text: &str) -> Option<u16> {
    text.parse().ok().or_else(|| {
        let services = fs::read_text("/etc/services".as_ref()).ok()?;
        services.lines().find_map(|line| {
            let mut fields = line.split_whitespace();
            (fields.next()? == text).then(|| fields.next()?.split('/').next()?.parse().ok())?
        })
    })
}

/// The name of a user, or the number of one that has none.
pub(super) fn name_of(user: u32) -> String {
    let number = user.to_string();
    let accounts = fs::read_text("/etc/passwd".as_ref()).unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    name.unwrap_or(number)
}

fn unknown(what: &str) -> Refused {
    let text = format!("lsof: cannot look for `{}`", what.escape_debug());
    Refused::new(1, text).hint("this one knows network sockets alone; install `lsof` for the rest")
}
