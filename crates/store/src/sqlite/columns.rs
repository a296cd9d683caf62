use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::fault::fault;
use crate::StoreError;
use crate::rows::ReadColumns;

/// The columns of a row of SQLite.
pub struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
    table: &'static str,
}

impl<'r> Columns<'r> {
    /// From the first column of a row.
    pub const fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, next: 0, table }
    }

    fn value(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let value = self.row.get_ref(self.next).map_err(fault)?;
        self.next += 1;
        Ok(value)
    }
}

impl<'r> ReadColumns<'r> for Columns<'r> {
    fn int_or_null(&mut self) -> Result<Option<i64>, StoreError> {
        match self.value()? {
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Null => Ok(None),
            ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => Err(self.unreadable("it is not a number")),
        }
    }

    fn text_or_null(&mut self) -> Result<Option<&'r str>, StoreError> {
        match self.value()? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| self.unreadable("it is not UTF-8")),
            ValueRef::Null => Ok(None),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => Err(self.unreadable("it is not a text")),
        }
    }

    fn unreadable(&self, why: &str) -> StoreError {
        StoreError::Unreadable { what: self.table, why: format!("column {}: {why}", self.next) }
    }
}
