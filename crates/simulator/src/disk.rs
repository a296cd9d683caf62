//! A disk in memory that keeps, beside what programs see, what would still be there after the power went: a file is durable up to its last
//! sync, a name up to the last sync of the folder. Absent on purpose: folders, permissions, read errors.

mod contents;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dice::Dice;
use contents::Contents;

pub use contents::SECTOR;

/// Why the disk did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// The process that opened the file is dead.
    Crashed,
    /// No space is left.
    Full,
    /// The device said no.
    Broken,
    /// There is no such file.
    Missing,
}

/// What the disk does wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// Writes that make a file longer find no space.
    Full,
    /// Writes fail.
    WritesFail,
    /// Syncs fail; what was written since the last good one may or may not be there after a crash.
    SyncsFail,
}

/// How a crash treats what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The process died, the machine lives: everything written is there.
    Nothing,
    /// All of it is gone.
    Everything,
    /// Writes up to some point are there, the last of them perhaps torn.
    Tail,
    /// Each sector decided for itself.
    Scattered,
}

/// A disk; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    generation: u64,
    files: BTreeMap<String, Contents>,
    /// Names whose removal no sync of the folder has confirmed, with what the file durably held.
    removed: BTreeMap<String, Contents>,
    ailment: Option<Ailment>,
    fuse: Option<Fuse>,
    figures: DiskFigures,
}

/// A crash that comes in the middle of something.
#[derive(Debug)]
struct Fuse {
    operations: u32,
    loss: Loss,
    dice: Dice,
}

/// How much a disk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFigures {
    /// Writes taken.
    pub writes: u64,
    /// Syncs done.
    pub syncs: u64,
    /// Crashes survived.
    pub crashes: u64,
    /// Writes and syncs refused by an ailment.
    pub refused: u64,
}

impl Disk {
    /// The power goes: everybody's open files are dead from now on, and of what was not synced the dice keep what `loss` says.
    pub fn crash(&self, loss: Loss, dice: &mut Dice) {
        self.lock().crash(loss, dice);
    }

    /// The power goes by itself after so many more writes, syncs and removals.
    pub fn crash_after(&self, operations: u32, loss: Loss, dice: Dice) {
        self.lock().fuse = Some(Fuse { operations, loss, dice });
    }

    /// From now on the disk is ill, or well again.
    pub fn fall_ill(&self, ailment: Option<Ailment>) {
        self.lock().ailment = ailment;
    }

    /// What it did so far.
    pub fn figures(&self) -> DiskFigures {
        self.lock().figures
    }

    /// A number that every crash raises: files that were opened before are dead.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Whether there is such a file.
    pub fn exists(&self, name: &str) -> bool {
        self.lock().files.contains_key(name)
    }

    /// Makes the file if it is not there.
    pub fn create(&self, name: &str) {
        self.lock().files.entry(name.to_owned()).or_default();
    }

    /// Removes a file; `durably` when the folder is synced too.
    pub fn remove(&self, name: &str, durably: bool) -> Result<(), DiskError> {
        let mut state = self.lock();
        state.burn()?;
        let contents = state.files.remove(name).ok_or(DiskError::Missing)?;
        if durably {
            state.sync_folder();
        } else if contents.is_named() {
            state.removed.insert(name.to_owned(), contents.durable_only());
        }
        Ok(())
    }

    /// Reads at `offset`; returns how many bytes there were, the rest of `into` is zero.
    pub fn read(&self, file: &FileName<'_>, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let state = self.lock_alive(file)?;
        Ok(state.files.get(file.name).ok_or(DiskError::Missing)?.read(offset, into))
    }

    /// Writes at `offset`.
    pub fn write(&self, file: &FileName<'_>, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut state = self.lock_alive(file)?;
        state.burn()?;
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let grows = state.files.get(file.name).is_some_and(|contents| end > contents.len());
        let refused = match state.ailment {
            Some(Ailment::Full) if grows => Some(DiskError::Full),
            Some(Ailment::WritesFail) => Some(DiskError::Broken),
            Some(Ailment::Full | Ailment::SyncsFail) | None => None,
        };
        if let Some(error) = refused {
            state.figures.refused += 1;
            return Err(error);
        }
        state.figures.writes += 1;
        state.files.get_mut(file.name).ok_or(DiskError::Missing)?.write(offset, bytes);
        Ok(())
    }

    /// Cuts the file.
    pub fn truncate(&self, file: &FileName<'_>, len: u64) -> Result<(), DiskError> {
        let mut state = self.lock_alive(file)?;
        state.burn()?;
        state.files.get_mut(file.name).ok_or(DiskError::Missing)?.truncate(len);
        Ok(())
    }

    /// Makes durable what was written. The first sync of a new file syncs its folder too, as SQLite's own layer does on Unix.
    pub fn sync(&self, file: &FileName<'_>) -> Result<(), DiskError> {
        let mut state = self.lock_alive(file)?;
        state.burn()?;
        if state.ailment == Some(Ailment::SyncsFail) {
            state.figures.refused += 1;
            return Err(DiskError::Broken);
        }
        state.figures.syncs += 1;
        let contents = state.files.get_mut(file.name).ok_or(DiskError::Missing)?;
        let is_new = !contents.is_named();
        contents.sync();
        if is_new {
            state.sync_folder();
        }
        Ok(())
    }

    /// Bytes in the file.
    pub fn len(&self, file: &FileName<'_>) -> Result<u64, DiskError> {
        let state = self.lock_alive(file)?;
        Ok(state.files.get(file.name).ok_or(DiskError::Missing)?.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_alive(&self, file: &FileName<'_>) -> Result<MutexGuard<'_, State>, DiskError> {
        let state = self.lock();
        if state.generation == file.generation { Ok(state) } else { Err(DiskError::Crashed) }
    }
}

impl State {
    fn crash(&mut self, loss: Loss, dice: &mut Dice) {
        self.generation += 1;
        self.ailment = None;
        self.fuse = None;
        self.figures.crashes += 1;
        if loss == Loss::Nothing {
            return;
        }
        let mut survivors = BTreeMap::new();
        for (name, mut contents) in std::mem::take(&mut self.files) {
            let name_survives = contents.is_named() || (loss != Loss::Everything && dice.percent(50));
            contents.lose(loss, dice);
            if name_survives {
                survivors.insert(name, contents);
            }
        }
        for (name, contents) in std::mem::take(&mut self.removed) {
            if !survivors.contains_key(&name) && dice.percent(50) {
                survivors.insert(name, contents);
            }
        }
        self.files = survivors;
    }

    /// One operation nearer to the crash that was planned; at its end the operation is not done.
    fn burn(&mut self) -> Result<(), DiskError> {
        match self.fuse.take() {
            None => Ok(()),
            Some(fuse) if fuse.operations > 0 => {
                self.fuse = Some(Fuse { operations: fuse.operations - 1, ..fuse });
                Ok(())
            }
            Some(mut fuse) => {
                self.crash(fuse.loss, &mut fuse.dice);
                Err(DiskError::Crashed)
            }
        }
    }

    /// Names that are there stay, names that were removed do not come back.
    fn sync_folder(&mut self) {
        self.removed.clear();
        self.files.values_mut().for_each(Contents::name_durably);
    }
}

/// An open file: its name, and in which life of the machine it was opened.
#[derive(Clone, Copy, Debug)]
pub struct FileName<'a> {
    /// The name.
    pub name: &'a str,
    /// [`Disk::generation`] when it was opened.
    pub generation: u64,
}

#[cfg(test)]
mod tests;
