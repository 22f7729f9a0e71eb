//! Sources, end to end: real servers on the loopback, real repositories, real files.

mod support;

use cartwright::config::Config;
use cartwright::error::{Exit, Explain, Failure};
use cartwright::gather::{Content, GatherFailure, Gathered, Gatherer, Request, What};
use cartwright::layout::Layout;
use cartwright::package::digest::{Md5, Sha256};
use cartwright::package::provenance::{Origin, Trust};
use cartwright::progress::{Nobody, Watch};
use cartwright::source::cache::Cache;
use cartwright::source::digest::{Checks, Hasher, Seen};
use cartwright::source::locator::Source;
use cartwright::sys::fs::Dir;
use std::path::Path;
use std::time::{Duration, Instant};
use support::http::{Reply, Server};
use support::{pack, tls};

const FILES: [pack::File<'_>; 3] = [
    ("top/metadata/manifest.yml", b"Name: packed\n"),
    ("top/bin/control", b"#!/bin/bash\n"),
    ("top/README", b"hello\n"),
];

/// A host of the test's own.
struct Host {
    temp: tempfile::TempDir,
    layout: Layout,
    config: Config,
}

impl Host {
    fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let layout = Layout::below(&temp.path().join("host"));
        let mut config = Config::default();
        config.download.retries = 2;
        config.download.stall_timeout = 5;
        config.download.total_timeout = 20;
        Self { temp, layout, config }
    }

    fn gather(&self, requests: &[Request]) -> Result<Vec<Gathered>, GatherFailure> {
        Gatherer::new(&self.layout, &self.config).gather(requests, &|_| Box::new(Nobody))
    }

    fn get(&self, text: &str) -> Result<Gathered, GatherFailure> {
        self.get_checked(text, Checks::default())
    }

    fn get_checked(&self, text: &str, checks: Checks) -> Result<Gathered, GatherFailure> {
        self.gather(&[raw(text, checks)]).map(|mut all| all.remove(0))
    }

    /// The failure as the user sees it, after a look that nothing was left behind.
    fn refused(&self, text: &str, checks: Checks) -> (Exit, String) {
        let error = self.get_checked(text, checks).expect_err("it must be refused");
        self.is_clean();
        let hint = error.hint();
        let failure = Failure::from(error);
        assert!(hint.is_some() || failure.exit == Exit::Integrity, "no hint: {failure:?}");
        (failure.exit, failure.causes.join(": "))
    }

    fn is_clean(&self) {
        let left = Dir::open(&self.layout.staging()).and_then(|staging| staging.names());
        assert_eq!(left.unwrap_or_default(), Vec::<std::ffi::OsString>::new());
        let cache = Cache::open(&self.layout).expect("the cache opens");
        assert_eq!(cache.clean().expect("it can be cleaned").files, 0);
    }
}

fn raw(text: &str, checks: Checks) -> Request {
    let source = Source::parse(text).expect("a source");
    Request { content: Content::Raw, checks, ..Request::new(What::Source(source)) }
}

fn seen(bytes: &[u8]) -> Seen {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.seen()
}

fn sha256(bytes: &[u8]) -> Checks {
    Checks { sha256: Some(seen(bytes).sha256), md5: None }
}

fn md5(bytes: &[u8]) -> Checks {
    Checks { md5: Some(seen(bytes).md5), sha256: None }
}

/// The paths in a tree.
fn paths(gathered: &Gathered) -> Vec<&str> {
    gathered.table.entries().iter().map(|entry| entry.path.as_str()).collect()
}

fn read(gathered: &Gathered, path: &str) -> String {
    let tree = gathered.staging.dir().dir(&gathered.tree).expect("there is a tree");
    String::from_utf8(tree.read(path, 1 << 20).expect("the file is there")).expect("text")
}

const PATHS: [&str; 5] = ["README", "bin", "bin/control", "metadata", "metadata/manifest.yml"];

