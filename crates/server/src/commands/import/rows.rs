//! Rows of a file as payments: NDJSON lines as they are, CSV rows as the same JSON, with dotted column names such as `authorised.value`.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::json_body;
use crate::merchant_api::payment_view::PaymentRequest;
use crate::problem::Problem;

/// Columns that hold whole numbers.
const NUMBERS: &[&str] = &["authorised.value", "captured.value", "marketing.value", "fee.value", "reserved.value"];
/// Columns that hold `true` or `false`.
const BOOLEANS: &[&str] = &["quote.guaranteed", "details.pre_authorised", "details.three_d_secure"];
/// The column whose currency all amounts of the row have that name none.
const CURRENCY: &str = "currency";
/// Amounts that the row's currency is for.
const AMOUNTS: &[&str] = &["authorised", "captured", "marketing", "fee", "reserved"];
/// Columns that texts are in.
const TEXTS: &[&str] = &[
    "merchant_id",
    "terminal_id",
    "payment_reference",
    "merchant_reference",
    "method",
    "status",
    "paid_at",
    "notify_url",
    "fee_mode",
    "authorised.currency",
    "captured.currency",
    "marketing.currency",
    "fee.currency",
    "reserved.currency",
    "quote.quote_id",
    "quote.settlement_currency",
    "quote.price",
    "quote.start_at",
    "quote.expiry_at",
    "details.card_scheme",
    "details.card_first6",
    "details.card_last4",
    "details.issuer_country",
    "details.response_code",
    "details.response_text",
    "details.shopper_email",
    "details.shopper_ip",
    "details.site_url",
    "details.tracking_number",
    "details.note",
];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

/// One row.
pub struct Row {
    /// Its first line in the file, from 1.
    pub line: u64,
    /// The payment it is about, as far as it could be read.
    pub payment_reference: String,
    /// The payment, or what is wrong with it.
    pub read: Result<PaymentRequest, Problem>,
}

/// The rows of a file. An error ends them: what follows cannot be told apart any more.
pub struct Rows {
    bytes_read: Rc<Cell<u64>>,
    row_bytes_max: usize,
    source: Source,
}

enum Source {
    Ndjson { reader: BufReader<Counted>, line: u64 },
    Csv { reader: Box<csv::Reader<Counted>>, columns: Vec<String> },
}

/// A file that counts what was read, and does not let one row grow without end.
struct Counted {
    file: File,
    bytes_read: Rc<Cell<u64>>,
    row_began_at: u64,
    row_bytes_max: u64,
}

impl Format {
    /// By the extension.
    pub fn of(file: &Path) -> anyhow::Result<Self> {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Ok(Self::Csv),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            _ => bail!("{}: the name ends in .csv, .ndjson or .jsonl / 文件名须以 .csv、.ndjson 或 .jsonl 结尾", file.display()),
        }
    }
}

impl Rows {
    /// Reads the header of a CSV file; unknown and doubled columns are refused before anything is recorded.
    pub fn new(file: File, format: Format, row_bytes_max: usize) -> anyhow::Result<Self> {
        let bytes_read = Rc::new(Cell::new(0));
        let counted = Counted { file, bytes_read: bytes_read.clone(), row_began_at: 0, row_bytes_max: row_bytes_max as u64 };
        let source = match format {
            Format::Ndjson => Source::Ndjson { reader: BufReader::new(counted), line: 0 },
            Format::Csv => {
                let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(counted);
                let header = reader.headers().context("read the header / 读取表头")?.clone();
                let columns: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
                check_columns(&columns)?;
                Source::Csv { reader: Box::new(reader), columns }
            }
        };
        Ok(Self { bytes_read, row_bytes_max, source })
    }

    /// Bytes of the file that were read.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// The next row that is not empty.
    pub fn next(&mut self) -> Option<anyhow::Result<Row>> {
        match &mut self.source {
            Source::Ndjson { reader, line } => next_line(reader, line, self.row_bytes_max).transpose(),
            Source::Csv { reader, columns } => next_record(reader, columns).transpose(),
        }
    }
}

fn next_line(reader: &mut BufReader<Counted>, line: &mut u64, row_bytes_max: usize) -> anyhow::Result<Option<Row>> {
    loop {
        let mut bytes = Vec::new();
        reader.get_mut().begin_row();
        let read = reader.read_until(b'\n', &mut bytes).with_context(|| format!("line {}", *line + 1))?;
        if read == 0 {
            return Ok(None);
        }
        *line += 1;
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if text.len() > row_bytes_max {
            let read = Err(Problem::too_large(row_bytes_max as u64));
            return Ok(Some(Row { line: *line, payment_reference: String::new(), read }));
        }
        let payment_reference = serde_json::from_slice::<Value>(text).ok();
        let payment_reference = payment_reference.and_then(|value| value["payment_reference"].as_str().map(str::to_owned));
        return Ok(Some(Row { line: *line, payment_reference: payment_reference.unwrap_or_default(), read: json_body::read(text) }));
    }
}

