//! Tables without borders: dim headers, left-aligned columns, cut to the width of a terminal and
//! never in a pipe.

use super::colour::{DIM, paint};
use super::escape;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 2;
/// No column is cut below this; the terminal wraps then.
const NARROWEST: usize = 6;

/// Rows of text in columns. Cells are made harmless as they come in, and lie in one text: there may
/// be tens of thousands of them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Cells,
    rows: Cells,
}

/// Cells in rows, one behind the other in one text.
#[derive(Clone, Debug, Default)]
struct Cells {
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    /// How many cells there are up to the end of each row.
    rows: Vec<usize>,
    /// The widest cell of each column.
    widths: Vec<usize>,
}

/// The room that a table has.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Columns of the terminal; nothing in a pipe or file, where nothing is cut.
    pub width: Option<usize>,
    /// What shows that a cell was cut.
    pub ellipsis: &'static str,
}

impl Table {
    /// A table with these headers, in capitals by custom.
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = Self::default();
        table.header.push_row(header);
        table
    }

    /// A table without headers, for names and values.
    pub fn headless() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push_row(cells);
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.rows.is_empty()
    }

    /// Hands out the lines of the table, without newlines; headers carry their style.
    pub fn lines(&self, room: Room, mut write: impl FnMut(&str)) {
        let widths = fit(self.natural_widths(), room.width);
        let mut line = String::new();
        for row in self.header.iter() {
            push_line(&mut line, row, &widths, room.ellipsis);
            write(&paint(DIM, &line));
        }
        for row in self.rows.iter() {
            line.clear();
            push_line(&mut line, row, &widths, room.ellipsis);
            write(&line);
        }
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths = self.rows.widths.clone();
        widths.resize(widths.len().max(self.header.widths.len()), 0);
        for (width, of_header) in widths.iter_mut().zip(&self.header.widths) {
            *width = (*width).max(*of_header);
        }
        widths
    }
}

impl Cells {
    fn push_row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        for (column, cell) in cells.into_iter().enumerate() {
            let cell = escape::line(cell.as_ref());
            self.text.push_str(&cell);
            self.ends.push(self.text.len());
            let width = columns(&cell);
            match self.widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => self.widths.push(width),
            }
        }
        self.rows.push(self.ends.len());
    }

    /// Each row's cells.
    fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        let ends_before = |at: usize, ends: &[usize]| {
            at.checked_sub(1).and_then(|at| ends.get(at).copied()).unwrap_or(0)
        };
        (0..self.rows.len()).map(move |row| {
            let cells = ends_before(row, &self.rows)..ends_before(row + 1, &self.rows);
            cells.map(move |cell| {
                let bytes = ends_before(cell, &self.ends)..ends_before(cell + 1, &self.ends);
                self.text.get(bytes).unwrap_or_default()
            })
        })
    }
}

/// Takes from the widest column, as often as needed, until the row fits.
fn fit(mut widths: Vec<usize>, room: Option<usize>) -> Vec<usize> {
    let Some(room) = room else { return widths };
    let gaps = GAP * widths.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
    while excess > 0 {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else {
            break;
        };
        *widest -= 1;
        excess -= 1;
    }
    widths
}

fn push_line<'a>(
    text: &mut String,
    cells: impl Iterator<Item = &'a str>,
    widths: &[usize],
    ellipsis: &str,
) {
    let mut owed = 0;
    for (cell, &width) in cells.zip(widths) {
        // Blanks are written when something follows them: no line ends with blanks.
        if !cell.is_empty() {
            push_blanks(text, owed);
            owed = 0;
        }
        owed += GAP + width - push_cell(text, cell, width, ellipsis);
    }
}

fn push_blanks(text: &mut String, mut count: usize) {
    const BLANKS: &str = "                                ";
    while let Some(rest) = count.checked_sub(BLANKS.len()) {
        text.push_str(BLANKS);
        count = rest;
    }
    text.push_str(BLANKS.get(..count).unwrap_or_default());
}

/// The columns that a cell takes; nearly all cells are ASCII.
fn columns(cell: &str) -> usize {
    if cell.is_ascii() { cell.len() } else { cell.width() }
}

/// Writes as much of the cell as fits and tells how many columns that took, `width` at most.
fn push_cell(text: &mut String, cell: &str, width: usize, ellipsis: &str) -> usize {
    let whole = columns(cell);
    if whole <= width {
        text.push_str(cell);
        return whole;
    }
    let room = width.saturating_sub(ellipsis.width());
    let mut taken = 0;
    for c in cell.chars() {
        let columns = c.encode_utf8(&mut [0; 4]).width();
        if taken + columns > room {
            break;
        }
        text.push(c);
        taken += columns;
    }
    text.push_str(ellipsis);
    (taken + ellipsis.width()).min(width)
}

#[cfg(test)]
mod tests {
    use super::{Room, Table};
    use unicode_width::UnicodeWidthStr;

    fn plain(table: &Table, width: Option<usize>) -> String {
        let mut lines = Vec::new();
        table.lines(Room { width, ellipsis: "…" }, |line| {
            lines.push(anstream::adapter::strip_str(line).to_string());
        });
        lines.join("\n")
    }

    fn sample() -> Table {
        let mut table = Table::new(["NAME", "VERSION", "SUMMARY"]);
        table.row(["diy", "0.1", "Do it yourself, with any language and any framework"]);
        table.row(["perl-httpd", "", ""]);
        table.row(["日本語", "10", "x"]);
        table
    }

    #[test]
    fn a_pipe_gets_everything_in_columns_and_no_line_ends_with_blanks() {
        assert_eq!(
            plain(&sample(), None),
            "NAME        VERSION  SUMMARY\n\
             diy         0.1      Do it yourself, with any language and any framework\n\
             perl-httpd\n\
             日本語      10       x"
        );
    }

    #[test]
    fn a_terminal_gets_lines_that_fit_and_show_that_they_were_cut() {
        for width in [24, 30, 40, 60] {
            let text = plain(&sample(), Some(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}:\n{text}");
            assert!(text.contains('…'), "{text}");
        }
        assert!(!plain(&sample(), Some(200)).contains('…'));
        assert!(plain(&sample(), Some(1)).lines().count() == 4, "no room at all is no panic");
    }

    #[test]
    fn a_cell_cannot_break_out_of_its_row() {
        let mut table = Table::headless();
        table.row(["a\nb", "\u{1b}[31m"]);
        assert_eq!(plain(&table, None), "a\\nb  \\u{1b}[31m");
    }
}
