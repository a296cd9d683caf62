//! Which crate may depend on which. An edge that is not here is forbidden.

use std::collections::BTreeSet;

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::members;

const ALLOWED: [(&str, &[&str]); 10] = [
    ("ledger", &[]),
    ("engine", &["ledger"]),
    ("dialects", &["engine", "ledger"]),
    ("store", &["engine", "ledger", "scratch"]),
    ("service", &["store", "dialects", "engine", "ledger", "scratch"]),
    ("server", &["service", "store", "dialects", "engine", "ledger", "scratch"]),
    ("simulator", &["service", "store", "dialects", "engine", "ledger", "scratch"]),
    // The load generator sees the server from outside, and the house checker sees files: neither links our code.
    ("bench", &["scratch"]),
    // Databases for the tests of others; it knows nothing of what they store.
    ("scratch", &[]),
    ("tidy", &[]),
];

const PURE: [&str; 3] = ["ledger", "engine", "dialects"];
const THIRD_PARTY_OF_A_PURE_CRATE_MAX: usize = 5;

#[test]
fn crates_depend_only_downwards() {
    let mut problems = Vec::new();
    for member in members() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == member.name) else {
            problems.push(format!("crates/{} has no line in this test's table of allowed edges", member.name));
            continue;
        };
        let ours = member.dependencies(true).into_iter().filter_map(|name| name.strip_prefix("refundry-").map(str::to_owned));
        for used in ours.filter(|used| !allowed.contains(&used.as_str())) {
            problems.push(format!("crates/{} depends on {used}, which the house does not allow", member.name));
        }
    }
    assert_tidy(&problems, "Move the code to where it may be used from; ARCHITECTURE.md, \"Crates\", draws the edges.");
}

#[test]
fn scratch_databases_are_for_tests_only() {
    // The simulator is a test, with a command line.
    let others = members().into_iter().filter(|member| member.name != "simulator");
    let shipped = others.filter(|member| member.dependencies(false).contains("refundry-scratch"));
    let problems: Vec<String> = shipped.map(|member| format!("crates/{} depends on scratch outside its tests", member.name)).collect();
    assert_tidy(&problems, "Put refundry-scratch under [dev-dependencies].");
}

#[test]
fn every_crate_of_the_table_exists() {
    let present: BTreeSet<String> = members().into_iter().map(|member| member.name).collect();
    let problems: Vec<String> =
        ALLOWED.iter().filter(|(name, _)| !present.contains(*name)).map(|(name, _)| format!("crates/{name} is missing")).collect();
    assert_tidy(&problems, "A crate that went away leaves the table of allowed edges in the same commit.");
}

#[test]
fn pure_crates_have_few_third_party_dependencies() {
    let mut problems = Vec::new();
    for member in members().into_iter().filter(|member| PURE.contains(&member.name.as_str())) {
        let foreign = member.dependencies(false).into_iter().filter(|name| !name.starts_with("refundry-")).count();
        if foreign > THIRD_PARTY_OF_A_PURE_CRATE_MAX {
            problems.push(format!("crates/{} has {foreign}, the limit is {THIRD_PARTY_OF_A_PURE_CRATE_MAX}", member.name));
        }
    }
    assert_tidy(&problems, "Write the few lines yourself, or do the work in `service`, where effects and libraries live.");
}
