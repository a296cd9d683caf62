//! Tables in Markdown, as `make bench` prints and keeps them.

use std::fmt::Write as _;

/// A table under a title.
pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Without rows yet.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self { title: title.to_owned(), columns: columns.iter().map(|column| (*column).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row, and prints it: the run is long.
    pub fn row(&mut self, cells: Vec<String>) {
        println!("  {}", cells.join(" | "));
        self.rows.push(cells);
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n| {} |\n|{}\n", self.title, self.columns.join(" | "), "---|".repeat(self.columns.len()));
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
        text
    }
}

/// The goals with their figures, and the tables behind them.
pub struct Report {
    goals: Table,
    tables: String,
}

impl Default for Report {
    fn default() -> Self {
        Self { goals: Table::new("Goals", &["what", "goal", "figure", "met"]), tables: String::new() }
    }
}

impl Report {
    /// Adds a goal beside its figure.
    pub fn goal(&mut self, what: &str, wanted: String, figure: String, met: bool) {
        self.goals.row(vec![what.to_owned(), wanted, figure, if met { "yes" } else { "NO" }.to_owned()]);
    }

    /// Adds a table.
    pub fn add(&mut self, table: &Table) {
        self.tables.push_str(&table.markdown());
    }

    /// All of it, goals first.
    pub fn markdown(&self) -> String {
        format!("{}{}", self.goals.markdown(), self.tables)
    }
}

/// Microseconds with one decimal as milliseconds: `1.5 ms`.
pub fn as_ms(us: u64) -> String {
    format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10)
}

/// `part` by `whole` with two decimals.
pub fn ratio(part: u64, whole: u64) -> String {
    let hundredths = part.saturating_mul(100) / whole.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The median of some figures; the lower of the two in the middle.
pub fn median(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}
