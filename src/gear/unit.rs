//! The systemd unit that starts the gears with the host, and stops them with it.

use std::path::Path;

/// Its name.
pub const NAME: &str = "cartwright-gears.service";
/// Its first line, by which it is known.
const MARK: &str = "# Written by `cart doctor --install-unit`.";

/// Tells whether a unit was written by us.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The unit's text, for the program at `program` and the gears below `root`.
///
/// What an interrupted transaction has left is recovered first; then `boot` starts every gear that
/// ran. When the host goes down, `halt` stops them without the mark of a stop by their users.
pub fn text(program: &Path, root: Option<&Path>) -> String {
    let mut cart = quoted(program);
    if let Some(root) = root {
        cart.push_str(" --root ");
        cart.push_str(&quoted(root));
    }
    let target = "multi-user.target default.target";
    format!(
        "{MARK}\n[Unit]\nDescription=Gears of cartwright\nDocumentation=man:cart-gear-boot(1)\n\
         Wants=network-online.target\nAfter=network-online.target local-fs.target nss-lookup.target\n\
         \n[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=infinity\n\
         TimeoutStopSec=300\nExecStartPre=-{cart} --yes --wait 60 recover\n\
         ExecStart={cart} --yes --wait 60 gear boot --all\n\
         ExecStop={cart} --yes --wait 60 gear halt --all\n\n[Install]\nWantedBy={target}\n"
    )
}

/// A word as systemd reads it: in quotes, without its own substitutions.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('%', "%%").replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        let text = text("/opt/my tools/100%/cart".as_ref(), Some("/srv/a\"b$c".as_ref()));
        let start = r#"ExecStart="/opt/my tools/100%%/cart" --root "/srv/a\"b$$c" --yes"#;
        assert!(text.contains(start), "{text}");
        assert!(is_ours(&text) && !is_ours("[Unit]\n"));
    }
}
