//! Copies everything from one database into another, of whichever kind: in batches whose progress is committed with them, so that a copy goes on where
//! it was interrupted, and verified by reading both sides again. A file that moves to PostgreSQL is marked first, so that nobody writes to it any more;
//! a PostgreSQL is copied into a file as of one instant, while it is served.

mod marks;
mod pass;
mod rows;
mod tables;
mod tally;
mod to_postgres;
mod to_sqlite;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};

use std::thread::ScopedJoinHandle;
use thiserror::Error;

use self::rows::{Batch, KeyPart};
use self::tables::Table;
use crate::StoreError;

pub(crate) use marks::{SOURCE, TARGET, refuse_if_withheld};
pub use tally::Tally;
pub use to_postgres::{copy_to_postgres, give_up};
pub use to_sqlite::copy_to_sqlite;

pub(crate) mod form {
    //! What a side reads and writes.

    pub use super::rows::{Batch, KeyPart, fields, number, row_length};
    pub use super::tables::{Kind, Table};
    pub(crate) use super::{CopyError, Side, Wanted};
}

/// How a copy is made.
#[derive(Clone, Copy)]
pub struct CopyOptions<'a> {
    /// The source as it may be shown, without a password.
    pub from: &'a str,
    /// The target as it may be shown.
    pub to: &'a str,
    /// Rows of a batch.
    pub batch_rows: u64,
    /// Batches after which the copy ends, to go on when it is called again; `None` for no limit.
    pub batches_max: Option<u64>,
    /// Tables that are copied at once.
    pub threads: usize,
    /// Hears of every batch.
    pub observer: &'a (dyn Fn(CopyProgress) + Sync),
}

impl<'a> CopyOptions<'a> {
    /// As most want it.
    pub fn new(from: &'a str, to: &'a str) -> Self {
        Self { from, to, batch_rows: rows::ROWS_MAX, batches_max: None, threads: 4, observer: &|_| {} }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is done now.
    pub phase: CopyPhase,
    /// The table of the last batch.
    pub table: &'static str,
    /// Rows that this phase is done with, of all tables.
    pub rows: u64,
    /// Those of them that earlier calls did.
    pub rows_before: u64,
    /// Rows that it will come to.
    pub rows_total: u64,
}

/// What a copy does one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyPhase {
    /// Rows are brought over.
    Copying,
    /// Both sides are read again and compared.
    Verifying,
}

/// A copy that is complete and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// What both sides have, table by table.
    pub tables: Vec<(&'static str, Tally)>,
    /// Rows that an earlier call had brought over.
    pub rows_before: u64,
}

/// Where the two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// What of it: `rows`, `hash`, or an amount and its currency.
    pub what: String,
    /// In the source.
    pub source: String,
    /// In the target.
    pub target: String,
}

