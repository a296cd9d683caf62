//! Tables in Markdown, in English and Chinese, as `make bench` prints them and puts them into the documentation.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

/// What stands before the generated part of a page, and behind it.
const MARKS: [&str; 2] = ["<!-- written by make bench -->", "<!-- end of what make bench writes -->"];

/// A text in both languages.
#[derive(Clone, Debug)]
pub struct Said {
    english: String,
    chinese: String,
}

/// One of the languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

/// Says it in both.
pub fn said(english: impl Into<String>, chinese: impl Into<String>) -> Said {
    Said { english: english.into(), chinese: chinese.into() }
}

impl From<String> for Said {
    /// Figures are the same in both.
    fn from(figure: String) -> Self {
        Self { english: figure.clone(), chinese: figure }
    }
}

impl Said {
    /// In one of them.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}

/// A table under a title.
pub struct Table {
    title: Said,
    columns: Vec<Said>,
    rows: Vec<Vec<Said>>,
}

impl Table {
    /// Without rows yet.
    pub fn new(title: Said, columns: Vec<Said>) -> Self {
        Self { title, columns, rows: Vec::new() }
    }

    /// A table of names and figures.
    pub fn of_figures(title: Said) -> Self {
        Self::new(title, vec![said("what", "项目"), said("figure", "数值")])
    }

    /// Adds a row, and prints it: the run is long.
    pub fn row(&mut self, cells: Vec<Said>) {
        println!("  {}", cells.iter().map(|cell| cell.english.as_str()).collect::<Vec<_>>().join(" | "));
        self.rows.push(cells);
    }

    /// Adds a name and its figure.
    pub fn figure(&mut self, name: Said, figure: String) {
        self.row(vec![name, figure.into()]);
    }

    fn markdown(&self, language: Language) -> String {
        let joined = |cells: &[Said]| cells.iter().map(|cell| cell.text(language)).collect::<Vec<_>>().join(" | ");
        let mut text =
            format!("### {}\n\n| {} |\n|{}\n", self.title.text(language), joined(&self.columns), "---|".repeat(self.columns.len()));
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "| {} |", joined(row));
        }
        text.push('\n');
        text
    }
}

/// The goals with their figures, and the tables behind them.
pub struct Report {
    intro: Said,
    goals: Table,
    tables: Vec<Table>,
}

impl Report {
    /// Begins with what is to be known of the run.
    pub fn new(intro: Said) -> Self {
        let columns = vec![said("what", "项目"), said("goal", "目标"), said("figure", "实测"), said("met", "达到")];
        Self { intro, goals: Table::new(said("Goals", "目标"), columns), tables: Vec::new() }
    }

    /// Adds a goal beside its figure.
    pub fn goal(&mut self, what: Said, wanted: Said, figure: String, met: bool) {
        let met = if met { said("yes", "是") } else { said("**NO**", "**否**") };
        self.goals.row(vec![what, wanted, figure.into(), met]);
    }

    /// Adds a table.
    pub fn add(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// All of it, goals first.
    pub fn markdown(&self, language: Language) -> String {
        let tables: String = self.tables.iter().map(|table| table.markdown(language)).collect();
        format!("{}\n\n{}{tables}", self.intro.text(language), self.goals.markdown(language))
    }

    /// Puts it into a page, between its marks.
    pub fn write_into(&self, page: &Path, language: Language) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(page).with_context(|| format!("read {}", page.display()))?;
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
        let (before, behind) = parts.with_context(|| format!("{} has no place between {MARKS:?}", page.display()))?;
        let new = format!("{before}{}\n\n{}{}{behind}", MARKS[0], self.markdown(language), MARKS[1]);
        std::fs::write(page, new).with_context(|| format!("write {}", page.display()))
    }
}

/// Microseconds as milliseconds with two decimals: `1.50 ms`.
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
