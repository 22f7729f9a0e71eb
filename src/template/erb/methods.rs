//! The names of the methods that are understood, so that any other is named before a template
//! runs. Which value has which is for the run to tell.

/// What values have.
pub(super) const OF_VALUES: &[&str] = &[
    "abs", "all?", "any?", "capitalize", "ceil", "chars", "chomp", "chop", "collect", "compact",
    "concat", "count", "detect", "downcase", "drop", "each", "each_line", "each_pair",
    "each_with_index", "empty?", "end_with?", "even?", "fetch", "filter", "find", "first",
    "flatten", "floor", "gsub", "has_key?", "include?", "index", "inspect", "join", "key?", "keys",
    "last", "length", "lines", "lstrip", "map", "match", "match?", "max", "min", "nil?", "none?",
    "odd?", "push", "reject", "reverse", "round", "rstrip", "select", "size", "sort", "split",
    "start_with?", "strip", "sub", "sum", "take", "times", "to_a", "to_f", "to_h", "to_hash",
    "to_i", "to_s", "uniq", "upcase", "upto", "values", "zero?",
];

/// What `File` has.
pub(super) const OF_FILES: &[&str] = &[
    "basename", "directory?", "dirname", "exist?", "exists?", "extname", "file?", "join", "symlink?",
];
