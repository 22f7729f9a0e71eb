//! What public cartridges do that were written for another distribution: they copy what is
//! read-only and change it, ask collections for what these set, and start Apache by another name
//! with settings for another layout.

use super::alone;
use super::host::{Host, get};
use std::path::Path;

const MANIFEST: &str = "\
Name: elsewhere
Cartridge-Short-Name: ELSEWHERE
Cartridge-Vendor: test
Cartridge-Version: '1.0'
Version: '2'
Categories: [web_framework]
Endpoints:
- Private-IP-Name: IP
  Private-Port-Name: PORT
  Private-Port: 8080
  Mappings:
  - {Frontend: '', Backend: '', Options: {target_update: true}}
";

const SETUP: &str = r#"#!/bin/bash
set -eu
cp -r "${OPENSHIFT_ELSEWHERE_DIR}usr/etc" etc
echo changed >>etc/conf/httpd.conf
mkdir etc/conf/more run
scl enable ruby193 'printenv MANPATH' >env/MANPATH
erb etc/conf/httpd.conf.erb >etc/conf/httpd.conf
"#;

/// The layout and the modules of the other distribution, in the words of Apache 2.2 and 2.4.
const SETTINGS: &str = r#"ServerRoot "<%= ENV['OPENSHIFT_ELSEWHERE_DIR'] %>"
ServerName localhost
PidFile run/httpd.pid
LoadModule version_module modules/mod_version.so
<IfVersion >= 2.4>
Include /etc/httpd/conf.modules.d/00-mpm.conf
LoadModule unixd_module modules/mod_unixd.so
LoadModule authz_core_module modules/mod_authz_core.so
</IfVersion>
<IfVersion < 2.4>
LoadModule authz_default_module modules/mod_authz_default.so
</IfVersion>
LoadModule log_config_module modules/mod_log_config.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule dir_module modules/mod_dir.so
DefaultRuntimeDir run
Listen <%= ENV['OPENSHIFT_ELSEWHERE_IP'] %>:8080
DocumentRoot "<%= ENV['OPENSHIFT_REPO_DIR'] %>"
DirectoryIndex index.html
ErrorLog "|/usr/sbin/rotatelogs <%= ENV['OPENSHIFT_LOG_DIR'] %>error-%Y 86400"
CustomLog "|tee" "%r"
<Directory />
  Order allow,deny
  Allow from all
</Directory>
"#;

const CONTROL: &str = r#"#!/bin/bash -eu
source "$OPENSHIFT_CARTRIDGE_SDK_BASH"
settings=${OPENSHIFT_ELSEWHERE_DIR}etc/conf/httpd.conf
pid=${OPENSHIFT_ELSEWHERE_DIR}run/httpd.pid
case "$1" in
start)
    ensure_valid_httpd_process "$pid" "$settings"
    httpd=/usr/sbin/httpd
    [ -x $httpd ] || httpd=httpd
    nohup $httpd -C 'ServerTokens Prod' -f "$settings" -D FOREGROUND |& logshifter -tag elsewhere &
    wait_for_pid_file "$pid"
    ;;
restart) kill -HUP "$(<"$pid")" ;;
stop) [ ! -e "$pid" ] || shutdown_httpd_graceful "$pid" ;;
esac
"#;

fn cartridge(host: &Host, control: &str) -> String {
    host.write("elsewhere/metadata/manifest.yml", MANIFEST, 0o644);
    host.write("elsewhere/bin/setup", SETUP, 0o755);
    host.write("elsewhere/bin/control", control, 0o755);
    host.write("elsewhere/usr/etc/conf/httpd.conf", "first\n", 0o644);
    host.write("elsewhere/usr/etc/conf/httpd.conf.erb", SETTINGS, 0o644);
    host.write("elsewhere/template/index.html", "from elsewhere\n", 0o644);
    host.place("elsewhere")
}

#[test]
fn what_is_copied_out_of_the_package_can_be_changed() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["install", &cartridge(&host, "#!/bin/bash\n")]);
    host.must(&["gear", "create", "one", "elsewhere"]);
    assert!(host.home("one").join("elsewhere/etc/conf/more").is_dir());
    let pages = std::fs::read_to_string(host.home("one").join("elsewhere/env/MANPATH")).unwrap();
    assert!(pages.starts_with("/opt/rh/ruby193/root/usr/share/man:"), "{pages}");
    host.must(&["gear", "destroy", "one"]);
    host.must(&["verify"]);
}

#[test]
fn settings_of_another_apache_serve_a_gear() {
    if !Path::new("/usr/sbin/apache2").exists() || !Path::new("/usr/bin/rotatelogs").exists() {
        println!("SKIP: elsewhere: there is no apache2 or no rotatelogs");
        return;
    }
    let _alone = alone();
    let host = Host::new();
    host.must(&["gear", "create", "one", &cartridge(&host, CONTROL), "--start"]);
    let gear = host.json(&["gear", "show", "one"]);
    let address = gear["endpoints"][0]["address"].as_str().unwrap();
    let answers = || get(address, 8080).is_some_and(|page| page.ends_with("from elsewhere\n"));
    Host::until(answers);
    host.must(&["gear", "restart", "one"]);
    Host::until(answers);
    host.must(&["gear", "stop", "one"]);
    assert_eq!(get(address, 8080), None);
    let settings = host.home("one").join("elsewhere/etc/conf/httpd.conf");
    let settings = std::fs::read_to_string(settings).unwrap();
    assert!(settings.contains("LoadModule version_module modules/mod_version.so"), "{settings}");
    host.must(&["gear", "destroy", "one"]);
    assert_eq!(host.processes(), 0);
}
