//! A PostgreSQL, as of one instant, becomes a file, while it is served.

use std::path::Path;
use std::sync::Arc;

use super::marks::{INSTALLATION, SOURCE, TARGET, TargetMark, refuse_if_withheld, written};
use super::pass::{Pass, count};
use super::tables::{Table, tables};
use super::verify::{compare, tally_of};
use super::{CopyError, CopyOptions, CopyPhase, CopyReport, Meter, Side as _};
use crate::postgres::{PostgresSide, SCHEMA_VERSION};
use crate::sqlite::{SqliteSide, create_for_owner};
use crate::{PostgresOptions, StoreError};

/// Copies a database into a new file, and verifies. Nothing is left of a file that could not be finished.
pub fn copy_to_sqlite(from: &PostgresOptions, file: &Path, options: &CopyOptions<'_>) -> Result<CopyReport, CopyError> {
    // The name is taken first, so that no file is ever overwritten, not even one that appears meanwhile.
    create_for_owner(file).map_err(|error| StoreError::Statement(Arc::new(error)))?;
    // On a thread of its own: the caller may be one of a runtime.
    let copied = std::thread::scope(|scope| super::joined(scope.spawn(|| copy(from, file, options))));
    if copied.is_err() {
        remove(file);
    }
    copied
}

fn copy(from: &PostgresOptions, file: &Path, options: &CopyOptions<'_>) -> Result<CopyReport, CopyError> {
    let tables = tables();
    let mut source = PostgresSide::connect(from, options.batch_rows)?;
    source.must_be_current()?;
    refuse_if_withheld(options.from, source.meta(SOURCE)?, source.meta(TARGET)?)?;
    source.begin_snapshot()?;
    let mut target = SqliteSide::writer(file, options.batch_rows)?;
    // If this process is killed, the file says by itself that it is not whole.
    let mark = TargetMark { id: String::new(), from: options.from.to_owned(), migrations: SCHEMA_VERSION, finished: false };
    target.write(None, (TARGET, &written(&mark)?))?;
    target.write(None, (INSTALLATION, &source.meta(INSTALLATION)?.unwrap_or_default()))?;
    let rows = count(&mut source, &tables)?;
    Pass::new(&tables, rows, options).work(&mut source, &mut target)?;
    let tallies = {
        let all: Vec<&Table> = tables.iter().collect();
        let meter = Meter::new(options, CopyPhase::Verifying, rows.saturating_mul(2));
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| tally_of(&mut target, &all, &meter));
            let ours = tally_of(&mut source, &all, &meter);
            (super::joined(theirs), ours)
        });
        compare(ours?, &theirs?)?
    };
    target.forget("copy:")?;
    target.end()?;
    Ok(CopyReport { tables: tallies, rows_before: 0 })
}

fn remove(file: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, file = %name.display(), "an unfinished copy is left over");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
