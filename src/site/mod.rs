//! What sites need of other programs, as pure data and text: databases, the web server's virtual
//! host, units of systemd.
//!
//! Nothing here does anything: steps write these texts and hand these statements to programs. Whatever a
//! package has said reaches them through the checked types here alone.

pub mod backup;
pub mod database;
pub mod unit;
