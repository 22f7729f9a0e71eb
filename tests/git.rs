//! Git sources, with real repositories made by the real `git`.

mod support;

use cartwright::config::Config;
use cartwright::error::{Exit, Explain, Failure};
use cartwright::gather::{Content, GatherFailure, Gathered, Gatherer, Request, What};
use cartwright::layout::Layout;
use cartwright::package::provenance::{Origin, Trust};
use cartwright::progress::Nobody;
use cartwright::source::locator::Source;
use cartwright::sys::fs::Dir;
use cartwright::sys::process;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::http::{Reply, Server};

struct Host {
    temp: tempfile::TempDir,
    layout: Layout,
    config: Config,
}

/// Runs git in `folder` and gives what it printed.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = process::command(Path::new("git"));
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", folder);
    command.envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_ALLOW_PROTOCOL", "file")]);
    for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
        command.env(format!("{who}_NAME"), "T").env(format!("{who}_EMAIL"), "t@example.org");
    }
    let output = command.arg("-C").arg(folder).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Host {
    fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let layout = Layout::below(&temp.path().join("host"));
        let mut config = Config::default();
        config.download.total_timeout = 20;
        Self { temp, layout, config }
    }

    /// Makes a repository with a first commit in which `README` says `text`.
    fn repository(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.temp.path().join(name);
        let dir = Dir::create(&folder, 0o755).expect("a directory");
        git(&folder, &["init", "--quiet", "--initial-branch=main"]);
        dir.make_dir("bin", 0o755).expect("a directory");
        dir.write_new("bin/control", b"#!/bin/bash\n", 0o755).expect("a file");
        self.commit(name, text);
        folder
    }

    fn commit(&self, name: &str, text: &str) -> String {
        let folder = self.temp.path().join(name);
        let dir = Dir::open(&folder).expect("a repository");
        dir.replace_file("README", text.as_bytes(), 0o644).expect("a file");
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", text]);
        git(&folder, &["rev-parse", "HEAD"])
    }

    fn get(&self, text: &str) -> Result<Gathered, GatherFailure> {
        let source = Source::parse(text).expect("a source");
        let request = Request { content: Content::Raw, ..Request::new(What::Source(source)) };
        Gatherer::new(&self.layout, &self.config)
            .gather(&[request], &|_| Box::new(Nobody))
            .map(|mut all| all.remove(0))
    }

    fn refused(&self, text: &str) -> (Exit, String) {
        let error = self.get(text).expect_err("it must be refused");
        let left = Dir::open(&self.layout.staging()).and_then(|staging| staging.names());
        assert_eq!(left.unwrap_or_default(), Vec::<std::ffi::OsString>::new());
        assert!(error.hint().is_some(), "no hint: {error:?}");
        let failure = Failure::from(error);
        (failure.exit, failure.causes.join(": "))
    }
}

fn read(gathered: &Gathered, path: &str) -> String {
    let tree = gathered.staging.dir().dir(&gathered.tree).expect("there is a tree");
    String::from_utf8(tree.read(path, 1 << 20).expect("the file is there")).expect("text")
}