#[test]
fn every_form_of_archive_gives_the_same_tree_whatever_its_name() {
    let (host, server) = (Host::new(), Server::start());
    for (path, bytes) in [
        ("/a.zip", pack::zip(&FILES)),
        ("/a.tar", pack::tar(&FILES)),
        ("/a.tar.gz?version=1", pack::tar_gz(&FILES)),
        ("/get", pack::tar_gz(&FILES)),
        ("/wrong.zip", pack::tar(&FILES)),
    ] {
        let attachment = ("Content-Disposition", "attachment; filename=\"a.bin\"");
        let reply = Reply::bytes(bytes.clone()).header(attachment.0, attachment.1);
        let url = server.route(path, [reply]);
        let gathered = host.get(&url).unwrap();
        assert_eq!(paths(&gathered), PATHS, "{path}");
        assert_eq!(read(&gathered, "README"), "hello\n");
        let tree = gathered.staging.dir().dir(&gathered.tree).unwrap();
        assert_eq!(tree.meta("bin/control").unwrap().unwrap().mode, 0o555, "as in the library");
        let provenance = &gathered.provenance;
        assert_eq!(provenance.sha256, Some(seen(&bytes).sha256));
        assert_eq!(provenance.md5, Some(seen(&bytes).md5));
        assert_eq!(provenance.length, Some(bytes.len() as u64));
        assert_eq!((provenance.kind, provenance.trust), (Origin::Http, Trust::Unverified));
        drop(gathered);
        host.is_clean();
    }
}

#[test]
fn a_redirect_is_followed_and_recorded_without_its_key() {
    let (host, server) = (Host::new(), Server::start());
    let there = server.route("/store/a?signature=secret", [Reply::bytes(pack::tar(&FILES))]);
    let url = server.route("/latest", [Reply::redirect(&there)]);
    let gathered = host.get(&url).unwrap();
    assert_eq!(gathered.provenance.source, url);
    assert_eq!(gathered.provenance.final_url, Some(server.url("/store/a")));
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let (host, server) = (Host::new(), Server::start());
    let noise = pack::noise(300_000);
    let bytes = pack::tar(&[("a/noise", &noise), ("a/b", b"")]);
    let whole = Reply::bytes(bytes.clone()).etag("one");
    let url = server
        .route("/a", [whole.clone().cut_after(100_000), whole.clone().cut_after(50_000), whole]);
    let gathered = host.get_checked(&url, sha256(&bytes)).unwrap();
    assert_eq!(gathered.provenance.trust, Trust::Sha256);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[1].header("range"), Some("bytes=100000-"));
    assert_eq!(asked[1].header("if-range"), Some("\"one\""));
    assert_eq!(asked[2].header("range"), Some("bytes=150000-"));
}

#[test]
fn a_server_without_parts_is_read_again_and_compared() {
    let (host, server) = (Host::new(), Server::start());
    let bytes = pack::tar(&[("a/noise", &pack::noise(300_000)), ("a/b", b"")]);
    for reply in
        [Reply::bytes(bytes.clone()), Reply::bytes(bytes.clone()).etag("one").without_ranges()]
    {
        let url = server.route("/a", [reply.clone().cut_after(200_000), reply]);
        let gathered = host.get(&url).unwrap();
        assert_eq!(gathered.provenance.sha256, Some(seen(&bytes).sha256));
    }
}

#[test]
fn a_file_that_changes_in_the_middle_is_refused() {
    let (host, server) = (Host::new(), Server::start());
    let (one, two) = (pack::noise(300_000), pack::noise(300_008));
    let one = Reply::bytes(pack::tar(&[("a/noise", &one[..])])).etag("one").cut_after(200_000);
    let two = Reply::bytes(pack::tar(&[("a/noise", &two[8..])])).etag("two");
    let url = server.route("/a", [one, two]);
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!(exit, Exit::Source);
    assert!(said.contains("changed while it was downloaded"), "{said}");
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let (host, server) = (Host::new(), Server::start());
    let fine = Reply::bytes(pack::tar(&FILES));
    let url = server.route("/a", [Reply::status(500), Reply::status(502), fine]);
    assert!(host.get(&url).is_ok());
    assert_eq!(server.asked().len(), 3);
    let url = server.route("/b", [Reply::status(503)]);
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!(exit, Exit::Source);
    assert!(said.contains("status 503"), "{said}");
    assert_eq!(server.asked().len(), 6, "once and two retries");
}

