//! What this machine can do at best, measured in the same run: signatures and commits.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

/// RSA-2048 of one core, by `openssl speed`.
pub struct Rsa {
    /// Signatures in a second.
    pub signs_per_second: u64,
    /// Verifications in a second.
    pub verifies_per_second: u64,
}

impl Rsa {
    /// One verification and one signature, in microseconds of one core.
    pub fn pair_us(&self) -> u64 {
        1_000_000 / self.signs_per_second.max(1) + 1_000_000 / self.verifies_per_second.max(1)
    }
}

/// Asks `openssl speed`; `None` when there is no openssl.
pub fn rsa() -> anyhow::Result<Option<Rsa>> {
    let Ok(output) = Command::new("openssl").args(["speed", "-seconds", "2", "rsa2048"]).output() else { return Ok(None) };
    let text = String::from_utf8(output.stdout).context("openssl prints text")?;
    let line = text.lines().find(|line| line.contains("2048")).with_context(|| format!("openssl speed printed {text:?}"))?;
    // "rsa  2048 bits 0.000610s 0.000018s   1640.2  55555.6": times end in "s", rates do not; newer versions add more columns behind.
    let rates = line.split_whitespace().skip_while(|word| *word != "bits").skip(1).filter(|word| !word.ends_with('s'));
    let mut rates = rates.filter_map(|word| word.split('.').next()?.parse::<u64>().ok());
    match (rates.next(), rates.next()) {
        (Some(signs_per_second), Some(verifies_per_second)) => Ok(Some(Rsa { signs_per_second, verifies_per_second })),
        _ => anyhow::bail!("openssl speed printed no rates: {line}"),
    }
}

/// Commits of a small record that this disk makes durable in a second, one after the other.
pub fn commits_per_second(directory: &Path) -> anyhow::Result<u64> {
    let path = directory.join("commits.probe");
    let mut file = File::create(&path)?;
    let begin = Instant::now();
    let mut commits = 0;
    while begin.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        commits += 1;
    }
    std::fs::remove_file(&path)?;
    Ok(commits / 2)
}
