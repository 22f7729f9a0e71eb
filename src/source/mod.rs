//! Where packages come from: parsing what the user wrote, and bringing the bytes.
//!
//! A [`locator::Source`] is the web, a git repository, or a path. Opening one gives a
//! [`stream::Stream`] (bytes that are hashed while they pass) or, for git, a tree. What came is
//! [`digest::Staged`] until every expected digest held ([`digest::Verified`]). This module knows
//! nothing of archives or package formats, and never follows what it fetched: one source is one
//! answer.

pub mod cache;
pub mod digest;
pub mod error;
pub mod feed;
pub mod file;
pub mod git;
pub mod http;
pub mod locator;
pub(crate) mod redact;
pub mod stop;
pub mod stream;
