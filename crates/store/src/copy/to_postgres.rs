//! A file moves to PostgreSQL.

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::marks::{self, INSTALLATION, SOURCE, SourceMark, TARGET, TargetMark, written};
use super::pass::{Pass, all_of, count};
use super::tables::{Table, tables};
use super::tally::Tally;
use super::verify::{compare, tally_of};
use super::{CopyError, CopyOptions, CopyPhase, CopyReport, Meter, Side as _};
use crate::PostgresOptions;
use crate::postgres::{PostgresSide, SCHEMA_VERSION};
use crate::sqlite::SqliteSide;

/// Copies a file into an empty database, or goes on with it, and verifies. From its first call on nobody writes to the file any more. `None` when all of
/// it was done before: the target may have changed since, so nothing is compared again.
pub fn copy_to_postgres(file: &Path, to: &PostgresOptions, options: &CopyOptions<'_>) -> Result<Option<CopyReport>, CopyError> {
    // On a thread of its own: the caller may be one of a runtime.
    std::thread::scope(|scope| super::joined(scope.spawn(|| Moving { file, to, options, tables: tables() }.run())))
}

/// Lets the file be served again; what was copied is worth nothing then. False when it was not being copied. `although_moved` also takes back a file
/// whose copy is complete.
pub fn give_up(file: &Path, although_moved: bool) -> Result<bool, CopyError> {
    let mut source = SqliteSide::alone(file)?;
    match marks::read::<SourceMark>(source.meta(SOURCE)?)? {
        None => Ok(false),
        Some(mark) if mark.finished && !although_moved => Err(CopyError::Moved(mark.to)),
        Some(_) => source.forget(SOURCE).map(|()| true),
    }
}

struct Moving<'a> {
    file: &'a Path,
    to: &'a PostgresOptions,
    options: &'a CopyOptions<'a>,
    tables: Vec<Table>,
}

impl Moving<'_> {
    fn run(&self) -> Result<Option<CopyReport>, CopyError> {
        let mut target = self.target()?;
        let (source_mark, target_mark) = self.begin(&mut target)?;
        if target_mark.finished {
            self.mark_moved(source_mark)?;
            return Ok(None);
        }
        let rows = count(&mut self.source()?, &self.tables)?;
        let pass = Pass::new(&self.tables, rows, self.options);
        all_of(self.at_once(|| pass.work(&mut self.source()?, &mut self.target()?)))?;
        let tallies = self.verify(rows)?;
        let finished = TargetMark { finished: true, ..target_mark };
        target.finish((TARGET, &written(&finished)?))?;
        self.mark_moved(source_mark)?;
        Ok(Some(CopyReport { tables: tallies, rows_before: pass.rows_before() }))
    }

    /// Marks both sides, unless they are marked as sides of this copy already.
    fn begin(&self, target: &mut PostgresSide) -> Result<(SourceMark, TargetMark), CopyError> {
        let mut source = SqliteSide::alone(self.file)?;
        let to = || self.options.to.to_owned();
        if !target.lock()? {
            return Err(CopyError::Busy(to()));
        }
        target.migrate()?;
        let (ours, theirs) = (source.meta(SOURCE)?, target.meta(TARGET)?);
        let (ours, theirs): (Option<SourceMark>, Option<TargetMark>) = (marks::read(ours)?, marks::read(theirs)?);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours.id == theirs.id => {
                if theirs.migrations != SCHEMA_VERSION && !theirs.finished {
                    return Err(CopyError::OtherVersion);
                }
                Ok((ours, theirs))
            }
            (_, Some(_)) => Err(CopyError::OtherCopy(to())),
            (Some(ours), None) if ours.finished || ours.to != self.options.to => Err(CopyError::MovingElsewhere(ours.to)),
            (ours, None) => {
                let id = ours.map_or_else(|| source.new_name(), |ours| Ok(ours.id))?;
                self.mark(&mut source, target, id)
            }
        }
    }

    /// The source first: what is marked there alone goes on with the next call.
    fn mark(&self, source: &mut SqliteSide, target: &PostgresSide, id: String) -> Result<(SourceMark, TargetMark), CopyError> {
        let CopyOptions { from, to, .. } = *self.options;
        if target.is_served()? {
            return Err(CopyError::Served(to.to_owned()));
        }
        if let Some(table) = target.begin_alone(&self.tables)? {
            return Err(CopyError::NotEmpty { target: to.to_owned(), table });
        }
        let ours = SourceMark { id: id.clone(), to: to.to_owned(), finished: false };
        let theirs = TargetMark { id, from: from.to_owned(), migrations: SCHEMA_VERSION, finished: false };
        source.write(None, (SOURCE, &written(&ours)?))?;
        let installation = source.meta(INSTALLATION)?.unwrap_or_default();
        target.put_meta(&[(TARGET, &written(&theirs)?), (INSTALLATION, &installation)])?;
        target.run("COMMIT")?;
        Ok((ours, theirs))
    }

    fn verify(&self, rows: u64) -> Result<Vec<(&'static str, Tally)>, CopyError> {
        let meter = Meter::new(self.options, CopyPhase::Verifying, rows.saturating_mul(2));
        let (sources, targets) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let waiting = Mutex::new(self.tables.iter().flat_map(|table| [(table, true), (table, false)]).rev().collect::<Vec<_>>());
        let put = |all: &Mutex<Vec<_>>, found| all.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        all_of(self.at_once(|| {
            let (mut source, mut target) = (self.source()?, self.target()?);
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                match next {
                    Some((table, true)) => put(&sources, tally_of(&mut source, &[table], &meter)?),
                    Some((table, false)) => put(&targets, tally_of(&mut target, &[table], &meter)?),
                    None => return Ok(()),
                }
            }
        }))?;
        let taken = |all: Mutex<Vec<_>>| all.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut sources = taken(sources);
        let place = |name: &str| self.tables.iter().position(|table| table.name == name);
        sources.sort_by_key(|(name, _)| place(name));
        compare(sources, &taken(targets))
    }

    fn mark_moved(&self, mark: SourceMark) -> Result<(), CopyError> {
        if mark.finished {
            return Ok(());
        }
        let moved = SourceMark { finished: true, ..mark };
        SqliteSide::alone(self.file)?.write(None, (SOURCE, &written(&moved)?))
    }

    /// Does the same on as many threads as the options say.
    fn at_once(&self, work: impl Fn() -> Result<(), CopyError> + Sync) -> Vec<Result<(), CopyError>> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.options.threads.max(1)).map(|_| scope.spawn(&work)).collect();
            threads.into_iter().map(super::joined).collect()
        })
    }

    fn source(&self) -> Result<SqliteSide, CopyError> {
        SqliteSide::reader(self.file, self.options.batch_rows)
    }

    fn target(&self) -> Result<PostgresSide, CopyError> {
        PostgresSide::connect(self.to, self.options.batch_rows)
    }
}
