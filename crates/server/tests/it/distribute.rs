//! `refundry distribute` where it cannot do its work; how it does it is tested with the store.

use refundry_scratch::ScratchDatabase;

use crate::program::{failed, prepared};

#[test]
fn without_citus_it_says_what_to_install() {
    let database = ScratchDatabase::create();
    let said = failed(&["distribute", "--database", &database.url()]);
    for part in ["postgresql-17-citus", "shared_preload_libraries", "CREATE EXTENSION citus", "软件包"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("SELECT create_"), "nothing is tried: {said}");
}

#[test]
fn a_dry_run_prints_the_statements_wherever_it_is() {
    let database = ScratchDatabase::create();
    let said = failed(&["distribute", "--dry-run", "--shards", "48", "--database", &database.url()]);
    let first = "SELECT create_distributed_table('merchants', 'merchant_id', shard_count => 48, colocate_with => 'none');";
    for part in [first, "SELECT create_reference_table('credentials');", "CREATE EXTENSION citus"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("truncate_local_data"), "{said}");
}

#[test]
fn a_file_is_not_distributed() {
    let folder = prepared();
    let url = format!("sqlite://{}", folder.path().join("refundry.db").display());
    assert!(failed(&["distribute", "--database", &url]).contains("is a file"));
}
