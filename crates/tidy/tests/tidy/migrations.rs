//! Migrations of all storage backends move together.

use std::collections::{BTreeMap, BTreeSet};

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{files_ending, text};

const FOLDER: &str = "crates/store/migrations/";

/// Keys that do not begin with the merchant, and why they need not.
const EXEMPT: [(&str, &str); 7] = [
    ("daily_rates", "rates are of the installation, not of a merchant"),
    ("credentials", "a credential may belong to a platform or to the operator"),
    ("nodes", "processes are of the installation, not of a merchant"),
    ("accounts_by_number", "a receiver is found before it is known whose it is"),
    ("credentials_by_lookup", "a caller is found before it is known whose it is"),
    ("postings", "appended only: clustered by the time-ordered entry, all merchants write one page, which is measurably cheaper"),
    ("tasks_claimable", "workers take what is due of all merchants of a lane"),
];

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut problems = Vec::new();
    for (backend, names) in migrations() {
        for (index, name) in names.iter().enumerate() {
            let expected = format!("{:04}_", index + 1);
            if !name.starts_with(&expected) {
                problems.push(format!("{FOLDER}{backend}/{name} should begin with {expected}"));
            }
        }
    }
    assert_tidy(&problems, "NNNN_name.sql, numbered from 0001 without gaps or doubles.");
}

#[test]
fn every_backend_has_the_same_migrations() {
    let all: BTreeSet<String> = migrations().into_values().flatten().collect();
    let mut problems = Vec::new();
    for (backend, names) in migrations() {
        problems.extend(all.difference(&names).map(|name| format!("{FOLDER}{backend} lacks {name}")));
    }
    assert_tidy(&problems, "A change of the schema is one number and one name in every backend's folder.");
}

#[test]
fn the_merchant_leads_every_key() {
    let mut problems = Vec::new();
    for path in files_ending(".sql").into_iter().filter(|path| path.starts_with(FOLDER)) {
        for (name, columns, line) in keys(&text(&path)) {
            let exempt = EXEMPT.iter().any(|(known, _)| *known == name);
            if !exempt && columns.split(',').next().map(str::trim) != Some("merchant_id") {
                problems.push(format!("{path}:{line} the key of {name} is ({columns})"));
            }
        }
    }
    assert_tidy(
        &problems,
        "Begin it with merchant_id, so that the schema can be distributed by merchant (ARCHITECTURE.md, \"Storage rules\").",
    );
}

/// Primary keys by their table and indexes by their own name: what it is of, its columns, its line.
fn keys(sql: &str) -> Vec<(String, String, usize)> {
    let between = |text: &str| text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside.to_owned());
    let mut table = String::new();
    let mut found = Vec::new();
    for (index, line) in sql.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["CREATE", "TABLE", name, ..] => table = (*name).to_owned(),
            ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..] => {
                found.extend(between(line).map(|columns| ((*name).to_owned(), columns, index + 1)));
            }
            ["PRIMARY", "KEY", ..] => found.extend(between(line).map(|columns| (table.clone(), columns, index + 1))),
            [column, .., "PRIMARY", "KEY"] | [column, .., "PRIMARY", "KEY,"] => {
                found.push((table.clone(), (*column).to_owned(), index + 1))
            }
            _ => {}
        }
    }
    found
}

#[test]
fn keys_are_read_from_sql() {
    let sql = "CREATE TABLE a (\n  x INTEGER PRIMARY KEY,\n);\nCREATE UNIQUE INDEX i ON a (y, z) WHERE y = 1;\nCREATE TABLE b (\n PRIMARY KEY (m, n)\n)";
    let read: Vec<(String, String)> = keys(sql).into_iter().map(|(name, columns, _)| (name, columns)).collect();
    let expected = [("a", "x"), ("i", "y, z"), ("b", "m, n")].map(|(name, columns)| (name.to_owned(), columns.to_owned()));
    assert_eq!(read, expected);
}

fn migrations() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files_ending(".sql") {
        if let Some((backend, name)) = path.strip_prefix(FOLDER).and_then(|rest| rest.split_once('/')) {
            found.entry(backend.to_owned()).or_default().insert(name.to_owned());
        }
    }
    found
}
