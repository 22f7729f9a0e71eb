//! Our templates against Ruby's: the same text, the same variables, the same output.
//!
//! Each construct that real cartridges use (specification of the corpus, 4.3), with all variables
//! set, with none, and with numbers. `CART_ERB_TEMPLATES` may name a directory of further templates.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that asks the system's Ruby, and fails where it cannot"
)]

use cartwright::sys::fs::Kind;
use cartwright::template::{Fault, Files, Links, erb};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

#[path = "../fuzz/fuzz_targets/templates.rs"]
mod templates;

/// Renders many templates in one process: an array of `{template, env}` comes, an array of outputs
/// goes, `null` where rendering failed.
const ORACLE: &str = r#"
require "erb"; require "json"; require "stringio"
def fresh
  binding
end
cases = JSON.parse(STDIN.read)
results = cases.map do |one|
  ENV.clear
  one["env"].each { |name, value| ENV[name] = value }
  said = StringIO.new
  begin
    $stdout = said
    text = ERB.new(one["template"], trim_mode: "%").result(fresh)
    said.string + text
  rescue Exception
    nil
  ensure
    $stdout = STDOUT
  end
end
STDOUT.write JSON.generate(results)
"#;

type Env = BTreeMap<String, String>;

/// Asks the real filesystem, as Ruby does.
struct Host;

impl Files for Host {
    fn kind(&self, path: &str, links: Links) -> Option<Kind> {
        let meta = match links {
            Links::Followed => std::fs::metadata(path),
            Links::Themselves => std::fs::symlink_metadata(path),
        };
        let kind = meta.ok()?.file_type();
        Some(if kind.is_file() {
            Kind::File
        } else if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            Kind::Link
        } else {
            Kind::Other
        })
    }
}

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn environments() -> Vec<Env> {
    let set = env(&[
        ("A", "one"),
        ("B", "two;three;;"),
        ("C", "g1=10.0.0.1:80 \ng2=10.0.0.2:81\nbad\n"),
        ("DIR", "/usr/"),
        ("EMPTY", ""),
        ("MODE", "replica"),
        ("N", "512"),
        ("X_IP", "127.0.0.1"),
        ("X_PORT", "8080"),
    ]);
    let numbers = set.keys().map(|name| (name.clone(), "2048".to_owned())).collect();
    let odd = set.keys().map(|name| (name.clone(), format!(" -3.5e1{name}: é\t"))).collect();
    vec![set, Env::new(), numbers, odd]
}

