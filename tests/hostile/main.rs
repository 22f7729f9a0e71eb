//! Archives that mean harm, or are damaged: each is refused for its own reason, leaves nothing
//! behind, and touches nothing outside. And good ones, which give exactly the tree they hold.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::large_stack_arrays,
    reason = "a test ends where something unexpected happens, and its numbers are small"
)]

mod directories;
mod good;
mod gzip;
mod limits;
mod make_tar;
mod make_zip;
mod names;
mod programs;
mod random;
mod room;
mod tar_frame;
mod zip_frame;
