//! Names say what a thing is.

use refundry_tidy::assert_tidy;
use refundry_tidy::names::banned_word;
use refundry_tidy::repository::{files_ending, text};
use refundry_tidy::rust_source::parse;

#[test]
fn no_name_says_nothing() {
    let mut problems = Vec::new();
    for path in files_ending(".rs") {
        for part in path.trim_end_matches(".rs").split('/') {
            problems.extend(banned_word(part).map(|word| format!("{path}: the path contains `{word}`")));
        }
        let source = parse(&path, &text(&path));
        let functions = source.functions.iter().map(|function| (&function.name, function.line));
        for (name, line) in source.names.iter().map(|(name, line)| (name, *line)).chain(functions) {
            problems.extend(banned_word(name).map(|word| format!("{path}:{line} `{name}` contains `{word}`")));
        }
    }
    assert_tidy(&problems, "Say what it is, in words of GLOSSARY.md.");
}
