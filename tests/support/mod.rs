//! What integration tests share: an HTTP server on the loopback that misbehaves on request, and
//! packers of small archives.

#![expect(dead_code, reason = "every test binary uses another part of this")]

pub(crate) mod http;
pub(crate) mod pack;
pub(crate) mod pages;
pub(crate) mod processes;
pub(crate) mod supervisors;
pub(crate) mod tls;
pub(crate) mod tpkg;
