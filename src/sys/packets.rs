//! Messages between processes of this host that carry open descriptors.

use rustix::io::IoSlice;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The most descriptors in one message.
pub const MOST: usize = 4;

/// Two ends of a wire on which every message stays in one piece.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    Ok(rustix::net::socketpair(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// Sends a message with at most [`MOST`] descriptors. An end that has gone is an error, no signal.
pub fn send(wire: impl AsFd, text: &[u8], handed: &[BorrowedFd]) -> io::Result<()> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut beside = SendAncillaryBuffer::new(&mut room);
    if !handed.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(handed)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::NOSIGNAL;
    rustix::net::sendmsg(wire, &[IoSlice::new(text)], &mut beside, flags)?;
    Ok(())
}

/// Receives a message of at most `longest` bytes, and what came with it; nothing once the other end
/// has gone.
pub fn receive(wire: impl AsFd, longest: usize) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut room);
    let mut text = vec![0; longest];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(&wire, &mut [IoSliceMut::new(&mut text)], &mut beside, flags)
    })?;
    let mut handed = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            handed.extend(descriptors);
        }
    }
    text.truncate(got.bytes);
    Ok((got.bytes > 0).then_some((text, handed)))
}

/// The descriptor `number` of another process, which this one must be allowed to trace.
pub fn of_another(process: impl AsFd, number: i32) -> io::Result<OwnedFd> {
    Ok(pidfd_getfd(process, number, PidfdGetfdFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};

    #[test]
    fn a_message_arrives_whole_with_its_descriptors_and_an_end_that_went_is_told() {
        let (one, other) = pair().unwrap();
        let (mut read, write) = std::io::pipe().unwrap();
        send(&one, b"first", &[write.as_fd()]).unwrap();
        send(&one, b"second", &[]).unwrap();
        drop(write);
        let (text, mut handed) = receive(&other, 100).unwrap().unwrap();
        assert_eq!((text.as_slice(), handed.len()), (&b"first"[..], 1));
        File::from(handed.remove(0)).write_all(b"through").unwrap();
        let mut through = String::new();
        read.read_to_string(&mut through).unwrap();
        assert_eq!(through, "through");
        let (text, handed) = receive(&other, 100).unwrap().unwrap();
        assert_eq!((text.as_slice(), handed.len()), (&b"second"[..], 0));
        drop(one);
        assert!(receive(&other, 100).unwrap().is_none());
        assert!(send(&other, b"x", &[]).is_err());
    }
}
