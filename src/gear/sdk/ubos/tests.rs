//! The runtime against small scripts: what they see, what counts as success, what the modules do.

mod databases;

use super::super::materialise;
use super::{modules, runner};
use crate::sys::fs::Dir;
use crate::sys::process;
use serde_json::{Value, json};
use std::path::Path;

/// What came of a script.
#[derive(Debug)]
struct Came {
    status: Option<i32>,
    /// What the runner has written as the result.
    result: Option<String>,
    said: String,
}

impl Came {
    fn is_good(&self) -> bool {
        self.status == Some(0) && self.result.is_some()
    }
}

/// A place in which scripts run.
struct Place {
    temp: tempfile::TempDir,
    dir: Dir,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dir("lib", 0o755).unwrap();
        materialise(&dir.dir("lib").unwrap(), Path::new("/bin/true")).unwrap();
        Self { temp, dir }
    }

    fn run(&self, options: &[&str], script: &str) -> Came {
        self.run_with(options, script, &variables())
    }

    fn run_with(&self, options: &[&str], script: &str, variables: &Value) -> Came {
        let path = |name: &str| self.temp.path().join(name);
        self.dir.remove_file("result").unwrap();
        self.dir.replace_file("script.pl", script.as_bytes(), 0o644).unwrap();
        self.dir.replace_file("variables", variables.to_string().as_bytes(), 0o600).unwrap();
        let lib = path("lib");
        let mut command = process::command(Path::new("/usr/bin/perl"));
        command.env("PATH", "/usr/sbin:/usr/bin").env("PERL5LIB", modules(&lib));
        command.env("PLACE", self.temp.path()).current_dir(self.temp.path());
        command.arg(runner(&lib)).args(options);
        let operation = if options.contains(&"--template") { "template" } else { "deploy" };
        command.args([path("result"), operation.into(), path("script.pl"), path("variables")]);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let result = self
            .dir
            .has("result")
            .unwrap()
            .then(|| String::from_utf8(self.dir.read("result", 1 << 20).unwrap()).unwrap());
        let said = String::from_utf8(said).unwrap();
        Came { status: output.status.code(), result, said }
    }
}

fn variables() -> Value {
    json!({
        "appconfig": {
            "appconfigid": "a1", "datadir": "/data",
            "mysql": {
                "dbname": { "maindb": "db" }, "dbhost": { "maindb": "localhost" },
                "dbport": { "maindb": 3306 }, "dbuser": { "maindb": "u" },
                "dbusercredential": { "maindb": "hidden words" },
            },
            "tcpport": { "main": 5001 },
        },
        "package": { "name": "app" },
        "site": { "admin": { "credential": "sesame ${hostname}", "username": "Zoë O'Neil" } },
        "hostname": "host", "yes": true, "no": false, "nought": 0, "empty": "", "null": null,
        "list": ["a", "b"],
    })
}

/// The script's value is true, and nothing was said.
#[track_caller]
fn holds(script: &str) {
    let came = Place::new().run(&[], script);
    assert!(came.is_good() && came.said.is_empty(), "{script}: {came:?}");
    assert_eq!(came.result.as_deref(), Some("true"));
}

/// The script has failed, and has said this.
#[track_caller]
fn fails(script: &str, saying: &str) {
    let came = Place::new().run(&[], script);
    assert!(!came.is_good() && came.status != Some(0) && came.result.is_none(), "{came:?}");
    assert!(came.said.contains(saying), "{script}: {came:?}");
}

/// The template's text.
fn text_of(template: &str) -> String {
    let came = Place::new().run(&["--template"], &format!("$vars->replaceVariables({template});"));
    assert!(came.is_good(), "{template}: {came:?}");
    came.result.unwrap()
}

#[test]
fn the_last_value_decides() {
    for value in [
        "1;",
        "'a'",
        "return 1; 0;",
        "if( $operation ) { return 'x'; } 0",
        "exit_not(); \
         sub exit_not { 1 }",
        "1;\n__END__\n0",
    ] {
        holds(value);
    }
    for value in ["0;", "'';", "undef;", "return;", "return 0; 1;", ""] {
        fails(value, "The last value of the script is not true");
    }
}

