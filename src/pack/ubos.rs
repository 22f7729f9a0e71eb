//! A UBOS package from a source tree with a `PKGBUILD`: what its functions lay out becomes an archive
//! that installs like any other package.
//!
//! The functions are somebody's code. They run in a copy of the tree, write nowhere else, reach no
//! network, and get an environment of their own; nothing that they print or name is believed.

use super::{Order, PackError, Packed, Source, Target, archived, survey};
use crate::format::{self, Unpacked};
use crate::package::note::Notes;
use crate::progress::Watch;
use crate::sandbox::{
    self, Capture, CommandLine, Confinement, Leftovers, Level, Script, Status, Temporary, Time,
};
use crate::sys::cgroup::Bounds;
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::process::Limits;
use crate::sys::tree::{self, Modes as Copied};
use crate::sys::{host, random};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// What describes how a package is built.
pub(super) const PKGBUILD: &str = "PKGBUILD";
/// The description of what was built.
const PKGINFO: &str = ".PKGINFO";
/// How long the functions may take.
const LIMIT: Duration = Duration::from_secs(600);
const GRACE: Duration = Duration::from_secs(5);
/// How much of what they print is kept, and how many lines of it a failure shows.
const OUTPUT: u64 = 1 << 20;
const TAIL: usize = 15;

/// The folders of a build.
const OUT: &str = "pkg";
const SOURCES: &str = "src";
const SAID: &str = "said";
/// What the functions have said of the package: four texts, each ended by a zero byte.
const IDENTITY: &str = "identity";
/// The longest of them together.
const LONGEST: u64 = 64 << 10;

/// Runs the functions of the file in the present folder, as `makepkg` does. A constant: what varies
/// comes as positional parameters.
const BUILD: &str = r#"set -e
startdir=$1 srcdir=$2 pkgdir=$3 CARCH=$(uname -m)
cd "$startdir"
source ./PKGBUILD
for one in "${source[@]}"; do
    if [[ $one == *://* ]]; then
        echo "its source $one would have to be downloaded" >&2
        exit 43
    fi
    cp -a -- "$startdir/${one%%::*}" "$srcdir/"
done
if ! declare -F package >/dev/null; then
    echo "PKGBUILD has no function package()" >&2
    exit 44
fi
printf '%s\0' "${pkgname[0]}" "$pkgver" "${pkgrel:-1}" "$pkgdesc" >"$4"
for step in prepare build package; do
    if declare -F "$step" >/dev/null; then
        cd "$srcdir"
        "$step" >&2
    fi
done
"#;

/// A folder that goes when the build is over.
struct Scratch<'a> {
    around: &'a Dir,
    name: String,
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // What is left over is in a folder that says what it is.
        let _ = tree::remove(self.around, &self.name);
    }
}

/// Builds the source `from`, and packs what comes of it.
pub(super) fn pack(
    order: &Order<'_>,
    (from, target): (&Dir, &Target),
    watch: &dyn Watch,
) -> Result<Packed, PackError> {
    let name = format!(".cart-build-{}", random::hex(6)?);
    let around = target.folder();
    around.make_dir(&name, 0o700)?;
    let scratch = Scratch { around, name };
    let room = around.dir(&scratch.name)?;
    watch.phase("build", None);
    let identity = build(from, &room)?;
    let built = room.dir(OUT)?;
    built.put_file(PKGINFO, info(&identity).as_bytes(), 0o644)?;
    let source = Source { dir: &built, table: survey(order, &built, false, watch)? };
    let mut notes = Notes::default();
    let package = format::read(&Unpacked { dir: &built, table: &source.table }, &mut notes)?;
    let stem = format!("{}-{}", package.name, package.package_version);
    archived(order, (&source, target), (package.title(), &stem, notes), watch)
}

/// Name, version and description.
struct Identity {
    name: String,
    version: String,
    description: String,
}

fn info(Identity { name, version, description }: &Identity) -> String {
    format!("pkgname = {name}\npkgver = {version}\npkgdesc = {description}\n")
}

