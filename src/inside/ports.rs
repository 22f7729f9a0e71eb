//! `oo-lists-ports`: what listens in this gear, as `PROGRAM -> ADDRESS:PORT`, for whoever forwards
//! ports.

use super::{Call, Refused};
use crate::sys::host;
use crate::sys::sockets::{self, Socket};
use std::collections::BTreeSet;

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let holders = sockets::holders()?;
    let me = host::user_id();
    // Without an account of its own, a gear is known by its addresses alone.
    let addresses: BTreeSet<String> = call
        .variables
        .iter()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OPENSHIFT_"))
        .map(|(_, value)| value.to_string_lossy().into_owned())
        .collect();
    let is_ours = |socket: &Socket| {
        socket.state == Some("LISTEN") && addresses.contains(&socket.local.ip().to_string())
    };
    let mut lines = BTreeSet::new();
    for socket in sockets::all().into_iter().filter(is_ours) {
        for holder in holders.get(&socket.inode).into_iter().flatten() {
            if holder.user == me {
                lines.insert(format!("{} -> {}", holder.command, socket.local));
            }
        }
    }
    for line in lines {
        call.say(&line)?;
    }
    Ok(0)
}
