//! What SQLite does with one open file.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use rusqlite::ffi;

use super::shared_memory::SharedMemory;
use super::{Shared, code_of, shared_of, text};
use crate::disk::{DiskError, FileName, SECTOR};

/// What SQLite keeps per file; it gives the memory, we give the handle.
#[repr(C)]
pub struct OpenFile {
    base: ffi::sqlite3_file,
    file: *mut File,
}

/// An open file of ours.
struct File {
    shared: Arc<Shared>,
    number: u64,
    name: String,
    generation: u64,
    delete_on_close: bool,
    memory: Option<Arc<SharedMemory>>,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

impl File {
    fn disk_name(&self) -> FileName<'_> {
        FileName { name: &self.name, generation: self.generation }
    }

    fn key(&self) -> (String, u64) {
        (self.name.clone(), self.generation)
    }

    fn is_alive(&self) -> bool {
        self.shared.disk.generation() == self.generation
    }

    fn close(&self) {
        let mut places = self.shared.places();
        places.open_files -= 1;
        if let Some(holders) = places.locks.get_mut(&self.key()) {
            holders.remove(&self.number);
            if holders.is_empty() {
                places.locks.remove(&self.key());
            }
        }
        drop(places);
        if self.delete_on_close && self.is_alive() {
            // The file may have been removed by its name before.
            let _ = self.shared.disk.remove(&self.name, false);
        }
    }

    fn lock(&self, wanted: c_int) -> c_int {
        let mut places = self.shared.places();
        let holders = places.locks.entry(self.key()).or_default();
        let others = holders.iter().filter(|(holder, _)| **holder != self.number).map(|(_, level)| *level).max().unwrap_or(0);
        let mine = holders.get(&self.number).copied().unwrap_or(0);
        if wanted <= mine {
            return ffi::SQLITE_OK;
        }
        let free = match wanted {
            ffi::SQLITE_LOCK_SHARED => others < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_RESERVED => others < ffi::SQLITE_LOCK_RESERVED,
            _ => others == ffi::SQLITE_LOCK_NONE,
        };
        if free {
            holders.insert(self.number, wanted);
            return ffi::SQLITE_OK;
        }
        if wanted == ffi::SQLITE_LOCK_EXCLUSIVE && others <= ffi::SQLITE_LOCK_SHARED {
            holders.insert(self.number, ffi::SQLITE_LOCK_PENDING);
        }
        ffi::SQLITE_BUSY
    }

    fn unlock(&self, level: c_int) {
        let mut places = self.shared.places();
        let holders = places.locks.entry(self.key()).or_default();
        if level == ffi::SQLITE_LOCK_NONE {
            holders.remove(&self.number);
        } else {
            holders.insert(self.number, level);
        }
    }

    fn memory(&mut self) -> Arc<SharedMemory> {
        if let Some(memory) = &self.memory {
            return memory.clone();
        }
        let memory = self.shared.places().memory.entry(self.key()).or_default().clone();
        memory.join(self.number);
        self.memory = Some(memory.clone());
        memory
    }

    fn leave_memory(&mut self, delete: bool) {
        if let Some(memory) = self.memory.take()
            && memory.leave(self.number)
            && delete
        {
            self.shared.places().memory.remove(&self.key());
        }
    }
}

#[expect(unsafe_code, reason = "SQLite passes the memory that it gave to `open`, between a good open and the close")]
unsafe fn file_of<'a>(open_file: *mut ffi::sqlite3_file) -> &'a mut File {
    unsafe { &mut *(*open_file.cast::<OpenFile>()).file }
}

fn code(result: Result<(), DiskError>, otherwise: c_int) -> c_int {
    result.map_or_else(|error| code_of(error, otherwise), |()| ffi::SQLITE_OK)
}

