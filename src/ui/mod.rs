//! What the person at the terminal sees, and the only writer to stdout and stderr.
//!
//! stdout is data, stderr is talk. Nothing that a package, a server or a script said reaches a
//! terminal without its control characters made visible ([`escape`]). Nothing here decides what
//! is done; it shows, and asks.

pub mod colour;
pub mod confirm;
pub mod escape;
pub mod format;
pub mod json;
#[cfg(test)]
mod page;
pub mod plan_view;
pub mod printer;
pub mod progress;
pub mod report;
mod screen;
pub mod secret;
mod sink;
mod suggest;
pub mod table;
pub mod teller;

pub use suggest::suggest;
