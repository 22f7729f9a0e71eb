//! Files on the web.
//!
//! Redirects, credentials, resumption and retries are handled here and not by the HTTP client, so
//! that the rules are ours: at most five redirects, never from https to http; user and password go
//! to the host that the user named and to no other; what came before a broken connection is kept,
//! and what comes after it is proved to belong to the same file.

mod body;
mod client;
mod netrc;
mod request;
mod retry;

pub use client::Http;