/// Why a copy was not made, or not to its end.
#[derive(Clone, Debug, Error)]
pub enum CopyError {
    /// The database did not do it.
    #[error("the database did not do it / 数据库未能完成")]
    Store(#[from] StoreError),
    /// There is nothing to copy.
    #[error("there is no database {0} / 数据库 {0} 不存在")]
    Missing(String),
    /// Another process has the source open.
    #[error(
        "another process has {0} open: end `refundry serve`, and whatever else works on it, first / {0} 正被其他进程使用：请先停止 refundry serve 等进程"
    )]
    InUse(String),
    /// Nodes serve the target.
    #[error("{0} is being served: end its processes first / {0} 正在被使用：请先停止相关进程")]
    Served(String),
    /// Another process copies into the target.
    #[error("another copy into {0} is under way / 另一个复制到 {0} 的任务正在进行")]
    Busy(String),
    /// The target has rows.
    #[error("{target} is not empty: {table} has rows; name an empty database / {target} 不是空库（{table} 有数据）：请指定一个空数据库")]
    NotEmpty {
        /// The target.
        target: String,
        /// A table of it.
        table: &'static str,
    },
    /// The target holds a part of another copy.
    #[error(
        "{0} holds an unfinished copy of something else, or of an earlier state; empty it first / {0} 中有另一次未完成的复制：请先清空"
    )]
    OtherCopy(String),
    /// The source is on its way elsewhere.
    #[error(
        "it is being copied to {0} already: go on with that, or run `refundry copy --give-up` first \
         / 已在复制到 {0}：请继续该任务，或先执行 refundry copy --give-up"
    )]
    MovingElsewhere(String),
    /// It was moved, and may live on there.
    #[error(
        "it was moved to {0} completely; whoever gives that up loses what was done there: add --although-moved \
         / 数据已完整迁移至 {0}；放弃将丢失其后的操作，如确需放弃请加 --although-moved"
    )]
    Moved(String),
    /// It was begun by a program of another version.
    #[error("the copy was begun by another version of this program; finish it with that / 该复制由另一版本的程序开始，请用该版本完成")]
    OtherVersion,
    /// The limit of batches was reached.
    #[error(
        "ended at its limit of batches, with {0} rows copied; the same command goes on / 已达批次上限，已复制 {0} 行；再次执行同一命令即可继续"
    )]
    Ended(u64),
    /// Source and target are not the same.
    #[error("{} differences between source and target / 源库与目标库有 {} 处不一致", .0.len(), .0.len())]
    Different(Vec<Difference>),
}

impl CopyError {
    /// A row that the other side cannot hold.
    pub(crate) fn unreadable(table: &Table, why: String) -> Self {
        Self::Store(StoreError::Unreadable { what: table.name, why })
    }
}

/// One of the two databases.
pub(crate) trait Side: Send {
    /// How many rows a table has.
    fn count(&mut self, table: &Table) -> Result<u64, CopyError>;
    /// Reads rows of a table, batch by batch.
    fn rows(&mut self, table: &Table, wanted: Wanted<'_>, each: &mut dyn FnMut(&Batch) -> Result<(), CopyError>) -> Result<(), CopyError>;
    /// A row of `meta`.
    fn meta(&mut self, name: &str) -> Result<Option<String>, CopyError>;
    /// Writes rows of a table and a row of `meta`, in one commit.
    fn write(&mut self, rows: Option<(&Table, &Batch)>, meta: (&str, &str)) -> Result<(), CopyError>;
    /// All rows of a table are there.
    fn settle(&mut self, table: &Table) -> Result<(), CopyError>;
}

/// Which rows, in which order.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Those behind a key, in the order in which SQLite keeps them.
    After(&'a [KeyPart]),
    /// All of them, in whichever order is fastest.
    All,
}

/// What a thread of a copy gave.
fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, CopyError>>) -> Result<T, CopyError> {
    thread.join().unwrap_or_else(|_| Err(StoreError::Poisoned("a thread of the copy stopped by a panic".to_owned()).into()))
}

/// Counts what a phase is done with.
struct Meter<'a> {
    options: &'a CopyOptions<'a>,
    phase: CopyPhase,
    total: u64,
    done: AtomicU64,
    before: AtomicU64,
}

impl<'a> Meter<'a> {
    const fn new(options: &'a CopyOptions<'a>, phase: CopyPhase, total: u64) -> Self {
        Self { options, phase, total, done: AtomicU64::new(0), before: AtomicU64::new(0) }
    }

    fn add(&self, table: &Table, rows: u64) {
        let rows = self.done.fetch_add(rows, Ordering::Relaxed).saturating_add(rows);
        let Self { phase, total: rows_total, .. } = *self;
        (self.options.observer)(CopyProgress { phase, table: table.name, rows, rows_before: self.rows_before(), rows_total });
    }

    /// Rows that an earlier call did.
    fn skip(&self, table: &Table, rows: u64) {
        self.before.fetch_add(rows, Ordering::Relaxed);
        self.add(table, rows);
    }

    fn rows_before(&self) -> u64 {
        self.before.load(Ordering::Relaxed)
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

impl From<CopyError> for StoreError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => error,
            other => Self::Statement(std::sync::Arc::new(other)),
        }
    }
}
