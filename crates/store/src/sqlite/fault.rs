use std::sync::Arc;

use rusqlite::{Error, ErrorCode, ffi};

use crate::StoreError;

/// Says what an error of SQLite means for the caller.
pub fn fault(error: Error) -> StoreError {
    let Error::SqliteFailure(failure, text) = &error else {
        return conversion(error);
    };
    match failure.code {
        // A disk that had a failure may be mounted for reading alone until somebody has looked at it.
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory => StoreError::TryAgain(Arc::new(error)),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text.clone().unwrap_or_else(|| failure.to_string())),
        ErrorCode::ConstraintViolation if failure.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE => {
            taken(text.as_deref().unwrap_or_default()).unwrap_or_else(|| StoreError::Statement(Arc::new(error)))
        }
        _ => StoreError::Statement(Arc::new(error)),
    }
}

/// Says what an error of COMMIT means: after a failed write to the disk the commit may be found done when the file is opened again.
pub fn commit_fault(error: Error) -> StoreError {
    match &error {
        Error::SqliteFailure(failure, _) if failure.code == ErrorCode::SystemIoFailure => StoreError::Unsure(Arc::new(error)),
        _ => fault(error),
    }
}

fn conversion(error: Error) -> StoreError {
    match &error {
        Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::Utf8Error(..) | Error::InvalidColumnType(..) => {
            StoreError::Unreadable { what: "row", why: error.to_string() }
        }
        _ => StoreError::Statement(Arc::new(error)),
    }
}

/// The field that a unique index guards, from SQLite's text `UNIQUE constraint failed: table.column, …`.
fn taken(text: &str) -> Option<StoreError> {
    let guarded = [("credentials.lookup", "lookup"), ("payments.payment_reference", "payment_reference"), ("accounts.account", "account")];
    guarded.into_iter().find(|(column, _)| text.contains(column)).map(|(_, field)| StoreError::Taken(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_can_mend_is_passing() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_READONLY, ffi::SQLITE_READONLY_DIRECTORY] {
            let error = fault(Error::SqliteFailure(ffi::Error::new(code), None));
            assert!(error.is_passing(), "{error:?}");
        }
    }
}