fn build(from: &Dir, room: &Dir) -> Result<Identity, PackError> {
    let path = from.path();
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(PackError::Build("the directory has no name".into()));
    };
    for folder in [OUT, SOURCES, SAID, "top", "tmp", "running"] {
        room.make_dir(folder, 0o700)?;
    }
    // Many a file takes its folder's name for that of the package.
    let top = room.dir("top")?;
    tree::copy(&Dir::open(parent)?, Path::new(name), &top, Path::new(name), Copied::Writable)?;
    run(&top.path_of(name), room)?;
    let said = room.read(format!("{SOURCES}-{IDENTITY}"), LONGEST)?;
    let texts: Vec<String> =
        said.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into()).collect();
    let [name, version, release, description, ..] = texts.as_slice() else {
        return Err(PackError::Build("`PKGBUILD` says no name and version".into()));
    };
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Identity {
        name: one_line(name),
        version: one_line(&format!("{version}-{release}")),
        description: one_line(description),
    })
}

fn run(start: &Path, room: &Dir) -> Result<(), PackError> {
    let confinement = Confinement {
        gear: "build".into(),
        records: room.path_of("running"),
        level: Level::Plain,
        user: None,
        home: room.path().to_owned(),
        tmp: room.path_of("tmp"),
        temporary: Temporary::Closed,
        state: room.path().to_owned(),
        log: room.path_of(SAID),
        shims: room.path_of("running"),
        readable: Vec::new(),
        bounds: Bounds::default(),
    };
    let env: BTreeMap<String, OsString> = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME", room.path_of("tmp").into_os_string()),
        ("TMPDIR", room.path_of("tmp").into_os_string()),
        ("LANG", "C.UTF-8".into()),
    ]
    .map(|(name, value): (&str, OsString)| (name.to_owned(), value))
    .into();
    let mark = [("CART_BUILD".to_owned(), room.path().display().to_string())];
    let done = sandbox::run(&Script {
        line: &line(start, room)?,
        folder: start,
        env: &env,
        marks: &mark,
        user: None,
        confinement: Some(&confinement),
        limits: Limits::default(),
        time: Time { limit: LIMIT, grace: GRACE },
        leftovers: Leftovers::End,
        capture: Capture { folder: &room.dir(SAID)?, name: "build", keep: OUTPUT },
    });
    let ended = sandbox::end(&room.path_of("running"), "build");
    let done = done.map_err(|error| PackError::Build(error.to_string()))?;
    ended.map_err(|error| PackError::Build(error.to_string()))?;
    if done.is_success() {
        return Ok(());
    }
    let how = match done.status {
        Status::Exited(status) => format!("its functions ended with status {status}"),
        Status::TimedOut => format!("its functions took more than {} seconds", LIMIT.as_secs()),
        Status::Interrupted => "it was interrupted".into(),
        Status::Signalled(_) | Status::Flooded => "its functions were ended".into(),
    };
    let lines: Vec<&str> = done.stderr.text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join(" | ");
    let fine = |c: char| if c.is_control() { ' ' } else { c };
    Err(PackError::Build(format!("{how}: {}", last.chars().map(fine).collect::<String>())))
}

/// bash, without a network.
fn line(start: &Path, room: &Dir) -> Result<CommandLine, PackError> {
    let unshare = Path::new("/usr/bin/unshare");
    if kind_of(unshare) != Some(Kind::File) {
        return Err(PackError::Build("`unshare` of util-linux is not there".into()));
    }
    let mut words: Vec<OsString> = Vec::new();
    if !host::is_root() {
        words.extend(["--user".into(), "--map-current-user".into()]);
    }
    words.extend(["--net", "--", "/bin/bash", "-c", BUILD, "cart"].map(OsString::from));
    words.push(start.into());
    words.push(room.path_of(SOURCES).into());
    words.push(room.path_of(OUT).into());
    words.push(room.path_of(format!("{SOURCES}-{IDENTITY}")).into());
    CommandLine::of(unshare, words).map_err(|error| PackError::Build(error.to_string()))
}
