//! A stand-in until the real module is merged.

/// A package that the binary carries.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its files.
    pub files: &'static [File],
}
/// One of its files.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Where.
    pub path: &'static str,
    /// With which mode.
    pub mode: u32,
    /// What.
    pub bytes: &'static [u8],
}