#[test]
fn dying_and_leaving_are_failures_of_that_script() {
    fails("die 'for a reason'; 1;", "died: for a reason at ");
    fails("\n\ndie; 1;", "script.pl line 3.");
    fails("exit; 1;", "");
    fails("exit( 0 ); 1;", "");
    fails("eval { exit( 0 ); }; 1;", "");
    fails("fatal( 'so', 'it is' ); 1;", "ERROR: so it is");
    fails("POSIX::_exit( 0 ) if 0; kill( 'KILL', $$ ); 1;", "");
    fails("1 +;", "syntax error at ");
    fails("use strict; $undeclared = 1; 1;", "Global symbol");
    fails("$undeclared = 1; 1;", "Global symbol");
    fails("no_such_function(); 1;", "Undefined subroutine");
    holds("eval { die 'caught' }; 1;");
    holds("chdir( '/' ); 1;");
    // Not even leaving behind everybody's back leaves a result.
    let came = Place::new().run(&[], "use POSIX (); POSIX::_exit( 0 ); 1;");
    assert!(came.result.is_none(), "{came:?}");
    // What a child does is the child's.
    holds("my $child = fork(); exit( 3 ) unless $child; waitpid( $child, 0 ); $? == 3 << 8;");
    fails("my $child = fork(); return 1 unless $child; waitpid( $child, 0 ); 0;", "not true");
}

