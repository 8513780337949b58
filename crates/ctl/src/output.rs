//! What goes to standard output: one JSON object a line, or aligned tables for a person.
//!
//! Names and messages come from the server and from cameras: control characters in them never reach the terminal.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::error::CtlError;

/// Standard output in one of its two forms.
#[derive(Debug)]
pub struct Output {
    json: bool,
    out: io::BufWriter<io::Stdout>,
}

impl Output {
    /// `json`: one object a line; otherwise text.
    pub fn new(json: bool) -> Self {
        Self { json, out: io::BufWriter::new(io::stdout()) }
    }

    /// Which form.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One JSON object on a line of its own, at once, so that a reader can follow.
    pub fn object(&mut self, value: &Value) -> Result<(), CtlError> {
        writeln!(self.out, "{value}").and_then(|()| self.out.flush()).map_err(CtlError::Output)
    }

    /// One line of text.
    pub fn line(&mut self, text: &str) -> Result<(), CtlError> {
        writeln!(self.out, "{}", printable(text)).map_err(CtlError::Output)
    }

    /// A table.
    pub fn table(&mut self, table: &Table) -> Result<(), CtlError> {
        for line in table.lines() {
            writeln!(self.out, "{line}").map_err(CtlError::Output)?;
        }
        Ok(())
    }

    /// Writes what is still held back.
    pub fn flush(&mut self) -> Result<(), CtlError> {
        self.out.flush().map_err(CtlError::Output)
    }
}

/// A table of text, columns aligned to the left.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    /// Adds a row; `-` stands for an empty cell.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cell = |text: String| if text.is_empty() { "-".to_owned() } else { printable(&text) };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    /// The lines, without blanks at their ends.
    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// The text without characters that could move the cursor, change colours or reverse the reading direction.
pub fn printable(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    text.chars().map(|c| if hostile(c) { '\u{FFFD}' } else { c }).collect()
}

/// Bytes for a person.
pub fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// Bits a second for a person.
pub fn bit_rate(bps: u64) -> String {
    match bps {
        0 => String::new(),
        1..1_000_000 => format!("{} kbit/s", bps / 1000),
        _ => format!("{:.1} Mbit/s", bps as f64 / 1e6),
    }
}

/// Pictures a second from thousandths.
pub fn fps(milli: u32) -> f64 {
    f64::from(milli) / 1000.0
}

/// Pictures a second for a person; nothing while none come.
pub fn fps_cell(milli: u32) -> String {
    if milli == 0 { String::new() } else { format!("{:.1}", fps(milli)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["Quầy tiếp dân".to_owned(), "recording".to_owned()]);
        table.row(["A".to_owned(), String::new()]);
        assert_eq!(table.lines(), ["NAME           STATE", "Quầy tiếp dân  recording", "A              -"]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202E}d"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d");
        assert_eq!(printable("Quầy số 1"), "Quầy số 1");
    }

    #[test]
    fn rates_read_well() {
        assert_eq!(bit_rate(0), "");
        assert_eq!(bit_rate(256_000), "256 kbit/s");
        assert_eq!(bit_rate(4_200_000), "4.2 Mbit/s");
        assert!((fps(29_970) - 29.97).abs() < 1e-9);
        assert_eq!((fps_cell(29_970), fps_cell(0)), ("30.0".to_owned(), String::new()));
    }
}