#[test]
fn retry_after_is_honoured_and_a_long_one_is_told() {
    let (host, server) = (Host::new(), Server::start());
    let busy = Reply::status(429).header("Retry-After", "1");
    let url = server.route("/a", [busy, Reply::bytes(pack::tar(&FILES))]);
    let start = Instant::now();
    assert!(host.get(&url).is_ok());
    assert!(start.elapsed() >= Duration::from_secs(1));
    let url = server.route("/b", [Reply::status(503).header("Retry-After", "3600")]);
    let error = host.get(&url).unwrap_err();
    assert!(error.hint().unwrap().contains("3600 seconds"), "{:?}", error.hint());
}

#[test]
fn silence_and_slowness_have_limits() {
    let (mut host, server) = (Host::new(), Server::start());
    host.config.download.retries = 0;
    let bytes = pack::tar(&[("a/noise", &pack::noise(100_000)[..])]);
    let url = server.route("/a", [Reply::bytes(bytes).stall_after(1000)]);
    host.config.download.stall_timeout = 1;
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!((exit, said.contains("sent nothing for 1 seconds")), (Exit::Source, true), "{said}");
    host.config.download.stall_timeout = 20;
    host.config.download.total_timeout = 1;
    let start = Instant::now();
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!((exit, said.contains("not complete after 1")), (Exit::Source, true), "{said}");
    assert!(start.elapsed() < Duration::from_secs(3), "nobody waits for the silent server");
}

#[test]
fn too_long_is_refused_before_and_while_it_comes() {
    let (mut host, server) = (Host::new(), Server::start());
    host.config.download.max_length = 100_000;
    let bytes = pack::tar(&[("a/noise", &pack::noise(200_000)[..])]);
    for reply in [Reply::bytes(bytes.clone()), Reply::bytes(bytes).unannounced()] {
        let url = server.route("/a", [reply]);
        let (exit, said) = host.refused(&url, Checks::default());
        assert_eq!(exit, Exit::Source);
        assert!(said.contains("longer than 100000 bytes"), "{said}");
    }
}

#[test]
fn wrong_digests_leave_nothing_and_upper_case_is_fine() {
    let (host, server) = (Host::new(), Server::start());
    for (path, bytes) in [("/a.zip", pack::zip(&FILES)), ("/a.tar.gz", pack::tar_gz(&FILES))] {
        let url = server.route(path, [Reply::bytes(bytes.clone())]);
        for wrong in [md5(b"x"), sha256(b"x"), Checks { md5: md5(&bytes).md5, ..sha256(b"x") }] {
            let (exit, said) = host.refused(&url, wrong);
            assert_eq!(exit, Exit::Integrity);
            assert!(said.contains("was expected"), "{said}");
        }
        let upper = Md5::parse(&seen(&bytes).md5.to_string().to_uppercase()).unwrap();
        let gathered = host.get_checked(&url, Checks { md5: Some(upper), sha256: None }).unwrap();
        assert_eq!(gathered.provenance.trust, Trust::Md5Only);
        drop(gathered);
        Cache::open(&host.layout).unwrap().clean().unwrap();
    }
    let upper = Sha256::parse(&seen(b"x").sha256.to_string().to_uppercase());
    assert_eq!(upper.unwrap(), seen(b"x").sha256);
}