/// What Ruby makes of each; nothing where there is no Ruby.
fn ruby(cases: &[(String, &Env)]) -> Option<Vec<Option<String>>> {
    let cases: Vec<Value> =
        cases.iter().map(|(template, env)| json!({"template": template, "env": env})).collect();
    let mut child = Command::new("ruby")
        .args(["-W0", "-Eutf-8:utf-8", "-e", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let input = serde_json::to_vec(&cases).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Every template is understood, and means what Ruby means by it.
fn agree(name: &str, templates: &[String], lenient: bool) {
    let environments = environments();
    let cases: Vec<(String, &Env)> = templates
        .iter()
        .flat_map(|template| environments.iter().map(|env| (template.clone(), env)))
        .collect();
    let Some(expected) = ruby(&cases) else {
        println!("SKIP: {name}: there is no ruby");
        return;
    };
    let mut wrong = Vec::new();
    for ((template, env), expected) in cases.iter().zip(expected) {
        let ours = erb::render(template, env, &Host);
        let agrees = match (&ours, &expected) {
            (Ok(ours), Some(expected)) => ours == expected,
            (Err(error), None) => lenient || error.fault != Fault::Unsupported,
            (Err(error), Some(_)) => lenient && error.fault == Fault::Unsupported,
            (Ok(_), None) => false,
        };
        if !agrees {
            wrong.push(format!("{template:?} {env:?}\n  ours {ours:?}\n  ruby {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_construct_of_real_cartridges_means_what_ruby_means() {
    let templates: Vec<String> = CONSTRUCTS.iter().map(|text| (*text).to_owned()).collect();
    agree("erb::constructs", &templates, false);
}

/// What is beyond the engine is named as such, and is never something else.
#[test]
fn what_is_beyond_is_never_wrong() {
    let templates: Vec<String> = BEYOND.iter().map(|text| (*text).to_owned()).collect();
    agree("erb::beyond", &templates, true);
}

#[test]
fn templates_of_a_directory() {
    let Ok(folder) = std::env::var("CART_ERB_TEMPLATES") else { return };
    let mut templates = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (line, env) in environments().iter().enumerate() {
            if let Err(error) = erb::render(&text, env, &Host) {
                println!("{} ({line}): {error}", path.display());
            }
        }
        templates.push(text);
    }
    agree("erb::directory", &templates, true);
}

const CONSTRUCTS: &[&str] = &[
    // Variables, texts, what is set into them, sums.
    "<%= ENV['A'] %>\n",
    "<%= ENV[\"A\"] %>|<%= ENV[ 'A'] %>|<%=ENV['A']%>",
    "<%= \"#{ENV['A']}:#{ENV['X_PORT']}/#{ENV['NONE']}\" %>",
    "<%= ENV['DIR'] + \"bin\" %>",
    "<%= 'x' + ENV['A'] %>",
    "<%= ENV['A'] + ENV['NONE'] %>",
    "<% %><%= %><%\n%>x",
    "<% ENV['A'] %>|",
    "<%= ENV['A'];\nENV['N'] %>",
    // Conditions.
    "<% if ENV['A'] == 'one' %>yes<% elsif ENV['N'] == '2048' %>maybe<% else %>no<% end %>\n",
    "<% if !(ENV['A'] || \"\").empty? %>\nset <%= ENV['A'] %>\n<% end %>\n",
    "<% unless ENV['A'] %>none<% else %>some<% end %>",
    "<% unless ENV['A'].nil? || ENV['A'].empty? %>some<% end %>",
    "<%= ENV['A'] || 'default' %> <%= ENV['N'] || 15000 %>",
    "<%= ENV['A'] ? ENV['A'] : 'none' %>",
    "<%= ENV['A'] == ENV['N'] ? 40 : (ENV['N'].to_i * 0.55).to_i %>",
    "<%= ENV['A'] && ENV['N'] %>",
    "<%= (ENV['A'] and not ENV['NONE']) ? 1 : 2 %>",
    "<% if ENV['A'] and not ENV['NONE'] %>a<% end %><% if ENV['A'] or ENV['B'] then %>b<% end %>",
    "<%= 'x' if ENV['A'] %><%= 'y' unless ENV['A'] %>",
    "<%= ENV['A'] != 'one' %> <%= !ENV['A'] %> <%= ENV['N'].to_i > 5 %> <%= 3 <= 3.0 %>",
    "<%= if ENV['A'] then 'x' else 'y' end %>",
    "<%= true && nil || 'z' %><%= (false or nil).inspect %>",
    "<% a = ENV['A'] ? 1 : ENV['N'] ? 2 : 3 %><%= a %>",
    "<%= ENV['A'].to_s.empty? ? 'e' : 'f' %>",
    "<%= ENV['A'] ?'x':'y' %>",
    // Numbers.
    "<%= ENV['N'].to_i * 2 %> <%= ENV['N'].to_i / 3 %> <%= ENV['N'].to_i - 5 %> <%= ENV['N'].to_i % 7 %>",
    "<%= ((ENV['N'].to_i*0.8)/120*5).to_i %>",
    "<%= (ENV['N'].to_i * 0.8).to_i + 1 %>",
    "<%= ENV['N'].to_f / 3 %> <%= 1.0 %> <%= 1e20 %> <%= 0.00001 %> <%= 123456789.0 * 10 %> <%= 1e16 %> <%= 1e15 %> <%= 1e14 %> <%= 123456789012345.0 %> <%= 1234567890123456.0 %> <%= 0.0001 %> <%= 999999999999999.0 %>",
    "<%= -7 / 2 %> <%= -7 % 3 %> <%= 7 % -3 %> <%= -7.5 % 2 %> <%= 2 ** 10 %> <%= -2.abs %> <%= 10.0 / 4 %>",
    "<%= 7.9.to_i %> <%= 7.5.round %> <%= -7.5.round %> <%= 7.1.ceil %> <%= -7.1.floor %> <%= 1_000 %>",
    "<%= 1 / 0 %>",
    "<%= 1.0 / 0 %> <%= (1.0 / 0) > 5 %>",
    "<%= (1.0 / 0).to_i %>",
    "<%= '12abc'.to_i %> <%= ' -5 '.to_i %> <%= '1_2'.to_i %> <%= 'x'.to_i %> <%= '3.7xyz'.to_f %> <%= '.5'.to_f %> <%= '1e3'.to_f %>",
    "<%= nil.to_i %>|<%= nil.to_s %>|<%= nil.inspect %>|<%= 5.zero? %>",
    "<%= 5 + 'x' %>",
    "<%= 'x' + 5 %>",
    "<%= 5 == 5.0 %> <%= '5' == 5 %> <%= 5 <=> 6 %> <%= ('a' <=> 5).inspect %> <%= 'a' < 'b' %>",
    "<%= 'a' < 5 %>",
    "<%= nil > 5 %>",
    "<%= 5 + nil %>",
    "<%= ENV['N'] * 2 %>",
    "<%= 1 + 2 * 3 - 4 / 2 %> <%= (1 + 2) * 3 %> <%= 2 - 1 - 1 %> <%= 100 / 10 / 5 %> <%= 2 + 3 == 5 && 1 < 2 %>",
    // Assignment.
    "<% x = 5 %><%= x %><% x += 2 %><%= x %><%= x += 1 %><% x -= 1; x *= 3 %> <%= x %>",
    "<% a = b = 2 %><%= a + b %>",
    "<% a, b = 'x=y=z'.split('=', 2) %><%= a %>|<%= b %>",
    "<% a, b, c = 'x=y'.split('=') %><%= c.inspect %>",
    "<% a, b = 1, 2 %><% a, b = b, a %><%= a %><%= b %>",
    "<% x ||= ENV['A'] %><% x ||= 'other' %><%= x %>",
    "<% y = ENV['NONE'].split rescue 'saved' %><%= y %>",
    "<% if false then z = 1 end %><%= z.inspect %>",
    "<% m = ENV['N'].to_i\n   m = 256 if m < 256\n%>heap <%= m %>",
    // Lists and loops.
    "<% ['a', 'b'].each do |x| %>[<%= x %>]\n<% end %>",
    "<% ENV['B'].split(';').each do |x| %><%= x %>\n<% end %>",
    "<% (ENV['B'] || '').split(';').each { |x| %><%= x %>,<% } %>",
    "<% for i in (0..2) %><%= i %> <% end %><%= i %>",
    "<% list = 'a b c'.split %><% for idx in (0..list.length-1) %><%= idx %>:<%= list[idx] %> <% end %>",
    "<% for i in 0...3 do %><%= i %><% end %>",
    "<% for a, b in [[1,2],[3,4]] %><%= a + b %> <% end %>",
    "<%= ['a', ENV['A'], nil].compact.join(',') %>",
    "<%= [1, [2, nil, [3]]].join('-') %> <%= [1, 'a', nil, 2.5, [true]].inspect %> <%= [\"q\\\"\\n\\#{x}\"] %>",
    "<%= ['b', 'a'].sort.first %> <%= [3, 1, 2].max %> <%= [].first.inspect %> <%= [1,2,3].last(2).inspect %>",
    "<%= %><% x = [1] %><% x << 2 %><% x.concat [3, 4] %><% y = x %><% y.push(5) %><%= x.inspect %>",
    "<%= ([1] + [2]).length %> <%= ([1, 2, 2] - [2]).inspect %> <%= [1, 1].uniq.size %> <%= [[1], 2].flatten.inspect %>",
    "<%= [1, 2, 3].map { |x| x * 2 }.inspect %> <%= [1, 2, 3].select { |x| x > 1 }.inspect %>",
    "<%= [1, 2, 3].map do |x| x end.inspect %>",
    "<%= ['a', 'b'].map(&:upcase).join %> <%= [1, 2].include?(2) %> <%= [nil, 1].any? %> <%= [].empty? %>",
    "<% [1, 2, 3].each do |x| next if x == 2 %><%= x %><% end %>",
    "<% [1, 2, 3].each { |x| break if x == 2\n puts x } %>",
    "<%= [1, 2, 3].find { |x| x > 1 } %> <%= [1, 2].all? { |x| x > 1 } %>",
    "<% ['x', 'y'].each_with_index do |v, i| %><%= i %><%= v %> <% end %>",
    "<% 3.times do |i| %><%= i %><% end %><% 1.upto(3) { |i| %>.<% } %>",
    "<% count = 0 %><% 'a,b'.split(',').each do |s| %>server.<%= count += 1 %>=<%= s %>\n<% end %>",
    "<% x = 1 %><% [2].each { |x| } %><% [3].each { |y| x = y } %><%= x %>",
    "<% [[1, [2, 3]]].each { |a, (b, c)| %><%= a %><%= b %><%= c %><% } %>",
    "<%= [[1, 2]].map { |a| a.inspect } %> <%= [[1, 2]].map { |a, b| b } %> <%= [[1, 2]].map { |(a, b)| b } %>",
    "<% case ENV['MODE']\nwhen 'replica'\n  members = ENV['C'].each_line.to_a\n  members.map do |line|\n    gear, host = line.split('=',2)\n    if ENV['C'].include?(gear) && host\n      [gear].concat host.strip.split(':')\n    end\n  end.compact.each do |(gear, host, port)|\n%>\nmonitor <%= gear %> <%= host %> <%= port %>\n<%\n  end\nelse\nend\n%>",
    "<% case ENV['A'] when 'one', 'two' %>1<% when /^\\s*-/ then %>2<% when '2048' %>3<% else %>4<% end %>",
    "<% case when ENV['A'] %>x<% else %>y<% end %>",
    "<%= case 5 when 1..3 then 'a' when 4..6 then 'b' end %>",
    "<%= ENV['C'].each_line.to_a.map do |line| line end.length %>",
    "<% m = ENV['C'].each_line.to_a.map do |line|\n g, h = line.split('=', 2)\n h if g == 'g1'\nend.compact.first %><%= m.split(':').join(' ') %>",
    "<% ENV['C'].lines.each { |l| %><%= l.chomp %>;<% } %>",
    // The environment as a whole; printing at once.
    "a\n<% ENV.each do |name, value|\n  puts \"fastcgi_param #{name} \\\"#{value}\\\";\" unless name == 'N'\nend %>\nb\n",
    "<% ENV.each do |k, v| if k.start_with?('X_') %>\n<%= k %>=<%= v %><% end\nend %>",
    "<% puts 'first' %>second<% print 'x', 1 %><% puts %><% puts [1, [2]] %><% puts nil %><% puts [] %><% puts \"nl\\n\" %>",
    "<%= ENV.select { |key, value| key.match /_(ADDRESS|IP)$/ }.first.last rescue \"0.0.0.0\" %>",
    "<%=\nENV.select { |key, value| key.match /_(PORT)$/ }.first.last rescue \"8080\"\n%>",
    "<%= ENV.keys.sort.join(' ') %> <%= ENV.key?('A') %> <%= ENV.to_hash.length %> <%= ENV.fetch('A', 'd') %>",
    "<%= ENV.fetch('A') %>",
    "<%= ENV.map { |k, v| k }.join %> <%= ENV.select { |k| k == 'A' }.inspect %>",
    "<%= ENV.to_a.select { |k, v| k =~ /^X_/ }.map { |k, v| \"#{k}#{v}\" }.join(',') %>",
    "<%= ENV.any? { |k, v| v.empty? } %> <%= ENV.find { |k, v| k == 'N' }.inspect %>",
    // Texts.
    "<%= ENV['A'].upcase %>|<%= ENV['A'].strip.downcase %>|<%= ENV['A'].length %>",
    "<%= 'a.b'.split('.').inspect %> <%= ' a  b '.split.inspect %> <%= ' a  b '.split(' ', 2).inspect %> <%= 'a,,b,,'.split(',').inspect %> <%= ''.split(',').inspect %> <%= 'a1b22c'.split(/[0-9]+/).inspect %>",
    "<%= 'abc'[0] %><%= 'abc'[-1] %><%= 'abc'[1..-1] %><%= 'abc'[0, 2] %><%= 'abc'[9].inspect %><%= 'abc'[3..-1].inspect %><%= 'abc'[0...2] %>",
    "<%= [1,2,3][1..-1].inspect %><%= [1,2,3][0, 2].inspect %><%= [1][5].inspect %><%= [1,2,3][-2] %>",
    "<%= 'a-b-c'.gsub('-', '_') %> <%= 'a-b'.sub(/b/, 'x') %> <%= 'aXbY'.gsub(/[A-Z]/, '.') %>",
    "<%= 'abc'.include?('b') %> <%= 'abc'.end_with?('c', 'x') %> <%= 'ab'.reverse %> <%= 'hello world'.capitalize %> <%= 'abc'.index('c') %>",
    "<%= ENV['A'] =~ /n/ %>|<%= (ENV['A'] =~ /^(o)(x)?/).inspect %>|<%= $1 %>|<%= $2.inspect %>",
    "<%= 'v1.2.3'.match(/v(\\d+)\\.(\\d+)/)[2] %> <%= 'x'.match(/y/).inspect %> <%= 'ab' !~ /b/ %> <%= /A/i =~ 'xa' %>",
    "<%= 'k: v' =~ /\\A\\w+:\\s*\\S{1,3}?\\z/ ? 'm' : 'n' %> <%= 'foo.conf' =~ /^[^\\/]+\\.(?:conf|d)$/ %>",
    "<%= \"a\\nb\" =~ /^b$/ %> <%= \"a\\n\" =~ /a\\Z/ %> <%= 'aaa'[/a{2}/] %> <%= 'key=val'[/=(.*)/, 1] %>",
    "<%= nil =~ /x/ %>|<%= 'x'.nil? %>",
    "<%= 'abc' 'def' \"g\" %> <%= 'it''s' %> <%= \"\\e\\t|\\s\".inspect %> <%= 'é'.length %>",
    "<%= ENV['A'].split(':') %>",
    "<%= ENV['NONE'].split(':').join %>",
    "<%= ENV['NONE']&.length.inspect %>",
    "<%= ENV['A'].to_i + ENV['NONE'].length %>",
    // Files.
    "<%= File.exists?('/etc/passwd') %> <%= File.exist? \"#{ENV['DIR']}bin\" %> <%= File.directory?('/etc') %> <%= File.symlink?('/proc/self') %> <%= File.file?('/nowhere') %>",
    "<% if $SAFE!=2 && (File.directory?(\"#{ENV['DIR']}wsgi/static\") || File.symlink?(\"#{ENV['DIR']}wsgi\")) %>a<% else %>b<% end %>",
    "<%\nif File.exists? \"#{ENV['DIR']}/.openshift/redis.conf\"\n  %>include <%= ENV['DIR'] %><%\nelse\n  %># none\n<%\nend\n%>",
    "<%= File.exist?(ENV['NONE']) %>",
    "<%= File.join(ENV['DIR'] || '/', 'x', '/y') %> <%= File.basename('/a/b.c/') %> <%= File.dirname('/a/b') %> <%= File.dirname('a') %> <%= File.extname('a.rb') %><%= File.extname('.rc') %>",
    // defined?, $SAFE, comments.
    "<%= defined?(ENV['A']) ? ENV['A'] : '' %>",
    "<%= defined?(ENV['NONE']) %>|<% x = 1 %><%= defined?(x) %>|<%= defined?(nope).inspect %>|<%= defined?(File) %>|<%= defined? x %>",
    "<%= $SAFE.inspect %>",
    "a<% # comment %>b\nc<%# gone %>d\n<%\n# a comment\nx = 1 # more\n%><%= x %>",
    "<% # if ENV['A'] %>x\n",
    // Scanning.
    "%% literal\n% x = 5\n<%= x %>\n%\n%# comment\n %not\n%% -*- erlang -*-\n",
    "% if ENV['A']\nline\n% end\nend\n",
    "% 2.times do |i|\n<%= i %>\n% end\n",
    "<%% x %%> <%= '%%>' %>\n",
    "log_line_prefix = '<%u%%%d>' # comment\nnext %> line\n",
    "before <%= ENV['A'] \nafter",
    "<%= ENV['A'] -%>\n",
    "<% if ENV['A'] -%>\nx\n<% end -%>\n",
    "<% if ENV['A'] %>never ended",
    "<% end %>",
    "<%= ENV['A' %>",
    "<%= 'open %>",
    "<% else %>",
    "<%= [1, 2 %>",
    "<%= ENV['A'] + %>",
    "<% case ENV['A'] %>\n<% when 'one' %>x<% end %>",
    "\r\nline\r\n<%= ENV['A'] %>\r\n% x = 1\r\n<%= x %>",
    "<% if ENV['A']\n   && ENV['N'] %>x<% end %>",
    "<%= ENV['A']\n  .to_s\n  .length %>",
    "<%= [\n  'a',\n  'b',\n].join(\n',') %>",
    "<%= \"#{\"#{ENV['A']}\"}\" + \"#{'}'}\" %>",
];

const BEYOND: &[&str] = &[
    "<% while true do break end %>x",
    "<%= rand %>",
    "<%= nope %>",
    "<% [1].each { |v| q = v } %><%= q %>",
    "<%= -2 ** 2 %>",
    "<%= `echo x` %>",
    "<%= {'a' => 1}.inspect %>",
    "<%= %w(a b).join %>",
    "<%= :a %>",
    "<% def f; 1; end %><%= f %>",
    "<%= \"\\x41\" %>",
    "<%= 'a'.tr('a', 'b') %>",
    "<%= [3,1].sort_by { |x| x }.inspect %>",
    "<%= Time.now.year > 2000 %>",
    "<% begin; raise 'x'; rescue; end %>ok",
    "<%= '%05d' % 3 %>",
    "<%= 1 << 3 %>",
    "<% s = 'a'; s << 'b' %><%= s %>",
    "<% ENV['NEW'] = 'x' %><%= ENV['NEW'] %>",
    "<%= 99999999999999999999 %> <%= 9223372036854775807 + 1 %>",
    "<%= 010 %> <%= 0x1f %>",
    "<%= [1,2].inject(:+) %>",
    "<%= (1..Float::INFINITY).first(2) %>",
    "<%= 'abc'.each_char.to_a.inspect %>",
    "<%= 'aaa'.gsub(/a*?/, 'x') %> <%= 'ab'.gsub(/(a)/, '\\1\\1') %>",
    "<%= 'ab' =~ /(?=b)/ %>",
    "<% x = *1..3 %><%= x.inspect %>",
    "<% $g = 1 %><%= $g %>",
    "<%= [1,2,3].each_slice(2).to_a.inspect %>",
    "<%= 'x'.respond_to?(:y) %>",
    "<%= true & false %> <%= [1] & [1] %>",
    "<%= ENV %>|<%= ENV.class %>",
    "<%= <<X %>\nabc\nX\n",
    "<%= 'a'.match(/a/).to_s %><%= 'a'.match(/a/).inspect %>",
    "<%= ?a %>",
    "<% until false do break end %>",
    "<%= not(true) %>",
    "<%= x = 5; x + 1 %>",
    "<%= [1, 2].each %>",
    "<%= 'a'.freeze.dup %>",
    "<%= ENV['A'].then { |x| x } %>",
    "<% a = [1]; a[0] = 2 %><%= a.inspect %>",
    "<%= puts('x').inspect %>",
    "<%= [1,2,3].sum / 2.0 %>",
    "<%= 5.between?(1, 6) %>",
    "<% loop do break end %>",
    "<%= ENV['A'].to_s + 1.to_s + nil.to_a.inspect %>",
];

/// A little of what `fuzz/` does at length: each seed, cut at every place, and with each two pieces of
/// it swapped.
#[test]
fn the_law_of_the_fuzzer_holds_for_its_seeds_and_their_pieces() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/erb");
    let mut seeds: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    seeds.sort();
    assert!(seeds.len() > 4, "the seeds are there");
    for seed in &seeds {
        templates::law(seed);
        for cut in (0..seed.len()).filter(|cut| seed.is_char_boundary(*cut)) {
            let (head, tail) = seed.split_at(cut);
            templates::law(head);
            templates::law(tail);
            templates::law(&format!("{tail}{head}"));
            for other in &seeds {
                templates::law(&format!("{head}{other}"));
            }
        }
    }
}
