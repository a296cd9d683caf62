use std::sync::Arc;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Says what an error of PostgreSQL means for the caller.
pub fn fault(error: Error) -> StoreError {
    if is_lost(&error) || is_conflict(&error) {
        return StoreError::Conflict(Arc::new(error));
    }
    let Some(failure) = error.as_db_error() else {
        return StoreError::Statement(Arc::new(error));
    };
    if *failure.code() == SqlState::UNIQUE_VIOLATION {
        let guarded =
            [("credentials_by_lookup", "lookup"), ("payments_by_reference", "payment_reference"), ("accounts_by_number", "account")];
        let taken = guarded.into_iter().find(|(index, _)| failure.constraint() == Some(index));
        return taken.map_or_else(|| StoreError::Statement(Arc::new(error)), |(_, field)| StoreError::Taken(field));
    }
    // 53: no room on the disk, no memory, no more connections.
    if failure.code().code().starts_with("53") {
        return StoreError::TryAgain(Arc::new(error));
    }
    StoreError::Statement(Arc::new(error))
}

/// The connection is gone, or leads to a server that does not write any more.
pub fn is_lost(error: &Error) -> bool {
    let lost = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::IDLE_SESSION_TIMEOUT,
    ];
    match error.code() {
        Some(code) => lost.contains(code) || code.code().starts_with("08"),
        // Without an answer of the server only the connection can have failed, or our own parameters.
        None => error.is_closed() || source_is_io(error),
    }
}

/// Somebody else was faster, or held a lock for too long: the same again may pass.
fn is_conflict(error: &Error) -> bool {
    let conflicts =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];
    error.code().is_some_and(|code| conflicts.contains(code))
}

fn source_is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}