#[expect(unsafe_code, reason = "called by SQLite with the registered structure, a name or none, and memory of szOsFile bytes")]
pub unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    into: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    unsafe { (*into).pMethods = std::ptr::null() };
    let shared = unsafe { shared_of(vfs) };
    let mut places = shared.places();
    places.last_number += 1;
    let number = places.last_number;
    let name = if name.is_null() { format!("temporary-{number}") } else { unsafe { text(name) }.into_owned() };
    let may_create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    if !may_create && !shared.disk.exists(&name) {
        return ffi::SQLITE_CANTOPEN;
    }
    places.open_files += 1;
    drop(places);
    shared.disk.create(&name);
    let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    let generation = shared.disk.generation();
    let file = Box::new(File { shared: shared.clone(), number, name, generation, delete_on_close, memory: None });
    unsafe {
        into.cast::<OpenFile>().write(OpenFile { base: ffi::sqlite3_file { pMethods: &raw const METHODS }, file: Box::into_raw(file) });
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "SQLite closes an open file once; the handle came from Box::into_raw")]
unsafe extern "C" fn close(open_file: *mut ffi::sqlite3_file) -> c_int {
    let mut file = unsafe { Box::from_raw((*open_file.cast::<OpenFile>()).file) };
    file.leave_memory(false);
    file.close();
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "called by SQLite with room for `count` bytes")]
unsafe extern "C" fn read(open_file: *mut ffi::sqlite3_file, into: *mut c_void, count: c_int, offset: ffi::sqlite3_int64) -> c_int {
    let file = unsafe { file_of(open_file) };
    let room = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), usize::try_from(count).unwrap_or(0)) };
    match file.shared.disk.read(&file.disk_name(), u64::try_from(offset).unwrap_or(u64::MAX), room) {
        Ok(read) if read == room.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(error) => code_of(error, ffi::SQLITE_IOERR_READ),
    }
}

#[expect(unsafe_code, reason = "called by SQLite with `count` bytes")]
unsafe extern "C" fn write(open_file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, offset: ffi::sqlite3_int64) -> c_int {
    let file = unsafe { file_of(open_file) };
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(count).unwrap_or(0)) };
    code(file.shared.disk.write(&file.disk_name(), u64::try_from(offset).unwrap_or(u64::MAX), bytes), ffi::SQLITE_IOERR_WRITE)
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn truncate(open_file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    let file = unsafe { file_of(open_file) };
    code(file.shared.disk.truncate(&file.disk_name(), u64::try_from(len).unwrap_or(0)), ffi::SQLITE_IOERR_TRUNCATE)
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn sync(open_file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let file = unsafe { file_of(open_file) };
    code(file.shared.disk.sync(&file.disk_name()), ffi::SQLITE_IOERR_FSYNC)
}

#[expect(unsafe_code, reason = "called by SQLite with an open file and a place for the answer")]
unsafe extern "C" fn file_size(open_file: *mut ffi::sqlite3_file, into: *mut ffi::sqlite3_int64) -> c_int {
    let file = unsafe { file_of(open_file) };
    match file.shared.disk.len(&file.disk_name()) {
        Ok(len) => {
            unsafe { *into = i64::try_from(len).unwrap_or(i64::MAX) };
            ffi::SQLITE_OK
        }
        Err(error) => code_of(error, ffi::SQLITE_IOERR_FSTAT),
    }
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn lock(open_file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { file_of(open_file) }.lock(level)
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn unlock(open_file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { file_of(open_file) }.unlock(level);
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "called by SQLite with an open file and a place for the answer")]
unsafe extern "C" fn check_reserved_lock(open_file: *mut ffi::sqlite3_file, answer: *mut c_int) -> c_int {
    let file = unsafe { file_of(open_file) };
    let places = file.shared.places();
    let reserved = places.locks.get(&file.key()).is_some_and(|holders| holders.values().any(|level| *level >= ffi::SQLITE_LOCK_RESERVED));
    unsafe { *answer = c_int::from(reserved) };
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _operation: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    c_int::try_from(SECTOR).unwrap_or(512)
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    // As for every modern disk: a torn write does not damage the bytes beside it.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

#[expect(unsafe_code, reason = "called by SQLite with an open file and a place for the address")]
unsafe extern "C" fn shm_map(
    open_file: *mut ffi::sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    into: *mut *mut c_void,
) -> c_int {
    let file = unsafe { file_of(open_file) };
    if !file.is_alive() {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    let (index, bytes) = (usize::try_from(region).unwrap_or(0), usize::try_from(bytes).unwrap_or(0));
    let address = file.memory().region(index, bytes, extend != 0);
    unsafe { *into = address.unwrap_or(std::ptr::null_mut()).cast() };
    ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn shm_lock(open_file: *mut ffi::sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    let file = unsafe { file_of(open_file) };
    if !file.is_alive() && flags & ffi::SQLITE_SHM_LOCK != 0 {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    let number = file.number;
    file.memory().change_locks(number, first, count, flags)
}

#[expect(unsafe_code, reason = "the signature is SQLite's")]
unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

#[expect(unsafe_code, reason = "called by SQLite with an open file")]
unsafe extern "C" fn shm_unmap(open_file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    unsafe { file_of(open_file) }.leave_memory(delete != 0);
    ffi::SQLITE_OK
}
