//! The repository's files and the workspace's crates, read from disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold products, not sources.
const NOT_SOURCES: [&str; 6] = [".git", "target", "data", "node_modules", "bench-results", "dist"];

/// Extensions of files that are not text.
const BINARY: [&str; 8] = ["png", "jpg", "ico", "woff2", "db", "gz", "zip", "pdf"];

/// One crate of the workspace.
#[derive(Debug)]
pub struct Member {
    /// Its folder below `crates`, which is its name without the `refundry-` prefix.
    pub name: String,
    /// Its parsed `Cargo.toml`.
    pub manifest: toml::Table,
}

impl Member {
    /// Names in all its dependency tables; `dev` chooses whether those of tests count too.
    pub fn dependencies(&self, dev: bool) -> BTreeSet<String> {
        let mut tables = vec!["dependencies", "build-dependencies"];
        if dev {
            tables.push("dev-dependencies");
        }
        let of_target = self.manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|t| t.values());
        let owners = of_target.filter_map(toml::Value::as_table).chain([&self.manifest]);
        let mut found = BTreeSet::new();
        for owner in owners {
            for table in &tables {
                if let Some(entries) = owner.get(*table).and_then(toml::Value::as_table) {
                    found.extend(entries.keys().cloned());
                }
            }
        }
        found
    }
}

/// The folder that holds the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lives two folders below the root").to_path_buf()
}

/// Every crate of the workspace, in order of name.
pub fn members() -> Vec<Member> {
    let mut members: Vec<Member> = folders(&root().join("crates"))
        .into_iter()
        .filter(|folder| folder.join("Cargo.toml").exists())
        .map(|folder| Member {
            name: last_name(&folder),
            manifest: read(&folder.join("Cargo.toml")).parse().expect("cargo has parsed this manifest already"),
        })
        .collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members
}

/// Every text file of the repository as a path from the root with forward slashes, sorted.
pub fn text_files() -> Vec<String> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting = vec![root.clone()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be listed").flatten() {
            let path = entry.path();
            let name = last_name(&path);
            // In a worktree `.git` is a file.
            if NOT_SOURCES.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else if !BINARY.contains(&extension(&name)) {
                found.push(from_root(&root, &path));
            }
        }
    }
    found.sort();
    found
}

/// Text files whose path from the root ends in `suffix`.
pub fn files_ending(suffix: &str) -> Vec<String> {
    text_files().into_iter().filter(|path| path.ends_with(suffix)).collect()
}

/// The text of a file named from the root.
pub fn text(path: &str) -> String {
    read(&root().join(path))
}

/// Whether something exists at this path from the root.
pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

fn read(path: &Path) -> String {
    // Not every file without a known extension is UTF-8; for searching, replacement characters do no harm.
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).expect("a folder of the repository can be listed");
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn last_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn from_root(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("the walk began at the root");
    relative.to_string_lossy().replace('\\', "/")
}