fn paths(gathered: &Gathered) -> Vec<&str> {
    gathered.table.entries().iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn branches_tags_and_commits_are_found_and_the_commit_is_recorded() {
    let host = Host::new();
    let folder = host.repository("work", "one");
    let one = git(&folder, &["rev-parse", "HEAD"]);
    git(&folder, &["tag", "v1.0"]);
    let two = host.commit("work", "two");
    git(&folder, &["tag", "-a", "v2.0", "-m", "annotated"]);
    git(&folder, &["checkout", "--quiet", "-b", "feature/x", &one]);
    let side = host.commit("work", "side");
    git(&folder, &["checkout", "--quiet", "main"]);
    git(&folder, &["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = host.temp.path().join("bare.git").display().to_string();
    let work = format!("git+{}", folder.display());
    for (source, text, commit) in [
        (work.clone(), "two", &two),
        (bare.clone(), "two", &two),
        (format!("file://{bare}"), "two", &two),
        (format!("git+file://{bare}#main"), "two", &two),
        (format!("{bare}#v1.0"), "one", &one),
        (format!("{bare}#v2.0"), "two", &two),
        (format!("{bare}#feature/x"), "side", &side),
        (format!("{bare}#{one}"), "one", &one),
        (format!("{bare}#{}", &side[..8]), "side", &side),
        (format!("{bare}#main~1"), "one", &one),
        (format!("{bare}#v2.0^"), "one", &one),
        (format!("{bare}#refs/heads/main"), "two", &two),
    ] {
        let gathered = host.get(&source).unwrap_or_else(|e| panic!("{source}: {}", e.why));
        assert_eq!(read(&gathered, "README"), text, "{source}");
        assert_eq!(gathered.provenance.commit.as_ref(), Some(commit), "{source}");
        assert_eq!(paths(&gathered), ["README", "bin", "bin/control"], "no .git");
        assert_eq!(gathered.table.get("bin/control").unwrap().mode, 0o755);
        let provenance = &gathered.provenance;
        assert_eq!((provenance.kind, provenance.trust), (Origin::Git, Trust::Git));
        assert_eq!(gathered.staging.dir().names().unwrap(), ["0-tree"]);
    }
}

#[test]
fn what_is_not_there_is_told() {
    let host = Host::new();
    let folder = host.repository("work", "one");
    let work = format!("git+{}", folder.display());
    let empty = host.temp.path().join("empty.git").display().to_string();
    git(host.temp.path(), &["init", "--quiet", "--bare", "empty.git"]);
    let nothing = host.temp.path().join("nothing.git").display().to_string();
    let plain = Dir::create(&host.temp.path().join("plain.git"), 0o755).unwrap();
    let plain = plain.path().display().to_string();
    for (source, exit, words) in [
        (format!("{work}#nope"), Exit::Source, "has no branch, tag or commit `nope`"),
        (format!("{work}#main~7"), Exit::Source, "has no branch, tag or commit `main~7`"),
        (format!("{work}#{}", "a".repeat(40)), Exit::Source, "has no branch, tag or commit"),
        (empty, Exit::Source, "is empty"),
        (nothing, Exit::NotFound, "does not exist"),
        (plain, Exit::Source, "does not appear to be a git repository"),
    ] {
        let (got, said) = host.refused(&source);
        assert_eq!((got, said.contains(words)), (exit, true), "{source}: {said}");
    }
}

#[test]
fn hostile_names_are_never_options_and_hooks_never_run() {
    let host = Host::new();
    let folder = host.repository("work", "one");
    for name in ["--upload-pack=touch x", "-x", "a..b", "x y"] {
        assert!(Source::parse(&format!("git+{}#{name}", folder.display())).is_err(), "{name}");
    }
    let mark = host.temp.path().join("ran");
    let hook = format!("#!/bin/sh\ntouch {}\n", mark.display());
    let dir = Dir::open(&folder).unwrap();
    for hook_name in ["post-checkout", "pre-auto-gc", "reference-transaction"] {
        dir.write_new(format!(".git/hooks/{hook_name}"), hook.as_bytes(), 0o755).unwrap();
    }
    dir.write_new(".gitattributes", b"* filter=evil\n", 0o644).unwrap();
    git(&folder, &["config", "filter.evil.smudge", &format!("touch {}", mark.display())]);
    git(&folder, &["-c", "core.hooksPath=/dev/null", "add", "--all"]);
    git(&folder, &["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "attributes"]);
    assert!(host.get(&format!("git+{}", folder.display())).is_ok());
    assert!(!mark.exists());
}

#[test]
fn submodules_come_along_by_the_same_rules() {
    let host = Host::new();
    let inner = host.repository("inner", "inner");
    let inner_commit = git(&inner, &["rev-parse", "HEAD"]);
    host.repository("middle", "middle");
    let middle = host.temp.path().join("middle");
    git(&middle, &["submodule", "--quiet", "add", "../inner", "deep/inner"]);
    host.commit("middle", "middle with inner");
    let outer = host.repository("outer", "outer");
    git(&outer, &["submodule", "--quiet", "add", "../middle", "sub"]);
    host.commit("outer", "outer with middle");
    host.commit("inner", "a later one that nobody asked for");
    let gathered = host.get(&format!("git+{}", outer.display())).unwrap();
    assert_eq!(read(&gathered, "sub/README"), "middle with inner");
    assert_eq!(read(&gathered, "sub/deep/inner/README"), "inner", "{inner_commit}");
    let expected = [
        ".gitmodules",
        "README",
        "bin",
        "bin/control",
        "sub",
        "sub/.gitmodules",
        "sub/README",
        "sub/bin",
        "sub/bin/control",
        "sub/deep",
        "sub/deep/inner",
        "sub/deep/inner/README",
        "sub/deep/inner/bin",
        "sub/deep/inner/bin/control",
    ];
    assert_eq!(paths(&gathered), expected, "and no .git anywhere");
    drop(gathered);
    let modules = "[submodule \"x\"]\n\tpath = sub\n\turl = ext::touch x\n";
    Dir::open(&outer).unwrap().replace_file(".gitmodules", modules.as_bytes(), 0o644).unwrap();
    host.commit("outer", "hostile");
    let (exit, said) = host.refused(&format!("git+{}", outer.display()));
    assert_eq!((exit, said.contains("unknown scheme `ext`")), (Exit::Integrity, true), "{said}");
}

#[test]
fn a_repository_on_the_web_is_cloned_and_cannot_reach_into_this_host() {
    let host = Host::new();
    let inner = host.repository("inner", "inner");
    let folder = host.repository("work", "one");
    let one = git(&folder, &["rev-parse", "HEAD"]);
    host.commit("work", "two");
    git(&folder, &["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = host.temp.path().join("bare.git");
    git(&bare, &["update-server-info"]);
    let server = Server::start();
    // A server of plain files: it can give no part of a history, so all of it is fetched.
    let url = server.folder("/r.git", &bare);
    for (source, text) in [(url.clone(), "two"), (format!("{url}#{one}"), "one")] {
        let gathered = host.get(&source).unwrap_or_else(|e| panic!("{source}: {}", e.why));
        assert_eq!(read(&gathered, "README"), text);
    }
    let (exit, said) = host.refused(&url.replace("/r.git", "/missing.git"));
    assert_eq!((exit, said.contains("not found")), (Exit::Source, true), "{said}");
    let secret = url.replace("http://", "http://user:hunter2@").replace("/r.git", "/m.git");
    assert!(!host.refused(&secret).1.contains("hunter2"));
    git(&folder, &["submodule", "--quiet", "add", &inner.display().to_string(), "sub"]);
    host.commit("work", "three");
    git(&bare, &["fetch", "--quiet", "--force", "../work", "main:main"]);
    git(&bare, &["update-server-info"]);
    let (exit, said) = host.refused(&url);
    assert_eq!((exit, said.contains("lies on this host")), (Exit::Integrity, true), "{said}");
}

#[test]
fn a_tree_beyond_the_limits_is_never_written() {
    let mut host = Host::new();
    let folder = host.repository("work", "one");
    host.config.archive.max_total = 10;
    let (exit, said) = host.refused(&format!("git+{}", folder.display()));
    assert_eq!((exit, said.contains("more than 10 bytes")), (Exit::Integrity, true), "{said}");
}

#[test]
fn git_has_a_time_limit_and_leaves_no_process() {
    let mut host = Host::new();
    host.config.download.total_timeout = 1;
    let server = Server::start();
    let path = "/silent.git/info/refs?service=git-upload-pack";
    server.route(path, [Reply::bytes("x".repeat(100)).stall_after(1)]);
    let start = Instant::now();
    let (exit, said) = host.refused(&server.url("/silent.git"));
    assert_eq!((exit, said.contains("not done with")), (Exit::Source, true), "{said}");
    assert!(start.elapsed() < Duration::from_secs(4));
    let own = process::below(std::process::id()).unwrap();
    let git_left = own.iter().map(|one| one.id).any(|id| {
        Dir::open(Path::new("/proc"))
            .and_then(|proc| proc.read(format!("{id}/cmdline"), 1 << 16))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains("silent.git"))
    });
    assert!(!git_left);
}
