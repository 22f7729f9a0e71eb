//! Templates in gears: which fail, which only warn, what Ruby renders, and `oo-erb`.

use super::alone;
use super::host::Host;
use std::path::PathBuf;

const SETUP: &str = r#"#!/bin/bash -eu
said=0
printf 'ip=<%%= ENV["OPENSHIFT_OURS_DIR"] %%>\n' | oo-erb -S 2 >"$OPENSHIFT_DATA_DIR/piped"
oo-erb -S 2 -- conf/later.erb.hidden >"$OPENSHIFT_DATA_DIR/file"
oo-erb conf/broken.erb >"$OPENSHIFT_DATA_DIR/nothing" 2>"$OPENSHIFT_DATA_DIR/told" || said=$?
echo "$said" >"$OPENSHIFT_DATA_DIR/status"
"#;

fn cartridge(host: &Host) -> String {
    let folder = host.cartridge("ours", "Version: '1'\n", ("setup", SETUP));
    let write = |path: &str, text: &str| host.write(&format!("ours/{path}"), text, 0o644);
    write(
        "metadata/managed_files.yml",
        "processed_templates:\n- conf/*.erb\n- declared.erb\n- '**/*.erb'\n",
    );
    write("env/OPENSHIFT_OURS_BIN.erb", "<%= ENV['OPENSHIFT_OURS_DIR'] + 'bin' %>\n");
    write("conf/good.erb", "<% if File.directory?('ours/conf') %>here<% end %>\n");
    write("conf/broken.erb", "a\n<%= ENV['NOBODY_SETS'] + 'x' %>\n");
    write("conf/later.erb.hidden", "<%= ENV['OPENSHIFT_OURS_BIN'].split('/').last %>\n");
    folder
}

fn home(host: &Host) -> PathBuf {
    host.root().join("var/lib/cartwright/gears/blog")
}

fn read(host: &Host, path: &str) -> Option<String> {
    std::fs::read_to_string(home(host).join(path)).ok()
}

#[test]
fn a_processed_template_that_fails_is_a_warning_and_stays() {
    let _alone = alone();
    let host = Host::new();
    let (status, said) = host.run(&["gear", "create", "blog", &cartridge(&host), "--json"]);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("conf/broken.erb`: line 2, column 5: the variable `NOBODY_SETS`"),
        "{said}"
    );
    assert!(said.contains("`ours/declared.erb` is declared in processed_templates"), "{said}");
    assert_eq!(read(&host, "ours/conf/good").as_deref(), Some("here\n"));
    assert!(read(&host, "ours/conf/broken.erb").is_some());
    assert_eq!(read(&host, "ours/conf/broken"), None, "no partial file");
    let data = |name: &str| read(&host, &format!("app-root/data/{name}")).unwrap();
    assert!(data("piped").trim().ends_with("/gears/blog/ours/"), "{}", data("piped"));
    assert_eq!(data("file"), "bin\n");
    assert_eq!((data("status").as_str(), data("nothing").as_str()), ("1\n", ""));
    assert!(data("told").contains("conf/broken.erb: line 2, column 5"), "{}", data("told"));
    host.must(&["gear", "destroy", "blog"]);
}

#[test]
fn a_template_of_a_variable_that_fails_unwinds() {
    let _alone = alone();
    let host = Host::new();
    let folder = cartridge(&host);
    host.write("ours/env/OPENSHIFT_OURS_X.erb", "<%= ENV['NOBODY_SETS'] + 'x' %>", 0o644);
    let (status, said) = host.run(&["gear", "create", "blog", &folder]);
    assert_ne!(status, 0, "{said}");
    for part in ["OPENSHIFT_OURS_X.erb", "line 1, column 5", "`NOBODY_SETS`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!host.has_gear_folder("blog"));
}

#[test]
fn what_is_beyond_goes_to_ruby_or_says_so() {
    let _alone = alone();
    let host = Host::new();
    let folder = cartridge(&host);
    let text = "<% while true do break end %><%= [3, 1].sort_by { |x| x }.inspect %>\n";
    host.write("ours/conf/ruby.erb", text, 0o644);
    let (status, said) = host.run(&["gear", "create", "blog", &folder, "--json"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("the Ruby construct `while` is not supported"), "{said}");
    if std::path::Path::new("/usr/bin/ruby").exists() {
        assert_eq!(read(&host, "ours/conf/ruby").as_deref(), Some("[1, 3]\n"), "{said}");
        assert!(said.contains("rendered it"), "{said}");
    } else {
        assert_eq!(read(&host, "ours/conf/ruby"), None);
        assert!(said.contains("apt-get install ruby"), "{said}");
    }
}

/// Runs the program where no `ruby` can be found: in a mount namespace in which the host's lies below
/// something that is no program. Nothing where the host lets nobody do that.
fn without_ruby(host: &Host, line: &[&str]) -> Option<(i32, String)> {
    let hide = "for place in /usr/bin /usr/local/bin /bin; do\n\
                if [ -e \"$place/ruby\" ]; then mount --bind /dev/null \"$place/ruby\" || exit 111; fi\n\
                done\nexec \"$@\"\n";
    let call = host.command(line);
    let mut unshare = std::process::Command::new("unshare");
    let kind: &[&str] =
        if Host::is_root() { &[] } else { &["--user", "--map-current-user", "--keep-caps"] };
    unshare.args(kind).args(["--mount", "--propagation", "private", "bash", "-c", hide, "hide"]);
    unshare.arg(call.get_program()).args(call.get_args());
    let output = unshare.output().ok()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let denied = output.status.code() == Some(111) || said.starts_with("unshare: ");
    (!denied).then(|| (output.status.code().unwrap_or(-1), said))
}

#[test]
fn without_ruby_what_is_beyond_is_an_error_that_names_the_construct() {
    let _alone = alone();
    let host = Host::new();
    let folder = cartridge(&host);
    let text = "<% while true do break end %>x\n";
    host.write("ours/env/OPENSHIFT_OURS_Y.erb", text, 0o644);
    let Some((status, said)) = without_ruby(&host, &["gear", "create", "blog", &folder]) else {
        println!("SKIP: story::templates_without_ruby: nothing can be hidden on this host");
        return;
    };
    assert!(status == 1 || status == 9, "{status}: {said}");
    for part in ["OPENSHIFT_OURS_Y.erb", "line 1", "`while`", "apt-get install ruby"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!host.has_gear_folder("blog"));
    // A template of vendored code is a warning with the same words, and is left as it came.
    std::fs::remove_file(host.path("ours/env/OPENSHIFT_OURS_Y.erb")).unwrap();
    host.write("ours/conf/ruby.erb", text, 0o644);
    let line = ["gear", "create", "blog", &folder, "--json"];
    let (status, said) = without_ruby(&host, &line).unwrap();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("apt-get install ruby") && said.contains("`while`"), "{said}");
    assert_eq!(read(&host, "ours/conf/ruby"), None);
}
