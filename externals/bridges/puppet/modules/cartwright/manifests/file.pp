# A file with the lines of all requests to one external; none without them.
define cartwright::file (
  Optional[Hash] $entries = undef,
  String $mode = '0644',
  Optional[String] $validate = undef,
) {
  $lines = $entries ? { Hash => $entries.values.map |$entry| { $entry['line'] }, default => [] }
  file { $title:
    ensure       => $lines.empty ? { true => absent, default => file },
    mode         => $mode,
    content      => ['# Written by Puppet from what packages asked cart for.', *$lines, ''].join("\n"),
    validate_cmd => $validate,
  }
}
