//! Files for spreadsheets: comma-separated, UTF-8, and no text that a spreadsheet would take for a formula.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

/// Tells spreadsheets that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Rows of a file in memory.
pub struct Table {
    mark: &'static str,
    rows: csv::Writer<Vec<u8>>,
}

impl Table {
    /// An empty table, with the mark that some spreadsheets want at the beginning.
    pub fn begin(mark: bool) -> Self {
        Self { mark: if mark { BYTE_ORDER_MARK } else { "" }, rows: csv::Writer::from_writer(Vec::new()) }
    }

    /// Adds a row; all rows of a table have the same length.
    pub fn row(&mut self, fields: &[&str]) {
        self.rows.write_record(fields).expect("memory takes every row, and all rows have the same length");
    }

    /// What was written.
    pub fn text(self) -> Vec<u8> {
        let rows = self.rows.into_inner().expect("memory takes what was held back");
        [self.mark.as_bytes(), &rows].concat()
    }
}

/// A text that no spreadsheet takes for a formula.
pub fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// A file to download.
pub fn file(name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("a name of ids is visible ASCII");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}
