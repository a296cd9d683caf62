//! `make test-long` plants bugs in throw-away copies and expects the simulator to find them. The patches must still fit the code.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{exists, files_ending, text};

const FOLDER: &str = "crates/simulator/planted/";

#[test]
fn planted_bugs_still_fit_the_code() {
    let patches: Vec<String> = files_ending(".patch").into_iter().filter(|path| path.starts_with(FOLDER)).collect();
    assert!(!patches.is_empty(), "there are no patches in {FOLDER}: does this test still look at the right place?");
    let problems: Vec<String> = patches.iter().flat_map(|patch| misfits(patch, &text(patch))).collect();
    assert_tidy(&problems, "The code has moved on: plant the same bug in it by hand and write the patch anew with git diff.");
}

/// The hunks of a patch whose context and removed lines are not found exactly once in their file.
fn misfits(patch: &str, diff: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut file = "";
    for (index, hunk) in diff.split("\n@@").enumerate() {
        if index > 0 {
            let lines = hunk.lines().skip(1).take_while(|line| !line.starts_with("diff ") && !line.starts_with("--- "));
            let before: Vec<&str> = lines.filter_map(|line| line.strip_prefix([' ', '-'])).collect();
            let found = if exists(file) { text(file).matches(&before.join("\n")).count() } else { 0 };
            if found != 1 {
                problems.push(format!("{patch}: its hunk {index} fits {found} places of {file}"));
            }
        }
        if let Some(named) = hunk.lines().rev().find_map(|line| line.strip_prefix("+++ b/")) {
            file = diff_path(diff, named);
        }
    }
    problems
}

/// The same path, borrowed from the whole patch rather than from a hunk.
fn diff_path<'a>(diff: &'a str, named: &str) -> &'a str {
    diff.lines().find_map(|line| line.strip_prefix("+++ b/").filter(|path| *path == named)).unwrap_or_default()
}
