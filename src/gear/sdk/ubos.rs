//! The Perl that scripts of UBOS packages expect around them: their modules, written for this
//! program, and the runner that evaluates one script in a process of its own.

use std::path::{Path, PathBuf};

/// The folder of the modules, below the SDK's.
const FOLDER: &str = "sdk/perl";
/// What evaluates a script.
const RUNNER: &str = "run.pl";

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Every file, by its path below `Layout::lib`.
        pub(super) const FILES: &[(&str, &str)] = &[
            $((concat!("sdk/perl/", $name), include_str!(concat!("perl/", $name)))),+
        ];
    };
}

files! {
    "run.pl",
    "Digest/SHA1.pm",
    "UBOS/AppConfigurationItems/Perlscript.pm",
    "UBOS/Configuration.pm",
    "UBOS/Databases/MySqlDriver.pm",
    "UBOS/Databases/PostgreSqlDriver.pm",
    "UBOS/Host.pm",
    "UBOS/Logging.pm",
    "UBOS/ResourceManager.pm",
    "UBOS/Utils.pm",
    "UBOS/Variables.pm",
}

/// The folder of the modules, for `PERL5LIB`; `lib` is `Layout::lib`.
pub fn modules(lib: &Path) -> PathBuf {
    lib.join(FOLDER)
}

/// The runner; its first lines say how it is called.
pub fn runner(lib: &Path) -> PathBuf {
    modules(lib).join(RUNNER)
}

#[cfg(test)]
mod tests;