#[test]
fn a_damaged_archive_is_called_damaged_when_the_digest_says_so() {
    let (host, server) = (Host::new(), Server::start());
    let bytes = pack::tar_gz(&[("a/noise", &pack::noise(50_000)[..])]);
    let mut damaged = bytes.clone();
    damaged[20_000] ^= 0x55;
    let url = server.route("/a", [Reply::bytes(damaged)]);
    let (exit, said) = host.refused(&url, md5(&bytes));
    assert_eq!(exit, Exit::Integrity);
    assert!(said.contains("MD5") && said.contains("was expected"), "{said}");
}

#[test]
fn a_hostile_archive_leaves_nothing() {
    let (host, server) = (Host::new(), Server::start());
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, target) in [
        ("a/file", tar::EntryType::Regular, ""),
        ("a/link", tar::EntryType::Symlink, "../../../etc/passwd"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        let added = match target {
            "" => archive.append_data(&mut header, name, &b""[..]),
            target => archive.append_link(&mut header, name, target),
        };
        added.unwrap();
    }
    let url = server.route("/a", [Reply::bytes(archive.into_inner().unwrap())]);
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!((exit, said.contains("outside the package")), (Exit::Integrity, true), "{said}");
    let links = cartwright::archive::Links::External;
    let request = Request { links, ..raw(&url, Checks::default()) };
    assert_eq!(paths(&host.gather(&[request]).unwrap()[0]), ["file", "link"]);
}

#[test]
fn each_wrong_answer_has_its_own_words() {
    let (mut host, server) = (Host::new(), Server::start());
    host.config.download.retries = 0;
    let bytes = pack::zip(&[("a/noise", &pack::noise(50_000)[..])]);
    for (reply, words) in [
        (Reply::page(), "is a web page"),
        (Reply::bytes("<HTML><head>"), "is a web page"),
        (Reply::bytes(""), "is empty"),
        (Reply::bytes("some text"), "neither an archive"),
        (Reply::bytes(pack::noise(5000)), "neither an archive"),
        (Reply::status(404), "there is nothing at"),
        (Reply::status(401), "not for everybody"),
        (Reply::status(418), "status 418"),
        (Reply::bytes(bytes.clone()).cut_after(1000), "broke off after 1000 of"),
        (Reply::bytes(bytes.clone()).announce(bytes.len() as u64 + 7), "broke off after"),
        (Reply::status(302), "without saying where"),
        (Reply::redirect("file:///etc/passwd"), "not on the web"),
    ] {
        let url = server.route("/a", [reply]);
        let (exit, said) = host.refused(&url, Checks::default());
        assert_eq!((exit, said.contains(words)), (Exit::Source, true), "{words}: {said}");
    }
    let secure = server.url("/a").replace("http:", "https:");
    let nobody = "http://127.0.0.1:1/a";
    for (url, words) in [
        (secure.as_str(), "secure connection"),
        (nobody, "cannot connect"),
        ("http://nowhere.invalid/a", "cannot find the host"),
    ] {
        let (exit, said) = host.refused(url, Checks::default());
        assert_eq!((exit, said.contains(words)), (Exit::Source, true), "{words}: {said}");
    }
    assert_eq!(host.refused("/no/such/path", Checks::default()).0, Exit::NotFound);
}

#[test]
fn passwords_go_to_the_named_server_only() {
    let (host, server, other) = (Host::new(), Server::start(), Server::start());
    let there = other.route("/a", [Reply::bytes(pack::tar(&FILES))]);
    // `u:p/` in Base64, its slash encoded in the address.
    let login = "dTpwLw==";
    let away = server.route("/away", [Reply::redirect(&there).login(login)]);
    let home = server.route("/home", [Reply::redirect("/file").login(login)]);
    server.route("/file", [Reply::bytes(pack::tar(&FILES)).login(login)]);
    for url in [away, home] {
        let url = url.replace("http://", "http://u:p%2F@");
        let gathered = host.get(&url).unwrap();
        assert!(!gathered.provenance.source.contains('@'), "{}", gathered.provenance.source);
    }
    assert_eq!(other.asked()[0].header("authorization"), None);
    let refused =
        host.refused(&server.url("/home").replace("http://", "http://u:x@"), Checks::default());
    assert!(!refused.1.contains("u:x"), "{}", refused.1);
}