fn next_record(reader: &mut csv::Reader<Counted>, columns: &[String]) -> anyhow::Result<Option<Row>> {
    loop {
        let mut record = csv::StringRecord::new();
        reader.get_mut().begin_row();
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                let read = Err(Problem::new(&crate::problem::kinds::FIELD_INVALID)
                    .saying("The row is not UTF-8; save the file as CSV UTF-8.", "该行不是 UTF-8 编码；请将文件另存为 CSV UTF-8。"));
                return Ok(Some(Row { line, payment_reference: String::new(), read }));
            }
            Err(error) => return Err(error).with_context(|| format!("line {line}")),
        }
        let line = record.position().map_or(line, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        let cell = |name: &str| columns.iter().position(|column| column == name).and_then(|place| record.get(place)).unwrap_or_default();
        let payment_reference = cell("payment_reference").to_owned();
        let read = if record.len() > columns.len() {
            let (cells, wanted) = (record.len(), columns.len());
            let english = format!("The row has {cells} cells, the header {wanted}; put cells with commas in quotes.");
            Err(Problem::new(&crate::problem::kinds::FIELD_INVALID)
                .saying(english, format!("该行有 {cells} 个单元格，表头只有 {wanted} 列；含逗号的内容请加引号。")))
        } else {
            let cells = columns.iter().map(String::as_str).zip(record.iter());
            json_body::read(&serde_json::to_vec(&object_of(cells)).unwrap_or_default())
        };
        return Ok(Some(Row { line, payment_reference, read }));
    }
}

fn check_columns(columns: &[String]) -> anyhow::Result<()> {
    for (place, name) in columns.iter().enumerate() {
        let known = name == CURRENCY || [NUMBERS, BOOLEANS, TEXTS].iter().any(|names| names.contains(&name.as_str()));
        if !known {
            bail!("there is no column {name:?}; see docs/operating/import.md / 没有名为 {name:?} 的列，见 docs/operating/import.zh.md");
        }
        if columns[..place].contains(name) {
            bail!("the column {name:?} is there twice / 列 {name:?} 重复");
        }
    }
    Ok(())
}

/// The cells of a row as the JSON that the API takes. An empty cell is an absent field.
fn object_of<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    let mut object = Map::new();
    let mut currency = None;
    for (name, text) in cells.filter(|(_, text)| !text.is_empty()) {
        if name == CURRENCY {
            currency = Some(text);
            continue;
        }
        let value = value_of(name, text);
        match name.split_once('.') {
            None => _ = object.insert(name.to_owned(), value),
            Some((outer, inner)) => {
                let outer = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                outer[inner] = value;
            }
        }
    }
    for name in AMOUNTS {
        if let (Some(currency), Some(Value::Object(amount))) = (currency, object.get_mut(*name)) {
            amount.entry("currency").or_insert_with(|| currency.into());
        }
    }
    object
}

/// What is not a number or a truth value stays the text that it is; reading it as a payment then names the field.
fn value_of(name: &str, text: &str) -> Value {
    if NUMBERS.contains(&name) {
        return text.parse::<i64>().map_or_else(|_| text.into(), Value::from);
    }
    match text {
        "true" | "TRUE" if BOOLEANS.contains(&name) => Value::Bool(true),
        "false" | "FALSE" if BOOLEANS.contains(&name) => Value::Bool(false),
        _ => text.into(),
    }
}

impl Counted {
    const fn begin_row(&mut self) {
        self.row_began_at = u64::MAX;
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let so_far = self.bytes_read.get();
        if self.row_began_at == u64::MAX {
            self.row_began_at = so_far;
        }
        // What was read ahead belongs to the row before; a row may be as long as a buffer more than the limit, never without end.
        if so_far - self.row_began_at > self.row_bytes_max.saturating_add(READ_AHEAD_BYTES) {
            let text = format!("a row is longer than {} bytes; is a quotation mark missing?", self.row_bytes_max);
            return Err(Error::new(ErrorKind::InvalidData, text));
        }
        let read = self.file.read(buffer)?;
        self.bytes_read.set(so_far + read as u64);
        Ok(read)
    }
}

/// What readers take from the file at once, generously.
const READ_AHEAD_BYTES: u64 = 64 * 1024;

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
