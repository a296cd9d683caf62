//! Documents are true: what they name exists, and both languages say the same.

use std::collections::BTreeSet;

use refundry_tidy::assert_tidy;
use refundry_tidy::documents::{Page, expand_braces, fits, make_targets, named_path, parse};
use refundry_tidy::repository::{exists, files_ending, members, text, text_files};
use refundry_tidy::rust_source::code_words;

#[test]
fn paths_named_in_documents_exist() {
    let files = text_files();
    let top_level: BTreeSet<String> = files.iter().filter_map(|path| path.split_once('/')).map(|(first, _)| first.to_owned()).collect();
    let top_level: Vec<String> = top_level.into_iter().collect();
    let mut problems = Vec::new();
    for (document, page) in pages() {
        for (span, line) in &page.spans {
            let Some(path) = named_path(span, &top_level) else {
                continue;
            };
            let missing = |path: &String| !exists(path) && !files.iter().any(|file| fits(path, file));
            problems.extend(expand_braces(path).iter().filter(|path| missing(path)).map(|path| format!("{document}:{line} names {path}")));
        }
    }
    assert_tidy(&problems, "Nothing is there: correct the document.");
}

#[test]
fn documents_named_in_comments_exist() {
    let mut problems = Vec::new();
    for path in files_ending(".rs").into_iter().filter(|path| !path.starts_with("crates/tidy/")) {
        let page = parse(&text(&path));
        let named = page.spans.iter().filter(|(span, _)| span.ends_with(".md") && !span.contains(' '));
        problems.extend(named.filter(|(span, _)| !exists(span)).map(|(span, line)| format!("{path}:{line} names {span}")));
    }
    assert_tidy(&problems, "Name a document from the root, and write it before it is named.");
}

#[test]
fn scenarios_named_in_documents_exist() {
    let mut problems = Vec::new();
    let mut named = 0;
    for (document, page) in pages().into_iter().filter(|(document, _)| document.starts_with("docs/concepts/")) {
        for (span, line) in page.spans.iter().filter(|(span, _)| span.ends_with(".txt") && !span.contains('/') && !span.contains('<')) {
            named += 1;
            if !exists(&format!("crates/engine/tests/scenarios/{span}")) {
                problems.push(format!("{document}:{line} names the scenario {span}"));
            }
        }
    }
    assert!(named > 40, "the books name their scenarios: does this test still look at the right pages?");
    assert_tidy(&problems, "Write the scenario, or correct the name.");
}

#[test]
fn programs_called_by_the_makefile_exist() {
    let makefile = text("Makefile");
    let words = makefile.split(|c: char| c.is_whitespace() || c == '@').filter(|word| word.starts_with("scripts/"));
    let problems: Vec<String> = words.filter(|word| !exists(word)).map(|word| format!("the Makefile calls {word}")).collect();
    assert_tidy(&problems, "Write the program, or take the target out.");
}

#[test]
fn links_lead_somewhere() {
    let mut problems = Vec::new();
    for (document, page) in pages() {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (link, line) in &page.links {
            let target = link.split('#').next().unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
            if local && !exists(format!("{folder}/{target}").trim_start_matches('/')) {
                problems.push(format!("{document}:{line} links to {link}"));
            }
        }
    }
    assert_tidy(&problems, "Nothing is there: correct the link.");
}

#[test]
fn commands_of_documents_exist() {
    let makefile = text("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':').map(|(target, _)| target))
        .collect();
    assert!(targets.contains("run") && targets.contains("test"), "make run and make test are README's promise");
    let mut problems = Vec::new();
    for (document, page) in pages() {
        for (code, line) in page.spans.iter().chain(&page.fenced) {
            let unknown = make_targets(code).into_iter().filter(|target| !targets.contains(target.as_str()));
            problems.extend(unknown.map(|target| format!("{document}:{line} says make {target}")));
        }
    }
    assert_tidy(&problems, "The Makefile has no such target.");
}

#[test]
fn documents_for_users_exist_in_both_languages() {
    let documents: BTreeSet<String> = files_ending(".md").into_iter().filter(|path| is_for_users(path)).collect();
    let mut problems = Vec::new();
    for document in &documents {
        let twin = document.strip_suffix(".zh.md").map_or_else(|| document.replace(".md", ".zh.md"), |stem| format!("{stem}.md"));
        if !documents.contains(&twin) {
            problems.push(format!("{document} has no twin {twin}"));
            continue;
        }
        let levels = |path: &str| parse(&text(path)).headings.iter().map(|(level, _)| *level).collect::<Vec<_>>();
        if document < &twin && levels(document) != levels(&twin) {
            problems.push(format!("{document} and {twin} have different headings"));
        }
        let chinese = text(document).chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if document.ends_with(".zh.md") && !chinese {
            problems.push(format!("{document} is not in Chinese"));
        }
    }
    assert_tidy(&problems, "README, CONTRIBUTING and everything in docs but decisions is kept in English and Chinese, section by section.");
}

#[test]
fn the_architecture_names_every_crate() {
    let architecture = text("ARCHITECTURE.md");
    let named = |name: &str| architecture.contains(&format!("`crates/{name}`"));
    let problems: Vec<String> = members().iter().filter(|member| !named(&member.name)).map(|member| member.name.clone()).collect();
    assert_tidy(&problems, "ARCHITECTURE.md, \"Crates\", has one line per crate.");
}

#[test]
fn the_architecture_says_who_answers_each_route() {
    let architecture = text("ARCHITECTURE.md");
    let router = text("crates/server/src/router.rs");
    let routes: Vec<&str> = router.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.contains(&"/healthz"), "the router has no /healthz: does this test still look at the right place?");
    let missing = |route: &&&str| !architecture.contains(&format!("`{route}`"));
    let problems: Vec<String> = routes.iter().filter(missing).map(|route| format!("{route} is not in the table")).collect();
    assert_tidy(&problems, "ARCHITECTURE.md, \"Who answers which path\", has every route.");
}

#[test]
fn types_of_the_glossary_exist() {
    let mut types = BTreeSet::new();
    for path in files_ending(".rs").into_iter().filter(|path| path.contains("/src/")) {
        // Words rather than parsed items: some types are made by macros.
        let words = code_words(&path, &text(&path));
        let defined = words.windows(2).filter(|pair| ["struct", "enum", "trait", "type"].contains(&pair[0].0.as_str()));
        types.extend(defined.map(|pair| pair[1].0.clone()));
    }
    let tables: String = files_ending(".sql").iter().map(|path| text(path)).collect();
    let glossary = text("GLOSSARY.md");
    let mut problems = Vec::new();
    for row in glossary.lines().filter(|line| line.starts_with("| ")) {
        let type_column = row.split('|').nth(4).unwrap_or_default();
        for name in type_column.split('`').skip(1).step_by(2) {
            let is_type = name.starts_with(|c: char| c.is_ascii_uppercase());
            let known = if is_type { types.contains(name) } else { tables.contains(&format!("CREATE TABLE {name} ")) };
            if !known {
                problems.push(format!("GLOSSARY.md names `{name}`, which is neither a type nor a table"));
            }
        }
    }
    assert_tidy(&problems, "Correct the glossary, or name the type after it.");
}

fn is_for_users(path: &str) -> bool {
    let at_root = path.starts_with("README") || path.starts_with("CONTRIBUTING");
    at_root || (path.starts_with("docs/") && !path.starts_with("docs/decisions/"))
}

fn pages() -> Vec<(String, Page)> {
    files_ending(".md").into_iter().map(|path| (path.clone(), parse(&text(&path)))).collect()
}
