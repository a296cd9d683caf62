//! Rows as bytes, in the form in which PostgreSQL's COPY sends and takes them: the number of fields, then of each field its length and its bytes.
//! Equal rows are equal bytes whichever database they come from, so the same bytes are copied and counted.

use serde::{Deserialize, Serialize};

use super::CopyError;
use super::tables::{Column, Kind, Table};

/// Rows of a batch at most.
pub const ROWS_MAX: u64 = 10_000;
/// Bytes of a batch; the row that passes them is the last.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Some rows.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    rows: u64,
    last: usize,
}

/// A value of a key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum KeyPart {
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

impl Batch {
    /// Begins a row of so many fields.
    pub fn begin_row(&mut self, fields: usize) {
        self.last = self.bytes.len();
        self.rows += 1;
        self.bytes.extend_from_slice(&i16::try_from(fields).unwrap_or(i16::MAX).to_be_bytes());
    }

    /// The next field, a number; refused when the column of the other database is too small for it.
    pub fn int(&mut self, number: i64, table: &Table, column: Column) -> Result<(), CopyError> {
        let too_large = |_| CopyError::unreadable(table, format!("{number} does not fit into {}", column.name));
        match column.kind {
            Kind::Int2 => self.field(&i16::try_from(number).map_err(too_large)?.to_be_bytes()),
            Kind::Int4 => self.field(&i32::try_from(number).map_err(too_large)?.to_be_bytes()),
            Kind::Int8 => self.field(&number.to_be_bytes()),
            Kind::Text => return Err(CopyError::unreadable(table, format!("{} holds the number {number}", column.name))),
        }
        Ok(())
    }

    /// The next field, a text.
    pub fn text(&mut self, text: &[u8], table: &Table, column: Column) -> Result<(), CopyError> {
        if column.kind != Kind::Text || text.contains(&0) || std::str::from_utf8(text).is_err() {
            let shown = String::from_utf8_lossy(text).escape_debug().to_string();
            return Err(CopyError::unreadable(table, format!("{} holds \"{shown}\", which PostgreSQL does not take", column.name)));
        }
        self.field(text);
        Ok(())
    }

    /// The next field, which is missing.
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// A row that has this form already.
    pub fn row(&mut self, row: &[u8]) {
        self.last = self.bytes.len();
        self.rows += 1;
        self.bytes.extend_from_slice(row);
    }

    fn field(&mut self, bytes: &[u8]) {
        // No row comes near 2 GiB.
        self.bytes.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// No more rows should be added.
    pub fn is_full(&self, rows_max: u64) -> bool {
        self.rows >= rows_max || self.bytes.len() >= BYTES_MAX
    }

    /// How many rows there are.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// All rows, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Each row.
    pub fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let length = row_length(rest)?;
            let (row, behind) = rest.split_at(length);
            rest = behind;
            Some(row)
        })
    }

    /// The key of the last row.
    pub fn last_key(&self, table: &Table) -> Vec<KeyPart> {
        let fields: Vec<Option<&[u8]>> = fields(&self.bytes[self.last..]).collect();
        let part = |at: &usize| match (table.columns[*at].kind, fields.get(*at).copied().flatten()) {
            (Kind::Text, field) => KeyPart::Text(String::from_utf8_lossy(field.unwrap_or_default()).into_owned()),
            (Kind::Int2 | Kind::Int4 | Kind::Int8, field) => KeyPart::Int(number(field.unwrap_or_default())),
        };
        table.key.iter().map(part).collect()
    }
}

/// How many bytes the first row has; none when it is not whole, or when no row follows.
pub fn row_length(bytes: &[u8]) -> Option<usize> {
    let fields = i16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
    let mut at = 2;
    for _ in 0..u16::try_from(fields).ok()? {
        let length = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    (at <= bytes.len()).then_some(at)
}

/// The fields of a whole row.
pub fn fields(row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = row.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = i32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
        let (field, behind) = rest.get(4..)?.split_at_checked(usize::try_from(length).unwrap_or(0))?;
        rest = behind;
        Some((length >= 0).then_some(field))
    })
}

/// The number in a field.
pub fn number(field: &[u8]) -> i64 {
    let negative = field.first().is_some_and(|first| *first >= 0x80);
    field.iter().fold(if negative { -1 } else { 0 }, |number, byte| (number << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::super::tables::tables;
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let all = tables();
        let table = all.iter().find(|table| table.name == "deliveries").unwrap();
        let mut batch = Batch::default();
        for status in [Some(-7), None] {
            batch.begin_row(table.columns.len());
            for column in &table.columns {
                match (column.name, column.kind) {
                    ("status", _) if status.is_none() => batch.null(),
                    ("status", _) => batch.int(-7, table, *column).unwrap(),
                    (_, Kind::Text) => batch.text("gelöscht".as_bytes(), table, *column).unwrap(),
                    _ => batch.int(i64::from(i16::MIN), table, *column).unwrap(),
                }
            }
        }
        let rows: Vec<Vec<Option<&[u8]>>> = batch.each().map(|row| fields(row).collect()).collect();
        assert_eq!((rows.len(), rows[0].len()), (2, table.columns.len()));
        assert_eq!(rows[0][4].map(number), Some(-7));
        assert_eq!(rows[1][4], None);
        assert_eq!(rows[1][5], Some("gelöscht".as_bytes()));
        assert_eq!(batch.last_key(table), [i64::from(i16::MIN); 3].map(KeyPart::Int));
        assert_eq!(row_length(&batch.bytes()[..9]), None, "a row that is cut off is none");
    }

    #[test]
    fn what_the_other_side_cannot_hold_is_refused() {
        let all = tables();
        let table = all.iter().find(|table| table.name == "deliveries").unwrap();
        let mut batch = Batch::default();
        assert!(batch.int(40_000, table, table.columns[2]).is_err());
        assert!(batch.text(b"a\0b", table, table.columns[5]).is_err());
        assert!(batch.text(b"\xff", table, table.columns[5]).is_err());
    }
}
