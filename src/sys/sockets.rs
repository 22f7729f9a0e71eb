//! The network sockets of this host and who holds them, read from `/proc`.

use super::fs::{self, Dir};
use crate::error::FsError;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is bound.
    pub local: SocketAddr,
    /// Whom it is connected to.
    pub remote: SocketAddr,
    /// The kernel's number of the state; `None` where there are no states.
    pub state: Option<&'static str>,
    /// The number by which its holders are found.
    pub inode: u64,
}

/// A process that has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub id: u32,
    /// Its user.
    pub user: u32,
    /// Its program, as the kernel calls it.
    pub command: String,
    /// The number of the descriptor.
    pub descriptor: u32,
}

/// The states of TCP, from 1 on.
const STATES: [&str; 11] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// Lists all sockets of the protocols.
pub fn all() -> Vec<Socket> {
    let files = [
        ("/proc/net/tcp", Protocol::Tcp),
        ("/proc/net/tcp6", Protocol::Tcp),
        ("/proc/net/udp", Protocol::Udp),
        ("/proc/net/udp6", Protocol::Udp),
    ];
    // A kernel without IPv6 has fewer files.
    let read = |(file, protocol): (&str, Protocol)| {
        let text = fs::read_text(Path::new(file)).unwrap_or_default();
        text.lines().skip(1).filter_map(|line| parse(line, protocol)).collect::<Vec<_>>()
    };
    files.into_iter().flat_map(read).collect()
}

fn parse(line: &str, protocol: Protocol) -> Option<Socket> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, remote) = (end(fields.next()?)?, end(fields.next()?)?);
    let number = usize::from_str_radix(fields.next()?, 16).ok()?;
    let state = match protocol {
        Protocol::Tcp => Some(*STATES.get(number.checked_sub(1)?)?),
        Protocol::Udp => None,
    };
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Socket { protocol, local, remote, state, inode })
}

/// `0100007F:1F90`: words of 32 bits in the order of this machine, then the port.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| {
        let digits = address.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?];
        let mut bytes = [0; 16];
        for (byte, given) in bytes.iter_mut().zip(words.concat()) {
            *byte = given;
        }
        IpAddr::V6(Ipv6Addr::from(bytes))
    };
    Some(SocketAddr::new(address, port))
}

/// Who has which socket open, by the socket's number; processes of others do not show theirs.
pub fn holders() -> Result<HashMap<u64, Vec<Holder>>, FsError> {
    let proc = Dir::open(Path::new("/proc"))?;
    let mut found: HashMap<u64, Vec<Holder>> = HashMap::new();
    for process in super::process::all()? {
        let Ok(open) = proc.dir(format!("{}/fd", process.id)) else { continue };
        let names = open.names().unwrap_or_default();
        let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok());
        for descriptor in numbers {
            let target = open.link_target(descriptor.to_string()).unwrap_or_default();
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            let Some(inode) = inode.and_then(|digits| digits.parse().ok()) else { continue };
            let command = proc.read(format!("{}/comm", process.id), 64).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).trim().to_owned();
            let holder = Holder { id: process.id, user: process.user, command, descriptor };
            found.entry(inode).or_default().push(holder);
        }
    }
    Ok(found)
}

/// Says who listens for connections on `port` of `address`, or of all addresses: program, process
/// and, where it has one, gear. Nothing where nobody is seen; only root sees the processes of others.
pub fn listener(address: Ipv4Addr, port: u16) -> Option<String> {
    let is_it = |one: &Socket| {
        let local = one.local.ip();
        one.state == Some("LISTEN")
            && one.local.port() == port
            && (local == IpAddr::V4(address) || local.is_unspecified())
    };
    let found: Vec<Socket> = all().into_iter().filter(is_it).collect();
    let holders = holders().ok()?;
    let holder = found.iter().find_map(|one| holders.get(&one.inode)?.first())?;
    let Holder { id, command, .. } = holder;
    let environment = fs::read_text(Path::new(&format!("/proc/{id}/environ"))).unwrap_or_default();
    let gear = environment.split('\0').find_map(|one| one.strip_prefix("OPENSHIFT_GEAR_NAME="));
    let gear = gear.map(|name| format!(" of the gear `{}`", name.escape_debug()));
    let command = command.escape_debug();
    Some(format!("`{command}` (process {id}){}", gear.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  \
                    1000        0 4242 1 0000000000000000 100 0 0 10 0";
        if cfg!(target_endian = "little") {
            let socket = parse(line, Protocol::Tcp).unwrap();
            assert_eq!(socket.local, "127.0.0.1:8080".parse().unwrap());
            assert_eq!((socket.state, socket.inode), (Some("LISTEN"), 4242));
            let v6 = end("00000000000000000000000001000000:0050").unwrap();
            assert_eq!(v6, "[::1]:80".parse().unwrap());
        }
        assert_eq!(parse("  sl  local_address", Protocol::Tcp), None);
    }

    #[test]
    fn a_listener_of_ones_own_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let socket = all().into_iter().find(|one| one.local == local).unwrap();
        assert_eq!(socket.state, Some("LISTEN"));
        let holders = holders().unwrap();
        assert_eq!(holders[&socket.inode][0].id, std::process::id());
        let who = super::listener(Ipv4Addr::LOCALHOST, local.port()).unwrap();
        assert!(who.contains(&format!("process {}", std::process::id())), "{who}");
        drop(listener);
        assert_eq!(super::listener(Ipv4Addr::LOCALHOST, local.port()), None);
    }
}
