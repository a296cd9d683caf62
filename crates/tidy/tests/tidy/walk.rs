//! ARCHITECTURE.md follows one refund through the code in eight hops. Each hop names a file and functions in it.

use refundry_tidy::assert_tidy;
use refundry_tidy::repository::{exists, text};
use refundry_tidy::rust_source::parse;

const HEADING: &str = "## One refund, eight hops";
const HOPS: usize = 8;

#[test]
fn every_hop_of_the_refund_walk_names_real_functions() {
    let architecture = text("ARCHITECTURE.md");
    let walk = architecture.split(HEADING).nth(1).expect("ARCHITECTURE.md has the section of the eight hops");
    let walk = walk.split("\n## ").next().unwrap_or(walk);
    let mut hops: Vec<String> = Vec::new();
    for line in walk.lines() {
        match hops.last_mut() {
            // What is indented belongs to the hop above.
            Some(hop) if line.starts_with("   ") => *hop += line,
            _ if line.starts_with(|c: char| c.is_ascii_digit()) => hops.push(line.to_owned()),
            _ => {}
        }
    }
    assert_eq!(hops.len(), HOPS, "the walk has eight numbered hops");
    let problems: Vec<String> = hops.iter().flat_map(|hop| problems_of(hop)).collect();
    assert_tidy(&problems, "Follow the refund through the code again and correct the hop.");
}

/// A hop is written: number, a code span with the file, then code spans `function` or `Type::function` found in that file.
fn problems_of(hop: &str) -> Vec<String> {
    let mut file = None;
    let mut functions = 0;
    let mut problems = Vec::new();
    for span in hop.split('`').skip(1).step_by(2) {
        if span.ends_with(".rs") {
            if !exists(span) {
                return vec![format!("{span} does not exist")];
            }
            file = Some((span, parse(span, &text(span))));
        } else if let (Some((path, source)), true) = (&file, is_function(span)) {
            functions += 1;
            let (owner, name) = span.rsplit_once("::").map_or((None, span), |(owner, name)| (Some(owner), name));
            let defined = source.functions.iter().any(|f| f.name == name && (owner.is_none() || f.owner.as_deref() == owner));
            if !defined {
                problems.push(format!("{path} does not define {span}"));
            }
        }
    }
    if functions == 0 {
        problems.push(format!("no function is named in: {hop}"));
    }
    problems
}

fn is_function(span: &str) -> bool {
    let name = span.rsplit("::").next().unwrap_or(span);
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') && !name.is_empty()
}
