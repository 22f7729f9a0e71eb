//! Makes a dump fit to be loaded by whoever owns the new database, whoever has made it.
//!
//! A dump is a program for the client that reads it, and one from a backup was written by anybody.
//! It is loaded with the rights of the database's own user; here goes what that user may not say and
//! need not: who had defined a view or trigger. What clients understand beyond SQL is switched off at
//! the client.

use super::Server;
use std::io::{self, BufRead, Read, Write};

/// How much of a line is looked at in one go.
const PIECE: u64 = 64 << 10;
/// How lines begin in which a dump of `MariaDB` names who had defined something. No line of data does.
const DEFINING: [&[u8]; 2] = [b"/*!50", b"CREATE DEFINER="];
/// How a line begins that changes the database itself, by the name that it had: around a procedure of
/// another character set, and back. The new database has its own.
const OWN_DATABASE: &[u8] = b"ALTER DATABASE `";
const DEFINER: &[u8] = b"DEFINER=`";

/// Writes what is to be given to the client. `key` is a word that nobody knows.
pub fn adapt(
    server: Server,
    key: &str,
    from: &mut dyn BufRead,
    to: &mut dyn Write,
) -> io::Result<()> {
    match server {
        Server::Mysql => pieces(from, |piece, begins| {
            if begins && piece.starts_with(OWN_DATABASE) && piece.ends_with(b";\n") {
                return Ok(());
            }
            let defines = begins && DEFINING.iter().any(|begin| piece.starts_with(begin));
            match definer(piece).filter(|_| defines) {
                Some((before, after)) => {
                    to.write_all(before)?;
                    to.write_all(after)
                }
                None => to.write_all(piece),
            }
        }),
        Server::Postgresql => restricted(key, from, to),
        Server::Sqlite => io::copy(from, to).map(drop),
    }
}

/// Gives the text piece by piece: a line, or a part of a long one; and whether it begins a line.
fn pieces(
    from: &mut dyn BufRead,
    mut take: impl FnMut(&[u8], bool) -> io::Result<()>,
) -> io::Result<()> {
    let (mut piece, mut begins) = (Vec::new(), true);
    loop {
        piece.clear();
        if Read::take(&mut *from, PIECE).read_until(b'\n', &mut piece)? == 0 {
            return Ok(());
        }
        take(&piece, begins)?;
        begins = piece.ends_with(b"\n");
    }
}

/// What stands before and behind the first naming of who has defined something.
fn definer(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.windows(DEFINER.len()).position(|window| window == DEFINER)?;
    let (before, rest) = line.split_at_checked(at)?;
    let rest = rest.get(DEFINER.len() - 1..)?;
    let rest = behind_quoted(rest)?.strip_prefix(b"@")?;
    Some((before, behind_quoted(rest)?))
}

/// What stands behind a name in backticks, in which two of them stand for one.
fn behind_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"`")?;
    loop {
        let end = rest.iter().position(|byte| *byte == b'`')?;
        rest = rest.get(end + 1..)?;
        match rest.strip_prefix(b"`") {
            Some(more) => rest = more,
            None => return Some(rest),
        }
    }
}

/// `psql` understands commands of its own, by which a dump could run programs. It takes none once it
/// has been told a key, and newer dumps tell it one themselves: ours goes in its place.
fn restricted(key: &str, from: &mut dyn BufRead, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\\restrict {key}")?;
    let mut head = true;
    let mut theirs: Option<Vec<u8>> = None;
    pieces(from, |piece, begins| {
        let line = piece.trim_ascii_end();
        if begins && head && !line.is_empty() && !line.starts_with(b"--") {
            head = false;
            if let Some(key) = line.strip_prefix(b"\\restrict ") {
                theirs = Some(key.to_owned());
                return Ok(());
            }
        }
        let ends =
            begins && theirs.is_some() && line.strip_prefix(b"\\unrestrict ") == theirs.as_deref();
        if ends { Ok(()) } else { to.write_all(piece) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(server: Server, text: &str) -> String {
        let mut to = Vec::new();
        adapt(server, "k", &mut text.as_bytes(), &mut to).unwrap();
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn nobody_is_named_as_definer_any_more_and_data_stay_as_they_are() {
        for (line, left) in [
            (
                "/*!50013 DEFINER=`a`@`%` SQL SECURITY DEFINER */\n",
                "/*!50013  SQL SECURITY DEFINER */\n",
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`a``b`@`h`*/ /*!50003 TRIGGER t\n",
                "/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t\n",
            ),
            ("CREATE DEFINER=`a`@`h` PROCEDURE p()\n", "CREATE  PROCEDURE p()\n"),
            (
                "INSERT INTO t VALUES ('DEFINER=`a`@`h`');\n",
                "INSERT INTO t VALUES ('DEFINER=`a`@`h`');\n",
            ),
            ("/*!50013 DEFINER=`a", "/*!50013 DEFINER=`a"),
            ("ALTER DATABASE `x` CHARACTER SET latin1 ;\n", ""),
        ] {
            assert_eq!(adapted(Server::Mysql, line), left);
        }
        let long = format!("INSERT {}/*!50 DEFINER=`a`@`h`", "x".repeat((64 << 10) - 7));
        assert_eq!(adapted(Server::Mysql, &long), long, "a part of a line begins none");
    }

    #[test]
    fn a_dump_is_held_to_sql_by_a_key_of_ours() {
        assert_eq!(adapted(Server::Postgresql, "SELECT 1;\n"), "\\restrict k\nSELECT 1;\n");
        let dump = "--\n-- head\n\n\\restrict abc\nSELECT 1;\n\\unrestrict abc\n";
        assert_eq!(adapted(Server::Postgresql, dump), "\\restrict k\n--\n-- head\n\nSELECT 1;\n");
        // Whatever else looks like a command stays, and the client refuses it.
        for hostile in ["\\! id\n", "SELECT 1;\n\\restrict a\n", "\\unrestrict abc\n\\! id\n"] {
            let whole = adapted(Server::Postgresql, hostile);
            assert_eq!(whole, format!("\\restrict k\n{hostile}"));
        }
    }
}
