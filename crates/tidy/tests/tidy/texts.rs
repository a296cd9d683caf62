//! What must not be in any text file: paths of one machine, hosts of one company's mirrors.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{text, text_files};

// Written in two halves so that this file does not find itself.
const MACHINE_PATHS: [&str; 4] = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/")];
const MIRROR_WORDS: [&str; 5] =
    [concat!("mir", "ror"), concat!("arti", "factory"), concat!("ne", "xus"), concat!("pro", "xy."), concat!("regi", "stry.")];
const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn no_machine_paths() {
    let mut problems = Vec::new();
    for_each_line(|path, number, line| {
        let begins = |needle: &&&str| line.match_indices(**needle).any(|(at, _)| stands_alone(line, at));
        if let Some(needle) = MACHINE_PATHS.iter().find(begins) {
            problems.push(format!("{path}:{number} contains {needle}"));
        }
    });
    assert_tidy(&problems, "A path of one machine helps nobody else: name it from the repository's root or from $HOME.");
}

#[test]
fn no_mirror_hosts() {
    let mut problems = Vec::new();
    for_each_line(|path, number, line| {
        for address in line.split("://").skip(1) {
            let host = address.split(['/', '"', ' ', ')', '>', '`']).next().unwrap_or_default();
            if MIRROR_WORDS.iter().any(|word| host.contains(word)) {
                problems.push(format!("{path}:{number} names the host {host}"));
            }
        }
    });
    assert_tidy(&problems, "Lock files and settings name public sources only, or none.");
}

#[test]
fn every_dependency_comes_from_the_public_index() {
    let lock = text("Cargo.lock");
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let problems: Vec<String> = sources.filter(|source| source.trim_matches('"') != INDEX).map(str::to_owned).collect();
    assert_tidy(&problems, "Depend on published versions; a fork or a private index cannot be built by strangers.");
}

/// Whether the path starts here, and is not the tail of a longer one such as `crates/x/home/y`.
fn stands_alone(line: &str, at: usize) -> bool {
    line[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && !"._-}>*".contains(before))
}

fn for_each_line(mut look: impl FnMut(&str, usize, &str)) {
    for path in text_files() {
        for (index, line) in text(&path).lines().enumerate() {
            look(&path, index + 1, line);
        }
    }
}
