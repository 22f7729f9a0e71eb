//! `lsof`, for hosts that have none: the network sockets, with the options that cartridges use
//! (`-i`, `-t`, `-u`, `-p`, `-c`, `-s`, `-a`). Addresses and ports are always numbers.

mod choice;

use super::programs::{become_program, real};
use super::{Call, Refused};
use crate::sys::sockets::{self, Holder, Protocol, Socket};
use choice::Choice;
use std::collections::BTreeSet;

const HEADING: &str = "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME";

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    if let Some(lsof) = real(call, "lsof") {
        return Err(become_program(call, &lsof, call.arguments));
    }
    let found = look(&call.words())?;
    for line in &found {
        call.say(line)?;
    }
    Ok(u8::from(found.is_empty()))
}

/// The lines that answer a command line; none when nothing was found.
pub(super) fn look(words: &[String]) -> Result<Vec<String>, Refused> {
    let choice = Choice::parse(words)?;
    let holders = sockets::holders()?;
    let mut found: Vec<(&Holder, Socket)> = Vec::new();
    for socket in sockets::all() {
        for holder in holders.get(&socket.inode).into_iter().flatten() {
            if choice.takes(holder, &socket) {
                found.push((holder, socket.clone()));
            }
        }
    }
    found.sort_by_key(|(holder, _)| (holder.id, holder.descriptor));
    if choice.terse {
        let ids: BTreeSet<u32> = found.iter().map(|(holder, _)| holder.id).collect();
        return Ok(ids.iter().map(u32::to_string).collect());
    }
    let heading = (!found.is_empty()).then(|| HEADING.to_owned());
    Ok(heading
        .into_iter()
        .chain(found.iter().map(|(holder, socket)| line(holder, socket)))
        .collect())
}

fn line(holder: &Holder, socket: &Socket) -> String {
    let command: String = holder.command.replace(' ', "\\x20").chars().take(9).collect();
    let family = if socket.local.is_ipv4() { "IPv4" } else { "IPv6" };
    let protocol = if socket.protocol == Protocol::Tcp { "TCP" } else { "UDP" };
    let mut name = text(socket.local);
    if socket.remote.port() != 0 {
        name = format!("{name}->{}", text(socket.remote));
    }
    let state = socket.state.map(|state| format!(" ({state})")).unwrap_or_default();
    let user = choice::name_of(holder.user);
    let Holder { id, descriptor, .. } = holder;
    let inode = socket.inode;
    format!("{command} {id} {user} {descriptor}u {family} {inode} 0t0 {protocol} {name}{state}")
}

fn text(end: std::net::SocketAddr) -> String {
    if end.ip().is_unspecified() { format!("*:{}", end.port()) } else { end.to_string() }
}
