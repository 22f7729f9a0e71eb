//! Writes the default index, `repo-index/`, and the externals, `externals/`, as Rust source that embeds
//! every file of them.
//!
//! The result depends on nothing but the files: names are sorted, and a file's mode is one of two,
//! by its executable bit.
#![expect(clippy::disallowed_methods, reason = "a build script cannot use `sys`")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The fields of [`Entry`](../src/index/mod.rs) and the manifest elements that they come from.
const ELEMENTS: [(&str, &str); 6] = [
    ("vendor", "Cartridge-Vendor"),
    ("name", "Name"),
    ("version", "Version"),
    ("package_version", "Cartridge-Version"),
    ("display_name", "Display-Name"),
    ("description", "Description"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=repo-index");
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("repo-index");
    let mut source = String::from("&[\n");
    for (name, path) in children(&root)? {
        if path.is_dir() {
            write_entry(&mut source, &name, &path)
                .map_err(|error| format!("repo-index/{name}: {error}"))?;
        }
    }
    source.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("index.rs"), source)?;
    fs::write(out.join("externals.rs"), externals()?)?;
    Ok(())
}

/// The shipped externals with what they share; their documentation stays outside.
fn externals() -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed=externals");
    let mut files = BTreeMap::new();
    collect(&PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("externals"), "", &mut files)?;
    let mut source = String::from("&[\n");
    let is_text = |name: &str| Path::new(name).extension().is_some_and(|end| end == "md");
    for (name, file) in files.iter().filter(|(name, _)| !is_text(name)) {
        let mode = mode_of(file)?;
        let file = file.to_str().ok_or("a path is not UTF-8")?;
        writeln!(source, "({name:?}, 0o{mode:o}, include_bytes!({file:?})),")?;
    }
    source.push_str("]\n");
    Ok(source)
}

fn mode_of(file: &Path) -> Result<u32, Box<dyn Error>> {
    Ok(if fs::metadata(file)?.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 })
}

fn write_entry(source: &mut String, folder: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    let manifest = fs::read_to_string(path.join("metadata/manifest.yml"))?;
    source.push_str("Entry {\n");
    for (field, element) in ELEMENTS {
        let value = element_of(&manifest, element)
            .ok_or_else(|| format!("the manifest has no line `{element}: …`"))?;
        if element == "Name" && value != folder {
            return Err(format!("the manifest's name is `{value}`").into());
        }
        writeln!(source, "{field}: {value:?},")?;
    }
    source.push_str("files: &[\n");
    let mut files = BTreeMap::new();
    collect(path, "", &mut files)?;
    for (name, file) in files {
        let mode = mode_of(&file)?;
        let file = file.to_str().ok_or("a path is not UTF-8")?;
        writeln!(
            source,
            "File {{ path: {name:?}, mode: 0o{mode:o}, bytes: include_bytes!({file:?}) }},"
        )?;
    }
    source.push_str("] },\n");
    Ok(())
}

/// The value of a top-level line `Element: value`; our own manifests quote simply or not at all.
fn element_of<'a>(manifest: &'a str, element: &str) -> Option<&'a str> {
    let line = manifest.lines().find_map(|line| line.strip_prefix(element)?.strip_prefix(':'))?;
    let value = line.trim();
    let quoted = |mark| value.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    Some(quoted('"').or_else(|| quoted('\'')).unwrap_or(value))
}

fn collect(
    dir: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Box<dyn Error>> {
    for (name, path) in children(dir)? {
        let kind = fs::symlink_metadata(&path)?.file_type();
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.insert(name, path);
        } else {
            return Err(format!("`{name}` is neither a file nor a folder").into());
        }
    }
    Ok(())
}

fn children(dir: &Path) -> Result<BTreeMap<String, PathBuf>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
        found.insert(name, entry.path());
    }
    Ok(found)
}
