//! SQLite's file layer over a [`Disk`]: the only place of the simulator with unsafe code, because SQLite is C.
//!
//! Locks and the shared memory of the write-ahead log live in this process, and die with a crash as they would with the machine.

mod file;
mod shared_memory;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::dice::Dice;
use crate::disk::{Disk, DiskError};
use file::OpenFile;
use shared_memory::SharedMemory;

const PATH_LENGTH_MAX: c_int = 512;
/// 1970-01-01 in the Julian milliseconds that SQLite counts in.
const UNIX_EPOCH_JULIAN_MS: i64 = 210_866_760_000_000;

static REGISTERED: AtomicU64 = AtomicU64::new(0);

/// A file layer that SQLite knows by name for as long as this lives.
#[derive(Debug)]
pub struct Vfs {
    name: String,
    shared: Arc<Shared>,
    registration: *mut Registration,
}

/// What all connections of one file layer share.
#[derive(Debug)]
struct Shared {
    disk: Disk,
    places: Mutex<Places>,
}

#[derive(Debug)]
struct Places {
    dice: Dice,
    open_files: usize,
    last_number: u64,
    /// Lock levels by file and by open file; a crash makes the older generation's meaningless.
    locks: BTreeMap<(String, u64), BTreeMap<u64, c_int>>,
    memory: BTreeMap<(String, u64), Arc<SharedMemory>>,
}

#[derive(Debug)]
struct Registration {
    vfs: ffi::sqlite3_vfs,
    _name: CString,
    shared: Arc<Shared>,
}

impl Vfs {
    /// Registers a file layer over `disk`, under a name of its own.
    ///
    /// # Panics
    /// When SQLite cannot register it: only for want of memory.
    pub fn register(disk: &Disk, seed: u64) -> Self {
        let number = REGISTERED.fetch_add(1, Ordering::Relaxed);
        let name = format!("refundry-sim-{number}");
        let places =
            Places { dice: Dice::new(seed, "sqlite"), open_files: 0, last_number: 0, locks: BTreeMap::new(), memory: BTreeMap::new() };
        let shared = Arc::new(Shared { disk: disk.clone(), places: Mutex::new(places) });
        let c_name = CString::new(name.as_str()).expect("a name of letters and digits has no zero byte");
        let vfs = description(&c_name);
        let mut registration = Box::new(Registration { vfs, _name: c_name, shared: shared.clone() });
        registration.vfs.pAppData = (&raw mut registration.shared).cast();
        let registration = Box::into_raw(registration);
        let code = enlist(registration);
        assert_eq!(code, ffi::SQLITE_OK, "SQLite registers a file layer");
        Self { name, shared, registration }
    }

    /// The name to open connections with.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vfs {
    fn drop(&mut self) {
        let in_use = self.shared.places().open_files > 0;
        delist(self.registration, in_use);
    }
}

#[expect(unsafe_code, reason = "SQLite's list of file layers takes a raw pointer; the box stays alive until it is delisted")]
fn enlist(registration: *mut Registration) -> c_int {
    unsafe { ffi::sqlite3_vfs_register(&raw mut (*registration).vfs, 0) }
}

#[expect(unsafe_code, reason = "the pointer came from Box::into_raw and is freed once, and only when no connection can use it any more")]
fn delist(registration: *mut Registration, in_use: bool) {
    unsafe {
        ffi::sqlite3_vfs_unregister(&raw mut (*registration).vfs);
        if !in_use {
            drop(Box::from_raw(registration));
        }
    }
}

fn description(name: &CStr) -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).unwrap_or(c_int::MAX),
        mxPathname: PATH_LENGTH_MAX,
        pNext: null_mut(),
        zName: name.as_ptr(),
        pAppData: null_mut(),
        xOpen: Some(file::open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

impl Shared {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The code by which SQLite knows what went wrong; `otherwise` is the operation's own.
const fn code_of(error: DiskError, otherwise: c_int) -> c_int {
    match error {
        DiskError::Full => ffi::SQLITE_FULL,
        DiskError::Crashed | DiskError::Broken | DiskError::Missing => otherwise,
    }
}

#[expect(unsafe_code, reason = "SQLite hands back the registered structure, whose pAppData points to the Arc beside it")]
unsafe fn shared_of<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Arc<Shared> {
    unsafe { &*(*vfs).pAppData.cast::<Arc<Shared>>() }
}

#[expect(unsafe_code, reason = "SQLite passes a name that ends in zero")]
unsafe fn text<'a>(name: *const c_char) -> std::borrow::Cow<'a, str> {
    unsafe { CStr::from_ptr(name) }.to_string_lossy()
}

#[expect(unsafe_code, reason = "called by SQLite with the registered structure and a name")]
unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let (shared, name) = unsafe { (shared_of(vfs), text(name)) };
    match shared.disk.remove(&name, sync_folder != 0) {
        Ok(()) => ffi::SQLITE_OK,
        Err(DiskError::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(error) => code_of(error, ffi::SQLITE_IOERR_DELETE),
    }
}

#[expect(unsafe_code, reason = "called by SQLite with the registered structure, a name and a place for the answer")]
unsafe extern "C" fn access(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, _flags: c_int, answer: *mut c_int) -> c_int {
    unsafe { *answer = c_int::from(shared_of(vfs).disk.exists(&text(name))) };
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "called by SQLite with a name and room for `room` bytes")]
unsafe extern "C" fn full_pathname(_: *mut ffi::sqlite3_vfs, name: *const c_char, room: c_int, into: *mut c_char) -> c_int {
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > usize::try_from(room).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    unsafe { bytes.as_ptr().cast::<c_char>().copy_to_nonoverlapping(into, bytes.len()) };
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "called by SQLite with room for `count` bytes")]
unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, count: c_int, into: *mut c_char) -> c_int {
    let room = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), usize::try_from(count).unwrap_or(0)) };
    let mut places = unsafe { shared_of(vfs) }.places();
    for byte in room {
        *byte = places.dice.throw().to_le_bytes()[0];
    }
    count
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, us: c_int) -> c_int {
    us
}

#[expect(unsafe_code, reason = "called by SQLite with a place for the time")]
unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, _days: *mut f64) -> c_int {
    ffi::SQLITE_ERROR
}

#[expect(unsafe_code, reason = "called by SQLite with a place for the time")]
unsafe extern "C" fn current_time_ms(_: *mut ffi::sqlite3_vfs, ms: *mut ffi::sqlite3_int64) -> c_int {
    unsafe { *ms = UNIX_EPOCH_JULIAN_MS };
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    ffi::SQLITE_OK
}

#[cfg(test)]
mod tests;
