//! Tables without borders: dim headers, left-aligned columns, cut to the width of a terminal and
//! never in a pipe.

use super::colour::{DIM, paint};
use super::escape;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 2;
/// No column is cut below this; the terminal wraps then.
const NARROWEST: usize = 6;

/// Rows of text in columns. Cells are made harmless as they come in.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
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
        Self { header: header.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// A table without headers, for names and values.
    pub fn headless() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        let cells = cells.into_iter().map(|cell| escape::line(cell.as_ref()).into_owned());
        self.rows.push(cells.collect());
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the table as text, without a newline at its end; headers carry their style.
    pub fn render(&self, room: Room) -> String {
        let widths = fit(self.natural_widths(), room.width);
        let mut text = String::new();
        if !self.header.is_empty() {
            let mut line = String::new();
            push_line(&mut line, &self.header, &widths, room.ellipsis);
            text.push_str(&paint(DIM, line));
        }
        for row in &self.rows {
            if !text.is_empty() {
                text.push('\n');
            }
            push_line(&mut text, row, &widths, room.ellipsis);
        }
        text
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(cell));
            }
        }
        widths
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

fn push_line(text: &mut String, cells: &[String], widths: &[usize], ellipsis: &str) {
    let mut owed = 0;
    for (cell, &width) in cells.iter().zip(widths) {
        // Blanks are written when something follows them: no line ends with blanks.
        if !cell.is_empty() {
            text.extend(std::iter::repeat_n(' ', owed));
            owed = 0;
        }
        owed += GAP + width - push_cell(text, cell, width, ellipsis);
    }
}

/// Writes as much of the cell as fits and tells how many columns that took, `width` at most.
/// The columns that a cell takes; nearly all are ASCII, and there are tens of thousands of them.
fn columns(cell: &str) -> usize {
    if cell.is_ascii() { cell.len() } else { cell.width() }
}

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
        anstream::adapter::strip_str(&table.render(Room { width, ellipsis: "…" })).to_string()
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
