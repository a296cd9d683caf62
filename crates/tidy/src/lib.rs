//! House rules that a machine can check. The checks themselves are tests, in `tests/tidy`; here is what they read with:
//! the repository's files ([`repository`]), Rust sources ([`rust_source`]), names ([`names`]) and documents ([`documents`]).
//!
//! Absent on purpose: anything a compiler or clippy already checks, and anything that needs the network or git.

pub mod documents;
pub mod names;
pub mod repository;
pub mod rust_source;

/// Fails the calling test with one line per problem and, last, what to do about them.
///
/// # Panics
/// When there is any problem: that is its purpose.
pub fn assert_tidy(problems: &[String], cure: &str) {
    assert!(problems.is_empty(), "\n{}\n\n{cure}\n", problems.join("\n"));
}
