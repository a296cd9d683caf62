//! Sizes that keep the code readable. They may be tightened, not loosened.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};
use refundry_tidy::rust_source::{Function, RustSource, parse};

const FILE_LINES_MAX: usize = 400;
const FILE_LINES_MEDIAN_MAX: usize = 120;
const FUNCTION_LINES_MAX: usize = 70;
const PARAMETERS_MAX: usize = 5;
const FOLDERS_BELOW_SRC_MAX: usize = 2;

#[test]
fn files_stay_short() {
    let sources = production_sources();
    let too_long: Vec<String> = sources
        .iter()
        .filter(|(_, source)| source.production_lines > FILE_LINES_MAX)
        .map(|(path, source)| format!("{path} has {} production lines, the limit is {FILE_LINES_MAX}", source.production_lines))
        .collect();
    assert_tidy(&too_long, "Split it: one noun or one command per file, named after it.");
}

#[test]
fn the_median_file_is_short() {
    let mut lengths: Vec<usize> = production_sources().iter().map(|(_, source)| source.production_lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= FILE_LINES_MEDIAN_MAX, "the median file has {median} production lines, the goal is {FILE_LINES_MEDIAN_MAX}");
}

#[test]
fn functions_stay_short() {
    let problems = functions(|function| function.lines > FUNCTION_LINES_MAX, |function| format!("{} lines", function.lines));
    assert_tidy(&problems, "The limit is 70 lines: let one function own the control flow and give its steps names.");
}

#[test]
fn functions_take_few_parameters() {
    let problems = functions(|function| function.parameters > PARAMETERS_MAX, |function| format!("{} parameters", function.parameters));
    assert_tidy(&problems, "The limit is 5, not counting self: what always travels together is a struct with a name.");
}

#[test]
fn folders_are_shallow() {
    // A sibling `tests.rs` lives in a folder of its own and takes nobody deeper.
    let deep = |path: &&String| {
        let below_src = path.split("/src/").nth(1).unwrap_or_default();
        below_src.trim_end_matches("/tests.rs").matches('/').count() > FOLDERS_BELOW_SRC_MAX
    };
    let problems: Vec<String> = files_ending(".rs").iter().filter(|path| path.starts_with("crates/")).filter(deep).cloned().collect();
    assert_tidy(&problems, "At most two folders below src.");
}

fn functions(wrong: impl Fn(&Function) -> bool, says: impl Fn(&Function) -> String) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, source) in production_sources() {
        let found = source.functions.iter().filter(|function| wrong(function));
        problems.extend(found.map(|function| format!("{path}:{} `{}` has {}", function.line, function.name, says(function))));
    }
    problems
}

pub fn production_sources() -> Vec<(String, RustSource)> {
    let is_production = |path: &String| path.contains("/src/") && !path.contains("/tests/") && !path.ends_with("/tests.rs");
    let paths = files_ending(".rs").into_iter().filter(|path| path.starts_with("crates/")).filter(is_production);
    let sources: Vec<(String, RustSource)> = paths.map(|path| (path.clone(), parse(&path, &text(&path)))).collect();
    assert!(sources.len() > 8, "fewer sources than crates were found: does this test still look at the right place?");
    sources
}
