//! The program itself, as people start it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A demo that is being served.
pub struct Demo {
    pub folder: TempDir,
    pub url: String,
    /// What was printed when it was ready.
    pub welcome: String,
    server: Child,
}

/// `refundry` with these arguments; no configuration of whoever runs the tests reaches it.
pub fn refundry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refundry"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("REFUNDRY_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a command that ended said, on both channels.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must succeed.
pub fn done(arguments: &[&str]) -> String {
    let output = refundry(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// Runs a command that must fail, without a panic.
pub fn failed(arguments: &[&str]) -> String {
    let output = refundry(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// The arguments of a command in two parts.
pub fn joined<'a>(first: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    [first, rest].concat()
}

/// Makes a small demo and does not serve it.
pub fn prepared() -> TempDir {
    let folder = TempDir::new().unwrap();
    done(&["demo", "--prepare-only", "--payments", "10", "--data-dir", text(folder.path())]);
    folder
}

impl Demo {
    /// Starts a server on a fresh demo and waits until it is ready.
    pub fn start() -> Self {
        Self::serve(prepared())
    }

    /// Starts a server on a demo that is there.
    pub fn serve(folder: TempDir) -> Self {
        let mut command = refundry(&["demo", "--listen", "127.0.0.1:0", "--data-dir", text(folder.path())]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap());
        let (mut welcome, mut url) = (String::new(), String::new());
        while !welcome.contains("Ctrl-C") {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended: {welcome}");
            if let Some((_, address)) = line.split_once("  URL ") {
                address.trim().clone_into(&mut url);
            }
            welcome.push_str(&line);
        }
        // Nobody reads on, but the server must be able to write.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            _ = lines.read_to_end(&mut rest);
        });
        Self { folder, url, welcome, server }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> String {
        text(&self.path("refundry.toml")).to_owned()
    }

    /// A part of `demo.json`, such as `/merchants/0/api_key`.
    pub fn manifest(&self, pointer: &str) -> String {
        let all: Value = serde_json::from_slice(&std::fs::read(self.path("demo.json")).unwrap()).unwrap();
        match all.pointer(pointer).unwrap() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Asks it to end, and gives the data to whoever goes on.
    pub fn stop(mut self) -> TempDir {
        let ended = self.end();
        assert!(ended.is_some_and(|status| status.success()), "the server did not end well: {ended:?}");
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    fn end(&mut self) -> Option<std::process::ExitStatus> {
        Command::new("kill").arg(self.server.id().to_string()).status().ok()?;
        self.server.wait().ok()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.server.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
