//! `lsof`, for hosts that have none: the network sockets, with the options that cartridges use
//! (`-i`, `-t`, `-u`, `-p`, `-c`, `-s`, `-a`). Addresses and ports are always numbers.

mod choice;

use super::programs::{become_program, real};
use super::sockets::{self, Holder, Protocol, Socket};
use super::{Call, Refused};
use choice::Choice;
use std::collections::BTreeSet;

const HEADING: &str = "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME";

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    if let Some(lsof) = real(call, "lsof") {
        return Err(become_program(call, &lsof, call.arguments));
    }
    let choice = Choice::parse(&call.words())?;
    let holders = sockets::holders()?;
    let mut found: Vec<(Holder, Socket)> = Vec::new();
    for socket in sockets::all() {
        for holder in holders.get(&socket.inode).into_iter().flatten() {
            if choice.takes(holder, &socket) {
                found.push((holder.clone(), socket.clone()));
            }
        }
    }
    found.sort_by_key(|(holder, _)| (holder.id, holder.descriptor));
    if found.is_empty() {
        return Ok(1);
    }
    if choice.terse {
        let ids: BTreeSet<u32> = found.iter().map(|(holder, _)| holder.id).collect();
        for id in ids {
            call.say(&id.to_string())?;
        }
        return Ok(0);
    }
    call.say(HEADING)?;
    for (holder, socket) in found {
        call.say(&line(&holder, &socket))?;
    }
    Ok(0)
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
