//! Rules of fields are written in English where they are checked; the server has a table of them in Chinese, and none may be missing there.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};

const TABLE: &str = "crates/server/src/problem/rules.rs";
const CHECKED: [&str; 3] = ["crates/engine/src/", "crates/service/src/", "crates/server/src/"];

#[test]
fn every_rule_is_said_in_chinese() {
    let table = text(TABLE);
    let (_, rules) = table.split_once("const RULES").expect("the table of rules");
    let (rules, _) = rules.split_once("\n];").expect("its end");
    let english: Vec<String> = literals(rules).into_iter().step_by(2).map(|rule| blank(&rule)).collect();
    let mut problems = Vec::new();
    for path in files_ending(".rs").into_iter().filter(|path| CHECKED.iter().any(|crate_| path.starts_with(crate_))) {
        let source = text(&path);
        let (production, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        let missing = rules_of(production).into_iter().filter(|rule| !english.iter().any(|known| fits(known, rule)));
        problems.extend(missing.map(|rule| format!("{path}: {rule:?}")));
    }
    assert_tidy(&problems, "Add the rule and its Chinese to the table in crates/server/src/problem/rules.rs.");
}

#[test]
fn rules_are_found_and_compared() {
    let source = r#"FieldInvalid { field, rule: format!("{least} to {MAX} letters") } let rule = "so".to_owned(); invalid("a", &format!("at {x:?}")) rule: given"#;
    assert_eq!(rules_of(source), ["{} to {} letters", "so", "at {}"]);
    assert!(fits("{} to {} letters", "{} to {} letters") && fits("one of {}", "one of {}, or {}") && !fits("one of {}", "none"));
}

/// What follows `rule:`, `rule =` and the first argument of `invalid(`, when it is a literal.
fn rules_of(source: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (mark, skips_argument) in [("rule: ", false), ("rule = ", false), ("invalid(", true)] {
        for (at, _) in source.match_indices(mark) {
            let mut rest = &source[at + mark.len()..];
            if skips_argument {
                let Some((_, behind)) = rest.split_once(',') else { continue };
                rest = behind;
            }
            let rest = rest.trim_start().trim_start_matches('&').trim_start_matches("format!(").trim_start();
            if rest.starts_with('"')
                && let Some(rule) = literals(rest).into_iter().next()
            {
                found.push((at, blank(&rule)));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, rule)| rule).collect()
}

/// The string literals of a piece of source, in order.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut letters = source.chars();
    while letters.by_ref().any(|letter| letter == '"') {
        let mut literal = String::new();
        while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
            literal.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
        }
        found.push(literal);
    }
    found
}

/// The rule with `{}` in each place that is filled in.
fn blank(rule: &str) -> String {
    let mut pieces = rule.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| format!("{text}{{}}{}", piece.split_once('}').map_or("", |(_, behind)| behind)))
}

/// Whether a rule of the table stands for this one.
fn fits(known: &str, rule: &str) -> bool {
    let mut pieces = known.split("{}");
    let Some(mut rest) = rule.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut is_open = false;
    for piece in pieces {
        is_open = true;
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
        is_open &= piece.is_empty();
    }
    rest.is_empty() || is_open
}