#[test]
fn an_authority_of_ones_own_is_believed_and_encryption_is_never_given_up() {
    let (mut host, secure, plain) = (Host::new(), Server::start_secure(), Server::start());
    let bytes = pack::tar_gz(&FILES);
    let url = secure.route("/a", [Reply::bytes(bytes.clone())]);
    let (exit, said) = host.refused(&url, Checks::default());
    assert_eq!((exit, said.contains("secure connection")), (Exit::Source, true), "{said}");
    assert!(said.contains("UnknownIssuer"), "{said}");
    let here = Dir::open(host.temp.path()).unwrap();
    here.write_new("ca.pem", tls::AUTHORITY.as_bytes(), 0o644).unwrap();
    host.config.download.ca_file = Some(here.path_of("ca.pem"));
    let up = plain.route("/up", [Reply::redirect(&url)]);
    for url in [url, up] {
        assert_eq!(host.get(&url).unwrap().provenance.sha256, Some(seen(&bytes).sha256));
    }
    let there = plain.route("/a", [Reply::bytes(bytes)]);
    let down = secure.route("/down", [Reply::redirect(&there)]);
    let (exit, said) = host.refused(&down, Checks::default());
    assert_eq!((exit, said.contains("gives up encryption")), (Exit::Source, true), "{said}");
    here.write_new("no.pem", b"no certificate", 0o644).unwrap();
    host.config.download.ca_file = Some(here.path_of("no.pem"));
    let (_, said) = host.refused(&secure.url("/a"), Checks::default());
    assert!(said.contains("ca_file"), "{said}");
}

#[test]
fn redirects_end_somewhere() {
    let (host, server) = (Host::new(), Server::start());
    let circle = server.route("/circle", [Reply::redirect("/circle")]);
    let (exit, said) = host.refused(&circle, Checks::default());
    assert_eq!((exit, said.contains("more than 5 times")), (Exit::Source, true), "{said}");
    assert_eq!(server.asked().len(), 6);
    for step in 0..5 {
        let next = format!("/{}", step + 1);
        server.route(&format!("/{step}"), [Reply::redirect(&next)]);
    }
    server.route("/5", [Reply::bytes(pack::tar(&FILES))]);
    assert!(host.get(&server.url("/0")).is_ok(), "five are fine");
}

fn manifest(url: &str, md5: Option<Md5>) -> String {
    let md5 = md5.map(|md5| format!("Source-Md5: {md5}\n")).unwrap_or_default();
    format!(
        "Name: given\nCartridge-Short-Name: GIVEN\nVersion: '1'\nCartridge-Version: '1'\n\
         Cartridge-Vendor: tester\nCategories: [service]\nSource-Url: {url}\n{md5}"
    )
}

#[test]
fn a_manifest_leads_to_its_archive_and_takes_the_place_of_the_archives_own() {
    let (host, server) = (Host::new(), Server::start());
    let bytes = pack::tar_gz(&FILES);
    let archive = server.route("/x/a.tgz", [Reply::bytes(bytes.clone())]);
    let text = manifest("a.tgz", md5(&bytes).md5);
    let url = server.route("/x/manifest.yml", [Reply::bytes(text.clone())]);
    let file = host.temp.path().join("manifest.yml");
    let here = Dir::open(host.temp.path()).unwrap();
    let absolute = manifest(&archive, md5(&bytes).md5);
    here.write_new("manifest.yml", absolute.as_bytes(), 0o644).unwrap();
    for (source, text) in [(url, &text), (file.display().to_string(), &absolute)] {
        let gathered = host.get(&source).unwrap();
        assert_eq!(paths(&gathered), PATHS);
        assert_eq!(read(&gathered, "metadata/manifest.yml"), *text);
        let entry = gathered.table.get("metadata/manifest.yml").unwrap();
        let sha256 = seen(text.as_bytes()).sha256;
        let size = text.len() as u64;
        let expected = cartwright::package::file_table::Content::File { size, sha256 };
        assert_eq!(entry.content, expected, "the table says what lies there");
        let provenance = &gathered.provenance;
        assert_eq!(provenance.source, source);
        assert_eq!(provenance.final_url.as_deref(), Some(archive.as_str()));
        assert_eq!((provenance.kind, provenance.trust), (Origin::Http, Trust::Md5Only));
        assert_eq!(provenance.sha256, Some(seen(&bytes).sha256));
    }
}

