//! What a process has used, from the kernel's own accounts.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;

/// The kernel counts processor time in hundredths of a second.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of a process by thread name, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    by_thread: BTreeMap<String, u64>,
}

impl Usage {
    /// Of a running process, until now. Threads that ended count as `ended`.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let mut by_thread = BTreeMap::new();
        let mut threads = 0;
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
            let (name, ms) = name_and_ms(&stat)?;
            threads += ms;
            *by_thread.entry(family(name)).or_insert(0) += ms;
        }
        let (_, whole) = name_and_ms(&fs::read_to_string(format!("/proc/{pid}/stat"))?)?;
        by_thread.insert("ended".to_owned(), whole.saturating_sub(threads));
        Ok(Self { by_thread })
    }

    /// What was used between an earlier reading and this one.
    pub fn since(&self, earlier: &Self) -> Self {
        let used = |name: &String, ms: &u64| ms.saturating_sub(earlier.by_thread.get(name).copied().unwrap_or(0));
        Self { by_thread: self.by_thread.iter().map(|(name, ms)| (name.clone(), used(name, ms))).collect() }
    }

    /// This and another process's together.
    pub fn and(mut self, other: &Self) -> Self {
        for (name, ms) in &other.by_thread {
            *self.by_thread.entry(name.clone()).or_insert(0) += ms;
        }
        self
    }

    /// All of it, in milliseconds.
    pub fn total_ms(&self) -> u64 {
        self.by_thread.values().sum()
    }

    /// Of the threads whose names begin so, in milliseconds.
    pub fn of_threads(&self, prefix: &str) -> u64 {
        self.by_thread.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, ms)| ms).sum()
    }

    /// Thread families and what they used, in milliseconds.
    pub fn families(&self) -> impl Iterator<Item = (&str, u64)> {
        self.by_thread.iter().map(|(name, ms)| (name.as_str(), *ms)).filter(|(_, ms)| *ms > 0)
    }
}

/// Numbered threads of one pool are one family.
fn family(name: &str) -> String {
    name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-').to_owned()
}

fn name_and_ms(stat: &str) -> anyhow::Result<(&str, u64)> {
    let (before, after) = stat.rsplit_once(')').context("a stat line names its thread in brackets")?;
    let name = before.split_once('(').map_or("", |(_, name)| name);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok((name, (ticks(11) + ticks(12)) * 1_000 / TICKS_PER_SECOND))
}

/// Resident memory of a process, in kibibytes.
pub fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("the status names VmRSS")?;
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).context("VmRSS is a number")
}

/// Bytes that a process had written to storage; 0 where the kernel does not say.
pub fn written_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// Bytes of a database with its write-ahead log.
pub fn bytes_on_disk(database: &std::path::Path) -> u64 {
    ["", "-wal"].iter().filter_map(|end| fs::metadata(format!("{}{end}", database.display())).ok()).map(|file| file.len()).sum()
}
