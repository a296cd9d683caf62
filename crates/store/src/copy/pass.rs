//! Bringing tables over: any number of workers, each with a connection to both sides, take one table after the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::marks::{self, Progress, progress_of};
use super::tables::Table;
use super::{CopyError, CopyOptions, CopyPhase, Meter, Side, Wanted};

/// One call's work.
pub struct Pass<'a> {
    waiting: Mutex<VecDeque<&'a Table>>,
    meter: Meter<'a>,
    options: &'a CopyOptions<'a>,
    batches: AtomicU64,
    /// One worker failed; the others end too.
    failed: AtomicBool,
}

impl<'a> Pass<'a> {
    /// Over all tables, which have so many rows.
    pub fn new(tables: &'a [Table], rows: u64, options: &'a CopyOptions<'a>) -> Self {
        Self {
            waiting: Mutex::new(tables.iter().collect()),
            meter: Meter::new(options, CopyPhase::Copying, rows),
            options,
            batches: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// Brings table after table over until none is left.
    pub fn work(&self, source: &mut dyn Side, target: &mut dyn Side) -> Result<(), CopyError> {
        while let Some(table) = self.next() {
            let copied = self.copy(table, source, target);
            if copied.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            copied?;
        }
        Ok(())
    }

    /// Rows that earlier calls had brought over.
    pub fn rows_before(&self) -> u64 {
        self.meter.rows_before()
    }

    fn next(&self) -> Option<&'a Table> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Relaxed) { None } else { waiting.pop_front() }
    }

    fn copy(&self, table: &Table, source: &mut dyn Side, target: &mut dyn Side) -> Result<(), CopyError> {
        let name = progress_of(table);
        let mut progress: Progress = marks::read(target.meta(&name)?)?.unwrap_or_default();
        self.meter.skip(table, progress.rows);
        if progress.done {
            return Ok(());
        }
        let after = progress.after.clone();
        source.rows(table, Wanted::After(&after), &mut |batch| {
            self.begin_batch()?;
            progress = Progress { rows: progress.rows.saturating_add(batch.rows()), after: batch.last_key(table), done: false };
            target.write(Some((table, batch)), (&name, &marks::written(&progress)?))?;
            self.meter.add(table, batch.rows());
            Ok(())
        })?;
        target.settle(table)?;
        target.write(None, (&name, &marks::written(&Progress { done: true, ..progress })?))
    }

    /// Refuses one batch more than the limit, and any when another worker failed.
    fn begin_batch(&self) -> Result<(), CopyError> {
        let before = self.batches.fetch_add(1, Ordering::Relaxed);
        if self.options.batches_max.is_some_and(|limit| before >= limit) || self.failed.load(Ordering::Relaxed) {
            return Err(CopyError::Ended(self.meter.done()));
        }
        Ok(())
    }
}

/// The first error that says why; workers that ended because another failed do not.
pub fn all_of(results: impl IntoIterator<Item = Result<(), CopyError>>) -> Result<(), CopyError> {
    let mut all = Ok(());
    for result in results {
        all = match (all, result) {
            (Ok(()) | Err(CopyError::Ended(_)), Err(error)) => Err(error),
            (all, _) => all,
        };
    }
    all
}

/// Rows of all tables.
pub fn count(side: &mut dyn Side, tables: &[Table]) -> Result<u64, CopyError> {
    tables.iter().try_fold(0_u64, |sum, table| Ok(sum.saturating_add(side.count(table)?)))
}