#[test]
fn a_manifest_cannot_lie_wander_or_reach_into_this_host() {
    let (host, server) = (Host::new(), Server::start());
    let bytes = pack::tar_gz(&FILES);
    server.route("/a.tgz", [Reply::bytes(bytes.clone())]);
    for (text, exit, words) in [
        (manifest("a.tgz", md5(b"x").md5), Exit::Integrity, "was expected"),
        (manifest("manifest.yml", None), Exit::Source, "chain"),
        (manifest("file:///etc/hostname", None), Exit::Refused, "lies on this host"),
        (manifest("git+/srv/x", None), Exit::Refused, "lies on this host"),
        (manifest("ftp://h/a", None), Exit::Usage, "unknown scheme"),
    ] {
        let url = server.route("/manifest.yml", [Reply::bytes(text)]);
        let (got, said) = host.refused(&url, Checks::default());
        assert_eq!((got, said.contains(words)), (exit, true), "{words}: {said}");
    }
    // What the user expects counts beside what the manifest says.
    let text = manifest("a.tgz", md5(&bytes).md5);
    let url = server.route("/manifest.yml", [Reply::bytes(text)]);
    assert_eq!(host.refused(&url, sha256(b"x")).0, Exit::Integrity);
    assert_eq!(host.get_checked(&url, sha256(&bytes)).unwrap().provenance.trust, Trust::Sha256);
}

#[test]
fn paths_give_directories_and_archives() {
    let host = Host::new();
    let here = Dir::open(host.temp.path()).unwrap();
    here.make_dirs("tree/only/bin", 0o755).unwrap();
    here.write_new("tree/only/bin/control", b"#!/bin/bash\n", 0o755).unwrap();
    here.write_new("tree/only/.hidden", b"x", 0o644).unwrap();
    here.write_new("a b.zip", &pack::zip(&FILES), 0o644).unwrap();
    let path = |name: &str| host.temp.path().join(name).display().to_string();
    let gathered = host.get(&path("tree")).unwrap();
    assert_eq!(paths(&gathered), ["only", "only/.hidden", "only/bin", "only/bin/control"]);
    assert_eq!(gathered.provenance.trust, Trust::Local);
    assert_eq!(gathered.table.get("only/bin/control").unwrap().mode, 0o755);
    drop(gathered);
    for source in [path("a b.zip"), format!("file://{}", path("a%20b.zip"))] {
        let gathered = host.get(&source).unwrap();
        assert_eq!(paths(&gathered), PATHS);
        assert_eq!(
            (gathered.provenance.kind, gathered.provenance.trust),
            (Origin::File, Trust::Local)
        );
    }
    let (exit, said) = host.refused(&path("tree"), md5(b"x"));
    assert_eq!((exit, said.contains("no digest can be checked")), (Exit::Usage, true), "{said}");
    let around = host.temp.path().display().to_string();
    let (exit, said) = host.refused(&around, Checks::default());
    assert_eq!((exit, said.contains("copied into itself")), (Exit::Usage, true), "{said}");
}

