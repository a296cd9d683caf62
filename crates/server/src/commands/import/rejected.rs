//! The report of rejected rows: `FILE.rejected.csv` or `FILE.rejected.ndjson`, with the reason in both languages.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::rows::Format;
use crate::language::Language;
use crate::problem::Problem;

/// One rejected row.
#[derive(Debug, Serialize)]
pub struct RejectedRow {
    line: u64,
    payment_reference: String,
    code: String,
    field: String,
    reason: String,
    reason_zh: String,
}

/// The report, made when the first row is rejected.
pub struct RejectedRows {
    path: PathBuf,
    format: Format,
    open: Option<Report>,
}

enum Report {
    Csv(Box<csv::Writer<File>>),
    Ndjson(BufWriter<File>),
}

impl RejectedRow {
    /// A row with what is wrong with it.
    pub fn new(line: u64, payment_reference: &str, problem: &Problem) -> Self {
        let (english, chinese) = (problem.body(Language::English, ""), problem.body(Language::Chinese, ""));
        Self {
            line,
            payment_reference: payment_reference.to_owned(),
            code: english.code,
            field: english.field.unwrap_or_default(),
            reason: english.detail,
            reason_zh: chinese.detail,
        }
    }

    /// Where it is in the file.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// As a spreadsheet may open it: a cell never begins as a formula does.
    fn for_spreadsheets(&self) -> [String; 6] {
        let harmless = |text: &str| if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
        let Self { line, payment_reference, code, field, reason, reason_zh } = self;
        [line.to_string(), harmless(payment_reference), harmless(code), harmless(field), harmless(reason), harmless(reason_zh)]
    }
}

impl RejectedRows {
    /// Beside `file`. A report of an earlier run is removed: it may be about rows that are in order now.
    pub fn beside(file: &Path, format: Format) -> anyhow::Result<Self> {
        let mut name = file.as_os_str().to_owned();
        name.push(match format {
            Format::Csv => ".rejected.csv",
            Format::Ndjson => ".rejected.ndjson",
        });
        let path = PathBuf::from(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove the report of an earlier run, {}", path.display()))
            }
            Ok(()) | Err(_) => Ok(Self { path, format, open: None }),
        }
    }

    /// Adds a row.
    pub fn write(&mut self, row: &RejectedRow) -> anyhow::Result<()> {
        let doing = || format!("write {}", self.path.display());
        if self.open.is_none() {
            let file = File::create(&self.path).with_context(doing)?;
            self.open = Some(match self.format {
                Format::Csv => {
                    let mut out = csv::Writer::from_writer(file);
                    out.write_record(["line", "payment_reference", "code", "field", "reason", "reason_zh"]).with_context(doing)?;
                    Report::Csv(Box::new(out))
                }
                Format::Ndjson => Report::Ndjson(BufWriter::new(file)),
            });
        }
        match &mut self.open {
            Some(Report::Csv(out)) => out.write_record(row.for_spreadsheets()).with_context(doing),
            Some(Report::Ndjson(out)) => {
                serde_json::to_writer(&mut *out, row).with_context(doing)?;
                out.write_all(b"\n").with_context(doing)
            }
            None => Ok(()),
        }
    }

    /// Writes what is buffered, and says where the report is.
    pub fn finish(self) -> anyhow::Result<PathBuf> {
        match self.open {
            Some(Report::Csv(mut out)) => out.flush()?,
            Some(Report::Ndjson(mut out)) => out.flush()?,
            None => {}
        }
        Ok(self.path)
    }
}
