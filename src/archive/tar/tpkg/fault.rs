//! What is wrong with the archive around a tpkg package.

/// What is wrong with the archive around a tpkg package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TpkgFault {
    /// Something does not lie directly in one top folder.
    #[error("`{0}` does not lie directly in the one folder at the top level of the package")]
    TopLevel(String),
    /// There are two top folders.
    #[error("`{0}` lies beside the one folder at the top level of the package")]
    SecondTop(String),
    /// A member that no package has.
    #[error("`{0}` is neither `checksum.xml` nor `tpkg.tar`, `tpkg.tar.gz` or `tpkg.tar.bz2`")]
    Unexpected(String),
    /// A member that every package has is missing.
    #[error("there is no `{0}` in the package")]
    Missing(&'static str),
    /// A member is there twice.
    #[error("there are two `{0}` in the package")]
    Twice(&'static str),
    /// The list of checksums makes no sense.
    #[error("the package's `checksum.xml` {0}")]
    Checksums(String),
    /// The list of checksums is empty.
    #[error(
        "the package's `checksum.xml` lists no checksum, so that nothing vouches for its content"
    )]
    NoChecksum,
    /// A checksum that nobody knows.
    #[error("the package's `checksum.xml` has the unknown algorithm `{0}`")]
    Algorithm(String),
    /// The content is not what its checksum says.
    #[error(
        "the {algorithm} of the package's `tpkg.tar` is {found}, but its `checksum.xml` says {expected}"
    )]
    Mismatch {
        /// Which checksum.
        algorithm: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The inner archive is not one folder called `tpkg`.
    #[error("the package's `tpkg.tar` is not one folder called `tpkg`")]
    InnerTop,
}