#[test]
fn what_the_binary_carries_needs_no_source() {
    let host = Host::new();
    for entry in cartwright::index::entries() {
        let request = Request { content: Content::Raw, ..Request::new(What::Entry(entry)) };
        let gathered = host.gather(&[request]).unwrap().remove(0);
        let provenance = &gathered.provenance;
        assert_eq!((provenance.kind, provenance.trust), (Origin::Index, Trust::Index));
        assert_eq!(provenance.source, entry.name);
        for file in entry.files {
            let found = gathered.table.get(file.path).unwrap();
            let expected = cartwright::package::file_table::Content::File {
                size: file.bytes.len() as u64,
                sha256: seen(file.bytes).sha256,
            };
            assert_eq!((found.mode, &found.content), (file.mode, &expected), "{}", file.path);
        }
    }
}

#[test]
fn six_side_by_side_keep_their_order() {
    let (host, server) = (Host::new(), Server::start());
    let requests: Vec<Request> = (0..6)
        .map(|number| {
            let name = format!("a/{number}");
            let noise = pack::noise(200_000 - number * 30_000);
            let bytes = pack::tar_gz(&[(name.as_str(), &noise[..]), ("a/b", b"")]);
            let url = server.route(&format!("/{number}"), [Reply::bytes(bytes)]);
            raw(&url, Checks::default())
        })
        .collect();
    let gathered = host.gather(&requests).unwrap();
    for (number, one) in gathered.iter().enumerate() {
        assert_eq!(paths(one)[0], number.to_string());
        assert_eq!(one.provenance.source, server.url(&format!("/{number}")));
    }
    drop(gathered);
    host.is_clean();
}

