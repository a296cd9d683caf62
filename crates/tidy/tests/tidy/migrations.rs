//! Migrations of all storage backends move together.

use std::collections::{BTreeMap, BTreeSet};

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::files_ending;

const FOLDER: &str = "crates/store/migrations/";

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

fn migrations() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files_ending(".sql") {
        if let Some((backend, name)) = path.strip_prefix(FOLDER).and_then(|rest| rest.split_once('/')) {
            found.entry(backend.to_owned()).or_default().insert(name.to_owned());
        }
    }
    found
}
