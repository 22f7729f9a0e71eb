//! The only place with raw file calls, `unsafe` and time.
//!
//! Everything above speaks of (root descriptor, relative path): no call here follows a symbolic
//! link below its root, so a gear cannot lead root astray (spec of attacks: G, R).

pub mod accounts;
pub mod cgroup;
pub mod checkpoint;
pub mod clock;
pub mod folders;
pub mod fs;
pub mod host;
pub mod in_root;
pub mod interrupt;
pub mod landlock;
pub mod lanes;
pub mod lock;
pub mod memory;
pub mod namespace;
pub mod net;
pub mod packets;
pub mod path;
pub mod process;
pub mod random;
pub mod sockets;
pub mod tree;
