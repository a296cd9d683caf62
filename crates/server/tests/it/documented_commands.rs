//! Every `refundry …` that a document shows is a command of the program, with options that it has.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use refundry_server::commands::CommandLine;

/// Documents show at least so many commands; fewer found means that this test reads them wrongly.
const COMMANDS_MIN: usize = 10;

#[test]
fn commands_that_documents_show_exist() {
    let mut program = CommandLine::command();
    program.build();
    let (mut seen, mut problems) = (0, Vec::new());
    for page in pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")) {
        let text = std::fs::read_to_string(&page).unwrap().replace("\\\n", " ");
        for command in shown_commands(&text) {
            seen += 1;
            if let Err(problem) = check(&program, &command) {
                problems.push(format!("{}: refundry {command}: {problem}", page.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(seen >= COMMANDS_MIN, "{seen} commands were found");
}

#[test]
fn what_is_no_command_is_found() {
    let mut program = CommandLine::command();
    program.build();
    for (command, is_one) in [
        ("demo --data-dir x", true),
        ("doctor books", true),
        ("import payments payments.csv --merchant mer_...", true),
        ("keys rotate-master --finish", true),
        ("merchant|terminal create", true),
        ("demo --no-such-option", false),
        ("doctor papers", false),
        ("dance", false),
    ] {
        assert_eq!(check(&program, command).is_ok(), is_one, "{command}");
    }
}

/// What follows `refundry` in code: lines of fenced blocks, and spans between backticks.
fn shown_commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.extend(after_the_name(line));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).filter_map(after_the_name));
        }
    }
    found
}

fn after_the_name(code: &str) -> Option<String> {
    let code = code.split(" #").next().unwrap_or_default().trim().trim_start_matches("$ ");
    let mut words = code.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with('-'));
    let name = words.next()?;
    let rest: Vec<&str> = words.take_while(|word| !["|", ">", "&&", "&", ";"].contains(word)).collect();
    let is_program = name == "refundry" || (name.ends_with("/refundry") && !name.contains(':'));
    (is_program && !rest.is_empty()).then(|| rest.join(" "))
}

fn check(program: &clap::Command, command: &str) -> Result<(), String> {
    let mut at = vec![program];
    for word in command.split_whitespace() {
        let word = word.trim_matches(|letter| "[]…".contains(letter)).trim_end_matches("...");
        if word.is_empty() {
            continue;
        }
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split('=').next().unwrap_or_default();
            if !option.is_empty() && !at.iter().any(|command| has_option(command, option)) {
                return Err(format!("there is no --{option}"));
            }
            continue;
        }
        let here: Vec<&clap::Command> = at.iter().copied().filter(|command| command.has_subcommands()).collect();
        if here.is_empty() || word.starts_with('-') {
            continue;
        }
        let mut next = Vec::new();
        for name in word.split('|') {
            let found = here.iter().find_map(|command| command.find_subcommand(name));
            next.push(found.ok_or_else(|| format!("there is no {name}"))?);
        }
        at = next;
    }
    Ok(())
}

fn has_option(command: &clap::Command, option: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(option)) || ["help", "version"].contains(&option)
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    let mut folders = vec![root.join("docs"), root.join("deploy")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}
