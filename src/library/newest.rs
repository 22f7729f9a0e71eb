//! The newest tree of a package, as the folders of the library tell it.

use crate::package::ident::{FormatName, Name, Vendor};
use crate::package::version::Version;
use crate::sys::fs::Dir;

/// The newest tree below `library` of the package that all these versions share; nothing where there
/// is none. Only a hint: whoever uses it looks at what is in it.
pub fn newest(library: &Dir, (format, vendor, name): (FormatName, &Vendor, &Name)) -> Option<Dir> {
    let versions = library.dir(format!("{}/{vendor}-{name}", format.as_str())).ok()?;
    let names = versions.names().ok()?;
    let newest = names.iter().filter_map(|name| {
        // `<package version>-<digest>`: a version may have a `-`, a digest has none.
        let (version, _) = name.to_str()?.rsplit_once('-')?;
        Some((Version::parse(version).ok()?, name))
    });
    versions.dir(newest.max()?.1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_found_by_its_number() {
        let temp = tempfile::tempdir().unwrap();
        let library = Dir::open(temp.path()).unwrap();
        let (vendor, name) = (Vendor::parse("v").unwrap(), Name::parse("n").unwrap());
        let find = || newest(&library, (FormatName::Cartridge, &vendor, &name));
        assert!(find().is_none(), "there is no library yet");
        for folder in ["0.9-aa", "0.10-bb", "0.2-rc1-cc", "odd"] {
            library.make_dirs(format!("cartridge/v-n/{folder}"), 0o755).unwrap();
        }
        library.make_dirs("cartridge/v-other/9-dd", 0o755).unwrap();
        assert!(find().unwrap().path().ends_with("0.10-bb"));
    }
}
