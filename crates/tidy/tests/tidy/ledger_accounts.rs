//! Who posts to which ledger account is written in one place: finance reads the posting rules there and nowhere else.

use std::collections::BTreeSet;

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};
use refundry_tidy::rust_source::code_words;

const CHART: &str = "crates/engine/src/chart.rs";
const RULES: [&str; 2] = ["crates/engine/src/posting_rules.rs", "crates/engine/src/posting_rules/"];
/// The auditor posts nothing: it looks whether what must be zero over all merchants is.
const AUDITOR: &str = "crates/store/src/books/";

#[test]
fn only_the_posting_rules_name_ledger_accounts() {
    let accounts = accounts();
    assert!(accounts.contains("AVAILABLE"), "the chart has no AVAILABLE: does this test still look at the right place?");
    let is_rule = |path: &String| RULES.iter().any(|rules| path.starts_with(rules));
    let elsewhere = |path: &String| path.contains("/src/") && !is_rule(path) && path != CHART && !path.starts_with(AUDITOR);
    let mut problems = Vec::new();
    for path in files_ending(".rs").into_iter().filter(elsewhere) {
        let words = code_words(&path, &text(&path));
        if words.iter().any(|(word, _)| word == "chart") {
            let named = words.iter().filter(|(word, _)| accounts.contains(word));
            problems.extend(named.map(|(word, line)| format!("{path}:{line} names the ledger account {word}")));
        }
    }
    assert_tidy(&problems, "Say what happened in a function of posting_rules.rs, and call that.");
}

/// The names of the chart's constants.
fn accounts() -> BTreeSet<String> {
    let words = code_words(CHART, &text(CHART));
    let constants = words.windows(4).filter(|window| window[0].0 == "const" && window[3].0 == "LedgerAccount");
    constants.map(|window| window[1].0.clone()).collect()
}
