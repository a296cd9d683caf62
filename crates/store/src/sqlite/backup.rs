use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::connect::create_for_owner;
use super::fault::fault;
use crate::StoreError;

/// Copies the database as it is now into a new file. Writers go on; the copy is made of one snapshot.
pub fn backup(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    // The name is taken first, so that no file is ever overwritten, not even one that appears meanwhile.
    create_for_owner(file).map_err(|error| StoreError::Statement(Arc::new(error)))?;
    let copied = copy(connection, file);
    if copied.is_err()
        && let Err(error) = std::fs::remove_file(file)
    {
        tracing::warn!(%error, file = %file.display(), "an unfinished backup is left over");
    }
    copied
}

fn copy(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let mut copy = Connection::open(file).map_err(fault)?;
    {
        let backup = Backup::new(connection, &mut copy).map_err(fault)?;
        // A negative number is all pages in one step: the step holds one snapshot, so no commit makes it begin again.
        if backup.step(-1).map_err(fault)? != StepResult::Done {
            return Err(StoreError::TryAgain(Arc::new(std::io::Error::other("the database is locked by another process"))));
        }
    }
    let state: String = copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(fault)?;
    tracing::debug!(journal_mode = state, "the copy is a single file");
    copy.close().map_err(|(_, error)| fault(error))
}
