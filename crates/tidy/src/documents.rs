//! What the checks want to know of a Markdown page: the paths, links and commands it names, and its headings.

/// A page cut into what is prose and what is a fenced block.
#[derive(Debug, Default)]
pub struct Page {
    /// Inline code spans outside fenced blocks, with their lines.
    pub spans: Vec<(String, usize)>,
    /// Targets of links outside fenced blocks, with their lines.
    pub links: Vec<(String, usize)>,
    /// Lines inside fenced blocks, with their numbers.
    pub fenced: Vec<(String, usize)>,
    /// The level of each heading and its words.
    pub headings: Vec<(usize, String)>,
}

/// Reads a page.
pub fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut fence = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if fence {
            page.fenced.push((line.to_owned(), number));
        } else {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            if level > 0 && line[level..].starts_with(' ') {
                page.headings.push((level, line[level..].trim().to_owned()));
            }
            page.spans.extend(line.split('`').skip(1).step_by(2).map(|span| (span.to_owned(), number)));
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            page.links.extend(targets.map(|(target, _)| (target.to_owned(), number)));
        }
    }
    page
}

/// The path a code span names, or nothing when it names something else (a route, a command, a type).
pub fn named_path<'a>(span: &'a str, top_level: &[String]) -> Option<&'a str> {
    let path_letters = |c: char| c.is_ascii_alphanumeric() || "_-./<>{},*".contains(c);
    let first = span.split('/').next()?;
    let looks_like_path = span.contains('/') && span.chars().all(path_letters);
    (looks_like_path && top_level.iter().any(|name| name == first)).then_some(span.trim_end_matches('/'))
}

/// The plain paths behind one with `{a,b}` in it.
pub fn expand_braces(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let Some((choices, after)) = rest.split_once('}') else {
        return vec![path.to_owned()];
    };
    choices.split(',').flat_map(|choice| expand_braces(&format!("{before}{choice}{after}"))).collect()
}

/// Whether a path fits a pattern in which `<name>`, `*` and `NNNN` stand for a part of one segment.
pub fn fits(pattern: &str, path: &str) -> bool {
    let pattern: Vec<String> = pattern.split('/').map(wildcard).collect();
    let path: Vec<&str> = path.split('/').collect();
    // A pattern may name a folder: then a file below it is proof enough.
    path.len() >= pattern.len() && pattern.iter().zip(path).all(|(pattern, part)| segment_fits(pattern, part))
}

/// The make targets a line of code calls.
pub fn make_targets(code: &str) -> Vec<String> {
    let command = code.split(" #").next().unwrap_or(code).trim().trim_start_matches("$ ");
    let mut words = command.split_whitespace();
    if words.next() != Some("make") {
        return Vec::new();
    }
    words.take_while(|word| *word != "&&").filter(|word| !word.contains('=') && !word.starts_with('-')).map(str::to_owned).collect()
}

fn wildcard(segment: &str) -> String {
    let mut made = String::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('<') {
        made.push_str(before);
        made.push('*');
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    made.push_str(rest);
    made.replace("NNNN", "*")
}

fn segment_fits(pattern: &str, segment: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == segment;
    };
    let Some(rest) = segment.strip_prefix(before) else {
        return false;
    };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| segment_fits(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_falls_into_spans_links_fences_and_headings() {
        let page = parse("# Title\nsee `crates/a/src/b.rs` and [x](docs/x.md#y)\n```sh\nmake run # now\n```\n");
        assert_eq!(page.headings, vec![(1, "Title".to_owned())]);
        assert_eq!(page.spans, vec![("crates/a/src/b.rs".to_owned(), 2)]);
        assert_eq!(page.links, vec![("docs/x.md#y".to_owned(), 2)]);
        assert_eq!(page.fenced, vec![("make run # now".to_owned(), 4)]);
    }

    #[test]
    fn paths_are_told_from_routes_and_commands() {
        let top = vec!["crates".to_owned(), ".ci".to_owned()];
        for (span, expected) in [
            ("crates/engine/src/refund/<command>.rs", Some("crates/engine/src/refund/<command>.rs")),
            (".ci/run", Some(".ci/run")),
            ("crates/tidy/", Some("crates/tidy")),
            ("/ams/api/v1/payments/refund", None),
            ("and/or", None),
            ("cargo test -p crates/x", None),
        ] {
            assert_eq!(named_path(span, &top), expected, "{span}");
        }
    }

    #[test]
    fn patterns_fit_what_they_name() {
        assert!(fits("crates/*/src/lib.rs", "crates/engine/src/lib.rs"));
        assert!(fits("migrations/NNNN_<name>.sql", "migrations/0001_first.sql"));
        assert!(fits("crates/<name>", "crates/engine/src/lib.rs"));
        assert!(!fits("crates/<name>/tests", "crates/engine/src/lib.rs"));
        assert_eq!(expand_braces("a/{b,c}.rs"), vec!["a/b.rs", "a/c.rs"]);
    }

    #[test]
    fn make_targets_are_read_from_command_lines() {
        assert_eq!(make_targets("make sim SEED=42   # one run"), vec!["sim"]);
        assert_eq!(make_targets("$ make -s fmt lint"), vec!["fmt", "lint"]);
        assert!(make_targets("cargo make x").is_empty());
    }
}
