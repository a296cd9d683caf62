//! Databases for tests: each test has its own in a PostgreSQL cluster that somebody else started, and nothing is left afterwards.
//!
//! For tests only. Nothing here starts a server: `scripts/with-postgres` does, and `make test` runs the tests under it.

mod cluster;
mod engine;

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use cluster::Cluster;
pub use engine::Engine;

/// A database that nobody else uses. It is dropped with this value, together with whoever is still connected.
#[derive(Debug)]
pub struct ScratchDatabase {
    cluster: Cluster,
    name: String,
}

impl ScratchDatabase {
    /// An empty database. May be called in async tests too: it blocks for about a fiftieth of a second.
    pub fn create() -> ScratchDatabase {
        ScratchDatabase::copied_from("template0")
    }

    /// A copy of the database `template`, which `prepare` fills once per cluster, however many tests and processes ask for it. `prepare` is
    /// given the address of an empty database, and runs on a thread of its own.
    ///
    /// What the template holds is told by its name alone: put into it whatever its contents depend on, such as the number of the last migration.
    pub fn from_template(template: &str, prepare: impl FnOnce(&str) + Send) -> ScratchDatabase {
        Cluster::from_environment().make_template_once(template, prepare);
        ScratchDatabase::copied_from(template)
    }

    /// Where the database is: `postgres://user@host:port/name`.
    pub fn url(&self) -> String {
        self.cluster.url_of(&self.name)
    }

    fn copied_from(template: &str) -> ScratchDatabase {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let name = format!("scratch_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let cluster = Cluster::from_environment();
        // A process of the same number, whose end left something behind, may have been here before.
        cluster.run(&[&cluster::drop_statement(&name), &format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")]);
        ScratchDatabase { cluster, name }
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        // A test that killed its server must not fail for what cannot be tidied any more.
        if let Err(error) = self.cluster.try_run(&[&cluster::drop_statement(&self.name)]) {
            eprintln!("the database {} was not dropped: {error}", self.name);
        }
    }
}
