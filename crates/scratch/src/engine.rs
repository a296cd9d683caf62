//! On which database a run of tests is.

use std::env;

const VARIABLE: &str = "REFUNDRY_TEST_ENGINE";

/// The databases that tests which leave it open can be run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file of the test's own.
    Sqlite,
    /// A database of the test's own in the cluster.
    Postgres,
}

impl Engine {
    /// What the environment says of this run; a file when it says nothing.
    pub fn of_this_run() -> Engine {
        match env::var(VARIABLE).as_deref() {
            Err(env::VarError::NotPresent) | Ok("sqlite") => Engine::Sqlite,
            Ok("postgres") => Engine::Postgres,
            other => panic!("{VARIABLE} is sqlite or postgres, and not {other:?}"),
        }
    }
}