#[test]
fn lexicals_and_functions_are_there_without_asking() {
    holds(
        "$operation eq 'deploy' && $doIt == 1 && ref( $self ) && $config == $vars
         && $config->isa( 'UBOS::Configuration' ) && $config->isa( 'UBOS::Variables' )
         && $script =~ m!/script[.]pl$! && $scriptcontent =~ m/isa/ && !$afterResume
         && $methodName && $defaultFromDir eq '' && $defaultToDir eq '' && $source eq $script
         && __PACKAGE__ eq 'UBOS::AppConfigurationItems::Perlscript' && !@ARGV;",
    );
    let options = ["--from=/f", "--to=", "--source=-x", "--after-resume", "--"];
    let script =
        "$defaultFromDir eq '/f' && $defaultToDir eq '' && $source eq '-x' && $afterResume;";
    assert!(Place::new().run(&options, script).is_good());
    let said = Place::new().run(&[], "error( 'a', undef, sub { 'b' } ); warning( \"c\\nd\" );
        info( 'e' ); debug( 'f' ); trace( 'g' ); !isTraceActive() && !UBOS::Logging::isDebugActive();");
    assert!(said.is_good());
    assert_eq!(said.said, "ERROR: a <undef> b\nWARNING: c\nWARNING: d\nINFO: e\n");
    holds(
        "use UBOS::Logging; use UBOS::Utils; use UBOS::Host; use UBOS::ResourceManager;
        use UBOS::Databases::MySqlDriver; use UBOS::Databases::PostgreSqlDriver; use Digest::SHA1;
        saveFile( 'f', 'x' ) && slurpFile( 'f' ) eq 'x';",
    );
}

#[test]
fn what_is_only_checked_is_not_run() {
    let place = Place::new();
    let came = place.run(&["--check"], "die 'run';");
    assert!(came.is_good(), "{came:?}");
    let came = place.run(&["--check"], "\n1 +;");
    assert!(!came.is_good() && came.said.contains("script.pl line 2"), "{came:?}");
}

#[test]
fn values_are_what_they_are() {
    holds(
        "$config->getResolve( 'appconfig.datadir' ) eq '/data'
         && $config->getResolve( 'yes' ) eq '1' && $config->getResolve( 'no' ) eq '0'
         && $config->getResolve( 'nought' ) eq '0' && $config->getResolve( 'empty' ) eq ''
         && $config->getResolve( 'list' ) eq 'a,b' && !defined( $config->get( 'no_such' ))
         && $config->getResolve( 'site.admin.credential' ) eq 'sesame ${hostname}'
         && length( $config->getResolve( 'site.admin.username' )) == 11;",
    );
    holds(
        "$config->getResolve( 'none', 'on ${hostname}' ) eq 'on host'
         && $config->getResolve( 'none', undef, 1 ) eq '${none}'
         && !defined( $config->getResolveOrNull( 'none', undef, 1 ))
         && !defined( $config->getResolveOrNull( 'none' ))
         && $config->getResolve( 'trim( hostname )' ) eq 'host'
         && grep { $_ eq 'appconfig.tcpport.main' } $config->keys();",
    );
    holds("foreach my $key ( $config->keys() ) { $config->getResolve( $key ); } 1;");
    holds(
        "$config->put( 'new', 'to ${hostname}' ) && $config->getResolve( 'new' ) eq 'to host'
        && $config->put( 'new', 'to ${hostname}' ) && $config->asJson()->{hostname} eq 'host'
        && UBOS::Configuration->new( 'Mine', { a => { b => '${hostname}' } }, $config )
            ->getResolve( 'a.b' ) eq 'host';",
    );
    fails("$config->put( 'hostname', 'other' );", "has a value already: hostname");
}

#[test]
fn what_cannot_be_resolved_is_named_without_any_value() {
    fails("$config->getResolve( 'no.such' ); 1;", "Cannot find variable: no.such");
    fails("eval { $config->getResolve( 'no.such' ); }; 1;", "Cannot find variable: no.such");
    let script = "$config->replaceVariables( \"a \\${hostname}\\nb\\n\\${no.such}\" ); 1;";
    fails(script, "Cannot find variable: no.such in line 3\n");
    fails("$config->put( 'x', '${x}' ); $config->getResolve( 'x' ); 1;", "defined by itself: x");
    for script in ["$config->getResolve( 'no' . 'ne' );", "print STDERR $config->dump(); 0;"] {
        let said = Place::new().run(&[], script).said;
        assert!(!said.contains("sesame") && !said.contains("hidden words"), "{said}");
    }
}

#[test]
fn texts_are_replaced_by_the_rules() {
    assert_eq!(text_of("'${hostname} ${ hostname } $x $1'"), "host host $x $1");
    assert_eq!(text_of(r"'\${hostname} ${hostname}'"), r"\${hostname} host");
    assert_eq!(text_of("'${yes}${no}${nought}'"), "100");
    assert_eq!(text_of("'[${none}]', 1"), "[]");
    assert_eq!(text_of("'${site.admin.credential}'"), "sesame ${hostname}");
    assert_eq!(text_of("'${escapeSquote( site.admin.username )}'"), "Zoë O\\'Neil");
    assert_eq!(text_of("'${base64encode(hostname)}'"), "aG9zdA==\n");
    assert_eq!(text_of("'${uid(package.none)}x', 1"), "x");
    assert_eq!(text_of("'${randomHex(8)}'").len(), 8);
    let identifier = text_of("'${randomIdentifier( 40 )}'");
    assert!(identifier.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    assert_eq!(identifier.len(), 40);
    assert_ne!(text_of("'${randomPassword(20)}'"), text_of("'${randomPassword(20)}'"));
    let texts = "$vars->put( 't', \"  a\\n  b \\\"c\\\" \" );
        join( '|', map { $vars->replaceVariables( \"\\${$_(t)}\" ) } qw( trim cr2space escapeDquote ))";
    let came = Place::new().run(&["--template"], texts);
    assert_eq!(came.result.as_deref(), Some("a\n  b \"c\"| a b \"c\" |  a\n  b \\\"c\\\" "));
}

#[test]
fn a_templates_value_is_its_text() {
    let place = Place::new();
    let came =
        place.run(&["--template"], "$rawSourceLabel =~ m/script/ && length( $raw ) . \"\\n\";");
    assert_eq!(came.result.as_deref(), Some("54\n"), "{came:?}");
    assert!(!place.run(&["--template"], "'';").is_good());
}

#[test]
fn commands_give_the_status_of_system_and_their_output() {
    holds(
        "my( $out, $err );
         UBOS::Utils::myexec( 'exit 1' ) == 256
         && UBOS::Utils::myexec( 'cat; echo bad >&2', \"it's\", \\$out, \\$err ) == 0
         && $out eq \"it's\" && $err eq \"bad\\n\"
         && UBOS::Utils::myexec( 'echo a; echo b >&2; echo c', undef, \\$out, \\$out ) == 0
         && $out eq \"a\\nb\\nc\\n\"
         && UBOS::Utils::myexec( '[[ a == a* ]] && cd /; pwd', undef, \\$out ) == 0
         && $out eq \"/\\n\" && UBOS::Utils::myexec( 'cat', undef, \\$out ) == 0 && $out eq '';",
    );
    let came = Place::new().run(&[], "UBOS::Utils::myexec( 'echo seen' ) == 0;");
    assert_eq!(came.said, "seen\n");
}

#[test]
fn files_get_content_mode_and_owner() {
    holds(
        "umask( 077 ); my $mode = sub { ( lstat( shift ))[2] & 07777 };
         saveFile( 'f', \"\\x{263a}\" ) && $mode->( 'f' ) == 0644 && -s 'f' == 3
         && saveFile( 'f', 'x', 01634 ) && $mode->( 'f' ) == 01634 && slurpFile( 'f' ) eq 'x'
         && saveFile( 'g', 'x', 0432, $>, UBOS::Utils::getGid() ) && $mode->( 'g' ) == 0432
         && UBOS::Utils::mkdir( 'd', 0753 ) && $mode->( 'd' ) == 0753
         && UBOS::Utils::isDirEmpty( 'd' ) && UBOS::Utils::isDirEmpty( 'no' )
         && UBOS::Utils::symlink( 'f', 'd/l', $>, UBOS::Utils::getGid() ) && -l 'd/l'
         && !UBOS::Utils::isDirEmpty( 'd' ) && UBOS::Utils::deleteFile( 'g', 'd/l' )
         && UBOS::Utils::rmdir( 'd' ) && !-e 'd'
         && UBOS::Utils::mkdirDashP( 'p/q/r' ) && symlink( '../f', 'p/l' )
         && UBOS::Utils::deleteRecursively( 'p', 'no' ) && !-e 'p' && -e 'f';",
    );
    for (script, saying) in [
        ("UBOS::Utils::deleteFile( 'no' );", "ERROR: Cannot remove file: no"),
        ("saveFile( 'no/no', '' );", "ERROR: Cannot write file: no/no"),
        ("slurpFile( 'no' );", "ERROR: Cannot read file: no"),
        ("UBOS::Utils::mkdir( 'no/no' );", "ERROR: Cannot make folder"),
        ("UBOS::Utils::readJsonFromFile( 'no' );", "ERROR: Cannot read file: no"),
    ] {
        fails(script, saying);
    }
    let came = Place::new().run(&[], "UBOS::Utils::mkdir( $ENV{PLACE} );");
    assert!(came.is_good() && came.said.starts_with("WARNING: "), "{came:?}");
}

#[test]
fn json_is_read_relaxed_and_keeps_its_types() {
    holds(
        "saveFile( 'j', qq({ # remark\\n \"a\": [1, true, false,], \"b\": null, }));
         my $json = UBOS::Utils::readJsonFromFile( 'j' );
         UBOS::Utils::writeJsonToFile( 'k', $json ) or return 0;
         my $text = slurpFile( 'k' ); $text =~ s/\\s//g;
         $text eq '{\"a\":[1,true,false],\"b\":null}'
         && UBOS::Utils::readJsonFromString( '[\"x\"]' )->[0] eq 'x';",
    );
}

#[test]
fn resources_are_found_by_their_names() {
    holds(
        "use UBOS::ResourceManager;
         my @all = UBOS::ResourceManager::findProvisionedDatabaseFor( 'mysql', 'a1', 'app', 'maindb' );
         join( ' ', @all ) eq 'db localhost 3306 u hidden words simple-password'
         && 5001 == UBOS::ResourceManager::findProvisionedPortFor( 'tcp', 'a1', 'app', 'main' )
         && !defined( UBOS::ResourceManager::findProvisionedPortFor( 'udp', 'a1', 'app', 'main' ))
         && !UBOS::ResourceManager::findProvisionedDatabaseFor( 'mysql', 'a1', 'app', 'other' );",
    );
    let other = "use UBOS::ResourceManager;
        defined( UBOS::ResourceManager::findProvisionedPortFor( 'tcp', 'a1', 'other', 'main' ));";
    fails(other, "Not a resource of this package");
}

#[test]
fn the_older_digest_is_the_core_one() {
    let sum = "a9993e364706816aba3e25717850c26c9cd0d89d";
    holds(&format!(
        "use Digest::SHA1 qw( sha1_hex sha1 sha1_base64 ); my $digest = Digest::SHA1->new;
         $digest->add( 'a' ); $digest->add( 'bc' );
         sha1_hex( 'abc' ) eq '{sum}' && $digest->hexdigest eq '{sum}' && length( sha1( '' )) == 20;"
    ));
}

#[test]
fn values_for_question_marks_cannot_end_their_place() {
    holds(
        "use UBOS::Databases::MySqlDriver;
         my $filled = UBOS::Databases::MySqlDriver::_filled(
             q{SELECT '?', \"?\" FROM `?` WHERE a = ? AND b = ? AND c = ?}, \"x' OR 1\", 7, undef );
         $filled eq q{SELECT '?', \"?\" FROM `?` WHERE a = _utf8mb4 0x7827204f522031}
             . ' AND b = 7 AND c = NULL';",
    );
}

#[test]
fn variables_that_are_none_are_refused() {
    let place = Place::new();
    for bad in [json!([]), json!("a")] {
        let came = place.run_with(&[], "1;", &bad);
        assert!(!came.is_good() && came.said.contains("Cannot read the variables"), "{came:?}");
    }
}
