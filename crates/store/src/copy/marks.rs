//! What is written down of a copy, as rows of `meta`: in the source that it is being moved, in the target whose copy it is and how far it has come.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::CopyError;
use super::rows::KeyPart;
use super::tables::Table;
use crate::StoreError;

/// The name of the source's mark.
pub const SOURCE: &str = "copy:source";
/// The name of the target's mark.
pub const TARGET: &str = "copy:target";
/// Says which installation it is; the target becomes the same one.
pub const INSTALLATION: &str = "installation";

/// In the source: from now on nobody writes here.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct SourceMark {
    /// The copy.
    pub id: String,
    /// Where to, as it may be shown.
    pub to: String,
    /// All is there and verified.
    pub finished: bool,
}

/// In the target.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct TargetMark {
    /// The copy.
    pub id: String,
    /// Where from, as it may be shown.
    pub from: String,
    /// How many migrations the program knew that began.
    pub migrations: usize,
    /// All is there and verified.
    pub finished: bool,
}

/// How far a table has come.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Rows that are in the target.
    pub rows: u64,
    /// The key of the last of them; empty before the first.
    pub after: Vec<KeyPart>,
    /// There are no more.
    pub done: bool,
}

/// The name under which the progress of a table is kept.
pub fn progress_of(table: &Table) -> String {
    format!("copy:table:{}", table.name)
}

/// A mark as it is stored.
pub fn written(mark: &impl Serialize) -> Result<String, CopyError> {
    serde_json::to_string(mark).map_err(|error| damaged(&error).into())
}

/// A mark from what is stored.
pub fn read<T: DeserializeOwned>(stored: Option<String>) -> Result<Option<T>, StoreError> {
    stored.map(|text| serde_json::from_str(&text).map_err(|error| damaged(&error))).transpose()
}

/// Refuses a database that must not be served: its data are elsewhere already, or not all here yet. `place` is its address.
pub fn refuse_if_withheld(place: &str, source: Option<String>, target: Option<String>) -> Result<(), StoreError> {
    if let Some(SourceMark { to, finished, .. }) = read(source)? {
        return Err(StoreError::Withheld(if finished {
            format!(
                "what was here was moved to {to}: serve that database. To take it back, and with it lose what was done there: \
                 refundry copy --give-up --although-moved --from {place} / 数据已迁移至 {to}，请改用该数据库。\
                 若要退回（迁移后在新库中的操作将丢失）：refundry copy --give-up --although-moved --from {place}"
            )
        } else {
            format!(
                "it is being copied to {to}: run the same `refundry copy` again until it says verified. To stay here instead: \
                 refundry copy --give-up --from {place} / 正在复制到 {to}：请重复执行同一 refundry copy 命令直至显示已核对。\
                 若放弃迁移、继续使用本库：refundry copy --give-up --from {place}"
            )
        }));
    }
    match read(target)? {
        Some(TargetMark { from, finished: false, .. }) => Err(StoreError::Withheld(format!(
            "the copy from {from} into it is not finished: run the same `refundry copy` again until it says verified \
             / 从 {from} 到本库的复制尚未完成：请重复执行同一 refundry copy 命令直至显示已核对"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("what is written about a copy cannot be read: {error}"))
}