#[test]
fn one_failure_ends_the_others_and_is_the_one_told() {
    let (host, server) = (Host::new(), Server::start());
    let slow = Reply::bytes(pack::tar(&FILES)).stall_after(100);
    let slow = server.route("/slow", [slow]);
    let missing = server.route("/missing", [Reply::status(404)]);
    let requests = [&slow, &slow, &missing, &slow].map(|url| raw(url, Checks::default()));
    let start = Instant::now();
    let error = host.gather(&requests).unwrap_err();
    assert!(error.what.ends_with("/missing"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "the slow ones are not waited for");
    host.is_clean();
}

#[test]
fn what_was_verified_is_kept_and_never_trusted_blindly() {
    let (host, server) = (Host::new(), Server::start());
    let bytes = pack::tar_gz(&FILES);
    let url = server.route("/a", [Reply::bytes(bytes.clone())]);
    let cache = Cache::open(&host.layout).unwrap();
    host.get(&url).unwrap();
    assert_eq!(cache.list().unwrap(), [], "nothing to find it by");
    host.get_checked(&url, sha256(&bytes)).unwrap();
    assert_eq!(server.asked().len(), 2);
    for checks in [sha256(&bytes), md5(&bytes)] {
        let gathered = host.get_checked(&url, checks).unwrap();
        assert_eq!(paths(&gathered), PATHS);
        assert_eq!(gathered.provenance.kind, Origin::Http);
    }
    assert_eq!(server.asked().len(), 2, "both came from the cache");
    let kept = cache.list().unwrap().remove(0);
    let path = cache.path(&kept);
    let folder = Dir::open(path.parent().unwrap()).unwrap();
    folder.replace_file(path.file_name().unwrap(), &pack::tar_gz(&FILES[..1]), 0o600).unwrap();
    assert_eq!(cache.verify().unwrap().len(), 1);
    let gathered = host.get_checked(&url, sha256(&bytes)).unwrap();
    assert_eq!(paths(&gathered), PATHS, "the damaged one was not used");
    assert_eq!(server.asked().len(), 3);
    assert_eq!(cache.verify().unwrap(), [], "and was replaced");
}

#[test]
fn fetch_makes_a_whole_new_directory_or_nothing() {
    let (host, server) = (Host::new(), Server::start());
    let url = server.route("/a", [Reply::bytes(pack::zip(&FILES))]);
    let gatherer = Gatherer::new(&host.layout, &host.config);
    let fetch =
        |url: &str, into: &Path| gatherer.fetch_into(&raw(url, Checks::default()), into, &Nobody);
    let here = Dir::open(host.temp.path()).unwrap();
    here.make_dir("empty", 0o755).unwrap();
    here.make_dirs("full/x", 0o755).unwrap();
    for name in ["new", "empty"] {
        let fetched = fetch(&url, &host.temp.path().join(name)).unwrap();
        assert_eq!(fetched.table.entries().len(), 5);
        assert_eq!(here.read(format!("{name}/README"), 100).unwrap(), b"hello\n");
    }
    for (name, exit) in
        [("full", Exit::Conflict), ("new/README", Exit::Conflict), ("no/where", Exit::Usage)]
    {
        let error = fetch(&url, &host.temp.path().join(name)).unwrap_err();
        assert_eq!(error.exit(), exit, "{error}");
    }
    let missing = server.route("/missing", [Reply::status(404)]);
    assert!(fetch(&missing, &host.temp.path().join("never")).is_err());
    assert_eq!(here.names().unwrap(), ["empty", "full", "new"], "no staging is left beside");
}

/// Runs one of the ignored tests below in a process of its own, with `environment`.
fn in_a_process(test: &str, environment: &[(&str, &str)]) {
    let program = std::env::current_exe().expect("a test has a program");
    let mut command = cartwright::sys::process::command(&program);
    command.args(["--exact", test, "--ignored"]).envs(environment.iter().copied());
    let output = command.output().expect("the test runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "is run by others, with an environment"]
fn fetches_the_address_in_the_environment() {
    let host = Host::new();
    let url = cartwright::sys::host::variable("TEST_URL").unwrap();
    let gathered = host.get(&url).unwrap();
    assert_eq!(paths(&gathered), PATHS);
}

#[test]
fn a_proxy_in_the_environment_is_used() {
    let proxy = Server::start();
    proxy.route("http://nowhere.invalid/a", [Reply::bytes(pack::tar(&FILES))]);
    let proxy_url = proxy.url("");
    let environment = [("TEST_URL", "http://nowhere.invalid/a"), ("http_proxy", &proxy_url)];
    in_a_process("fetches_the_address_in_the_environment", &environment);
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn netrc_speaks_for_its_host_only() {
    let (server, other) = (Server::start(), Server::start());
    let there = other.route("/a", [Reply::bytes(pack::tar(&FILES))]);
    let there = there.replace("127.0.0.1", "localhost");
    let url = server.route("/a", [Reply::redirect(&there).login("dTpw")]);
    let temp = tempfile::tempdir().unwrap();
    let home = Dir::open(temp.path()).unwrap();
    let netrc = b"machine 127.0.0.1 login u password p\ndefault login x password y\n";
    home.write_new(".netrc", netrc, 0o600).unwrap();
    let home = temp.path().display().to_string();
    let environment = [("TEST_URL", url.as_str()), ("HOME", &home)];
    in_a_process("fetches_the_address_in_the_environment", &environment);
    assert_eq!(other.asked()[0].header("authorization"), None);
}

#[test]
fn the_person_who_watches_is_told_of_retries() {
    struct Listener(std::sync::Mutex<Vec<String>>);
    impl Watch for Listener {
        fn phase(&self, _name: &str, _total: Option<u64>) {}
        fn advance(&self, _bytes: u64) {}
        fn note(&self, text: &str) {
            self.0.lock().expect("nobody panicked").push(text.to_owned());
        }
        fn finish(&self) {}
    }
    let (host, server) = (Host::new(), Server::start());
    let url = server.route("/a", [Reply::status(500), Reply::bytes(pack::tar(&FILES))]);
    let listener = Listener(std::sync::Mutex::default());
    let gatherer = Gatherer::new(&host.layout, &host.config);
    let into = host.temp.path().join("new");
    gatherer.fetch_into(&raw(&url, Checks::default()), &into, &listener).unwrap();
    let notes = listener.0.lock().unwrap();
    assert!(notes[0].contains("status 500; trying again in"), "{notes:?}");
}
