//! Cartridges in public repositories, pinned by commit.

use std::path::Path;
use std::process::Command;

/// A cartridge in a public repository.
pub(crate) struct Public {
    pub(crate) repository: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) folder: &'static str,
}

/// Brings a cartridge into the new folder `into`; gives the files that a mirror does not hold (it
/// may leave out the largest). The error says why the cartridge cannot be had here.
pub(crate) fn fetch(public: &Public, into: &Path) -> Result<Vec<String>, String> {
    let git = |arguments: &[&str], bare: &Path| -> Result<Vec<u8>, String> {
        let output = Command::new("git")
            .env("GIT_DIR", bare)
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["-c", "safe.directory=*"])
            .args(arguments)
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        output.status.success().then_some(output.stdout).ok_or(said)
    };
    let mirror = std::env::var_os("CART_REAL_MIRROR").filter(|path| !path.is_empty());
    let bare = if let Some(mirror) = &mirror {
        Path::new(mirror).join(public.repository.replace('/', "+"))
    } else {
        let bare = into.with_extension("git");
        git(&["init", "--quiet", "--bare"], &bare)?;
        let url = format!("https://github.com/{}.git", public.repository);
        git(&["fetch", "--quiet", "--depth", "1", &url, public.commit], &bare)?;
        bare
    };
    let repo = bare.join("repo");
    let bare = [repo.join(".git"), repo].into_iter().find(|repo| repo.is_dir()).unwrap_or(bare);
    let mut list = vec!["ls-tree", "-r", public.commit];
    let folder = format!("{}/", public.folder);
    if !public.folder.is_empty() {
        list.push(&folder);
    }
    let listed = git(&list, &bare)?;
    let mut absent = Vec::new();
    for line in String::from_utf8_lossy(&listed).lines() {
        let (head, path) = line.split_once('\t').ok_or("git lists oddly")?;
        let mut words = head.split(' ');
        let (mode, object) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        let path = path.strip_prefix(public.folder).unwrap().trim_start_matches('/');
        let file = into.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let bytes = match git(&["cat-file", "blob", object], &bare) {
            Ok(bytes) => bytes,
            Err(_) if mirror.is_some() => {
                absent.push(path.to_owned());
                continue;
            }
            Err(why) => return Err(why),
        };
        if mode == "120000" {
            std::os::unix::fs::symlink(String::from_utf8_lossy(&bytes).as_ref(), &file).unwrap();
            continue;
        }
        std::fs::write(&file, bytes).unwrap();
        if mode == "100755" {
            Command::new("chmod").arg("+x").arg(&file).status().unwrap();
        }
    }
    Ok(absent)
}
