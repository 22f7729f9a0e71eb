//! A host on which tpkg itself has installed packages: its database and the files, made by hand as
//! tpkg 2.3.6 leaves them (tpkg specification, 1.1 and 2).

use crate::host::Host;
use crate::support::tpkg::Tpkg;
use sha2::Digest;
use std::fmt::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

const CLASS: &str = "ActiveSupport::HashWithIndifferentAccess";

/// Where the database is.
pub(crate) fn installed(host: &Host) -> PathBuf {
    host.base("var/tpkg/installed")
}

/// Installs `package` as tpkg would, under this file name; `config` are its config files, by path in
/// the package, and `externals` what it was asked for, with resolved data.
pub(crate) fn install(
    host: &Host,
    (package, file_name): (&Tpkg, &str),
    config: &[&str],
    externals: &[(&str, &str)],
) {
    let folder = installed(host);
    let stem = file_name.trim_end_matches(".tpkg");
    let metadata = folder.join("metadata").join(stem);
    std::fs::create_dir_all(&metadata).unwrap();
    std::fs::write(folder.join(file_name), package.bytes()).unwrap();
    let mut yml = package.resolved(file_name);
    if !externals.is_empty() {
        yml += "externals:\n";
        for (name, data) in externals {
            write!(yml, "- name: {name}\n  data: |\n    {data}\n").unwrap();
        }
    }
    std::fs::write(metadata.join("tpkg.yml"), yml).unwrap();
    let mut files = Vec::new();
    for (path, mode, bytes) in package.contents() {
        let (place, rest) = path.split_once('/').unwrap_or((path, ""));
        let (on_host, named) = match place {
            "reloc" if !rest.is_empty() => (host.base(rest), rest.to_owned()),
            "root" => (host.at(rest), format!("/{rest}")),
            _ => continue,
        };
        match bytes {
            None => std::fs::create_dir_all(&on_host).unwrap(),
            Some(bytes) => {
                std::fs::write(&on_host, bytes).unwrap();
                let mode = std::fs::Permissions::from_mode(mode);
                std::fs::set_permissions(&on_host, mode).unwrap();
            }
        }
        let named = if bytes.is_none() { format!("{named}/") } else { named };
        let meta = on_host.metadata().unwrap();
        let is_config = config.contains(&path);
        files.push(file((&named, place == "reloc"), &meta, (bytes, is_config)));
    }
    let mut marshal = b"\x04\x08".to_vec();
    let pairs = [(text("package_file"), text(file_name)), (text("files"), list(&files))];
    marshal.extend(map(&pairs));
    std::fs::write(metadata.join("file_metadata.bin"), marshal).unwrap();
}

fn file(
    (path, relocatable): (&str, bool),
    meta: &std::fs::Metadata,
    (bytes, config): (Option<&[u8]>, bool),
) -> Vec<u8> {
    let truth = |it: bool| vec![if it { b'T' } else { b'F' }];
    let mut pairs = vec![
        (text("path"), text(path)),
        (text("relocatable"), truth(relocatable)),
        (text("uid"), number(meta.uid())),
        (text("gid"), number(meta.gid())),
        (text("perms"), text(&format!("{:o}", meta.mode()))),
    ];
    if let Some(bytes) = bytes {
        let digest = sha2::Sha256::digest(bytes);
        let digest = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let digests = list(&[of_class(&map(&[(text("value"), text(&digest))]))]);
        let checksum = map(&[(text("algorithm"), text("SHA256")), (text("digests"), digests)]);
        pairs.push((text("checksum"), of_class(&checksum)));
    }
    if config {
        pairs.push((text("config"), truth(true)));
    }
    of_class(&map(&pairs))
}

fn of_class(value: &[u8]) -> Vec<u8> {
    let name = [&b":"[..], &length(CLASS.len()), CLASS.as_bytes()].concat();
    [&b"C"[..], &name, value].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&b"I\""[..], &length(text.len()), text.as_bytes(), b"\x06:\x06ET"].concat()
}

fn number(number: u32) -> Vec<u8> {
    [&b"i"[..], &length(number as usize)].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [vec![b'['], length(items.len()), items.concat()].concat()
}

fn map(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let all: Vec<u8> = pairs.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
    [vec![b'{'], length(pairs.len()), all].concat()
}

fn length(number: usize) -> Vec<u8> {
    match number {
        0 => vec![0],
        1..=122 => vec![u8::try_from(number).unwrap() + 5],
        _ => {
            let bytes = number.to_le_bytes();
            let width = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            [&[u8::try_from(width).unwrap()][..], &bytes[..width]].concat()
        }
    }
}
