//! One golden file: what it shows, then sections of bytes.
//!
//! ```text
//! what: in one line
//! outcome: what the engine says once the request is read
//!
//! >>> request
//! POST /path
//! header: value
//!
//! body
//! >>> response
//! …
//! ```

use std::fs;
use std::path::{Path, PathBuf};

/// A golden file as it is on disk.
pub struct GoldenFile {
    pub path: PathBuf,
    /// What stands above the sections, in order.
    pub head: Vec<(String, String)>,
    pub sections: Vec<(String, String)>,
}

/// A request or an answer as a section shows it.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl GoldenFile {
    /// Every golden file of a dialect, by name.
    pub fn all(dialect: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(dialect);
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "http")).collect();
        paths.sort();
        assert!(!paths.is_empty(), "no golden files in {}", folder.display());
        paths.iter().map(|path| Self::parse(path, &fs::read_to_string(path).unwrap())).collect()
    }

    fn parse(path: &Path, text: &str) -> Self {
        let mut parts = text.split(">>> ");
        let lines = parts.next().unwrap().lines().filter(|line| !line.is_empty());
        let head = lines.map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{}: {line:?}", path.display())));
        let head = head.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let sections = parts.map(|part| part.split_once('\n').unwrap());
        let sections = sections.map(|(name, content)| (name.to_owned(), content.strip_suffix('\n').unwrap_or(content).to_owned()));
        Self { path: path.to_owned(), head, sections: sections.collect() }
    }

    pub fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }

    /// A line of the head.
    pub fn says(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn section(&self, name: &str) -> Option<&str> {
        self.sections.iter().find(|(known, _)| known == name).map(|(_, content)| content.as_str())
    }

    /// Compares with what the code makes of it, or writes that down when blessing.
    pub fn expect(&self, sections: &[(&str, String)]) -> Result<(), String> {
        let head: String = self.head.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let now: String = sections.iter().map(|(name, content)| format!(">>> {name}\n{content}\n")).collect();
        expect_file(&self.path, &format!("{head}\n{now}"))
    }
}

/// Compares a file with what it should say, or writes that down when blessing.
pub fn expect_file(path: &Path, now: &str) -> Result<(), String> {
    if blessing() {
        fs::write(path, now).unwrap();
        return Ok(());
    }
    let before = fs::read_to_string(path).unwrap_or_default();
    if before == now {
        return Ok(());
    }
    let differs = before.lines().zip(now.lines()).position(|(before, now)| before != now);
    let line = differs.unwrap_or_else(|| before.lines().count().min(now.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    Err(format!("{} differs in line {}\n  file: {}\n  code: {}", path.display(), line + 1, at(&before), at(now)))
}

/// Whether the files are to be written anew.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

impl Message {
    pub fn parse(section: &str) -> Self {
        let (head, body) = section.split_once("\n\n").unwrap_or((section, ""));
        let mut lines = head.lines();
        let first_line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.map(|line| line.split_once(':').unwrap_or_else(|| panic!("{line:?} is no header")));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Self { first_line, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.first_line)?;
        for (name, value) in &self.headers {
            write!(f, "\n{name}: {value}")?;
        }
        write!(f, "\n\n{}", self.body)
    }
}
