use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::StoreError;
use crate::rows::ReadColumns;

/// The columns of a row of PostgreSQL.
pub struct Columns<'r> {
    row: &'r Row,
    next: usize,
    table: &'static str,
}

impl<'r> Columns<'r> {
    /// From the first column of a row.
    pub const fn new(row: &'r Row, table: &'static str) -> Self {
        Self { row, next: 0, table }
    }

    fn place(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

impl<'r> ReadColumns<'r> for Columns<'r> {
    fn int_or_null(&mut self) -> Result<Option<i64>, StoreError> {
        let place = self.place();
        let kind = self.row.columns().get(place).map(|column| column.type_().clone());
        let read = match kind {
            Some(Type::INT8) => self.row.try_get(place),
            Some(Type::INT4) => self.row.try_get::<_, Option<i32>>(place).map(|number| number.map(i64::from)),
            _ => self.row.try_get::<_, Option<i16>>(place).map(|number| number.map(i64::from)),
        };
        read.map_err(|_| self.unreadable("it is not a number"))
    }

    fn text_or_null(&mut self) -> Result<Option<&'r str>, StoreError> {
        let place = self.place();
        self.row.try_get(place).map_err(|_| self.unreadable("it is not a text"))
    }

    fn unreadable(&self, why: &str) -> StoreError {
        StoreError::Unreadable { what: self.table, why: format!("column {}: {why}", self.next) }
    }
}
