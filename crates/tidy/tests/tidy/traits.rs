//! The two traits that others implement stay small: whoever adds a backend or a dialect writes all of it.

use crate::budgets::production_sources;

const STORE_VERBS_MAX: usize = 30;
const DIALECT_FUNCTIONS_MAX: usize = 6;

#[test]
fn the_store_has_few_verbs() {
    assert_few_functions("crates/store/src/", "Store", STORE_VERBS_MAX);
}

#[test]
fn a_dialect_has_few_functions() {
    assert_few_functions("crates/dialects/src/", "Dialect", DIALECT_FUNCTIONS_MAX);
}

fn assert_few_functions(folder: &str, name: &str, limit: usize) {
    let sources = production_sources();
    let (path, source) = sources
        .iter()
        .find(|(path, source)| path.starts_with(folder) && source.types.contains(name))
        .unwrap_or_else(|| panic!("there is no trait {name} in {folder}"));
    let count = source.functions.iter().filter(|function| function.owner.as_deref() == Some(name)).count();
    assert!(count > 0, "the trait {name} in {path} has no functions: does this test still look at the right thing?");
    assert!(count <= limit, "the trait {name} in {path} has {count} functions, the limit is {limit}: merge verbs, or make them reads");
}
