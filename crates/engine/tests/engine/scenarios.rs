//! The files in `tests/scenarios`: domain sentences, each with what must come of it behind `=>`. `BLESS=1 cargo test -p refundry-engine`
//! writes what came of them instead; read the difference before you keep it.

use std::path::PathBuf;

use crate::sentences;

#[test]
fn every_scenario_reads_as_it_happened() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "the scenarios are not where they should be");
    let wrong: Vec<String> = files.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays one file; gives what differs.
fn check(file: &PathBuf) -> Option<String> {
    let before = std::fs::read_to_string(file).unwrap();
    let mut scenario = sentences::Scenario::default();
    let after: String = before.lines().map(|line| scenario.line(line) + "\n").collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &after).unwrap();
        return None;
    }
    let differing = before.lines().zip(after.lines()).enumerate().filter(|(_, (expected, happened))| expected != happened);
    let report: String = differing
        .map(|(index, (expected, happened))| format!("{}:{}\n  expected {expected}\n  happened {happened}\n", file.display(), index + 1))
        .collect();
    (!report.is_empty()).then_some(report)
}
