//! What the database server can commit at best, by its own load generator: one small row and a commit, again and again.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::cluster::Cluster;

/// One row, one commit.
const SCRIPT: &str =
    "\\set id random(1, 9000000000000000000)\nINSERT INTO commit_limit (id, note) VALUES (:id, 'one row') ON CONFLICT DO NOTHING;\n";

/// How many commits the server makes for so many callers.
pub struct CommitLimit {
    /// Connections at once.
    pub callers: usize,
    /// Commits in a second.
    pub per_second: u64,
    /// Processor time of the server per commit, in microseconds.
    pub cpu_us: u64,
}

/// Measures it in a database of its own.
pub fn commit_limit(cluster: &Cluster, folder: &Path, callers: usize, seconds: u64) -> anyhow::Result<CommitLimit> {
    let database = "bench_commits";
    cluster.make_database(database, None)?;
    cluster.session(database)?.run("CREATE TABLE commit_limit (id BIGINT PRIMARY KEY, note TEXT NOT NULL)")?;
    let script = folder.join("commit.pgbench");
    std::fs::write(&script, SCRIPT)?;
    let before = cluster.cpu_us()?;
    let output = Command::new(program())
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .args([format!("--client={callers}"), format!("--time={seconds}"), format!("--file={}", script.display())])
        .arg(cluster.url(database))
        .output()
        .context("run pgbench")?;
    let used = cluster.cpu_us()?.saturating_sub(before);
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("pgbench failed with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    cluster.drop_database(database)?;
    let commits = number_after(&text, "number of transactions actually processed: ")?;
    Ok(CommitLimit { callers, per_second: number_after(&text, "tps = ")?, cpu_us: used / commits.max(1) })
}

/// Debian keeps it beside the server.
fn program() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin/pgbench")))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from("pgbench"))
}

fn number_after(text: &str, words: &str) -> anyhow::Result<u64> {
    let (_, rest) = text.split_once(words).with_context(|| format!("pgbench did not say {words:?}: {text}"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("pgbench said no number after {words:?}: {text}"))
}
