//! The pure crates do no input or output, read no clock and draw no random number: that is what lets one seed repeat one
//! run. clippy.toml forbids the well-known functions everywhere; here whole modules are out of reach for the pure crates.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};
use refundry_tidy::rust_source::code_words;

const PURE: [&str; 3] = ["crates/ledger/src/", "crates/engine/src/", "crates/dialects/src/"];
const EFFECTS: [&str; 12] =
    ["fs", "net", "env", "process", "thread", "SystemTime", "Instant", "HashMap", "HashSet", "File", "stdin", "stdout"];

#[test]
fn pure_crates_have_no_effects() {
    let mut problems = Vec::new();
    for path in files_ending(".rs").into_iter().filter(|path| PURE.iter().any(|pure| path.starts_with(pure))) {
        let words = code_words(&path, &text(&path));
        for window in words.windows(4) {
            let [(first, line), (second, _), (third, _), (effect, _)] = window else {
                continue;
            };
            let from_std = first == "std" && second == ":" && third == ":";
            if from_std && EFFECTS.contains(&effect.as_str()) {
                problems.push(format!("{path}:{line} uses std::{effect}"));
            }
        }
        let deep = words.iter().filter(|(word, _)| ["SystemTime", "Instant", "HashMap", "HashSet"].contains(&word.as_str()));
        problems.extend(deep.map(|(word, line)| format!("{path}:{line} names {word}")));
    }
    assert_tidy(&problems, "Take the value as a parameter: the service knows the time, makes the ids and does the reading and writing.");
}
